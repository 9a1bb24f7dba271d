"""Machines: which points carry their signals, which states can arise, and that profiles follow the table of states."""

from pathlib import Path

import pytest

from ganpo_agent.observing.rules import derive
from ganpo_config.plant import Between, Machine, OneOf, SignalValue
from ganpo_model import reference
from ganpo_model.states import State
from support.configs import (
    BUS,
    CELL,
    HEAD,
    errors,
    machine,
    meaning,
    meter,
    notes,
    only_machine,
    plant,
    point,
    write,
)

CT = 'ct = "50/5"\nreads = "secondary"'
PRESS = BUS + meter(CT) + machine("machine_by_power", "meter=DB-1 idle_kw=0.4 run_kw=3.0")
VMC = CELL + machine("machine_tool_opcua_40501", "machine=VMC850-1", connection="cell")
LATHE = CELL + machine("machine_tool_mtconnect_opcua", "nodes='nsu=urn:lathe;s=L.'", connection="cell")
ALARM = point('address = "nsu=urn:vendor;s=Alarm"', asset_no="SB-1", signal="alarm").replace(
    '"bus"', '"cell"'
)


def test_a_machine_known_by_its_power_reads_the_meter_s_point(tmp_path: Path) -> None:
    found = plant(tmp_path, PRESS)
    press = only_machine(found)
    assert press.signals == {"power": "DB-1/power"}
    assert press.debounce_s == 20
    assert [(rule.state, rule.when["power"]) for rule in press.rules] == [
        (State.OFF, Between(None, 0.4)),
        (State.PRODUCING, Between(3.0, None)),
    ]
    assert found.equipment[0].states == (State.PRODUCING, State.IDLE, State.OFF, State.UNKNOWN)
    assert found.equipment[0].proves == ()
    assert "SB-1: cannot show FAULT: machine_by_power has no rule for it" in notes(tmp_path, PRESS)


def test_a_machine_tool_cannot_show_a_fault_until_an_alarm_is_bound(tmp_path: Path) -> None:
    found = plant(tmp_path, VMC)
    assert State.FAULT not in found.equipment[0].states
    assert "SB-1: cannot show FAULT: bind alarm in [[points]]" in notes(tmp_path, VMC)
    assert "alarm" not in only_machine(found).signals
    assert only_machine(found).absent == {"operation_mode": "Automatic", "alarm": False}

    bound = plant(tmp_path, VMC + ALARM)
    assert State.FAULT in bound.equipment[0].states
    assert only_machine(bound).signals["alarm"] == "SB-1/alarm"
    assert bound.equipment[0].proves == ("numerical_control",)


def test_words_of_a_device_are_those_of_the_profile(tmp_path: Path) -> None:
    channel = meaning(plant(tmp_path, VMC), "SB-1/channel_state")
    assert channel.enum == {0: "Active", 1: "Interrupted", 2: "Reset"}
    execution = meaning(plant(tmp_path, LATHE), "SB-1/execution")
    assert execution.enum is not None
    assert execution.enum["ACTIVE"] == "ACTIVE"
    assert execution.unavailable == ("UNAVAILABLE", "")


def test_a_signal_bound_by_hand_keeps_the_words_of_its_profile(tmp_path: Path) -> None:
    row = point('address = "nsu=urn:x;i=7"', asset_no="SB-1", signal="channel_state").replace(
        '"bus"', '"cell"'
    )
    found = plant(tmp_path, VMC + row)
    assert meaning(found, "SB-1/channel_state").enum == {0: "Active", 1: "Interrupted", 2: "Reset"}


def test_a_limit_that_is_no_number_is_told(tmp_path: Path) -> None:
    text = PRESS.replace("idle_kw=0.4", "idle_kw=nan")
    (found,) = errors(tmp_path, text)
    assert found.startswith(
        "agent.toml: equipment[0].parameters: idle_kw=nan: no finite number; profile machine_by_power"
    )


def test_limits_the_wrong_way_round_are_a_warning(tmp_path: Path) -> None:
    (warning,) = write(tmp_path, HEAD + PRESS.replace("idle_kw=0.4", "idle_kw=3.5")).warnings
    assert (
        "OFF and PRODUCING both hold for power from 3.0 to below 3.5: are the limits the wrong way round?"
        in warning
    )
    assert write(tmp_path, HEAD + PRESS).warnings == ()


def _state(machine: Machine, **signals: SignalValue) -> State:
    return derive(machine.rules, lambda signal: signals.get(signal, machine.absent.get(signal)))


MTCONNECT = [
    row
    for row in reference.rows("state_mapping")
    if row["model"] == "MTConnect" and row["canonical"] != "UNKNOWN"
]
_CONDITIONS: dict[str, dict[str, SignalValue]] = {
    "": {},
    "ControllerMode=AUTOMATIC": {"controller_mode": "AUTOMATIC"},
    "ControllerMode=SEMI_AUTOMATIC": {"controller_mode": "SEMI_AUTOMATIC"},
    "ControllerMode=MANUAL_DATA_INPUT or MANUAL": {"controller_mode": "MANUAL"},
    "FunctionalMode=SETUP, TEARDOWN or PROCESS_DEVELOPMENT": {"functional_mode": "TEARDOWN"},
    "FunctionalMode=MAINTENANCE": {"functional_mode": "MAINTENANCE"},
    "no active Fault condition": {"alarm": False},
    "any Condition at Fault level": {"alarm": True},
    "Execution not ACTIVE": {"execution": "STOPPED"},
}
_FIELDS = {"Execution": "execution", "EmergencyStop": "emergency_stop", "ControllerMode": "controller_mode"}


@pytest.mark.parametrize(
    "row", MTCONNECT, ids=lambda row: f"{row['field']}-{row['value']}-{row['condition']}"
)
def test_mtconnect_names_give_the_states_of_the_table(tmp_path: Path, row: dict[str, str]) -> None:
    lathe = only_machine(plant(tmp_path, LATHE))
    signals: dict[str, SignalValue] = {"execution": "ACTIVE", **_CONDITIONS[row["condition"]]}
    signals[_FIELDS[row["field"]]] = row["value"]
    assert _state(lathe, **signals) == row["canonical"]


OPCUA = [
    row
    for row in reference.rows("state_mapping")
    if row["model"] == "OPC 40501-1" and row["field"] in ("ChannelState", "MachineOperationMode")
]


@pytest.mark.parametrize("row", OPCUA, ids=lambda row: f"{row['field']}-{row['value']}-{row['condition']}")
def test_40501_values_give_the_states_of_the_table(tmp_path: Path, row: dict[str, str]) -> None:
    found = plant(tmp_path, VMC)
    signal = {"ChannelState": "channel_state", "MachineOperationMode": "operation_mode"}[row["field"]]
    words = meaning(found, f"SB-1/{signal}").enum
    assert words is not None
    assert words[int(row["number"])] == row["value"]
    modes = (
        row["condition"].removeprefix("ChannelMode=").split(", ")
        if "ChannelMode" in row["condition"]
        else ["Automatic"]
    )
    for mode in modes:
        signals: dict[str, SignalValue] = {
            "channel_state": "Active",
            "channel_mode": mode,
            signal: row["value"],
        }
        assert _state(only_machine(found), **signals) == row["canonical"].replace(
            "use ChannelState", "PRODUCING"
        )


@pytest.mark.parametrize(
    ("power", "state"), [(0.0, "OFF"), (0.39, "OFF"), (0.4, "IDLE"), (2.9, "IDLE"), (3.0, "PRODUCING")]
)
def test_power_gives_the_states_of_the_table(tmp_path: Path, power: float, state: str) -> None:
    assert _state(only_machine(plant(tmp_path, PRESS)), power=power) == state


def test_every_word_of_a_rule_is_a_word_of_its_signal(tmp_path: Path) -> None:
    for text in (VMC, LATHE):
        found = plant(tmp_path, text)
        for rule in only_machine(found).rules:
            for signal, condition in rule.when.items():
                words = meaning(found, f"SB-1/{signal}").enum if signal != "alarm" else {0: False, 1: True}
                assert isinstance(condition, OneOf)
                assert words is not None
                assert set(condition.values) <= set(words.values())
