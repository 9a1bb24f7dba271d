"""Profiles: a plant's own stands above ours, and what is wrong in one is told with file and key."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from ganpo_config.profiles import Profiles
from ganpo_model.states import State
from support.configs import (
    BUS,
    HEAD,
    errors,
    machine,
    meaning,
    meter,
    notes,
    only_machine,
    plant,
    register,
    write,
)

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
    profiles = Profiles(tmp_path / "profiles")
    assert profiles.errors == []
    assert profiles["machine_by_power"].driver == "modbus"


def test_ours_are_right_and_each_lies_in_the_file_of_its_name() -> None:
    profiles = Profiles(Path("nowhere"))
    assert len(profiles) >= 4
    for name, ours in profiles.items():
        assert ours.id == name


def test_ours_are_read_when_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    loads = tomllib.loads

    def watched(text: str) -> Any:
        read.append(text)
        return loads(text)

    monkeypatch.setattr(tomllib, "loads", watched)
    plant(
        tmp_path,
        machine("machine_by_power", "meter=DB-1 idle_kw=1 run_kw=2") + BUS + meter('max_rate = "50"'),
    )
    assert len([text for text in read if "origin =" in text]) == 2


FAMILY = """
format = 1
id = "small"
base = "own"
title = { zh = "x", en = "x" }
[parameters]
most = { default = "7" }
[signals.power]
scale = "0.01"
[signals.channel_state]
enum = { Active = 5 }
absent = "Active"
[[states]]
state = "PRODUCING"
when = { channel_state = "Active" }
"""


def test_a_profile_takes_over_the_keys_of_its_base_and_its_own_stand_before(tmp_path: Path) -> None:
    _own(tmp_path, GOOD)
    _own(tmp_path, FAMILY, "small.toml")
    profiles = Profiles(tmp_path / "profiles")
    assert profiles.errors == []
    small, own = profiles["small"], profiles["own"]
    assert (small.origin, small.driver, small.addressing, small.proves) == (
        own.origin,
        own.driver,
        own.addressing,
        own.proves,
    )
    power = small.signals["power"]
    assert (power.scale, power.address, power.type) == ("0.01", own.signals["power"].address, "int16")
    assert small.signals["channel_state"].enum == {"Active": 5}, "words are taken as a whole"
    assert (small.parameters["most"].default, small.parameters["most"].zh) == ("7", "x")
    assert len(small.states) == 1
    assert own.signals["power"].scale == "0.1"


def test_a_site_s_own_may_change_ours_under_the_same_name(tmp_path: Path) -> None:
    changed = (
        FAMILY.split("[parameters]", maxsplit=1)[0]
        .replace("small", "machine_by_power")
        .replace('"own"', '"machine_by_power"')
    )
    _own(tmp_path, changed + "debounce_s = 90\n")
    profiles = Profiles(tmp_path / "profiles")
    assert profiles.errors == []
    assert profiles["machine_by_power"].debounce_s == 90
    assert [rule.state for rule in profiles["machine_by_power"].states] == ["OFF", "PRODUCING"]


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("ovn", "profiles/small.toml: base = ovn: no such profile; did you mean own?"),
        ("small", "profiles/small.toml: base = small: a circle of bases"),
        ("round", "profiles/small.toml: base = small: a circle of bases"),
    ],
)
def test_a_base_that_is_none_is_told(tmp_path: Path, base: str, told: str) -> None:
    _own(tmp_path, GOOD)
    _own(tmp_path, FAMILY.replace('"own"', f'"{base}"'), "small.toml")
    _own(tmp_path, FAMILY.replace('"small"', '"round"').replace('"own"', '"small"'), "turn.toml")
    assert told in map(str, Profiles(tmp_path / "profiles").errors)


def test_a_title_is_a_profile_s_own(tmp_path: Path) -> None:
    _own(tmp_path, GOOD)
    _own(tmp_path, FAMILY.replace('title = { zh = "x", en = "x" }', ""), "small.toml")
    (found,) = Profiles(tmp_path / "profiles").errors
    assert str(found).startswith("profiles/small.toml: title: is missing")


ASKED = """
format = 1
id = "asked"
title = { zh = "x", en = "x" }
origin = "sources that contradict each other"
driver = "modbus"
addressing = "{numbers}"
[parameters]
numbers = { default = "0-based", zh = "x", en = "x" }
order = { zh = "x", en = "x" }
kind = { default = "uint32", zh = "x", en = "x" }
step = { zh = "x", en = "x" }
energy_unit = { default = "kWh", zh = "x", en = "x" }
most = { default = "900", zh = "x", en = "x" }
power = { default = "", zh = "x", en = "x" }
[signals.energy_import]
address = "1:holding:5"
type = "{kind}"
order = "{order}"
scale = "{step}"
unit = "{energy_unit}"
max_rate = "{most}"
[signals.power]
address = "{power}"
type = "int16"
"""


def _asked(parameters: str) -> str:
    return BUS + meter(parameters=parameters).replace("power_meter_3p_modbus", "asked")


def test_every_text_of_a_signal_may_be_asked_of_the_plant(tmp_path: Path) -> None:
    _own(tmp_path, ASKED)
    found = plant(tmp_path, _asked("order=CDAB step=0.1 energy_unit=MWh most=50 numbers=1-based"))
    (point,) = found.connections[0].points
    assert str(point.address) == "1:holding:4"
    assert getattr(point.address, "order", "") == "CDAB"
    energy = register(found, "DB-1/energy_import")
    assert (energy.item.num, energy.item.den) == (100, 1)
    with_power = plant(tmp_path, _asked("order=ABCD step=0.1 power=1:input:9"))
    assert [str(point.address) for point in with_power.connections[0].points] == ["1:holding:5", "1:input:9"]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ("step=1", "agent.toml: meters[0].parameters = step=1: order missing; order=..."),
        ("step=a order=ABCD", ".parameters = step=a: no number like 0.01"),
        (
            "step=1 order=AB",
            ".parameters = order=AB: order 'AB' is called ABCD",
        ),
        ("step=1 order=ABCD numbers=2-based", "addressing '2-based' is none of"),
    ],
)
def test_what_was_asked_and_is_wrong_is_told(tmp_path: Path, parameters: str, told: str) -> None:
    _own(tmp_path, ASKED)
    (found,) = errors(tmp_path, _asked(parameters))
    assert told in found


DRIVE = """
format = 1
id = "drive"
title = { zh = "x", en = "x" }
origin = "our definition"
driver = "modbus"
addressing = "0-based"
factory = { speaks = "modbus-ascii", line = "9600 7N2" }
[signals.run]
address = "1:holding:5.1"
[signals.energy_import]
address = "1:holding:6"
type = "uint32"
max_rate = "50"
[[states]]
state = "PRODUCING"
when = { run = true }
"""


def test_a_drive_is_equipment_and_its_counter_a_meter(tmp_path: Path) -> None:
    _own(tmp_path, DRIVE)
    both = (
        BUS
        + machine("drive", "", connection="bus")
        + meter(parameters="").replace("power_meter_3p_modbus", "drive")
    )
    found = plant(tmp_path, both)
    assert sorted(point.name for point in found.connections[0].points) == ["DB-1/energy_import", "SB-1/run"]
    told = notes(tmp_path, both)
    assert (
        "SB-1: for energy_import of drive to be read, a row of [[meters]] has to have this profile too"
        in told
    )
    assert "DB-1: for run of drive to be read, a row of [[equipment]] has to have this profile too" in told


def test_a_device_that_comes_set_to_another_protocol_is_told(tmp_path: Path) -> None:
    _own(tmp_path, DRIVE)
    told = notes(tmp_path, BUS + machine("drive", "", connection="bus"))
    assert (
        "SB-1: drive comes set to modbus-ascii 9600 7N2, which modbus does not read: change it at the device"
        in told
    )


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


def test_a_wrong_profile_of_the_site_is_told_where_it_is_and_not_at_each_row(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    text = 'format = 1\nid = "press"\ntitle = { zh = "x", en = "x" }\norigin = "x"\ndriver = "modbus"\n'
    text += '[signals.run]\naddress = "1:coil:0"\nmax_rate = 4000\n'
    (tmp_path / "profiles" / "press.toml").write_text(text, encoding="utf-8")
    assert errors(tmp_path, BUS + machine("press", "", connection="bus")) == [
        "profiles/press.toml: signals.run.max_rate = 4000: not a text: put it in quotes"
    ]
