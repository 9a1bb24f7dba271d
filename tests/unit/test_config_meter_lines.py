"""Lines of DL/T 645 and CJ/T 188 as people write them wrong: what, where, and what to do."""

from pathlib import Path

import pytest

from support.configs import HEAD, errors, notes, write

ELECTRIC = """
[connections.electric]
driver = "dlt645"
url = "serial:///dev/serial/by-id/one"
"""
WATER = """
[connections.water]
driver = "cjt188"
url = "tcp://192.168.10.61:8899"
"""


def meter(profile: str, connection: str, parameters: str, carrier: str = "electricity") -> str:
    """A row of meters."""
    return f"""
[[meters]]
asset_no = "DB-1"
name = "meter"
carrier = "{carrier}"
role = "boundary_in"
profile = "{profile}"
connection = "{connection}"
parameters = "{parameters}"
max_rate = "100"
"""


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("rtu:///dev/ttyS0", "not serial:///dev/NAME or tcp://HOST:PORT"),
        ("serial://ttyS0", "not serial:///dev/NAME, the device file behind three strokes"),
        ("tcp://192.168.10.60", "the port is missing: tcp://HOST:PORT"),
        ("tcp://192.168.10.60:99999", "a port is a number from 1 to 65535"),
    ],
)
def test_a_url_that_is_none_is_told_with_what_is_allowed(tmp_path: Path, url: str, told: str) -> None:
    (found,) = errors(tmp_path, ELECTRIC.replace("serial:///dev/serial/by-id/one", url))
    assert found == f"agent.toml: connections.electric.url = {url}: {told}"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('parity = "mark"', "parity = mark: none of 'none', 'even', 'odd'"),
        ("baud = 10", "baud = 10: should be greater than or equal to 50"),
        ("wake_up = 99", "wake_up = 99: should be less than or equal to 16"),
        ('identifer_order = "low_first"', "identifer_order: no such key; did you mean identifier_order?"),
        ('unit_place = "behind"', "unit_place = behind: none of 'last', 'first'"),
    ],
)
def test_a_setting_that_is_none_is_told_with_what_is_allowed(tmp_path: Path, setting: str, told: str) -> None:
    (found,) = errors(tmp_path, WATER + setting)
    assert found.startswith(f"agent.toml: connections.water.{told}"), (
        "its description may follow as the remedy"
    )


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (
            "meter=161",
            "'161' is no meter: the 12 digits of its nameplate, like 000000000161, or AAAAAAAAAAAA",
        ),
        ("meter=999999999999", "999999999999 is everybody's address: no meter answers it"),
        ("meter=00000000016G", "'00000000016G' is no meter: the 12 digits of its nameplate, or AAAAAAAAAAAA"),
    ],
)
def test_an_address_of_dlt645_that_is_none_is_told_with_one_that_is(
    tmp_path: Path, parameters: str, told: str
) -> None:
    found = errors(tmp_path, ELECTRIC + meter("electricity_meter_1p_dlt645", "electric", parameters))
    assert all(told in error for error in found)
    assert found


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ("meter=783300112233", "'783300112233' is no meter: 14 digits, the maker's code first"),
        ("meter=78330011223344 type=50", "'50' is no meter type: 10 cold water"),
        ("meter=78330011223344 type=20", "'total' is no item of a meter of type 20"),
        ("meter=78330011223344 unit=kWh", "'kWh' is no unit of total: L, m3"),
        (
            "meter=78330011223344 order=first",
            "order 'first' is none of low_first, high_first, unit_last, unit_first",
        ),
    ],
)
def test_an_address_of_cjt188_that_is_none_is_told_with_what_is_allowed(
    tmp_path: Path, parameters: str, told: str
) -> None:
    row = meter("water_meter_cjt188", "water", parameters, "water_fresh")
    (found,) = errors(tmp_path, WATER + row)
    assert told in found


def test_a_heat_meter_asks_for_the_unit_in_which_it_counts(tmp_path: Path) -> None:
    row = meter("heat_meter_cjt188", "water", "meter=00000040314132", "heat")
    (found,) = errors(tmp_path, WATER + row)
    assert "unit missing" in found


def test_a_row_of_an_unknown_identifier_asks_for_its_format(tmp_path: Path) -> None:
    row = """
[[points]]
asset_no = "DB-1"
signal = "frequency"
connection = "electric"
address = "000000000161:02800099"
"""
    row = meter("electricity_meter_dlt645_1997", "electric", "meter=000000000161") + row
    (found,) = errors(tmp_path, ELECTRIC + row)
    assert "02800099 is not known here: write its format into the column type, like XXXXXX.XX" in found
    assert errors(tmp_path, ELECTRIC + row + 'type = "XX.X"\n')[0].endswith(
        "'XX.X' fills no whole bytes: two digits or eight bits to the byte"
    )
    assert any(
        "DB-1/frequency: electric 000000000161:02800099" in note
        for note in notes(tmp_path, ELECTRIC + row + 'type = "XX.XX"\n')
    )


def test_two_protocols_behind_one_converter_are_refused(tmp_path: Path) -> None:
    bus = """
[connections.bus]
driver = "modbus"
url = "rtu+tcp://192.168.10.61:8899"
addressing = "0-based"
"""
    (found,) = errors(tmp_path, WATER + bus)
    assert "connections.water is on the same port (192.168.10.61:8899)" in found


def test_two_protocols_on_one_port_are_refused_and_a_port_of_a_number_is_warned_of(tmp_path: Path) -> None:
    text = ELECTRIC.replace("/dev/serial/by-id/one", "/dev/ttyUSB7") + WATER.replace(
        "tcp://192.168.10.61:8899", "serial:///dev/../dev/ttyUSB7"
    )
    (found,) = errors(tmp_path, text)
    assert "connections.electric is on the same port (/dev/ttyUSB7)" in found
    loaded = write(tmp_path, HEAD + ELECTRIC.replace("/dev/serial/by-id/one", "/dev/ttyUSB7"))
    assert ["/dev/ttyUSB7 may be another adapter" in str(warning) for warning in loaded.warnings] == [True]
