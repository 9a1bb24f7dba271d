"""Rows of equipment, meters and points: what is refused, where, and what to do; and the calendar."""

from pathlib import Path

import pytest

from support.configs import BUS, CELL, HEAD, errors, machine, meter, plant, point, write

CT = 'ct = "400/5"\nreads = "secondary"'
EQUIPMENT = '[[equipment]]\nasset_no = "SB-1"\nname = "Machine"\n'
WATER = '[[meters]]\nasset_no = "W-1"\nname = "Water"\ncarrier = "water_fresh"\nrole = "sub"\n'
PART = 'address = "1:input:1"\ntype = "uint16"\nmax_rate = 100'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            EQUIPMENT + EQUIPMENT,
            "equipment[1].asset_no = SB-1: stands in agent.toml: equipment[0].asset_no too: numbers are unique",
        ),
        (
            EQUIPMENT + BUS + meter(CT, asset_no="SB-1"),
            "meters[0].asset_no = SB-1: stands in agent.toml: equipment[0].asset_no too",
        ),
        (
            EQUIPMENT.replace("SB-1", "SB 1"),
            "equipment[0].asset_no = SB 1: an asset_no has 1 to 64 characters",
        ),
        (
            EQUIPMENT.replace("SB-1", "2.02503E+11"),
            "equipment[0].asset_no = 2.02503E+11: Excel made a number of it",
        ),
        (
            EQUIPMENT.replace('"SB-1"', "2.02503E+11"),
            "equipment[0].asset_no = 202503000000.0: Excel made a number of it",
        ),
        (
            EQUIPMENT.replace('"Machine"', '"a\\u0000b"'),
            "equipment[0].name = a?b: has control characters in it",
        ),
        (EQUIPMENT + 'status = "in_us"', "none of 'in_use', 'idle', 'under_repair'"),
        (EQUIPMENT + 'status = "in_us"', "; did you mean in_use?"),
        (
            EQUIPMENT + 'flags = "main numeric_control"',
            "equipment[0].flags = numeric_control: no such flag (main, ",
        ),
        (EQUIPMENT + 'since = "2025/13/1"', "equipment[0].since = 2025/13/1: no day of the calendar"),
        (EQUIPMENT + 'since = "1.3.2025"', "equipment[0].since = 1.3.2025: no date (2025-03-01)"),
        (
            EQUIPMENT + 'planned_run_time_s = "9.5"',
            "equipment[0].planned_run_time_s = 9.5: is not like [0-9]{0,9} (planned",
        ),
        (EQUIPMENT + 'conection = "x"', "equipment[0].conection: no such key; did you mean connection?"),
        (
            EQUIPMENT + 'connection = "buz"\n' + BUS,
            "equipment[0].connection = buz: no such connection (bus); did you mean bus?",
        ),
        (
            EQUIPMENT + "[equipment.extra]\nx = 1",
            "equipment[0].extra: an element of [[equipment]] has no table below it; ",
        ),
        ('[equipment]\nname = "x"', "agent.toml: equipment: not a list: its rows begin with [[equipment]]"),
        ('equipment = ["x"]', "agent.toml: site.equipment: no such key"),
        (
            "[lists]\nequipment = 'e.csv'",
            "agent.toml: lists.equipment = e.csv: no such file; it is looked for beside",
        ),
        ("[conections]", "agent.toml: conections: no such key; did you mean connections?"),
        (WATER + 'parent = "W-1"', "meters[0].parent = W-1: a circle: W-1 below W-1"),
        (WATER + 'parent = "W-2"', "meters[0].parent = W-2: no meter has this number"),
        (WATER + 'parent = "SB-1"\n' + EQUIPMENT, "meters[0].parent = SB-1: is equipment, no meter"),
        (WATER.replace("water_fresh", "water_frsh"), "meters[0].carrier = water_frsh: no such carrier"),
        (WATER.replace("sub", "boundary"), "meters[0].role = boundary: none of 'boundary_in'"),
        (BUS + point(PART), "points[0].asset_no = DB-1: no equipment and no meter has this number"),
        (
            BUS + EQUIPMENT + point(PART, asset_no="SB-1", signal="parts"),
            "points[0].signal = parts: no such signal",
        ),
        (
            BUS + EQUIPMENT + point(PART, asset_no="SB-1"),
            "points[0].signal: energy_import is no signal of equipment; ",
        ),
        (
            BUS + EQUIPMENT + 2 * point(PART, asset_no="SB-1", signal="parts_total"),
            "points[1]: SB-1/parts_total stands in agent.toml: points[0] too",
        ),
        (
            BUS
            + EQUIPMENT
            + point('address = "300:holding:1"\ntype = "uint16"', asset_no="SB-1", signal="run"),
            "points[0].address = 300:holding:1: 300 is not a Modbus unit id (1-247)",
        ),
        (
            BUS + EQUIPMENT + point('address = "1:coil:1"\noffset = 2', asset_no="SB-1", signal="run"),
            "points[0].offset = 2: run is a bool: only a number has an offset",
        ),
        (
            BUS + EQUIPMENT + point('address = "1:coil:1"\nmodulus = 9', asset_no="SB-1", signal="run"),
            "points[0].modulus = 9: run is a bool, no register",
        ),
        (
            BUS + EQUIPMENT + point('address = "1:coil:1"\ninterval_s = 0', asset_no="SB-1", signal="run"),
            "points[0].interval_s = 0: above 0 and at most a day",
        ),
        (
            BUS + EQUIPMENT + point('address = "1:coil:1"\nstale_s = 3', asset_no="SB-1", signal="run"),
            "points[0].stale_s = 3: is shorter than the interval of 5 s",
        ),
        (
            BUS + meter(CT, parameters="unit=300"),
            "meters[0].parameters = unit=300: 300 is not a Modbus unit id (1-247)",
        ),
        (BUS + meter(CT, parameters=""), "meters[0].parameters: unit missing; unit=..."),
        (
            BUS + meter(CT, parameters="unit=1 unit=2"),
            "meters[0].parameters = unit=1 unit=2: unit stands here twice",
        ),
        (BUS + meter(CT, parameters="unit='1"), "meters[0].parameters = unit='1: a quote is not closed"),
        (
            BUS + meter(CT).replace('"bus"', '"none"'),
            "meters[0].connection: is missing: profile power_meter_3p_modbus reads a device",
        ),
        (
            CELL + meter(CT).replace('"bus"', '"cell"'),
            "meters[0].connection = cell: its driver is opcua; profile power_meter_3p_modbus needs modbus",
        ),
        (
            machine("machine_by_power", "meter=DB-1 idle_kw=1 run_kw=2"),
            "equipment[0].parameters = meter=DB-1: no meter has this number",
        ),
        (
            machine("machine_by_power", "meter=W-1 idle_kw=1 run_kw=2") + WATER,
            "meter=W-1: meter W-1 has no point power; its profile",
        ),
        (
            BUS + meter(CT) + machine("machine_by_power", "meter=DB-1 idle_kw=a run_kw=2"),
            "equipment[0].parameters: idle_kw=a: no number",
        ),
        (
            BUS + meter(CT) + machine("machine_by_power", "meter=DB-1 idle_kw=1 run_kw=2 debounce_s=-1"),
            "equipment[0].parameters = debounce_s=-1: debounce_s lies between 0",
        ),
        (
            BUS.replace("modbus", "modbuss"),
            "connections.bus.driver = modbuss: no driver 'modbuss' is installed (cjt188, dlt645, modbus, opcua); did",
        ),
        (
            '[connections.bus]\nurl = "tcp://h"',
            "connections.bus.driver: is missing: the id of a driver; `ganpo driver list`",
        ),
        ("[connections]\nbus = 1", "agent.toml: connections.bus: not a table: [connections.bus]"),
        (
            BUS.replace("connections.bus", "connections.none"),
            "agent.toml: connections.none: no name for a connection",
        ),
        (BUS + 'password_file = "x"', "agent.toml: connections.bus.password_file: no such key"),
        (
            CELL + 'password = "x"',
            "agent.toml: connections.cell.password: a secret never stands here; password_file",
        ),
    ],
)
def test_a_wrong_row_is_told_with_its_place_and_nothing_else_is(tmp_path: Path, text: str, told: str) -> None:
    (found,) = set(errors(tmp_path, text)) - _siblings(tmp_path, text)
    assert told in found


def _siblings(folder: Path, text: str) -> set[str]:
    """The same mistake of a parameter shows at the second signal that uses it."""
    return {line for line in errors(folder, text) if "signals.power.address" in line}


def test_asset_numbers_that_differ_in_leading_zeros_alone_are_a_warning(tmp_path: Path) -> None:
    text = HEAD + EQUIPMENT.replace('"SB-1"', '"0071"') + EQUIPMENT.replace('"SB-1"', "71")
    loaded = write(tmp_path, text)
    assert loaded.plant is not None
    (warning,) = loaded.warnings
    assert warning.startswith(
        "agent.toml: equipment[1].asset_no: 71 and 0071 of equipment[0] differ in leading zeros"
    )


def test_a_meter_without_a_register_of_its_carrier_is_a_warning(tmp_path: Path) -> None:
    (warning,) = write(tmp_path, HEAD + WATER).warnings
    assert "W-1 has no register that measures water_fresh" in warning


def test_a_mistake_in_a_row_hides_no_other_and_brings_no_second_one(tmp_path: Path) -> None:
    text = BUS + meter('ct = "400"\nreads = "secondary"\nsince = "x"', parameters="unit=1")
    text += point(PART) + EQUIPMENT.replace("SB-1", "SB/1") + 'flags = "mian"'
    assert errors(tmp_path, text) == [
        "agent.toml: equipment[0].asset_no = SB/1: an asset_no has 1 to 64 characters without space, comma, / and #",
        "agent.toml: meters[0].since = x: no date (2025-03-01)",
        "agent.toml: meters[0].ct = 400: no ratio like 400/5; both sides, as the nameplate of the transformer has them",
    ]


def test_numbers_and_dates_may_be_written_as_what_they_are(tmp_path: Path) -> None:
    for since in ("2025-03-01", '"2025-03-01"', '"2025/3/1"'):
        found = plant(
            tmp_path, EQUIPMENT.replace('"SB-1"', "101") + f"since = {since}\nplanned_run_time_s = 95"
        )
        assert found.equipment[0].asset_no == "101"
        assert str(found.equipment[0].since) == "2025-03-01"
        assert found.equipment[0].planned_run_time_s == 95


DAY = 'a = { days = "mon-fri", from = "06:00", to = "14:00", breaks = ["10:00-10:30"] }'


@pytest.mark.parametrize(
    ("shift", "told"),
    [
        (DAY.replace("mon-fri", "mon-fry"), "site.shifts.a.days = mon-fry: no days (mon, tue, "),
        (DAY.replace("mon-fri", "mon-fri,wed"), "site.shifts.a.days = mon-fri,wed: wed twice"),
        (DAY.replace("06:00", "6:00"), "site.shifts.a.from = 6:00: not HH:MM"),
        (DAY.replace("14:00", "24:00"), "site.shifts.a.to = 24:00: not HH:MM"),
        (
            DAY.replace("14:00", "22:30"),
            "site.shifts.a: 16.5 h from 06:00 to 22:30; a shift has at most 16 h",
        ),
        (DAY.replace("14:00", "06:00"), "site.shifts.a: 24 h from 06:00 to 06:00"),
        (DAY.replace("10:00-10:30", "10:00"), "site.shifts.a.breaks[0] = 10:00: not HH:MM-HH:MM"),
        (
            DAY.replace("10:00-10:30", "13:50-14:10"),
            "site.shifts.a.breaks[0] = 13:50-14:10: not within the shift",
        ),
        (
            DAY.replace('"10:00-10:30"', '"10:00-10:30", "10:20-10:40"'),
            "breaks[1] = 10:20-10:40: begins before the break",
        ),
        (
            DAY.replace("breaks", "break"),
            "agent.toml: site.shifts.a.break: no such key; did you mean breaks?",
        ),
    ],
)
def test_a_wrong_shift_is_told(tmp_path: Path, shift: str, told: str) -> None:
    (found,) = errors(tmp_path, f"[site.shifts]\n{shift}\n")
    assert told in found


def test_a_shift_may_end_on_the_next_day_and_rest_after_midnight(tmp_path: Path) -> None:
    night = '[site.shifts]\nnight = { days = "sat-mon,wed", from = "22:00", to = "06:00", breaks = ["01:00-01:30"] }'
    assert plant(tmp_path, night).calendar.shifts[0].breaks == ("01:00-01:30",)


@pytest.mark.parametrize(
    ("exceptions", "told"),
    [
        (
            ['dates = "2027-02-05..2027-02-11"\nplan = "off"', 'dates = 2027-02-11\nlike = "mon"'],
            "site.exceptions[1].dates = 2027-02-11: 2027-02-11 stands in site.exceptions[0].dates too",
        ),
        (['dates = "2027-02-05"'], 'site.exceptions[0]: either plan = "off" or like = "mon"'),
        (
            ['dates = "2027-02-05"\nplan = "off"\nlike = "mon"'],
            'site.exceptions[0]: either plan = "off" or like = "mon"',
        ),
        (['dates = "2027-02-05"\nlike = "mo"'], "site.exceptions[0].like = mo: no weekday (mon, "),
        (
            ['dates = "2027-02-05..2027-02-01"\nplan = "off"'],
            "site.exceptions[0].dates = 2027-02-05..2027-02-01: no date, nor",
        ),
        (['dates = "2027-02-30"\nplan = "off"'], "site.exceptions[0].dates = 2027-02-30: no date"),
        (['dates = "2027-02-05"\nplan = "on"'], "site.exceptions[0].plan = on: none of 'off'"),
    ],
)
def test_a_wrong_exception_is_told_with_both_places(tmp_path: Path, exceptions: list[str], told: str) -> None:
    (found,) = errors(tmp_path, "".join(f"[[site.exceptions]]\n{text}\n" for text in exceptions))
    assert told in found


def test_a_make_up_day_travels_as_the_weekday_it_is_like(tmp_path: Path) -> None:
    (item,) = plant(tmp_path, '[[site.exceptions]]\ndates = "2027/2/6"\nlike = "mon"').calendar.exceptions
    assert (str(item.first), str(item.last), item.plan) == ("2027-02-06", "2027-02-06", "like mon")


def test_a_meter_below_one_of_its_own_place_is_told_to_count_as_a_sub_meter(tmp_path: Path) -> None:
    columns = CT + '\nparent = "{}"'
    text = BUS + meter(CT, asset_no="IN") + meter(columns.format("IN"), asset_no="IN-2")
    text += meter(columns.format("IN-2"), asset_no="DB-3").replace("boundary_in", "sub")
    (warning,) = (told for told in write(tmp_path, HEAD + text).warnings if "counts as a sub-meter" in told)
    assert "meters[1].role: IN-2 is boundary_in below IN, which is too: it counts as a sub-meter" in warning


def test_two_meters_on_one_register_are_warned_about_once(tmp_path: Path) -> None:
    text = BUS + meter(CT) + meter(CT, asset_no="DB-2") + meter(CT, asset_no="DB-3", parameters="unit=2")
    (warning,) = write(tmp_path, HEAD + text).warnings
    assert "meters[1]: DB-2 reads the registers of DB-1 (bus 1:holding:" in warning
    assert "counted twice; does each have its own unit or number?" in warning


def test_whatever_lies_between_and_what_comes_in_below_what_goes_out_is_told_too(tmp_path: Path) -> None:
    columns = CT + '\nparent = "{}"'
    text = BUS + meter(CT, asset_no="IN")
    text += meter(columns.format("IN"), asset_no="HALL").replace("boundary_in", "sub")
    text += meter(columns.format("HALL"), asset_no="IN-2")
    text += meter(columns.format("IN"), asset_no="OUT").replace("boundary_in", "boundary_out")
    text += meter(columns.format("OUT"), asset_no="THEIRS")
    text += meter(columns.format("IN"), asset_no="PV").replace("boundary_in", "generation")
    first, second = (
        told for told in write(tmp_path, HEAD + text).warnings if "counts as a sub-meter" in told
    )
    assert "IN-2 is boundary_in below IN, which is too" in first
    assert "THEIRS is boundary_in below OUT, which is boundary_out" in second
