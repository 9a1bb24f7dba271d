"""What real OPC UA servers say, from a plant's list to the machine's state (field cases F09, F10)."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ganpo_agent.cli.main import main
from ganpo_agent.observing.observer import Observer
from ganpo_config import load
from ganpo_config.plant import Plant
from ganpo_drivers import Driver, Point, PointFault, Scan, Subscribes, Value
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_model.clock import to_ms
from ganpo_model.states import State
from support.configs import HEAD
from support.opcua_nodes import OpcUaNodes
from support.opcua_server import SIMULATION, OpcUaServer
from support.plants import START

T0 = to_ms(START)
IDS = {
    "M-01": 'nsu=http://www.siemens.com/simatic-s7-opcua;s="DB_Line"."Count"[2]',
    "M-02": "nsu=urn:cell;s=Line1.nsuri=MACHINE.NS;s=MACHINE.NS.State.Count",
    "M-03": "nsu=urn:cell;s=Halle 3/Presse: Zähler 10%",
    "M-04": "nsu=urn:cell;b=M/RbKBsRVkePCePcx24oRA==",
    "M-05": "nsu=urn:cell;g=09087e75-8e5e-499b-954f-f2a9603db28a",
}
NODES: dict[str, tuple[Any, str | None, str]] = {
    "a": (7, "Int32", "Good"),
    "b": (42, "Int32", "UncertainLastUsableValue"),
    "c": (None, None, "BadWaitingForInitialData"),
    "d": (None, None, "Good"),
    "e": (float("nan"), "Double", "Good"),
    "f": ([1, 2], "Int32", "Good"),
    "g": (None, "LocalizedText", "Good"),
    "h": ("1601-01-01T00:00:00+00:00", "DateTime", "Good"),
}
CONNECTION = """
[connections.plc]
driver = "opcua"
url = "{url}"
security = "None"
allow_insecure = true
accept_uncertain = {uncertain}
"""
PROFILE = """
format = 1
id = "own"
title = {{ zh = "x", en = "x" }}
origin = "our definition"
driver = "opcua"
[parameters]
node = {{ zh = "x", en = "x" }}
[signals.channel_state]
address = "nsu={uri};s={{node}}"
enum = {{ Active = 0, Automatic = 7, Interrupted = 42, Reset = "" }}
mode = "{mode}"
interval_s = 1
[[states]]
state = "HELD"
when = {{ channel_state = "Interrupted" }}
[[states]]
state = "PRODUCING"
when = {{ channel_state = ["Active", "Automatic", "Reset"] }}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaServer]:
    with OpcUaServer() as running:
        for name, (value, kind, status) in NODES.items():
            running.set(name, value, kind=kind, status=status)
        yield running


def configured(folder: Path, url: str, text: str, uncertain: str = "false") -> Plant:
    file = folder / "agent.toml"
    connection = CONNECTION.format(url=url, uncertain=uncertain)
    file.write_text(HEAD + connection + text, encoding="utf-8")
    loaded = load(file, {})
    assert loaded.plant is not None, loaded.errors
    return loaded.plant


class Heard(Exception):
    """It was heard once: enough."""


async def read(plant: Plant) -> dict[str, Value | PointFault]:
    (connection,) = plant.connections
    points = [Point(point.name, point.address) for point in connection.points]
    return await once(connection.driver(connection.settings), points)


async def once(driver: Driver[Any, Any], points: Sequence[Point[Any]]) -> dict[str, Value | PointFault]:
    """The first word of each point, as its address wants to be told."""
    await driver.open()
    heard: list[Scan] = []

    async def deliver(scan: Scan) -> None:
        heard.append(scan)
        raise Heard

    try:
        if points[0].address.subscribed:
            assert isinstance(driver, Subscribes)
            with suppress(Heard):
                await driver.subscribe(points, deliver)
        else:
            heard.append(await driver.read(driver.prepare(points)))
    finally:
        await driver.close()
    (scan,) = heard
    return {point.name: value for point, value in zip(points, scan.values, strict=True)}


async def test_node_ids_as_real_servers_write_them_come_through_a_spreadsheet(tmp_path: Path) -> None:
    """F10: whole to the server and back, as `check` prints them, and a register's id is the same after a restart."""
    rest = ",,,1,,,2,,,1200,yes,"
    head = (
        "asset_no,signal,connection,address,type,order,scale,offset,unit,interval_s,stale_s,modulus,max_rate"
    )
    head += ",resets,note"
    rows = [head] + [f"{asset_no},parts_total,plc,{quoted(text)}{rest}" for asset_no, text in IDS.items()]
    (tmp_path / "points.csv").write_text("\r\n".join(rows) + "\r\n", encoding="utf-8-sig")
    equipment = "".join(
        f'[[equipment]]\nasset_no = "{asset_no}"\nname = "Machine"\nconnection = "none"\n' for asset_no in IDS
    )
    text = '[lists]\npoints = "points.csv"\n' + equipment
    with OpcUaNodes([(text, "Int32", 101 + n) for n, text in enumerate(IDS.values())]) as nodes:
        plant = configured(tmp_path, nodes.url, text)
        found = await read(plant)
    assert found == {f"{asset_no}/parts_total": 101 + n for n, asset_no in enumerate(IDS)}
    assert [str(point.address) for point in plant.connections[0].points] == list(IDS.values())
    checked = CliRunner().invoke(main, ["check", "--config", str(tmp_path / "agent.toml")]).output
    for asset_no, address in IDS.items():
        assert f"{asset_no}/parts_total: plc {address} " in checked
    again = configured(tmp_path, nodes.url, text)
    assert again.inventory(START).registers == plant.inventory(START).registers
    (tmp_path / "points.csv").write_text(f"{head}\nM-01,parts_total,plc,ns=3;s=X{rest}")
    loaded = load(tmp_path / "agent.toml", {})
    (error,) = loaded.errors
    assert "row 2" in str(error)
    assert "write nsu=URI;s=..." in str(error)


def quoted(cell: str) -> str:
    """As Excel saves it."""
    return '"' + cell.replace('"', '""') + '"' if '"' in cell else cell


REASONS = {
    "b": "UncertainLastUsableValue",
    "c": "BadWaitingForInitialData",
    "d": "no value (null)",
    "e": "no number (nan)",
    "f": "an array",
    "g": "no value (null)",
    "h": "no value (null)",
}


@pytest.mark.parametrize("mode", ["poll", "subscribe"])
@pytest.mark.parametrize("uncertain", ["false", "true"])
async def test_good_without_a_value_and_uncertain_with_an_old_one_never_make_a_machine_produce(
    server: OpcUaServer, tmp_path: Path, uncertain: str, mode: str
) -> None:
    """F09: whatever was made of null, 0 or no text, would be a machine that produces."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.toml").write_text(
        PROFILE.format(uri=SIMULATION, mode=mode), encoding="utf-8"
    )
    machines = "".join(
        f'[[equipment]]\nasset_no = "SB-{node}"\nname = "Machine"\nprofile = "own"\nconnection = "plc"\n'
        f'parameters = "node={node}"\n'
        for node in NODES
    )
    plant = configured(tmp_path, server.url, machines, uncertain)
    observer = Observer(plant, lambda _facts: None, T0)
    found = await read(plant)
    observer.feed(plant.connections[0].points, Scan(list(found.values())), None, T0)
    states = {node: observer.machines[f"SB-{node}"].state for node in NODES}
    accepted = {"b": State.HELD} if uncertain == "true" else {}
    assert states == dict.fromkeys(NODES, State.UNKNOWN) | {"a": State.PRODUCING} | accepted
    faults = {name.removeprefix("SB-").partition("/")[0]: text for name, text in observer.faults().items()}
    assert set(faults) == set(NODES) - {"a", *accepted}
    for node, text in faults.items():
        assert REASONS[node] in text


@pytest.mark.parametrize("mode", ["poll", "subscribe"])
async def test_what_cannot_be_taken_apart_spoils_only_its_own_point(server: OpcUaServer, mode: str) -> None:
    """Good, of a type and with nothing in it: asyncua gives up the whole answer. What is subscribed is read then."""
    for name in ("hollow 1", "hollow 2"):
        server.set(name, None, kind="Structure")
        server.set(name, None, kind="Hollow")
    server.set("z", 9)
    names = ("hollow 1", "a", "z", "hollow 2")
    points = [Point(name, OpcUaAddress.parse(OpcUaServer.node(name), mode=mode)) for name in names]
    settings = {"driver": "opcua", "url": server.url, "security": "None", "allow_insecure": True}
    driver = OpcUaDriver(OpcUaSettings.model_validate(settings))
    first, *known, last = (await once(driver, points)).values()
    assert known == [7, 9]
    assert ["BadDecodingError" in str(fault) for fault in (first, last)] == [True, True]
    told = "a notification cannot be understood (parsing ExtensionObject Range without data)"
    told += ": what is subscribed is read instead"
    assert driver.report().notes == ([told] if mode == "subscribe" else [])
