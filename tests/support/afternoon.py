"""The engineer's afternoon, `docs/afternoon.md`: its commands typed on a terminal of 80 columns, what they print
compared with the page, its meter laid out in a server, and what both pages show in the end.

One source of the steps for `e2e/test_afternoon.py`, which types them at a checkout, and for `deploy/deb/afternoon.py`,
which types them in the small Debian that the packages are tried in.
"""

import fcntl
import os
import pty
import re
import select
import shlex
import signal
import struct
import termios
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from support import device_table
from support.modbus_server import ModbusServer

PAGE = Path(__file__).parents[2] / "docs" / "afternoon.md"
COLUMNS = 80
PROMPT = "$ "
PROFILE = "acrel_dtsd1352"
METER, BROKER = "192.168.1.5:502", "mqtt://192.168.1.9"
"""As the page has them."""
LAST_HERE = "ganpo service install"
"""The last command at the gateway; what follows is typed at the collector."""
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
QUICK = {"GANPO_SITE__SLOT": "2s", "GANPO_UPLINK__LIVE_S": "1"}
"""So that nobody waits a quarter of an hour for the first reading to travel."""


class Typed(NamedTuple):
    """A command of the page, and what it prints there."""

    command: str
    printed: str

    @property
    def theirs(self) -> bool:
        """Whether the program is not ours: what it prints is its own affair."""
        return not shlex.split(self.command)[0].startswith("ganpo")


def typed() -> list[Typed]:
    """Each fence marked `sh` holds commands; an unmarked one behind it, what the last of them prints."""
    found: list[Typed] = []
    for kind, text in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        if kind == "sh":
            found += [Typed(line, "") for line in re.split(r"(?<!\\)\n", text.strip())]
        else:
            found[-1] = Typed(found[-1].command, text)
    return found


def walk(
    environ: Mapping[str, str],
    here: Callable[[str], str] = str,
    there: Callable[[str], str] = str,
    by_hand: tuple[str, ...] = (),
) -> Iterator[Typed]:
    """Type what the page says; each command is yielded once what it printed was compared, and printed as a transcript.

    `here`: a text of the page with what stands in its place here; `there`: the other way round. Commands that begin
    with a word of `by_hand` are left to whoever walks. Raises AssertionError.
    """
    terminal = Terminal({**environ, "PS1": PROMPT, "PS2": "", "TERM": "dumb", "LC_ALL": "C.UTF-8"})
    try:
        for one in typed():
            if not one.command.startswith(by_hand):
                seen = there(terminal.type(here(one.command), here(one.printed)))
                print(f"{PROMPT}{seen}", end="", flush=True)
                printed = "\n".join(seen.splitlines()[one.command.count("\n") + 1 :])
                if not one.theirs:
                    assert masked(printed) == masked(one.printed), one.command
                    assert max(map(len, seen.splitlines())) <= COLUMNS, one.command
            yield one
    finally:
        terminal.close()


class Terminal:
    """A shell on a terminal of 80 columns."""

    def __init__(self, environ: Mapping[str, str]) -> None:
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


def lay_out(server: ModbusServer) -> None:
    """Every register that the devices' table has of the meter holds what `HELD` says."""
    for cell in device_table.cells("meter"):
        if PROFILE in cell["profile"].split():
            raw = device_table.words(cell["type"], HELD.get(cell["signal"], 0), cell["order"])
            server.set(1, "holding", int(cell["address"]), raw)


def shows_at_the_gateway(url: str, server: ModbusServer) -> None:
    """The meter stands on the gateway's page, and counts on by one afterwards."""
    page_of(f"{url}/?lang=en", "DB-0101", "48,203.2")
    server.set(1, "holding", 10, device_table.words("uint32", HELD["energy_import"] + 1, "ABCD"))


def shows_at_the_collector(url: str) -> None:
    """The meter, where its register stands, and what was counted since its first reading."""
    found = page_of(f"{url}/?lang=en", "DB-0101", "48,204.00", "0.80")
    told = " ".join(re.sub(r"<[^>]+>", " ", found).split())
    assert re.search(r"48,204.00 kWh active energy, import DB-0101/energy_import#\w+ 0.80 kWh", told), told


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
