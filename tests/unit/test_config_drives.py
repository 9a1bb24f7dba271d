"""Drives and controllers of the library: what `check` makes of them, and what it asks for."""

from pathlib import Path

import pytest

from ganpo_config.profiles import Profiles
from ganpo_model.states import State
from support.configs import BUS, errors, machine, meaning, meter, notes, only_machine, plant, register

PROFILES = Profiles(Path("nowhere"))
DRIVES = [
    name
    for name, profile in PROFILES.items()
    if profile.driver == "modbus" and profile.device and profile.states
]
SAID = {"power_step": "0.01", "frequency_step": "0.01"}


def _row(name: str) -> str:
    said = {
        key: SAID.get(key, "1") for key, about in PROFILES[name].parameters.items() if about.default is None
    }
    return BUS + machine(name, " ".join(f"{key}={value}" for key, value in said.items()), connection="bus")


@pytest.mark.parametrize("name", DRIVES)
def test_a_drive_is_one_word_in_a_list_and_runs_or_does_not(tmp_path: Path, name: str) -> None:
    found = plant(tmp_path, _row(name))
    states = found.equipment[0].states
    assert {State.IDLE, State.PRODUCING} <= set(states)
    assert {point.signal for point in found.connections[0].points} == {
        signal for signal in PROFILES[name].signals if signal != "energy_import"
    }


def test_a_step_that_the_sources_do_not_say_is_asked_for(tmp_path: Path) -> None:
    (told,) = errors(tmp_path, BUS + machine("danfoss_fc51", "unit=1", connection="bus"))
    assert told == "agent.toml: equipment[0].parameters = unit=1: power_step missing; power_step=..."
    found = plant(tmp_path, _row("danfoss_fc51"))
    assert meaning(found, "SB-1/power").scale == 0.01


def test_check_says_which_drive_comes_set_to_modbus_ascii(tmp_path: Path) -> None:
    assert (
        "SB-1: delta_ms300 comes set to modbus-ascii 9600 7N2, which modbus does not read: change it at the device"
        in notes(tmp_path, _row("delta_ms300"))
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("", ["comes set to 9600 8E1, and hall is read at 2400 8E1: set one like the other"]),
        ("baud = 9600\n", []),
    ],
)
def test_check_says_which_meter_comes_set_to_another_rate_than_its_line(
    tmp_path: Path, settings: str, told: list[str]
) -> None:
    hall = f'[connections.hall]\ndriver = "dlt645"\nurl = "serial:///dev/serial/by-id/x"\n{settings}'
    row = meter('ct = "200/5"', parameters="meter=000020180615")
    for ours, theirs in (("power_meter_3p_modbus", "chint_dtsu666_dlt645"), ('"bus"', '"hall"')):
        row = row.replace(ours, theirs)
    about = "DB-1: chint_dtsu666_dlt645 "
    assert [note.removeprefix(about) for note in notes(tmp_path, hall + row) if "comes set" in note] == told


def test_what_a_rule_asks_for_has_to_be_read_or_bound(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    text = 'format = 1\nid = "own"\nbase = "veda_vf51"\ntitle = { zh = "x", en = "x" }\n[signals.run]\naddress = ""\n'
    (tmp_path / "profiles" / "own.toml").write_text(text, encoding="utf-8")
    (told,) = errors(tmp_path, BUS + machine("own", "unit=1", connection="bus"))
    assert "run of own has no address and no value for its absence; bind it in [[points]]" in told


def test_bits_of_a_plc_are_named_as_its_manual_names_them_and_may_be_left_out(tmp_path: Path) -> None:
    def bits(parameters: str) -> str:
        return BUS + machine("machine_by_plc_bits", parameters, connection="bus")

    found = plant(tmp_path, bits("addressing=xinje-xd run=2:X10 alarm=2:HM3"))
    assert [str(point.address) for point in found.connections[0].points] == ["2:coil:20488", "2:coil:49411"]
    assert set(found.equipment[0].states) == {State.IDLE, State.PRODUCING, State.FAULT, State.UNKNOWN}
    assert only_machine(found).absent == {
        "alarm": False,
        "setup": False,
        "maintenance": False,
        "power_on": True,
    }
    counted = plant(tmp_path, bits("addressing=delta-dvp run=M0 parts=D200 parts_type=uint32"))
    assert [str(point.address) for point in counted.connections[0].points] == [
        "1:coil:2048",
        "1:holding:4296",
    ]
    assert register(counted, "SB-1/parts_total").item.resets
    (told,) = errors(tmp_path, bits("addressing=delta-dvp run=X8"))
    assert "equipment[0].parameters = run=X8: X8: these numbers are octal" in told
