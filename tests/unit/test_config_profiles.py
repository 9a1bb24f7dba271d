"""Profiles: a plant's own stands above ours, and what is wrong in one is told with file and key."""

from pathlib import Path

import pytest

from ganpo_config.profiles import load_profiles
from ganpo_model.states import State
from support.configs import BUS, HEAD, errors, machine, meaning, only_machine, plant, write

GOOD = """
format = 1
id = "own"
title = { zh = "x", en = "x" }
origin = "our definition"
driver = "modbus"
addressing = "4xxxxx"
debounce_s = "{pause}"
[parameters]
unit = { zh = "x", en = "x" }
pause = { default = "2", zh = "x", en = "x" }
most = { default = "50", zh = "x", en = "x" }
[signals.power]
address = "{unit}:holding:40001"
type = "int16"
scale = "0.1"
offset = -5
valid = { min = 0, max = "{most}" }
[signals.channel_state]
address = "{unit}:input:30007"
type = "uint16"
enum = { Active = 1, Reset = 2 }
unavailable = [65535]
absent = "Reset"
[signals.alarm]
address = "{unit}:coil:00001"
[[states]]
state = "FAULT"
when = { alarm = true }
[[states]]
state = "HELD"
when = { channel_state = ["Active", "Reset"], power = { min = 1, below = "{most}" } }
[[states]]
state = "PRODUCING"
when = { channel_state = "Active" }
[proves]
digital = ["channel_state"]
"""
USED = BUS + machine("own", "unit=3", connection="bus")


def _own(folder: Path, text: str, name: str = "own.toml") -> None:
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles" / name).write_text(text, encoding="utf-8")


def test_a_profile_of_the_plant_s_own_is_found_beside_its_file(tmp_path: Path) -> None:
    _own(tmp_path, GOOD)
    found = plant(tmp_path, USED)
    power = meaning(found, "SB-1/power")
    assert (power.scale, power.offset, power.low, power.high) == (0.1, -5, 0, 50)
    assert meaning(found, "SB-1/channel_state").unavailable == (65535,)
    assert [str(point.address) for point in found.connections[0].points] == [
        "3:holding:0",
        "3:input:6",
        "3:coil:0",
    ]
    assert only_machine(found).debounce_s == 2
    assert found.equipment[0].proves == ("digital",)
    assert State.OFF not in found.equipment[0].states


def test_a_profile_of_the_plant_s_own_stands_above_ours_of_the_same_id(tmp_path: Path) -> None:
    _own(tmp_path, GOOD.replace('"own"', '"machine_by_power"'))
    profiles, wrong = load_profiles(tmp_path / "profiles")
    assert wrong == []
    assert profiles["machine_by_power"].driver == "modbus"


def test_ours_are_four_and_right() -> None:
    profiles, wrong = load_profiles(Path("nowhere"))
    assert wrong == []
    assert sorted(profiles) == [
        "machine_by_power",
        "machine_tool_mtconnect_opcua",
        "machine_tool_opcua_40501",
        "power_meter_3p_modbus",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("format = 1", "format = 2", "profiles/own.toml: format = 2: none of 1"),
        (
            'origin = "our definition"',
            "",
            "profiles/own.toml: origin: is missing (where names, numbers and mapping come",
        ),
        (
            "addressing =",
            "adressing =",
            "profiles/own.toml: adressing: no such key; did you mean addressing?",
        ),
        ("scale =", "scal =", "profiles/own.toml: signals.power.scal: no such key; did you mean scale?"),
        ('"0.1"', '"a tenth"', "profiles/own.toml: signals.power.scale = a tenth: no number like 0.01"),
        (
            "signals.power",
            "signals.powr",
            "profiles/own.toml: signals.powr: no such signal (the table of signals); did you",
        ),
        (
            "{unit}:holding",
            "{unt}:holding",
            "signals.power.address: no such parameter: unt; did you mean unit?",
        ),
        (
            '"{most}" }\n[',
            '"{mst}" }\n[',
            "signals.power.valid.max: no such parameter: mst; did you mean most?",
        ),
        (
            'below = "{most}"',
            'below = "{mot}"',
            "states[1].when.power.below: no such parameter: mot; did you mean most?",
        ),
        (
            '"{pause}"',
            '"{pose}"',
            "profiles/own.toml: debounce_s: no such parameter: pose; did you mean pause?",
        ),
        ('"{pause}"', '"short"', "profiles/own.toml: debounce_s = short: no number"),
        ('driver = "modbus"', "", "profiles/own.toml: driver: is missing: its signals have addresses"),
        (
            "enum = { Active = 1, Reset = 2 }",
            "",
            "signals.channel_state.enum: is missing: the words of this signal",
        ),
        (
            'absent = "Reset"',
            'absent = "Rest"',
            "signals.channel_state.absent = Rest: no value this signal can have",
        ),
        (
            "unavailable",
            "modulus = 7\nunavailable",
            "signals.channel_state.modulus: channel_state is a enum, no register",
        ),
        (
            "[signals.alarm]",
            '[signals.parts_total]\nupdate = "1 day"\n[signals.alarm]',
            "signals.parts_total.update = 1 day: no duration like 24h or 15min",
        ),
        (
            '"Active", "Reset"',
            '"Active", "Rset"',
            "states[1].when.channel_state = Rset: no value this signal can have (Active,",
        ),
        ("alarm = true", "alarm = 1", "states[0].when.alarm = 1: no value this signal can have"),
        (
            "alarm = true",
            "alrm = true",
            "states[0].when.alrm: the profile has no such signal; did you mean alarm?",
        ),
        (
            "alarm = true",
            "alarm = { min = 1 }",
            "states[0].when.alarm: alarm is no number: it has no min and below",
        ),
        ('min = 1, below = "{most}"', "", "states[1].when.power: neither min nor below"),
        ("{ alarm = true }", "{}", "profiles/own.toml: states[0].when: "),
        (
            '"HELD"',
            '"MAINTENANCE"',
            "states[1].state = MAINTENANCE: rules stand in the order OFF, MAINTENANCE, FAULT, SETUP",
        ),
        ('"HELD"', '"IDLE"', "profiles/own.toml: states[1].state = IDLE: none of 'OFF', 'MAINTENANCE'"),
        ("digital =", "digitl =", "profiles/own.toml: proves.digitl: no such flag (main, "),
        (
            '["channel_state"]',
            '["chanel_state"]',
            "proves.digital = chanel_state: the profile has no such signal; did you",
        ),
        ("[proves]", "[proves", "profiles/own.toml: not TOML: "),
    ],
)
def test_a_wrong_profile_is_told_with_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert GOOD.count(old) >= 1
    _own(tmp_path, GOOD.replace(old, new, 1))
    found, *more = errors(tmp_path, "")
    assert told in found
    assert more == [] or "signals.powr" in told, "a rule names the signal too"


def test_two_files_of_one_id_are_told_with_both_names(tmp_path: Path) -> None:
    _own(tmp_path, GOOD)
    _own(tmp_path, GOOD, "second.toml")
    assert errors(tmp_path, "") == ["profiles/second.toml: id = own: own.toml has it too"]


def test_a_signal_without_address_and_without_a_value_for_its_absence_has_to_be_bound(tmp_path: Path) -> None:
    _own(tmp_path, GOOD.replace('address = "{unit}:coil:00001"\n', ""))
    (found,) = write(tmp_path, HEAD + USED).errors
    assert str(found) == (
        "agent.toml: equipment[0]: alarm of own has no address and no value for its absence; bind it in [[points]]"
    )
