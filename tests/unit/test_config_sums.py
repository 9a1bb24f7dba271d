"""Values that lie in several registers, from list or profile to counts (oddities 14, 16, 43, 46)."""

import struct
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.observing.meaning import understanding
from ganpo_config.plant import BoundPoint
from ganpo_drivers import Point, PointFault
from ganpo_drivers.modbus.blocks import pack
from support.configs import BUS, CELL, bound, errors, meter, notes, plant, point, register

BARE = '[[meters]]\nasset_no = "DB-1"\nname = "Meter"\ncarrier = "electricity"\nrole = "sub"\n'
WATER = '[[meters]]\nasset_no = "DB-1"\nname = "Water"\ncarrier = "water_fresh"\nrole = "sub"\n'
ENERGY = "DB-1/energy_import"
HEAD = """
format = 1
id = "split"
title = { zh = "x", en = "x" }
origin = "our definition"
driver = "modbus"
addressing = "0-based"
[parameters]
unit = { zh = "单元号", en = "unit id" }
"""


def profile(folder: Path, signal: str) -> str:
    """A plant whose one meter has a profile with this signal."""
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles" / "split.toml").write_text(HEAD + signal, encoding="utf-8")
    return BUS + meter("max_rate = 100", parameters="unit=7").replace("power_meter_3p_modbus", "split")


def counts(asked: BoundPoint, memory: dict[int, list[int]]) -> Any:
    """What the agent makes of a point whose device holds these registers, by the first of each run."""
    registers = {first + at: word for first, run in memory.items() for at, word in enumerate(run)}
    query = pack([Point("p", asked.address)], 16, 125, 2000)  # type: ignore[arg-type]
    values: list[Any] = [None] * query.width
    for block in query.blocks:
        words = [registers[block.first + at] for at in range(block.count)]
        block.take(struct.pack(f">{block.count}H", *words), values)
    (raw,) = query.settled(values)
    return raw if isinstance(raw, PointFault) else understanding(asked.meaning)(raw)


def words(form: str, value: float, *, low_first: bool = False) -> list[int]:
    packed = struct.pack(">" + form, value)
    found = list(struct.unpack(f">{len(packed) // 2}H", packed))
    return found[::-1] if low_first else found


def test_a_list_has_the_sum_in_the_cell_of_its_address(tmp_path: Path) -> None:
    row = point('address = "1:holding:1835*1 + 1:holding:1836*10000"\ntype = "uint16"\nmax_rate = 50')
    found = plant(tmp_path, BUS + BARE + row)
    assert counts(bound(found, ENERGY), {1835: [9999, 48]}) == 489_999
    assert register(found, ENERGY).counts_per_value == 1
    (note,) = notes(tmp_path, BUS + BARE + row)
    assert note.startswith(
        "DB-1/energy_import: bus 1:holding:1835*1 + 1:holding:1836*10000 uint16 every 10 s; a count is 1 kWh"
    )


def test_the_id_of_a_sum_is_that_of_its_printed_cell(tmp_path: Path) -> None:
    def told(address: str, connection: str = BUS) -> str:
        row = point(f'address = "{address}"\ntype = "uint16"\nmax_rate = 50')
        return register(plant(tmp_path, connection + BARE + row), ENERGY).item.id

    first = told("1:holding:0*1 + 1:holding:1*10000")
    assert told("1:holding:0 + holding:1 * 10000") == first
    assert told("1:holding:1*1 + 1:holding:2*10000", BUS.replace("0-based", "1-based")) == first
    assert told("1:holding:0*1 + 1:holding:1*1000") != first


@pytest.mark.parametrize(
    ("signal", "memory", "expected"),
    [
        # IME Nemo D4-Le: a Wh part and a MWh part
        (
            """[signals.energy_import]
scale = "0.001"
parts = [
  { address = "holding:5888", type = "uint32", times = "1" },
  { address = "holding:5890", type = "uint32", times = "1000000" },
]""",
            {5888: words("I", 999_999) + words("I", 4_000_000_000)},
            4_000_000_000_999_999,
        ),
        # Socomec DIRIS A40: base 10000, low first, the type of the signal
        (
            """[signals.energy_import]
type = "uint16"
parts = [{ address = "{unit}:holding:1835" }, { address = "{unit}:holding:1836", times = "10000" }]""",
            {1835: [1234, 56]},
            561_234,
        ),
        # two tariffs added, floats in Wh: hundredths
        (
            """[signals.energy_import]
type = "float64"
unit = "Wh"
parts = [{ address = "holding:801" }, { address = "holding:805" }]""",
            {801: words("d", 1_500_000.25) + words("d", 250_000.5)},
            175_000_075,
        ),
        # one register that counts what another already has: signs
        (
            """[signals.energy_import]
type = "uint32"
parts = [{ address = "holding:0" }, { address = "holding:2", times = "-1" }]""",
            {0: words("I", 5000) + words("I", 1500)},
            3500,
        ),
        # mantissa and exponent side by side
        (
            """[signals.energy_import]
address = "holding:0"
exponent = "holding:2"
type = "uint32"
unit = "Wh\"""",
            {0: [*words("I", 48_203), 3]},
            48_203_000,
        ),
        # an exponent below 0: `times` so large that every result is whole
        (
            """[signals.energy_import]
type = "uint32"
scale = "0.001"
parts = [{ address = "holding:0", times = "1000" }]
exponent = "holding:2\"""",
            {0: [*words("I", 48_203), *words("h", -2)]},
            482_030,
        ),
    ],
)
def test_a_profile_has_the_parts_of_a_meter(
    tmp_path: Path, signal: str, memory: dict[int, list[int]], expected: int
) -> None:
    found = plant(tmp_path, profile(tmp_path, signal))
    assert bound(found, ENERGY).address.key == "7"
    assert counts(bound(found, ENERGY), memory) == expected


def test_a_total_times_a_power_of_ten_that_lies_far_away(tmp_path: Path) -> None:
    """TUF-2000M: (N + f) x 10^(n-3) m3, N an int32 and f a float32, low word first, n 1,430 registers away."""
    signal = """[signals.volume_total]
order = "CDAB"
scale = "0.001"
parts = [{ address = "holding:8", type = "int32" }, { address = "holding:10", type = "float32" }]
exponent = "holding:1438"
"""
    text = profile(tmp_path, signal).replace('"electricity"', '"water_fresh"')
    asked = bound(plant(tmp_path, text), "DB-1/volume_total")
    memory = {8: words("i", 1234, low_first=True) + words("f", 0.5, low_first=True), 1438: [2]}
    assert counts(asked, memory) == 12_345_000  # 123.45 m3 in hundredths of 0.001 m3
    memory[1438] = words("h", 40)
    assert counts(asked, memory).text == "the exponent 40 lies outside -18 ... 18"


def test_what_is_no_whole_count_is_a_fault(tmp_path: Path) -> None:
    row = point('address = "1:holding:0 e 1:holding:1"\ntype = "uint16"\nmax_rate = 50')
    asked = bound(plant(tmp_path, BUS + BARE + row), ENERGY)
    assert counts(asked, {0: [480, *words("h", -1)]}) == 48
    assert counts(asked, {0: [483, *words("h", -1)]}).text == "48.3 is no whole count"


def test_a_number_of_parts_may_have_decimals(tmp_path: Path) -> None:
    """Days and hours of a Vacon drive; power that says its own decimals."""
    machine = '[[equipment]]\nasset_no = "SB-1"\nname = "Drive"\n'
    rows = point(
        'address = "1:input:839*24 + 1:input:840"\ntype = "uint16"', asset_no="SB-1", signal="operating_hours"
    )
    rows += point(
        'address = "1:input:0 e 1:input:1"\ntype = "int16"\nunit = "W"', asset_no="SB-1", signal="power"
    )
    found = plant(tmp_path, BUS + machine + rows)
    assert counts(bound(found, "SB-1/operating_hours"), {839: [41, 5]}) == 989
    assert counts(bound(found, "SB-1/power"), {0: [12_345, *words("h", -1)]}) == pytest.approx(1.2345)


def test_a_part_without_a_value_leaves_none(tmp_path: Path) -> None:
    row = point('address = "1:holding:0 + 1:holding:1*10000"\ntype = "uint16"\nmax_rate = 50')
    asked = bound(plant(tmp_path, BUS + BARE + row), ENERGY)
    for memory in ({0: [0xFFFF, 1]}, {0: [1, 0xFFFF]}):
        assert counts(asked, memory).text == "the device answers with all bits set: no value"


SIGNAL = '[signals.energy_import]\ntype = "uint16"\n'


@pytest.mark.parametrize(
    ("signal", "told"),
    [
        (
            '[signals.energy_import]\naddress = "holding:0"\nparts = [{ address = "holding:1" }]\ntype = "uint16"',
            "profiles/split.toml: signals.energy_import.parts: either an address or parts",
        ),
        (
            '[signals.energy_import]\nexponent = "holding:1"',
            "profiles/split.toml: signals.energy_import.exponent = holding:1: of what? the address is missing",
        ),
        (
            SIGNAL + 'parts = [{ address = "holding:{where}" }, { address = "holding:1" }]',
            "profiles/split.toml: signals.energy_import.parts: no such parameter: where",
        ),
        (
            SIGNAL + 'parts = [{ address = "holding:0" }, { adress = "holding:1" }]',
            "profiles/split.toml: signals.energy_import.parts[1]",
        ),
        (
            SIGNAL + 'parts = [{ address = "holding:0" }, { address = "holding:1", times = "x" }]',
            "signals.energy_import.address) = holding:0*1 + holding:1*x: 'holding:0*1 + holding:1*x' is not unit:area",
        ),
        (
            SIGNAL + 'parts = [{ address = "holding:0" }, { address = "holding:200" }]',
            "its parts lie over 201 registers, and one request asks for at most 125: they have to be read at once",
        ),
    ],
)
def test_parts_that_are_wrong_are_told_with_their_place(tmp_path: Path, signal: str, told: str) -> None:
    assert any(told in error for error in errors(tmp_path, profile(tmp_path, signal)))


def test_a_protocol_that_adds_nothing_says_so(tmp_path: Path) -> None:
    signal = """[signals.energy_import]
parts = [{ address = "nsu=urn:x;s=A" }, { address = "nsu=urn:x;s=B", times = "1000" }]
"""
    text = profile(tmp_path, signal) + CELL
    file = tmp_path / "profiles" / "split.toml"
    file.write_text(HEAD.replace('"modbus"\naddressing = "0-based"', '"opcua"') + signal, encoding="utf-8")
    (found,) = errors(tmp_path, text.replace('connection = "bus"', 'connection = "cell"'))
    assert found.endswith("signals.energy_import.parts): values of the driver opcua are not added")


def test_a_row_of_a_list_has_a_sum_too(tmp_path: Path) -> None:
    head = "asset_no,signal,connection,address,type,max_rate\n"
    row = "DB-1,energy_import,bus,1:holding:0*1 + 1:holding:1*10000,uint16,50\n"
    (tmp_path / "points.csv").write_text(head + row, encoding="utf-8")
    listed = '[lists]\npoints = "points.csv"\n' + BUS + BARE
    assert counts(bound(plant(tmp_path, listed), ENERGY), {0: [1, 2]}) == 20_001
    (tmp_path / "points.csv").write_text(head + row.replace("1:holding:1*", "1:holding:1x"), encoding="utf-8")
    (found,) = errors(tmp_path, listed)
    assert found.startswith(
        "points.csv row 2, address = 1:holding:0*1 + 1:holding:1x10000: '1:holding:0*1 + "
    )
    assert "nor a sum, like 1:holding:0*1 + 1:holding:1*10000" in found


def test_parts_have_to_fit_into_the_requests_of_their_connection(tmp_path: Path) -> None:
    row = point('address = "1:holding:0 + 1:holding:60"\ntype = "uint16"\nmax_rate = 50')
    narrow = BUS + "max_registers = 50\n"
    (found,) = errors(tmp_path, narrow + BARE + row)
    assert found.startswith(
        "agent.toml: points[0].address = 1:holding:0 + 1:holding:60: its parts lie over 61"
    )
    assert plant(tmp_path, BUS + BARE + row)


def test_power_whose_sign_has_a_bit_of_its_own(tmp_path: Path) -> None:
    """Field-case G05: -4.2 kW in hundredths, behind a CT of 50/5 at 400 V."""
    ct = 'ct = "50/5"\nreads = "primary"\nmax_rate = 50\n'
    found = {}
    for kind in ("int16", "uint16", "sm16"):
        row = point(f'address = "1:holding:0"\ntype = "{kind}"\nscale = "0.01"', signal="power")
        asked = bound(plant(tmp_path, BUS + BARE + ct + row), "DB-1/power")
        found[kind] = counts(asked, {0: [0x81A4]})
    assert found["sm16"] == pytest.approx(-4.2)
    assert found["int16"].text == "-323.48 lies outside -41.5704 ... 41.5704"
    assert found["uint16"].text == "331.88 lies outside -41.5704 ... 41.5704"


def test_a_heat_flow_is_bounded_by_no_transformer(tmp_path: Path) -> None:
    heat = BARE.replace('"electricity"', '"heat"')
    row = point('address = "1:holding:0"\ntype = "uint32"', signal="heat_power")
    asked = bound(plant(tmp_path, BUS + heat + row), "DB-1/heat_power")
    assert counts(asked, {0: words("I", 30_000)}) == 30_000
    row = point('address = "1:holding:0"\ntype = "uint32"', signal="reactive_power")
    asked = bound(plant(tmp_path, BUS + BARE + row), "DB-1/reactive_power")
    assert counts(asked, {0: words("I", 30_000)}).text == "30000 lies outside -20000.0 ... 20000.0"
