"""Resident memory of `ganpo run` with 1,000 Modbus points against a bare process with the same libraries.

The bare process imports what the gateway stands on (asyncio, sqlite3, pymodbus, paho-mqtt, pydantic, click,
Starlette, uvicorn with h11) and does nothing.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure import Figure, ratio
from poll import serving

_BARE = """
import asyncio, sqlite3, pymodbus.client, paho.mqtt.client, pydantic, click, starlette.applications
import starlette.routing, starlette.responses, uvicorn, uvicorn.protocols.http.h11_impl, time
time.sleep(60)
"""


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    ours, bare = [], []
    for n in range(2 if short else 6):
        with tempfile.TemporaryDirectory() as folder, serving() as port:
            config = _config(Path(folder), port)
            command = [Path(sys.executable).parent / "ganpo", "run", "--config", config]
            found = _resident(command, 3 if short else 12), _resident([sys.executable, "-c", _BARE], 2)
        if n:  # the first of each writes the byte code
            ours.append(found[0])
            bare.append(found[1])
    yield str(Figure("ganpo run, 1,000 Modbus points", ours, "MB"))
    yield str(Figure("bare process with the same libraries", bare, "MB"))
    yield ratio("ganpo / bare", ours, bare, "<= 1.20")


def _resident(command: list[object], settle_s: float) -> float:
    # Compiling at every start, where byte code may not be written, would be measured with the rest.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL, env=env) as process:
        time.sleep(settle_s)
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        process.terminate()
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _config(folder: Path, port: int) -> Path:
    lines = [
        "format = 1",
        "[gateway]",
        'id = "gw-bench-0001"',
        f'state_dir = "{folder}"',
        'http = "127.0.0.1:0"',
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
