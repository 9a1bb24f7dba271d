"""`ganpo ping`, `identify`, `read` and `browse` against servers that others wrote: by URL, without configuration."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ganpo_agent.cli.main import main
from support.configs import BUS, HEAD, meter
from support.identities import identity
from support.modbus_server import ModbusServer
from support.node_server import NodeServer
from support.opcua_server import OpcUaServer
from support.processes import BIN

MODBUS = ("--driver", "modbus")


@pytest.fixture(scope="module")
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running:
        running.set(1, "holding", 0, [17253, 26214, 0, 7])
        yield running


@pytest.fixture(scope="module")
def cell() -> Iterator[OpcUaServer]:
    with OpcUaServer(values={"Speed": 1.5}) as running:
        yield running


@contextmanager
def peer(says: bytes) -> Iterator[int]:
    """A port at which something else speaks: what it says to whoever asks; nothing where that is empty."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    session, _ = listening.accept()
                except OSError:
                    return
                with session:
                    session.settimeout(6)
                    try:
                        while session.recv(4096):
                            session.sendall(says)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
    thread.join(8)


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def steps(*words: str) -> tuple[int, dict[str, str]]:
    told = typed("ping", *words, "--json")
    return told.exit_code, {step["step"]: step["word"] for step in json.loads(told.stdout)["steps"]}


def test_ping_tells_each_step_with_its_time(server: ModbusServer, cell: OpcUaServer) -> None:
    told = typed("ping", server.url, *MODBUS)
    assert told.exit_code == 0, told.output
    assert [line.split()[0] for line in told.output.splitlines()[1:]] == ["name", "tcp", "session", "unit"]
    assert all(" ms" in line for line in told.output.splitlines()[1:])
    assert steps(cell.url) == (
        0,
        {
            "name": "a number",
            "tcp": "connected",
            "handshake": "done",
            "session": "open",
            "round trip": "answers",
        },
    )
    assert cell.sessions() == []


def test_ping_says_in_a_plain_word_where_the_way_ends(server: ModbusServer) -> None:
    refused = ("ping", "tcp://127.0.0.1:1", *MODBUS)
    assert steps(*refused[1:]) == (1, {"name": "a number", "tcp": "refused"})
    assert "nothing listens" in " ".join(typed(*refused).output.split())
    assert steps("tcp://nobody.invalid:502")[1] == {"name": "unknown"}
    server.silent(7)
    code, found = steps(server.url, *MODBUS, "--unit", "7", "--unit", "1")
    server.silent()
    assert (code, found["unit 7"], found["unit 1"]) == (1, "silent", "answers")
    with peer(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert steps(f"tcp://127.0.0.1:{port}", *MODBUS)[1]["unit 1"] == "something else"
        meters = steps(f"tcp://127.0.0.1:{port}", "--driver", "dlt645", "--set", "timeout_s=0.2")[1]
        assert meters["unit AAAAAAAAAAAA"] == "something else"
        assert steps(f"tls://127.0.0.1:{port}")[1]["handshake"] == "something else"
        assert steps(f"opc.tcp://127.0.0.1:{port}")[1]["handshake"] == "something else"
    assert steps("rtu:///dev/nothing-here") == (1, {"port": "broken off"})


def test_a_unit_that_answers_with_an_exception_is_told_by_that_and_that_the_line_works(
    server: ModbusServer,
) -> None:
    own, slower, behind = (
        "a fault of its own",
        "fewer points, a longer interval",
        "as far as the Modbus gateway",
    )
    for code, ok, said, to_do in (
        (0x01, True, "the unit does not read holding registers", "is this an input register?"),
        (0x02, True, "illegal data address", ""),
        (0x03, True, "illegal data value", ""),
        (0x04, False, "device failure", own),
        (0x05, False, "acknowledge: it still works on it", slower),
        (0x06, False, "device busy", slower),
        (0x08, False, "memory parity error", own),
        (0x0A, False, "gateway path unavailable", behind),
        (0x0B, False, "the gateway is there, the device behind it does not answer", behind),
    ):
        server.exception(9, code)
        told = typed("ping", server.url, "--unit", "9", "--json", *MODBUS)
        last = json.loads(told.stdout)["steps"][-1]
        name = f"exception {code:02X}"
        assert (told.exit_code, last["ok"], last["word"]) == (int(not ok), ok, "answers" if ok else name)
        assert last["what"].startswith(f"9:holding:0: {name}: {said}" if ok else f"{said}; the line works")
        assert to_do in last["what"]
    server.exception(9, 0)


def test_a_device_that_answers_half_is_told_with_what_came(server: ModbusServer) -> None:
    with peer(b"\x00\x01\x00\x00\x00\x05\x01\x03") as port:
        told = typed("read", f"tcp://127.0.0.1:{port}", "1:holding:0", *MODBUS, "--set", "timeout_s=0.2")
        found = steps(f"tcp://127.0.0.1:{port}", *MODBUS, "--set", "timeout_s=0.2")
    assert found[1]["unit 1"] == "broken off"
    assert (told.exit_code, told.output.count("\n")) == (1, 1)
    assert "the answer broke off after 8 bytes" in told.output


def test_a_register_is_read_as_it_is_or_as_its_type_with_the_bytes(server: ModbusServer) -> None:
    told = typed("read", server.url, "1:holding:0", "1:holding:1", "--raw", *MODBUS)
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[:2] == ["1:holding:0  17253", "1:holding:1  26214"]
    assert told.output.splitlines()[2].endswith("00 06 01 03 00 00 00 02")
    assert told.output.splitlines()[3].endswith("04 43 65 66 66")
    told = typed(
        "read", server.url, "1:holding:40001", "--type", "float32", "--set", "addressing=4xxxxx", *MODBUS
    )
    assert told.output == "1:holding:40001  229.4\n"
    told = typed("read", server.url, "1:holding:999", "1:holding:3", *MODBUS)
    assert told.exit_code == 1
    assert told.output.splitlines() == [
        "1:holding:999  -  exception 02: illegal data address",
        "1:holding:3    7",
    ]


def test_points_are_read_by_their_names(tmp_path: Path, server: ModbusServer) -> None:
    file = tmp_path / "agent.toml"
    text = HEAD + BUS.replace("tcp://127.0.0.1:502", server.url) + meter("max_rate = 1000")
    file.write_text(text.replace('"/var/lib/ganpo"', f'"{tmp_path}"'), encoding="utf-8")
    told = typed("read", "bus", "DB-1/energy_import", "--json", "--config", str(file))
    (one,) = json.loads(told.stdout)[0]["values"]
    assert (one["address"], one["value"]) == ("1:holding:0", 17253 * 65536 + 26214)
    told = typed("read", "bus", "DB-1/energy", "--config", str(file))
    assert "bus, DB-1/energy: no such point; there are: DB-1/energy_import, DB-1/power" in told.output
    told = typed("ping", "bus", "--config", str(file))
    assert (told.exit_code, "unit 1" in told.output) == (0, True)
    told = typed("identify", "--config", str(file))
    assert (told.exit_code, "vendor     Ganpo" in told.output) == (0, True)


def test_a_server_of_opc_ua_says_who_it_is_and_what_it_has(cell: OpcUaServer) -> None:
    assert "vendor     FreeOpcUa" in typed("identify", cell.url).output
    told = typed("browse", cell.url, "--json")
    found = {one["address"]: one for one in json.loads(told.stdout)}
    assert found[OpcUaServer.node("Speed")] == {
        "address": OpcUaServer.node("Speed"),
        "value": 1.5,
        "fault": None,
    }
    assert "array" in found["i=2255"]["fault"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["tcp://127.0.0.1:5020"],
            "several drivers read tcp://; say which: --driver modbus, --driver dlt645",
        ),
        (
            ["serial:///dev/ttyUSB0"],
            "several drivers read serial://; say which: --driver dlt645, --driver cjt188",
        ),
        (["tcp://me:hidden@127.0.0.1"], "tcp://***@127.0.0.1: no user or password belongs into a URL"),
        (["opc.tcp://me:hidden@h:4840"], "no user or password belongs into a URL"),
        (["opctcp://127.0.0.1"], "opctcp:// is none that a driver reads; did you mean opc.tcp?"),
        (["tcp://127.0.0.1", "--set", "baud"], "--set baud: is not KEY=VALUE"),
        (["rtu:///dev/ttyS0", "--set", "baud=fast"], "--set baud = fast: not a whole number"),
        (["rtu:///dev/ttyS0", "--set", "bauds=9600"], "--set bauds: no such key; did you mean baud?"),
        (["opc.tcp://h:4840", "--set", "password=hidden"], "--set password: a secret never stands here"),
        (["tcp://127.0.0.1:99999", *MODBUS], "a port is a number from 1 to 65535"),
        (["tcp://", "--driver", "modbus"], "not tcp://HOST[:502]"),
        (["tcp://h", "--driver", "modbuss"], "did you mean modbus?"),
    ],
)
def test_what_is_wrong_with_a_url_is_told_in_a_line_and_no_secret_is(words: list[str], said: str) -> None:
    told = typed("read", *words, "1:holding:0")
    assert told.exit_code == 1
    assert said in told.output
    assert "hidden" not in told.output.replace("--set password", "")
    assert "Traceback" not in told.output


def test_on_40_columns_and_into_a_closed_pipe_it_stays_clear(server: ModbusServer) -> None:
    program = [str(BIN / "ganpo"), "ping", "tcp://127.0.0.1:1", *MODBUS]
    done = subprocess.run(
        program, capture_output=True, text=True, env=os.environ | {"COLUMNS": "40"}, timeout=30
    )
    assert max(map(len, done.stdout.splitlines())) <= 40
    shell = f"{BIN / 'ganpo'} read {server.url} 1:holding:0 1:holding:1 --driver modbus | true"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_server_that_shares_nothing_with_ours_is_tried_the_same_way(tmp_path: Path) -> None:
    pem = identity(tmp_path / "server.pem", uri="urn:node:server")
    with NodeServer(tmp_path / "node", pem, values={"Speed": 12.5}) as there:
        assert steps(there.url)[1]["round trip"] == "answers"
        found = dict(line.split("\t") for line in typed("browse", there.url).output.splitlines())
        (speed,) = [address for address in found if address.endswith("Speed")]
        assert found[speed] == "12.5"
        assert typed("read", there.url, speed).output.startswith(f"{speed}")
        assert "vendor" in typed("identify", there.url).output
