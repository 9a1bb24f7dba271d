"""The engineer's afternoon, as docs/afternoon.md prints it: its commands typed on a terminal of 80 columns (Show 1).

A server that others wrote is the meter, laid out by the devices' register table; broker, gateway and collector are
real. What the commands print is compared with the page. `pytest -s` prints the transcript.
"""

import fcntl
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ganpo_demo.loopback import free_port
from support import device_table
from support.broker import Mosquitto
from support.cloud import Cloud
from support.gateways import wait_for
from support.modbus_server import ModbusServer
from support.processes import BIN, end

PAGE = Path(__file__).parents[2] / "docs" / "afternoon.md"
COLUMNS = 80
PROMPT = "$ "
PROFILE = "acrel_dtsd1352"
METER, BROKER = "192.168.1.5:502", "mqtt://192.168.1.9"
"""As the page has them; the test's own stand in their place."""
ENTERPRISE = "91360000625912173B"
HELD = {
    "energy_total": 60260,
    "energy_import": 60254,
    "energy_export": 6,
    "reactive_energy": 9000,
    "voltage_l1": 2310,
    "voltage_l2": 2311,
    "voltage_l3": 2312,
    "current_l1": 121,
    "current_l2": 122,
    "current_l3": 123,
    "frequency": 5001,
    "power_l1": 280,
    "power_l2": 281,
    "power_l3": 282,
    "power": 843,
    "pt_ratio": 1,
    "ct_ratio": 80,
}
"""Counts of a meter behind transformers of 400/5; its tariffs are not used."""


class Typed(NamedTuple):
    """A command of the page, and what it prints there."""

    command: str
    printed: str


def typed() -> list[Typed]:
    """Each fence marked `sh` holds commands; an unmarked one behind it, what the last of them prints."""
    found: list[Typed] = []
    for kind, text in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        if kind == "sh":
            found += [Typed(line, "") for line in re.split(r"(?<!\\)\n", text.strip())]
        else:
            found[-1] = Typed(found[-1].command, text)
    return found


class Terminal:
    """A shell on a terminal of 80 columns."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._process, self._end = pty.fork()
        if self._process == 0:
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "--noediting"], environ)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        self._read(lambda said: said == PROMPT)

    def type(self, command: str, page: str) -> str:
        """What a person sees, from the command on. What the page has behind a question is the answer."""
        self._send(command)
        own = command.count("\n") + 1
        lines, answered = [""] * own + page.splitlines(), 0

        def over(said: str) -> bool:
            nonlocal answered
            at, last = said.count("\n"), said.rpartition("\n")[2]
            if answered < at < len(lines) and last.endswith(": "):
                answered = at
                self._send(lines[at].partition("]: ")[2] or f"{lines[at]} ".rpartition(": ")[2].strip())
            return at >= own and last == PROMPT

        return self._read(over).removesuffix(PROMPT)

    def close(self) -> None:
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._end)

    def _send(self, text: str) -> None:
        os.write(self._end, f"{text}\n".encode())

    def _read(self, over: Callable[[str], bool]) -> str:
        said, raw, deadline = "", b"", time.monotonic() + 60
        while not over(said):
            ready = select.select([self._end], [], [], max(0, deadline - time.monotonic()))[0]
            assert ready, f"it hangs: {said}"
            raw += os.read(self._end, 4096)
            text = raw.decode(errors="ignore").replace("\r\n", "\n")
            said = re.sub(r"[^\n]*\r\x1b\[K", "", text)  # a bar that went again
        return said


@pytest.fixture
def server() -> Iterator[ModbusServer]:
    """Every register that the table has of the meter holds what `HELD` says."""
    with ModbusServer() as running:
        for cell in device_table.cells("meter"):
            if PROFILE in cell["profile"].split():
                raw = device_table.words(cell["type"], HELD.get(cell["signal"], 0), cell["order"])
                running.set(1, "holding", int(cell["address"]), raw)
        yield running


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """The file system of a box with Ganpo in /opt, and `ganpo` on the path."""
    for folder in ("etc/ganpo", "opt", "var/lib/ganpo", "bin"):
        (tmp_path / "box" / folder).mkdir(parents=True)
    root = tmp_path / "box"
    (root / "opt/ganpo").symlink_to(sys.prefix)
    (root / "bin/ganpo").write_text(
        f"#!/bin/sh\nexec {root}/opt/ganpo/bin/python3 -c"
        " 'from ganpo_agent.cli.main import main; main()' \"$@\"\n"
    )
    (root / "bin/ganpo").chmod(0o755)
    return root


def masked(text: str) -> str:
    """Without what differs from one afternoon to the next: machine's name, times, where a line is wrapped."""
    text = re.sub(r"\[gw-.*-0001\]", "[gw]", " ".join(text.split()))
    return re.sub(r"takes [0-9.]+ s, [0-9]+%|[0-9]+ waiting", "#", text)


def page_of(url: str, *texts: str) -> str:
    """What is answered there, once it has all these texts."""
    deadline, found = time.monotonic() + 30, ""
    while not found or not all(text in found for text in texts):
        assert time.monotonic() < deadline, f"{texts} not in {found}"
        time.sleep(0.2)
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found = answer.read().decode()
        except OSError:
            found = ""
    return found


def test_four_commands_to_the_gateway_page_and_six_to_the_collector(
    tmp_path: Path, box: Path, server: ModbusServer
) -> None:
    commands = typed()
    programs = [shlex.split(one.command)[:2] for one in commands]
    last_here = programs.index(["ganpo", "service"])
    assert last_here < 4, "commands to the value on the gateway page"
    assert len(commands) <= 6, "to the counted meter on the collector's page"
    http = free_port()
    config = box / "etc/ganpo/agent.toml"
    environ = {
        "PATH": f"{box}/bin:{BIN}:/usr/sbin:/usr/bin:/bin",
        "GANPO_CONFIG": str(config),
        "HOME": str(tmp_path),
        "LANG": "en_US.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PS1": PROMPT,
        "PS2": "",
        "TERM": "dumb",
    }
    processes: list[subprocess.Popen[bytes]] = []
    with Mosquitto(tmp_path) as broker:
        cloud = Cloud(tmp_path, broker.url)
        environ["GANPO_CLOUD_CONFIG"] = str(tmp_path / "cloud.toml")
        own = {METER: server.url.removeprefix("tcp://"), BROKER: broker.url}
        terminal = Terminal(environ)

        def theirs(text: str, *, back: bool = False) -> str:
            for page, here in own.items():
                text = text.replace(here, page) if back else text.replace(page, here)
            if not back:
                return text
            text = text.replace(f" --root {box}", "").replace(str(box), "")
            return text.replace("systemd does not run here", "active")

        try:
            for number, one in enumerate(commands):
                if programs[number][0] == "systemctl":  # no systemd runs here
                    cloud.start()
                    wait_for(lambda: cloud.health()[0] > 0, 30)
                    continue
                root = f" --root {box}" if number == last_here else ""
                seen = theirs(terminal.type(theirs(one.command) + root, theirs(one.printed)), back=True)
                print(f"{PROMPT}{seen}", end="")
                printed = "\n".join(seen.splitlines()[one.command.count("\n") + 1 :])
                assert masked(printed) == masked(one.printed), one.command
                assert max(map(len, seen.splitlines())) <= COLUMNS, one.command
                if number == last_here:
                    unit = (box / "etc/systemd/system/ganpo-agent.service").read_text()
                    (start,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
                    here = {
                        "GANPO_GATEWAY__STATE_DIR": str(box / "var/lib/ganpo"),
                        "GANPO_GATEWAY__HTTP": f"127.0.0.1:{http}",
                        "GANPO_SITE__SLOT": "2s",
                        "GANPO_UPLINK__LIVE_S": "1",
                    }
                    command = [f"{box}{start.split()[0]}", *start.split()[1:]]
                    with (tmp_path / "agent.log").open("w") as log:
                        processes.append(subprocess.Popen(command, env=environ | here, stderr=log))
                    page_of(f"http://127.0.0.1:{http}/?lang=en", "DB-0101", "48,203.2")
                    raw = device_table.words("uint32", HELD["energy_import"] + 1, "ABCD")
                    server.set(1, "holding", 10, raw)
            found = page_of(f"{cloud.url}/?lang=en", "DB-0101", "48,204.00", "0.80")
            told = " ".join(re.sub(r"<[^>]+>", " ", found).split())
            assert re.search(r"48,204.00 kWh active energy, import DB-0101/energy_import#\w+ 0.80 kWh", told)
        finally:
            terminal.close()
            for process in processes:
                end(process)
            cloud.kill()
