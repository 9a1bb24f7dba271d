"""Each OPC UA profile, read by the agent's driver from an asyncua server laid out by the reference tables.

`device_nodes.csv` is written down from the reference table of nodes and the public nodesets. `pytest -s` prints
profile, signals, equal.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.observing.meaning import understanding
from ganpo_agent.observing.observer import Observer
from ganpo_config.plant import Plant
from ganpo_config.profiles import Profiles
from ganpo_drivers import Point, PointFault, Scan
from ganpo_model.clock import to_ms
from ganpo_model.states import State
from support.configs import HEAD, write
from support.opcua_nodes import Laid, OpcUaNodes
from support.plants import START

PROFILES = Profiles(Path("nowhere"))
with (Path(__file__).parent / "device_nodes.csv").open(encoding="utf-8", newline="") as _file:
    ROWS = [
        row | {"value": json.loads(row["value"]), "expected": json.loads(row["expected"])}
        for row in csv.DictReader(_file)
    ]
NODES: dict[tuple[str, str], str] = {(row["profile"], row["signal"]): row["node"] for row in ROWS}
NAMES = list(dict.fromkeys(row["profile"] for row in ROWS))
SAID = {
    "sinumerik_opcua": "override_scale=100",
    "machine_tool_opcua_40501": "machine=VMC850-1",
    "machine_tool_opcua_40501_values": "machine=VMC850-1",
    "cnc_opcua_40502": "interface=NC1",
    "machinery_opcua_40001": "machine=Press",
    "machinery_opcua_40001_numbers": "machine=Press",
    "imm_euromap77": "interface=IMM_MES_Interface_1",
    "extrusion_euromap84": "device=*:DeviceSet/*:Extruder_1",
    "packml_opcua_30050": "machine=Filler",
    "packml_opcua_numbers": "'state=nsu=urn:line;s=Filler.Status.StateCurrent' "
    "'mode=nsu=urn:line;s=Filler.Status.UnitModeCurrent'",
}
"""What a plant says of each."""
T0 = to_ms(START)


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaNodes]:
    with OpcUaNodes([(row["node"], row["type"], row["value"]) for row in ROWS]) as running:
        yield running


def test_every_opc_ua_profile_with_nodes_of_its_own_is_in_the_table() -> None:
    ours = {name for name, one in PROFILES.items() if one.driver == "opcua" and one.device}
    assert ours - set(NAMES) == set()
    for name in NAMES:
        read = {signal for signal, about in PROFILES[name].signals.items() if about.address is not None}
        told = {signal for profile, signal in NODES if profile == name}
        base = {signal for profile, signal in NODES if profile == PROFILES[name].base}
        assert read == told | base, name


@pytest.mark.parametrize("name", NAMES)
async def test_a_machine_shows_what_its_nodes_hold(name: str, server: OpcUaNodes, tmp_path: Path) -> None:
    plant = _plant(name, server, tmp_path)
    (connection,) = plant.connections
    values = await _read(plant)
    told = {}
    for point, value in zip(connection.points, values, strict=True):
        assert not isinstance(value, PointFault), f"{point.name}: {value}"
        told[point.signal] = understanding(point.meaning)(value)
    rows = [row for row in ROWS if row["profile"] == name]
    for row in rows:
        got, wanted = told[row["signal"]], row["expected"]
        exact = isinstance(wanted, str | bool)
        assert got == (wanted if exact else pytest.approx(wanted, rel=1e-12)), row["signal"]
    print(f"\n{PROFILES[name].device:<45} {name:<32} {len(rows)} of {len(rows)} equal: {', '.join(told)}")
    observer = Observer(plant, lambda _facts: None, T0)
    observer.feed(connection.points, Scan(values), None, T0)
    assert observer.machines["SB-1"].state is State.PRODUCING
    assert observer.at_fault() == set()


def _case(name: str, state: State, **values: Any) -> Any:
    return pytest.param(name, values, state, id=f"{name}-{'-'.join(f'{k}={v}' for k, v in values.items())}")


MACHINERY, PACKML = (
    "nsu=http://opcfoundation.org/UA/Machinery/;i=",
    "nsu=http://opcfoundation.org/UA/PackML/;i=",
)


@pytest.mark.parametrize(
    ("name", "values", "state"),
    [
        _case("sinumerik_opcua", State.IDLE, channel_state=0),
        _case("sinumerik_opcua", State.HELD, channel_state=2),
        _case("sinumerik_opcua", State.SETUP, channel_mode=0),
        _case("sinumerik_opcua", State.UNKNOWN, channel_state=7),
        _case("cnc_opcua_40502", State.SETUP, channel_mode=1),
        _case("cnc_opcua_40502", State.HELD, program_state=2),
        _case("cnc_opcua_40502", State.IDLE, program_state=4, channel_state=2),
        _case("machinery_opcua_40001", State.OFF, item_state=MACHINERY + "5005"),
        _case("machinery_opcua_40001", State.FAULT, item_state=MACHINERY + "5004"),
        _case("machinery_opcua_40001", State.IDLE, item_state=MACHINERY + "5007"),
        _case("machinery_opcua_40001", State.SETUP, operation_mode=MACHINERY + "5027"),
        _case("machinery_opcua_40001", State.MAINTENANCE, operation_mode=MACHINERY + "5025"),
        _case("machinery_opcua_40001", State.UNKNOWN, item_state=MACHINERY + "1"),
        _case("machinery_opcua_40001_numbers", State.IDLE, item_state=2),
        _case("machinery_opcua_40001_numbers", State.UNKNOWN, item_state="BadWaitingForInitialData"),
        _case("imm_euromap77", State.IDLE, run_state=1),
        _case("imm_euromap77", State.SETUP, run_state=2),
        _case("imm_euromap77", State.HELD, run_state=1, job_state=7),
        _case("extrusion_euromap84", State.UNKNOWN, run_state=0),
        _case("extrusion_euromap84", State.IDLE, run_state=3),
        _case("extrusion_euromap84", State.SETUP, run_state=2),
        _case("extrusion_euromap84", State.FAULT, run_state=6),
        _case("packml_opcua_30050", State.HELD, run_state=PACKML + "34"),
        _case("packml_opcua_30050", State.IDLE, run_state=PACKML + "28"),
        _case("packml_opcua_30050", State.SETUP, operation_mode=3),
        _case("packml_opcua_30050", State.IDLE, machine_state=PACKML + "53", run_state="BadStateNotActive"),
        _case(
            "packml_opcua_30050",
            State.FAULT,
            base_state=PACKML + "62",
            machine_state="BadStateNotActive",
            run_state="BadStateNotActive",
        ),
        _case("packml_opcua_30050", State.UNKNOWN, run_state="BadNoCommunication"),
        _case("packml_opcua_numbers", State.FAULT, run_state=9),
        _case("packml_opcua_numbers", State.IDLE, run_state=17),
        _case("packml_opcua_numbers", State.MAINTENANCE, operation_mode=2),
    ],
)
async def test_a_machine_is_in_the_state_that_its_nodes_mean(
    name: str, values: dict[str, Any], state: State, server: OpcUaNodes, tmp_path: Path
) -> None:
    plant = _plant(name, server, tmp_path)
    before = [_laid(name, signal) for signal in values]
    for (node, kind, _), value in zip(before, values.values(), strict=True):
        server.set(node, kind, value)
    try:
        observer = Observer(plant, lambda _facts: None, T0)
        observer.feed(plant.connections[0].points, Scan(await _read(plant)), None, T0)
        assert observer.machines["SB-1"].state is state
    finally:
        for laid in before:
            server.set(*laid)


async def test_a_value_that_no_rule_needs_may_be_lacking(server: OpcUaNodes, tmp_path: Path) -> None:
    plant = _plant("cnc_opcua_40502", server, tmp_path, " spindle=Spindle_9")
    observer = Observer(plant, lambda _facts: None, T0)
    observer.feed(plant.connections[0].points, Scan(await _read(plant)), None, T0)
    assert observer.machines["SB-1"].state is State.PRODUCING
    assert list(observer.faults()) == ["SB-1/spindle_state"], "it is shown all the same"
    assert observer.at_fault() == set()


def _laid(name: str, signal: str) -> Laid:
    (row,) = [row for row in ROWS if (row["profile"], row["signal"]) == (name, signal)]
    return row["node"], row["type"], row["value"]


def _plant(name: str, server: OpcUaNodes, folder: Path, more: str = "") -> Plant:
    text = HEAD + f'[connections.cell]\ndriver = "opcua"\nurl = "{server.url}"\n'
    text += 'security = "None"\nallow_insecure = true\n'
    text += f'[[equipment]]\nasset_no = "SB-1"\nname = "x"\nprofile = "{name}"\nconnection = "cell"\n'
    text += f'parameters = "{SAID[name]}{more}"\n'
    loaded = write(folder, text)
    assert loaded.errors == ()
    assert loaded.plant is not None
    return loaded.plant


async def _read(plant: Plant) -> list[Any]:
    (connection,) = plant.connections
    driver = connection.driver(connection.settings)
    await driver.open()
    try:
        points = [Point(point.name, point.address) for point in connection.points]
        return (await driver.read(driver.prepare(points))).values
    finally:
        await driver.close()
