"""Where no OPC UA server speaks: `ganpo trust` and `ganpo browse` say so, and what came."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from ganpo_agent.cli.main import main
from support.configs import HEAD
from support.modbus_server import ModbusServer

WEB = (
    "require('http').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })"
)


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """A web server, a Modbus device, and a port that takes connections and says nothing."""
    node = shutil.which("node")
    assert node is not None, "node is not here: make test installs it on a Debian"
    with ExitStack() as stack:
        web = stack.enter_context(subprocess.Popen([node, "-e", WEB], stdout=subprocess.PIPE, text=True))
        stack.callback(web.kill)
        assert web.stdout is not None
        mute = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        modbus = stack.enter_context(ModbusServer())
        yield {"web": int(web.stdout.readline()), "modbus": modbus.port, "mute": mute.getsockname()[1]}


@pytest.mark.parametrize("command", ["trust", "browse"])
@pytest.mark.parametrize(
    ("peer", "said"),
    [
        ("web", "what answers began with b'HTTP/1.1 400 Bad Request"),
        ("modbus", "it takes the connection, but no answer to the hello within 0.5 s"),
        ("mute", "it takes the connection, but no answer to the hello within 0.5 s"),
    ],
)
def test_a_port_where_something_else_listens_is_told_with_what_came(
    tmp_path: Path, ports: dict[str, int], command: str, peer: str, said: str
) -> None:
    url = f"opc.tcp://127.0.0.1:{ports[peer]}"
    file = tmp_path / "agent.toml"
    head = HEAD.replace('"/var/lib/ganpo"', f'"{tmp_path / "state"}"')
    file.write_text(
        f'{head}[connections.plc]\ndriver = "opcua"\nurl = "{url}"\n'
        'security = "None"\nallow_insecure = true\ntimeout_s = 0.5\n'
    )
    told = CliRunner().invoke(main, [command, "plc", "--config", str(file)])
    assert told.exit_code == 1
    assert f"{url}: no OPC UA server speaks there: {said}" in told.output
