"""Resident memory of `ganpo run` with 1,000 Modbus points against a bare process with the same libraries.

The bare process imports what a gateway that runs has in `sys.modules` beside ours (asyncio, sqlite3, pymodbus,
paho-mqtt, pydantic-settings, click, Starlette, uvicorn with h11, what they and we take of Python) and does nothing;
beside a gateway whose page and doctor were asked for, Jinja and ctypes too. Registers count as those of meters do: what
jumps about is remembered step by step.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import Figure, ratio
from modbus_server import serving

_LIBRARIES = """
import asyncio, sqlite3, csv, gzip, tomllib, zipfile, encodings.idna, importlib.metadata, importlib.resources
import pymodbus.client, paho.mqtt.client, pydantic_settings, click
import pydantic.plugin._loader, starlette.applications, starlette.routing, starlette.responses
import uvicorn, uvicorn.protocols.http.h11_impl, time
"""
_SIDES = ("", "import jinja2, ctypes")
_REGISTERS = """
def registers(_first):
    counted = int(time.time() / 9) % 10000
    return struct.pack(">1000I", *(counted + n for n in range(1000)))
"""


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    ours: tuple[list[float], list[float]] = ([], [])
    bare: tuple[list[float], list[float]] = ([], [])
    for n in range(2 if short else 6):
        found = [*_gateway(6 if short else 12), *(_bare(more) for more in _SIDES)]
        if n:  # the first of each writes the byte code
            for values, value in zip((*ours, *bare), found, strict=True):
                values.append(value)
    for said, left, right, goal in zip(
        ("", ", page and doctor asked"), ours, bare, ("<= 1.20", ""), strict=True
    ):
        yield str(Figure(f"ganpo run, 1,000 points{said}", left, "MB"))
        yield str(Figure("bare process with the same libraries", right, "MB"))
        yield ratio("ganpo / bare", left, right, goal)


def _gateway(settle_s: float) -> tuple[float, float]:
    """Before anybody asked for anything, and after the page was seen in both languages and the doctor was asked."""
    with tempfile.TemporaryDirectory() as folder, serving(_REGISTERS) as port:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            http = "{}:{}".format(*free.getsockname())
        config = _config(Path(folder), port, http)
        program = Path(sys.executable).parent / "ganpo"
        with _started([str(program), "run", "--config", str(config)]) as process:
            time.sleep(settle_s)
            at_rest = _resident(process)
            assert process.poll() is None, "ganpo run ended"
            for path in ("/?lang=en", "/?lang=zh", "/api/v1/doctor"):
                with urllib.request.urlopen(f"http://{http}{path}", timeout=20) as answer:
                    answer.read()
            time.sleep(settle_s / 4)
            asked = _resident(process)
    return at_rest, asked


def _bare(more: str) -> float:
    with _started([sys.executable, "-c", f"{_LIBRARIES}{more}\ntime.sleep(60)"]) as process:
        time.sleep(2)
        return _resident(process)


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    # Compiling at every start, where byte code may not be written, would be measured with the rest.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=env) as process:
        try:
            yield process
        finally:
            process.terminate()


def _resident(process: subprocess.Popen[bytes]) -> float:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _config(folder: Path, port: int, http: str) -> Path:
    lines = [
        "format = 1",
        "[gateway]",
        'id = "gw-bench-0001"',
        f'state_dir = "{folder}"',
        f'http = "{http}"',
        "[uplink]",
        'broker = "mqtt://127.0.0.1:1"',
        "[site]",
        'id = "plant-1"',
        'name = "Bench"',
        'timezone = "Asia/Shanghai"',
        "[connections.bus]",
        'driver = "modbus"',
        f'url = "tcp://127.0.0.1:{port}"',
        'addressing = "0-based"',
    ]
    for n in range(1000):
        lines += [
            "[[meters]]",
            f'asset_no = "M-{n}"',
            f'name = "Meter {n}"',
            'carrier = "electricity"',
            'role = "sub"',
            "[[points]]",
            f'asset_no = "M-{n}"',
            'signal = "energy_import"',
            'connection = "bus"',
            f'address = "1:holding:{2 * n}"',
            'type = "uint32"',
            'scale = "0.01"',
            'interval_s = "1"',
            'max_rate = "800"',
        ]
    path = folder / "agent.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
