"""What real OPC UA servers say, from a plant's list to the machine's state (field cases F09, F10)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.observer import Observer
from ganpo_config import load
from ganpo_config.plant import Plant
from ganpo_drivers import Point, PointFault, Scan, Value
from ganpo_model.clock import to_ms
from ganpo_model.states import State
from support.configs import HEAD
from support.opcua_server import SIMULATION, OpcUaServer
from support.plants import START

T0 = to_ms(START)
SIEMENS = '"DB_Line"."Count"[2]'
DOTTED = "Line1.nsuri=MACHINE.NS;s=MACHINE.NS.State.Count"
SPACED = "Halle 3/Presse: Zähler 10%"
NODES: dict[str, tuple[Any, str | None, str]] = {
    "a": (7, "Int32", "Good"),
    "b": (42, "Int32", "UncertainLastUsableValue"),
    "c": (None, None, "BadWaitingForInitialData"),
    "d": (None, None, "Good"),
    "e": (float("nan"), "Double", "Good"),
    "f": ([1, 2], "Int32", "Good"),
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
enum = {{ Active = 7, Interrupted = 42, Reset = 0 }}
interval_s = 1
[[states]]
state = "HELD"
when = {{ channel_state = "Interrupted" }}
[[states]]
state = "PRODUCING"
when = {{ channel_state = "Active" }}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaServer]:
    with OpcUaServer(values={SIEMENS: 101, DOTTED: 102, SPACED: 103}) as running:
        for name, (value, kind, status) in NODES.items():
            running.set(name, value, kind=kind, status=status)
        yield running


def configured(folder: Path, server: OpcUaServer, text: str, uncertain: str = "false") -> Plant:
    file = folder / "agent.toml"
    connection = CONNECTION.format(url=server.url, uncertain=uncertain)
    file.write_text(HEAD + connection + text, encoding="utf-8")
    loaded = load(file, {})
    assert loaded.plant is not None, loaded.errors
    return loaded.plant


async def read(plant: Plant) -> dict[str, Value | PointFault]:
    (connection,) = plant.connections
    driver = connection.driver(connection.settings)
    await driver.open()
    try:
        points = [Point(point.name, point.address) for point in connection.points]
        scan = await driver.read(driver.prepare(points))
    finally:
        await driver.close()
    return {point.name: value for point, value in zip(points, scan.values, strict=True)}


async def test_node_ids_as_real_servers_write_them_come_through_a_spreadsheet(
    server: OpcUaServer, tmp_path: Path
) -> None:
    rest = "1,,,2,,,1200,yes,"
    rows = [
        "asset_no,signal,connection,address,type,order,scale,offset,unit,interval_s,stale_s,modulus,max_rate,resets,note",
        f'M-01,parts_total,plc,"nsu={SIMULATION};s=""DB_Line"".""Count""[2]",,,{rest}',
        f"M-02,parts_total,plc,nsu={SIMULATION};s={DOTTED},,,{rest}",
        f"M-03,parts_total,plc,nsu={SIMULATION};s={SPACED},,,{rest}",
        f"M-04,parts_total,plc,nsu={SIMULATION};b=M/RbKBsRVkePCePcx24oRA==,,,{rest}",
    ]
    (tmp_path / "points.csv").write_text("\r\n".join(rows) + "\r\n", encoding="utf-8-sig")
    equipment = "".join(
        f'[[equipment]]\nasset_no = "M-0{n}"\nname = "Machine"\nconnection = "none"\n' for n in range(1, 5)
    )
    text = '[lists]\npoints = "points.csv"\n' + equipment
    plant = configured(tmp_path, server, text)
    found = await read(plant)
    assert [found[f"M-0{n}/parts_total"] for n in (1, 2, 3)] == [101, 102, 103]
    opaque = found["M-04/parts_total"]
    assert isinstance(opaque, PointFault), "it was asked and the server has none"
    assert [str(point.address) for point in plant.connections[0].points] == [
        f"nsu={SIMULATION};s={SIEMENS}",
        f"nsu={SIMULATION};s={DOTTED}",
        f"nsu={SIMULATION};s={SPACED}",
        f"nsu={SIMULATION};b=M/RbKBsRVkePCePcx24oRA==",
    ]
    again = configured(tmp_path, server, text)
    assert again.inventory(START).registers == plant.inventory(START).registers
    (tmp_path / "points.csv").write_text("\n".join([rows[0], f"M-01,parts_total,plc,ns=3;s=X,,,{rest}"]))
    loaded = load(tmp_path / "agent.toml", {})
    assert ["nsu=URI" in str(error) and "row 2" in str(error) for error in loaded.errors] == [True]


async def test_good_without_a_value_and_uncertain_with_an_old_one_never_make_a_machine_produce(
    server: OpcUaServer, tmp_path: Path
) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.toml").write_text(PROFILE.format(uri=SIMULATION), encoding="utf-8")
    machines = "".join(
        f'[[equipment]]\nasset_no = "SB-{node}"\nname = "Machine"\nprofile = "own"\nconnection = "plc"\n'
        f'parameters = "node={node}"\n'
        for node in NODES
    )
    for uncertain, held in (("false", State.UNKNOWN), ("true", State.HELD)):
        plant = configured(tmp_path, server, machines, uncertain)
        observer = Observer(plant, lambda _facts: None, T0)
        found = await read(plant)
        observer.feed(plant.connections[0].points, Scan(list(found.values())), None, T0)
        states = [observer.machines[f"SB-{node}"].state for node in NODES]
        assert states == [State.PRODUCING, held, *[State.UNKNOWN] * 4]
        faulty = {name.removeprefix("SB-").partition("/")[0] for name in observer.faults()}
        assert faulty == set("cdef") | ({"b"} if held is State.UNKNOWN else set())
