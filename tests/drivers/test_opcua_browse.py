"""`ganpo browse`: what a person gets, and what is told where there is nothing to get."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ganpo_agent.cli.main import main
from support.configs import BUS, HEAD
from support.opcua_server import OpcUaServer


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaServer]:
    with OpcUaServer(machines=["L2"], values={"A": 1}) as running:
        yield running


def typed(folder: Path, url: str, *words: str) -> Result:
    file = folder / "agent.toml"
    opcua = f'[connections.cell]\ndriver = "opcua"\nurl = "{url}"\nsecurity = "None"\nallow_insecure = true\n'
    file.write_text(HEAD + BUS + opcua, encoding="utf-8")
    return CliRunner().invoke(main, ["browse", *words, "--config", str(file)])


def test_what_a_server_offers_is_printed_as_lists_write_it(tmp_path: Path, server: OpcUaServer) -> None:
    told = typed(tmp_path, server.url, "cell", "/*:Machines")
    assert told.exit_code == 0, told.output
    below = dict(line.split("\t") for line in told.output.splitlines())
    assert below[OpcUaServer.node("L2.PartsTotal")] == "0"
    assert len(below) == 5
    everything = dict(line.split("\t") for line in typed(tmp_path, server.url, "cell").output.splitlines())
    assert everything[OpcUaServer.node("A")] == "1"
    assert below.keys() <= everything.keys()
    assert server.sessions() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["press"], "connections.press: no such connection; there are: bus, cell"),
        (["bus"], "connections.bus: devices of the driver modbus do not say what they have"),
        (["cell", "/*:Nowhere"], "connections.cell: /*:Nowhere: no node at /*:Nowhere"),
        (["cell", "Machines"], "connections.cell: 'Machines' is no node id"),
    ],
)
def test_where_there_is_nothing_to_tell_it_says_why(
    tmp_path: Path, server: OpcUaServer, words: list[str], said: str
) -> None:
    told = typed(tmp_path, server.url, *words)
    assert told.exit_code == 1
    assert said in told.output


def test_a_server_that_is_away_and_a_configuration_with_errors_are_told(tmp_path: Path) -> None:
    told = typed(tmp_path, "opc.tcp://127.0.0.1:1", "cell")
    assert (told.exit_code, "connection refused" in told.output) == (1, True)
    told = typed(tmp_path, "http://nonsense", "cell")
    assert (told.exit_code, "connections.cell.url = http://nonsense: " in told.output) == (1, True)
