"""Registers as they are bound: exact factors, ids, largest rates, and what `check` tells of them."""

import hashlib
from pathlib import Path

import pytest

from ganpo_agent.observing.meaning import understanding
from ganpo_drivers import FaultKind, PointFault
from ganpo_model.clock import HOUR_MS
from support.configs import BUS, CELL, bound, errors, meaning, meter, notes, plant, point, register

CT = 'ct = "400/5"\nreads = "secondary"'
UINT16 = 'address = "4:input:11"\ntype = "uint16"'
HEAT = '[[meters]]\nasset_no = "DB-1"\nname = "Heat"\ncarrier = "heat"\nrole = "sub"\n'
WATER = '[[meters]]\nasset_no = "DB-1"\nname = "Water"\ncarrier = "water_fresh"\nrole = "sub"\n'
BARE = '[[meters]]\nasset_no = "DB-1"\nname = "Meter"\ncarrier = "electricity"\nrole = "sub"\n'
ENERGY = "DB-1/energy_import"


@pytest.mark.parametrize(
    ("columns", "num", "den", "max_rate"),
    [
        ('ct = "400/5"\nreads = "secondary"', 4, 5, 416),
        ('ct = "400:5"\nreads = "secondary"', 4, 5, 416),
        ('ct = "400/5"\nreads = "primary"', 1, 100, 33257),
        ('ct = "50/5"\npt = "10000/100"\nreads = "secondary"', 10, 1, 104),
        ('ct = "75/5"\nreads = "secondary"\nmax_rate = 12.5', 3, 20, 84),
        ("max_rate = 100", 1, 100, 10_000),
    ],
)
def test_a_count_is_exact_and_a_rate_is_derived_from_what_the_plate_says(
    tmp_path: Path, columns: str, num: int, den: int, max_rate: int
) -> None:
    item = register(plant(tmp_path, BUS + meter(columns)), ENERGY).item
    assert (item.num, item.den, item.max_rate) == (num, den, max_rate)
    assert (item.unit, item.carrier, item.modulus, item.resets) == ("kWh", "electricity", 2**32, False)


def test_the_voltage_may_be_stated(tmp_path: Path) -> None:
    text = BUS + meter('ct = "400/5"\nreads = "primary"', parameters="unit=1 voltage=690")
    assert (
        register(plant(tmp_path, text), ENERGY).item.max_rate == 57368
    )  # 1.7321 x 690 V x 400 A x 1.2 up to 0.01 kWh
    assert any("at 690 V three-phase, margin 1.2" in note for note in notes(tmp_path, text))


def test_the_id_is_the_hash_of_signal_address_type_order_and_factor_and_of_nothing_else(
    tmp_path: Path,
) -> None:
    def told(columns: str, connection: str = BUS) -> str:
        return register(plant(tmp_path, connection + meter(columns)), ENERGY).item.id

    seed = "energy_import|1:holding:0|uint32|ABCD|4/5"
    expected = f"DB-1/energy_import#{hashlib.sha256(seed.encode()).hexdigest()[:8]}"
    assert told(CT) == expected
    assert told(CT + "\nmax_rate = 99") == expected
    assert told(CT, BUS.replace("127.0.0.1:502", "10.0.0.9")) == expected
    assert told(CT.replace("400", "500")) != expected


def test_an_address_counts_as_what_is_asked_whatever_the_list_calls_it(tmp_path: Path) -> None:
    ids = set()
    for addressing, address in (
        ("0-based", "1:holding:10"),
        ("1-based", "1:holding:11"),
        ("4xxxxx", "1:holding:40011"),
    ):
        bus = BUS.replace("0-based", addressing)
        row = point(f'address = "{address}"\ntype = "uint32"\norder = "CDAB"\nscale = "0.01"\nmax_rate = 50')
        ids.add(register(plant(tmp_path, bus + BARE + row), ENERGY).item.id)
        assert notes(tmp_path, bus + BARE + row)[0].startswith(
            "DB-1/energy_import: bus 1:holding:10 uint32 CDAB every 10 s; a count is 0.01 kWh"
        )
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("carrier", "signal", "columns", "num", "den"),
    [
        (BARE, "energy_import", 'unit = "MWh"\nscale = "0.001"', 1, 1),
        (BARE, "energy_import", 'unit = "Wh"\nscale = "1"', 1, 1000),
        (BARE, "energy_import", 'scale = "1/3"', 1, 3),
        (WATER, "volume_total", 'unit = "L"\nscale = "10"', 1, 100),
        (WATER + "pulse = 0.01\n", "volume_total", "", 1, 100),
        (WATER + "pulse = 0.01\n", "volume_total", 'scale = "10"', 1, 10),
        (HEAT, "heat_total", 'unit = "GJ"\nscale = "0.001"', 1, 1),
        (HEAT, "heat_total", 'unit = "kWh"', 18, 5),
    ],
)
def test_units_and_pulses_are_converted_exactly(
    tmp_path: Path, carrier: str, signal: str, columns: str, num: int, den: int
) -> None:
    row = point(f'address = "1:input:0"\ntype = "uint32"\nmax_rate = 50\n{columns}', signal=signal)
    item = register(plant(tmp_path, BUS + carrier + row), f"DB-1/{signal}").item
    assert (item.num, item.den) == (num, den)
    assert item.max_rate == -(-50 * den // num)


def test_a_float_counts_in_hundredths_and_is_warned_of(tmp_path: Path) -> None:
    row = point('address = "1:input:0"\ntype = "float32"\nmodulus = 1000000\nmax_rate = 800')
    found = plant(tmp_path, BUS + BARE + row)
    told = register(found, ENERGY)
    assert (told.counts_per_value, told.item.num, told.item.den) == (100, 1, 100)
    assert (told.item.modulus, told.item.max_rate) == (100_000_000, 80_000)
    assert "a float32 loses 0.01 above 131,072" in notes(tmp_path, BUS + BARE + row)[0]


def test_an_opcua_register_counts_pieces_whole_and_quantities_in_hundredths(tmp_path: Path) -> None:
    machine = '[[equipment]]\nasset_no = "SB-1"\nname = "Machine"\n'
    rows = "".join(
        point(f'address = "nsu=urn:x;s={signal}"\nmax_rate = 100', asset_no=no, signal=signal).replace(
            '"bus"', '"cell"'
        )
        for no, signal in (("SB-1", "parts_total"), ("DB-1", "energy_import"))
    )
    found = plant(tmp_path, CELL + machine + BARE + rows)
    assert register(found, "SB-1/parts_total").counts_per_value == 1
    assert register(found, "SB-1/parts_total").item.carrier is None
    assert register(found, ENERGY).counts_per_value == 100


def test_a_register_that_does_not_measure_the_carrier_carries_none(tmp_path: Path) -> None:
    rows = point(UINT16 + "\nmax_rate = 5", signal="heat_total")
    rows += point('address = "4:input:12"\ntype = "uint16"\nmax_rate = 5', signal="volume_total")
    found = plant(tmp_path, BUS + HEAT + rows)
    assert register(found, "DB-1/heat_total").item.carrier == "heat"
    assert register(found, "DB-1/volume_total").item.carrier is None


def test_check_tells_how_long_an_outage_a_modulus_bridges(tmp_path: Path) -> None:
    machine = '[[equipment]]\nasset_no = "SB-1"\nname = "Machine"\n'
    row = point(UINT16 + "\nmodulus = 65536\nmax_rate = 1200", asset_no="SB-1", signal="parts_total")
    (note,) = notes(tmp_path, BUS + machine + row)
    assert note.endswith(
        "a count is 1, at most 1,200 an hour (stated); begins at 0 again after 65536 counts, "
        "which bridges an outage of 54 h"
    )


@pytest.mark.parametrize(
    ("modulus", "bridged"),
    [
        (8_388_608, "582 h (24 days)"),
        (7_654_321, "531 h (22 days)"),
        (10_000, "41 min"),
        (2**32, "more than ten years"),
    ],
)
def test_any_number_may_be_the_one_after_the_last(tmp_path: Path, modulus: int, bridged: str) -> None:
    """Field case F12: 0.1 Wh a count, 14,400 counts an hour."""
    row = 'address = "1:holding:0"\ntype = "uint32"\nunit = "Wh"\nscale = "0.1"\nmax_rate = "1.44"\n'
    row += f"modulus = {modulus}"
    item = register(plant(tmp_path, BUS + BARE + point(row)), ENERGY).item
    assert (item.num, item.den, item.max_rate, item.modulus) == (1, 10_000, 14_400, modulus)
    (note,) = notes(tmp_path, BUS + BARE + point(row))
    assert note.endswith(f"after {modulus} counts, which bridges an outage of {bridged}")


def test_check_tells_what_a_pipe_lets_through(tmp_path: Path) -> None:
    pipe = WATER + 'parameters = "pipe=DN50"\npulse = "0.01"\n'
    text = BUS + pipe + point(UINT16, signal="volume_total")
    assert register(plant(tmp_path, text), "DB-1/volume_total").item.max_rate == 2545
    assert "at most 25.4469 m3 an hour (from pipe DN50 at 3 m/s, margin 1.2)" in notes(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            meter(""),
            "meters[0].max_rate: is missing: the most energy_import can count in an hour; state it, or give ct",
        ),
        (
            meter('ct = "400/5"'),
            "meters[0].reads: is missing: with a ct or pt it has to be said what the meter counts",
        ),
        (
            meter('reads = "secondary"\nmax_rate = 1'),
            "meters[0].reads = secondary: the secondary side of what?",
        ),
        (meter('ct = "400"\nreads = "primary"'), "meters[0].ct = 400: no ratio like 400/5"),
        (
            meter('ct = "5/400"\nreads = "secondary"'),
            "meters[0].ct = 5/400: the sides are exchanged; the primary side stands first: 400/5",
        ),
        (meter('ct = "400/0"\nreads = "primary"'), "meters[0].ct = 400/0: must be above 0"),
        (
            meter('ct = "2025/10/5"\nreads = "primary"'),
            "meters[0].ct = 2025/10/5: a date or a time: Excel made it of",
        ),
        (
            meter('ct = "10月5日"\nreads = "primary"'),
            "meters[0].ct = 10月5日: a date or a time: Excel made it of a",
        ),
        (meter('ct = "5-Oct"\nreads = "primary"'), "Excel made it of a ratio; format the column as text"),
        (meter('ct = "400:05:00"\nreads = "primary"'), "meters[0].ct = 400:05:00: a date or a time: Excel"),
        (meter(CT + '\nmax_rate = "much"'), "meters[0].max_rate = much: no number like 0.01"),
        (meter(CT + "\nmax_rate = 0"), "meters[0].max_rate = 0: must be above 0"),
        (meter(CT, parameters="unit=1 voltage=high"), "meters[0].parameters = high: no number like 0.01"),
        (WATER + CT, "meters[0].ct: water_fresh has no transformers"),
        (WATER + 'parameters = "pipe=50"', "meters[0].parameters = pipe=50: no nominal diameter like DN50"),
        (
            WATER + point(UINT16, signal="volume_total"),
            "; state it, or give pipe=DN50 in the meter's parameters",
        ),
        (
            BARE + point(UINT16),
            "points[0].max_rate: is missing: the most energy_import can count in an hour; state it",
        ),
        (BARE + point(UINT16 + "\nmax_rate = 9\nscale = 0"), "points[0].scale = 0: must not be 0"),
        (BARE + point(UINT16 + '\nmax_rate = 9\nscale = "-1"'), "points[0].scale = -1: must be above 0"),
        (
            BARE + point(UINT16 + '\nmax_rate = 9\nscale = "1e999999999"'),
            "points[0].scale = 1e999999999: no number",
        ),
        (
            BARE + point(UINT16 + '\nmax_rate = 9\nscale = "1e-19"'),
            "points[0].scale = 1e-19: a count is 1/10000000000000000000 of the unit: both have to lie between",
        ),
        (
            BARE + point(UINT16 + '\nmax_rate = 9\nscale = "1e20"'),
            "points[0].scale = 1e20: a count is",
        ),
        (
            BARE + point(UINT16 + '\nmax_rate = 9\nscale = "1000001"'),
            "points[0].scale = 1000001: a count is more than 1,000,000 of the unit",
        ),
        (
            BARE + point(UINT16 + '\nmax_rate = "1e18"'),
            "points[0].max_rate = 1e+18: more than 10,000,000 of the unit in an hour",
        ),
        (
            BARE + point(UINT16 + '\nmax_rate = "1e19"\nscale = "1e-6"'),
            "points[0].max_rate = 1e+19: ",
        ),
        (
            BARE + point(UINT16 + "\nmax_rate = 9\noffset = 5"),
            "points[0].offset = 5: energy_import is a register: only",
        ),
        (
            BARE + point(UINT16 + '\nmax_rate = 9\nunit = "m3"'),
            "points[0].unit = m3: cannot become kWh; write one of Wh, MWh, GWh",
        ),
        (
            BARE + point(UINT16 + '\nmax_rate = 9\nmodulus = 9\nresets = "yes"'),
            "points[0].resets = yes: a register that",
        ),
        (
            BARE + point(UINT16 + "\nmax_rate = 9\nmodulus = 1"),
            "points[0].modulus = 1: lies between 2 and 2^63 counts",
        ),
        (
            BARE + point(UINT16 + '\nmax_rate = 9\nupdate = "daily"'),
            "points[0].update = daily: no duration like 24h or 15min",
        ),
        (
            BARE + point(UINT16 + '\nmax_rate = 9\nupdate = "8d"'),
            "points[0].update = 8d: above 0 and at most 7d",
        ),
        (
            BARE + "update = 24\n" + point(UINT16 + "\nmax_rate = 9"),
            "meters[0].update = 24: no duration like 24h or 15min",
        ),
        (
            BARE + point('address = "4:input:12"\ntype = "float32"\nupdate = "24h"', signal="power"),
            "points[0].update = 24h: power is a number, no register",
        ),
        (
            BARE + point('address = "4:input:11"\nmax_rate = 9'),
            "points[0].address = 4:input:11: type '' is none of",
        ),
        (
            BARE + point(UINT16 + '\nmax_rate = 9\norder = "ABCD"'),
            "points[0].address = 4:input:11: order 'ABCD' is for",
        ),
    ],
)
def test_a_register_that_cannot_be_bound_is_told(tmp_path: Path, text: str, told: str) -> None:
    (found,) = errors(tmp_path, BUS + text)
    assert told in found


def test_a_meter_s_power_counts_as_its_energy_does_and_cannot_exceed_its_transformer(tmp_path: Path) -> None:
    for text in (
        BUS + meter(CT),
        BUS
        + meter(CT).replace("power_meter_3p_modbus", "").replace("unit=1", "")
        + point('address = "1:holding:2"\ntype = "float32"', signal="power")
        + point('address = "1:holding:0"\ntype = "uint32"'),
    ):
        power = meaning(plant(tmp_path, text), "DB-1/power")
        assert power.scale == 80
        assert power.high is not None
        assert power.high == pytest.approx(332.56, abs=0.01)
        assert power.low == -power.high


def test_the_update_of_a_point_stands_above_its_meters_and_that_above_the_profiles(tmp_path: Path) -> None:
    profile = """
format = 1
id = "logger"
title = { zh = "x", en = "x" }
origin = "our definition"
driver = "modbus"
addressing = "0-based"
[signals.volume_total]
address = "1:holding:0"
type = "uint32"
update = "12h"
"""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "logger.toml").write_text(profile, encoding="utf-8")
    logged = WATER + 'profile = "logger"\nconnection = "bus"\nmax_rate = 25\n'

    def told(columns: str, row: str = "") -> int | None:
        return register(plant(tmp_path, BUS + logged + columns + row), "DB-1/volume_total").item.update_ms

    own = point(UINT16 + '\nupdate = "1h"', signal="volume_total")
    hours = [told(""), told('update = "24h"\n'), told('update = "24h"\n', own)]
    assert hours == [12 * HOUR_MS, 24 * HOUR_MS, HOUR_MS]
    assert told("", own.replace('update = "1h"', "")) == 12 * HOUR_MS, "the profile says what a signal means"
    assert any(
        "shows a new number every 12 h, risen by up to 301 m3" in note
        for note in notes(tmp_path, BUS + logged)
    )
    assert register(plant(tmp_path, BUS + meter(CT)), ENERGY).item.update_ms is None


def test_times_default_to_what_they_are_documented_to_be(tmp_path: Path) -> None:
    rows = point('address = "4:input:11"\ntype = "uint16"\nmax_rate = 5')
    rows += point('address = "4:input:13"\ntype = "float32"\ninterval_s = 30', signal="power")
    found = plant(tmp_path, BUS + BARE + rows)
    assert (bound(found, ENERGY).interval_s, bound(found, ENERGY).stale_s) == (10, 60)
    assert (bound(found, "DB-1/power").interval_s, bound(found, "DB-1/power").stale_s) == (30, 90)


def test_a_row_stands_above_the_profile(tmp_path: Path) -> None:
    row = point('address = "9:holding:7"\ntype = "uint32"\nscale = "0.1"\ninterval_s = 2\nstale_s = 4')
    found = plant(tmp_path, BUS + meter(CT) + row)
    told = bound(found, ENERGY)
    assert (str(told.address), told.interval_s, told.stale_s) == ("9:holding:7", 2, 4)
    assert register(found, ENERGY).item.num == 8
    assert [p.name for p in found.connections[0].points].count(ENERGY) == 1


def test_a_value_with_which_a_device_says_that_it_does_not_know_is_no_reading(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.toml").write_text(
        """
format = 1
id = "own"
title = { zh = "x", en = "x" }
origin = "our definition"
driver = "modbus"
addressing = "0-based"
[signals.energy_import]
address = "1:holding:0"
type = "uint32"
order = "ABCD"
unavailable = [0, 4294967294]
""",
        encoding="utf-8",
    )
    text = BUS + meter("max_rate = 100", parameters="").replace("power_meter_3p_modbus", "own")
    for found in (
        register(plant(tmp_path, text), ENERGY),
        register(
            plant(tmp_path, text + point('address = "1:holding:8"\ntype = "uint32"\norder = "ABCD"')), ENERGY
        ),
    ):
        understand = understanding(found)
        for value in (0, 4294967294, 0.0):
            fault = understand(value)
            assert isinstance(fault, PointFault)
            assert fault == PointFault(FaultKind.BAD, f"the device itself says {value!r}")
        assert understand(48203) == 48203
