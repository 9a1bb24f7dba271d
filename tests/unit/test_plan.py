"""`ganpo plan`: requests, registers, waste and the line's time, now and with units silent; offline."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ganpo_agent.cli.main import main
from ganpo_agent.reading import plan
from ganpo_agent.reading.plan import planned
from ganpo_config.plant import BoundConnection
from ganpo_drivers import Point
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_model.errors import ConfigError
from support.configs import CELL, HEAD, plant

LINE = """
[connections.line]
driver = "modbus"
url = "rtu:///dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A10KZP45-if00-port0"
addressing = "0-based"
"""


def points(units: int, interval_s: float) -> str:
    """Power at registers 0-1, voltage at 5-6 of each meter."""
    found = []
    for unit in range(1, units + 1):
        for signal, number in (("power", 0), ("voltage_l1", 5)):
            found.append(
                f'[[points]]\nasset_no = "DB-{unit}"\nsignal = "{signal}"\nconnection = "line"\n'
                f'address = "{unit}:holding:{number}"\ntype = "float32"\ninterval_s = {interval_s}\n'
            )
    return "".join(found)


def rows(units: int, interval_s: float) -> str:
    """Meters with both points."""
    heads = "".join(
        f'[[meters]]\nasset_no = "DB-{unit}"\nname = "Meter"\ncarrier = "electricity"\nrole = "sub"\n'
        for unit in range(1, units + 1)
    )
    return LINE + heads + points(units, interval_s)


def bound(folder: Path, text: str) -> BoundConnection:
    """The only connection of a file."""
    (found,) = plant(folder, text).connections
    return found


def test_the_time_of_a_serial_line_is_its_characters_the_pauses_and_the_answers(tmp_path: Path) -> None:
    found = planned(bound(tmp_path, rows(8, 5)))
    assert found.now is not None
    (cost,) = {group.cost for group in found.groups}
    assert cost is not None
    assert (cost.requests, cost.items, cost.waste) == (1, 7, 3)
    # 8 characters there, 5 + 14 back, 3.5 of pause, at 10 bits each; 20 ms until the answer begins
    one_s = (8 + 19 + 3.5) * 10 / 9600 + 0.02
    assert cost.seconds == pytest.approx(one_s)
    assert cost.silent_s == pytest.approx((8 + 19 + 3.5) * 10 / 9600 + 0.5)
    assert found.now.cycle_s == pytest.approx(8 * one_s)
    assert found.now.load == pytest.approx(8 * one_s / 5)


def test_silent_units_cost_their_timeouts_first_and_their_probes_then(tmp_path: Path) -> None:
    found = planned(bound(tmp_path, rows(8, 5)), ["2", "3", "5"])
    assert found.now is not None
    assert found.then is not None
    healthy_s = found.now.cycle_s / 8 * 5
    assert found.then.cycle_s == pytest.approx(healthy_s)
    assert found.then.load == pytest.approx(healthy_s / 5)
    assert found.then.first_s == pytest.approx(healthy_s + 3 * (0.5 + 30.5 * 10 / 9600))


def test_what_is_printed_fits_a_terminal_and_says_when_it_is_too_much(tmp_path: Path) -> None:
    text = str(planned(bound(tmp_path, rows(24, 1)), ["7"]))
    assert max(map(len, text.splitlines())) <= 80
    assert "unit 24 holding 0-6: 7 for 2 points" in text
    assert "one cycle of all keys  1.242 s  if a device begins its answer after 20 ms" in text
    assert "load of the line       124%" in text
    assert "silent: 7\n  their first 3 reads  1.722 s a cycle" in text
    assert "after that           1.191 s a cycle, load 119%, at most 5% more for probes" in text
    assert text.endswith("too much: longer intervals, fewer points, or a second line")


def test_a_key_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line: '9' is no key of this connection; it has 1, 2"):
        planned(bound(tmp_path, rows(2, 5)), ["9"])


def typed(folder: Path, text: str, *words: str) -> Result:
    """`ganpo plan` as a person types it."""
    (folder / "agent.toml").write_text(HEAD + text)
    return CliRunner().invoke(main, ["plan", "--config", str(folder / "agent.toml"), *words])


def test_as_a_person_and_as_a_program_ask(tmp_path: Path) -> None:
    shown = typed(tmp_path, rows(2, 5), "line")
    assert shown.exit_code == 0
    assert "load of the line       2%" in shown.output
    told = json.loads(typed(tmp_path, rows(2, 5), "line", "--json", "--silent", "2").output)
    assert [group["key"] for group in told["groups"]] == ["1", "2"]
    assert told["groups"][0]["requests"] == ["unit 1 holding 0-6: 7 for 2 points"]
    assert told["groups"][0]["cost"]["waste"] == 3
    assert told["then"]["first_s"] > told["now"]["cycle_s"]


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        (rows(1, 5), ["lin"], "connections.lin: no such connection; there are: line"),
        (rows(1, 5), ["line", "--silent", "2"], "'2' is no key of this connection; it has 1"),
        ('[connections.line]\ndriver = "modbus"\n', ["line"], "connections.line.url: is missing"),
    ],
)
def test_what_cannot_be_planned_is_told(tmp_path: Path, text: str, words: list[str], told: str) -> None:
    found = typed(tmp_path, text, *words)
    assert found.exit_code == 1
    assert told in found.output


SERVER = CELL + '[[equipment]]\nasset_no = "SB-1"\nname = "Machine"\n'
NODE = """
[[points]]
asset_no = "SB-1"
signal = "{signal}"
connection = "cell"
address = "{address}"
"""
ALARM = NODE.format(signal="alarm", address="nsu=urn:v;s=alarm")
SPOKEN = 'mode = "subscribe"\nsampling_ms = {}\n'


def test_a_driver_that_does_not_know_its_costs_shows_its_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "Estimates", Result)  # taken from the class, what it can would stay forgotten
    found = planned(bound(tmp_path, SERVER + ALARM))
    assert found.now is None
    assert "    Read of 1 nodes (Value, source time)" in str(found)
    assert str(found).endswith("this driver does not say what a request costs")


def test_a_server_is_read_in_as_many_requests_as_its_nodes_need(tmp_path: Path) -> None:
    path = NODE.format(signal="power", address="/*:Objects/*:Power")
    found = planned(bound(tmp_path, SERVER + ALARM + path))
    (group,) = found.groups
    assert list(group.requests) == [
        "Read of 2 nodes (Value, source time)",
        "in every new session: 1 browse paths, up to 2 levels deep",
    ]
    assert group.cost is not None
    assert (group.cost.requests, group.cost.items, group.cost.waste) == (1, 2, 0)
    assert "if 1000 nodes are read at once in 50 ms" in str(found)
    assert max(map(len, str(found).splitlines())) <= 80


def test_nodes_beyond_what_a_request_holds_take_another_and_elements_of_an_array_are_one_node() -> None:
    driver = OpcUaDriver(
        OpcUaSettings(driver="opcua", url="opc.tcp://plc", security="None", allow_insecure=True)
    )
    texts = [f"nsu=urn:v;s=N{number}" for number in range(1000)] + ["[0]nsu=urn:v;s=A", "[1]nsu=urn:v;s=A"]
    query = driver.prepare([Point(text, OpcUaAddress.parse(text)) for text in texts])
    cost = driver.estimate(query)
    assert (cost.requests, cost.items) == (2, 1001)
    assert cost.seconds == pytest.approx(0.1)


def test_what_is_subscribed_is_not_asked_for_and_stands_beside(tmp_path: Path) -> None:
    spoken = NODE.format(signal="power", address="nsu=urn:v;s=power") + SPOKEN.format(500)
    found = planned(bound(tmp_path, SERVER + spoken))
    assert str(found).splitlines() == [
        "cell (opcua): nothing is polled on it",
        "subscribed: 1 points",
        "    1 subscription of 1 monitored items, and one on the server's time;",
        "      sampled every 0.5 s, published every 0.5 s",
    ]
    slow = NODE.format(signal="spindle_override", address="nsu=urn:v;s=override") + SPOKEN.format(20000)
    both = planned(bound(tmp_path, SERVER + spoken + slow + ALARM))
    assert both.subscribed == 2
    (how,) = both.subscriptions
    assert "2 monitored items" in how
    assert how.endswith("sampled every 0.5 to 20 s, published every 0.5 s")
    assert how.split()[-1] in str(both)
    assert [group.points for group in both.groups] == [1]
