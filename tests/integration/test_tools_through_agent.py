"""Where the gateway runs it holds the line: tools ask through it, and no session of theirs appears at the device."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from ganpo_agent.cli.main import main
from support.configs import BUS, HEAD, meter
from support.laid_meters import SAID, meter_laid
from support.modbus_server import ModbusServer
from support.processes import BIN, end


class Relay:
    """A port before a server that counts who connects."""

    def __init__(self, to: int) -> None:
        self.sessions = 0
        self._to = to
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self.sessions += 1
            far = socket.create_connection(("127.0.0.1", self._to))
            for ends in ((near, far), (far, near)):
                thread = threading.Thread(target=_copy, args=ends, daemon=True)
                thread.start()
                self._threads.append(thread)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(10)


def _copy(source: socket.socket, to: socket.socket) -> None:
    with source, to:
        try:
            while data := source.recv(4096):
                to.sendall(data)
            to.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


@contextmanager
def gateway(folder: Path, url: str) -> Iterator[str]:
    """A running one that reads an SDM630 as unit 1."""
    file = folder / "agent.toml"
    text = HEAD + BUS.replace("tcp://127.0.0.1:502", url)
    text += meter("max_rate = 1000").replace("power_meter_3p_modbus", "eastron_sdm630")
    text = text.replace('"/var/lib/ganpo"', f'"{folder}"\nhttp = "127.0.0.1:0"')
    file.write_text(text, encoding="utf-8")
    process = subprocess.Popen([str(BIN / "ganpo"), "run", "--config", str(file)], stderr=subprocess.DEVNULL)
    try:
        yield str(file)
    finally:
        end(process)


def typed(*words: str) -> tuple[int, str]:
    told = CliRunner().invoke(main, words)
    return told.exit_code, told.stdout


def _until_all_is_read(*where: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        code, told = typed("check", "--online", "--json", *where)
        if code == 0 and json.loads(told)["online"][0]["held"]:
            return
        time.sleep(0.2)
    raise AssertionError(told)


def _beside_a_broken_file(file: Path, begin: str, broken: str, url: str) -> None:
    """The gateway goes on with what it has, and is asked all the same."""
    whole, where = file.read_text(), ("--config", str(file))
    line = next(line for line in whole.splitlines() if line.startswith(begin))
    file.write_text(whole.replace(line, broken, 1), encoding="utf-8")
    try:
        code, told = typed("doctor", "--json", *where)
        checks = {one["check"]: one for one in json.loads(told)}
        assert (code, checks["configuration"]["command"]) == (1, "ganpo check")
        assert "the running gateway's" in checks["configuration"]["what"]
        assert "frames wait" in checks["backlog"]["what"], "as the running gateway says"
        code, told = typed("points", "--json", *where)
        assert (code, len(json.loads(told))) == (0, 16)
        said = typed("read", url, "1:input:0", "--type", "float32", "--driver", "modbus", *where)
        assert said == (0, "1:input:0  231.4\n")
    finally:
        file.write_text(whole)


@pytest.mark.timeout(180)
def test_every_tool_asks_through_the_gateway_that_holds_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with ModbusServer() as server:
        server.set_many(
            [(1, *block) for one in meter_laid("eastron_sdm630", SAID[0]) for block in one.blocks]
        )
        relay = Relay(server.port)
        url = f"tcp://127.0.0.1:{relay.port}"
        try:
            with gateway(tmp_path, url) as config:
                where = ("--config", config)
                _until_all_is_read(*where)
                before = relay.sessions
                (bus,) = json.loads(typed("check", "--online", "--json", *where)[1])["online"]
                assert (bus["held"], len(bus["points"])) == (True, 16)
                steps = json.loads(typed("ping", "bus", "--json", *where)[1])["steps"]
                assert [step["word"] for step in steps] == ["held", "answers"]
                # a URL of the same line is the gateway's too
                code, told = typed(
                    "read", url, "1:input:0", "--type", "float32", "--driver", "modbus", *where
                )
                assert (code, told) == (0, "1:input:0  231.4\n")
                code, told = typed("read", "bus", "DB-1/frequency", "--raw", *where)
                assert code == 0
                assert "49.98" in told
                assert "> " in told
                assert typed("identify", "bus", *where)[0] == 0
                decode = ("decode", "bus", "--at", "30001", "--count", "2", "--expect", "231.4", "--json")
                (first, *_) = json.loads(typed(*decode, *where)[1])["meanings"]
                assert (first["type"], first["order"]) == ("float32", "ABCD")
                code, told = typed("scan", "bus", "--units", "1", "--registers", "0-20", "--json", *where)
                assert [1, "input", 0, 17] in json.loads(told)["ranges"]
                checks = {one["check"]: one for one in json.loads(typed("doctor", "--json", *where)[1])}
                assert checks["broker"]["level"] == "alarm"
                assert "frames wait" in checks["backlog"]["what"]
                for line, broken in (
                    ("addressing = ", "addressing = 7"),
                    ("id = ", 'id = "gw'),
                    ("id = ", 'id = "gw-车间"'),
                ):
                    _beside_a_broken_file(Path(config), line, broken, url)
                assert relay.sessions == before, "nobody but the gateway has a session"
        finally:
            relay.close()
