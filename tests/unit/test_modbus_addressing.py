"""Names of controllers come to the protocol's numbers: by the formulas of their manuals, worked out here by hand."""

from pathlib import Path
from typing import get_args

import pytest

from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.addressing import Addressing
from support.configs import BUS, errors, machine, notes

README = Path(__file__).parents[2] / "drivers" / "ganpo_drivers" / "modbus" / "README.md"


@pytest.mark.parametrize(
    ("addressing", "text", "form"),
    [
        ("delta-dvp", "S1023", "1:coil:1023"),
        ("delta-dvp", "X0", "1:discrete:1024"),
        ("delta-dvp", "X10", "1:discrete:1032"),
        ("delta-dvp", "3:Y17", "3:coil:1295"),
        ("delta-dvp", "T5", "1:coil:1541"),
        ("delta-dvp", "M0", "1:coil:2048"),
        ("delta-dvp", "M1535", "1:coil:3583"),
        ("delta-dvp", "M1536", "1:coil:45056"),
        ("delta-dvp", "D0", "1:holding:4096"),
        ("delta-dvp", "D100", "1:holding:4196"),
        ("delta-dvp", "d100.3", "1:holding:4196.3"),
        ("delta-dvp", "D4095", "1:holding:8191"),
        ("delta-dvp", "D4096", "1:holding:36864"),
        ("inovance-h", "M7999", "1:coil:7999"),
        ("inovance-h", "B2", "1:coil:12290"),
        ("inovance-h", "S1", "1:coil:57345"),
        ("inovance-h", "X10", "1:coil:63496"),
        ("inovance-h", "Y10", "1:coil:64520"),
        ("inovance-h", "D100", "1:holding:100"),
        ("inovance-h", "R7", "1:holding:12295"),
        ("inovance-h", "C199", "1:holding:62663"),
        ("inovance-h", "C201", "1:holding:63234"),
        ("inovance-am", "MW10", "1:holding:10"),
        ("inovance-am", "MD5", "1:holding:10"),
        ("inovance-am", "MX100.3", "1:holding:50.3"),
        ("inovance-am", "MX101.3", "1:holding:50.11"),
        ("inovance-am", "QX2.1", "1:coil:17"),
        ("inovance-am", "IX2.7", "1:discrete:23"),
        ("xinje-xc", "M8001", "1:coil:24577"),
        ("xinje-xc", "X10", "1:coil:16392"),
        ("xinje-xc", "Y10", "1:coil:18440"),
        ("xinje-xc", "S3", "1:coil:20483"),
        ("xinje-xc", "D8000", "1:holding:16384"),
        ("xinje-xc", "CD5", "1:holding:14341"),
        ("xinje-xd", "X10", "1:coil:20488"),
        ("xinje-xd", "Y7", "1:coil:24583"),
        ("xinje-xd", "SM1", "1:coil:36865"),
        ("xinje-xd", "HM2", "1:coil:49410"),
        ("xinje-xd", "HD10", "1:holding:41098"),
        ("xinje-xd", "D20479", "1:holding:20479"),
        ("siemens-mb-server", "DBW10", "1:holding:5"),
        ("siemens-mb-server", "DBD4", "1:holding:2"),
        ("siemens-mb-server", "DBX6.0", "1:holding:3.8"),
        ("siemens-mb-server", "DBX7.0", "1:holding:3.0"),
        ("danfoss-fc", "5:16-10", "5:holding:16099"),
        ("danfoss-fc", "15-02", "1:holding:15019"),
        ("danfoss-fc", "16-03.11", "1:holding:16029.11"),
        ("abb-acs550", "01.15", "1:holding:114"),
        ("abb-acs550", "0401", "1:holding:400"),
        ("abb-acs580", "01.14", "1:holding:113"),
        ("delta-vfd", "09-10", "1:holding:2314"),
        ("weg-cfw", "P308", "1:holding:308"),
        ("delta-dvp", "4:input:7", "4:input:7"),
    ],
)
def test_a_name_comes_to_the_number_that_its_manual_means(addressing: str, text: str, form: str) -> None:
    bit = form.rpartition(":")[2].count(".") or "coil" in form or "discrete" in form
    address = ModbusAddress.parse(text, type="" if bit else "uint16", addressing=addressing)
    assert str(address) == form


def test_values_of_32_bits_have_the_order_of_the_controller_unless_another_is_written() -> None:
    for addressing, text, order in (
        ("delta-dvp", "D100", "CDAB"),
        ("inovance-h", "D100", "CDAB"),
        ("xinje-xd", "HD0", "CDAB"),
        ("siemens-mb-server", "DBD4", "ABCD"),
        ("danfoss-fc", "15-02", "ABCD"),
    ):
        assert ModbusAddress.parse(text, type="uint32", addressing=addressing).order == order
        assert ModbusAddress.parse(text, type="uint32", order="CDAB", addressing=addressing).order == "CDAB"
    assert ModbusAddress.parse("D100", type="int16", addressing="delta-dvp").order == ""


def test_parameters_of_32_bits_of_an_acs580_lie_elsewhere() -> None:
    address = ModbusAddress.parse("01.14", type="uint32", addressing="abb-acs580")
    assert (str(address), address.order) == ("1:holding:20227", "CDAB")


@pytest.mark.parametrize(
    ("addressing", "text", "told"),
    [
        ("delta-dvp", "X8", "X8: these numbers are octal: 7 is followed by 10"),
        ("delta-dvp", "X400", "X400: this map has 0 to 377"),
        ("delta-dvp", "M4096", "M4096: this map has 0 to 1535 and 1536 to 4095"),
        (
            "delta-dvp",
            "C5",
            "sources disagree whether counters begin at coil 3584 or 1792: write unit:area:number",
        ),
        ("delta-dvp", "HD5", "'HD5' is no name of delta-dvp (S..., X..., Y..., T..., M..., D...)"),
        ("delta-dvp", "D1.16", "bit 16: a register has bits 0-15"),
        ("delta-dvp", "M1.1", "a coil is a bit already"),
        ("delta-dvp", "300:D1", "300 is not a Modbus unit id (1-247)"),
        ("delta-dvp", "D", "'D' is no name of delta-dvp"),
        ("inovance-am", "MB100", "two bytes are one register, MB100 the lower half of MW50"),
        ("inovance-am", "QX2.8", "QX2.8: a byte and a bit from 0 to 7: 10.3"),
        ("xinje-xd", "X10000", "X10000: this map has 0 to 377"),
        ("siemens-mb-server", "DBW5", "begins in the middle of a register"),
        ("danfoss-fc", "1610", "1610: no parameter like 16-10"),
        ("abb-acs580", "0114", "0114: no parameter like 01.14"),
        ("delta", "D100", "addressing 'delta' is none of 0-based, 1-based, 4xxxxx, delta-dvp"),
        ("0-based", "D100", "the names of a controller need its addressing, like delta-dvp"),
        ("1-based", "3:16-10", "the names of a controller need its addressing, like delta-dvp"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_reason(addressing: str, text: str, told: str) -> None:
    kind = "" if text[:1] in "XMIQC" else "uint16"
    with pytest.raises(ValueError) as caught:
        ModbusAddress.parse(text, type="" if "." in text else kind, addressing=addressing)
    assert told in str(caught.value)


def test_every_addressing_stands_in_the_driver_s_readme() -> None:
    page = README.read_text(encoding="utf-8")
    assert [name for name in get_args(Addressing) if f"| `{name}` |" not in page] == []


PLC = BUS.replace('"0-based"', '"delta-dvp"')
POINT = """
[[points]]
asset_no = "SB-1"
signal = "parts_total"
connection = "bus"
address = "2:D200"
type = "uint32"
max_rate = "600"
"""


def test_check_prints_the_number_of_the_protocol(tmp_path: Path) -> None:
    told = notes(tmp_path, PLC + POINT + machine("", ""))
    assert any(
        note.startswith("SB-1/parts_total: bus 2:holding:4296 uint32 CDAB every 10 s") for note in told
    )


def test_check_tells_where_a_name_is_none(tmp_path: Path) -> None:
    (found,) = errors(tmp_path, PLC + POINT.replace("2:D200", "2:C200") + machine("", ""))
    assert found.startswith("agent.toml: points[0].address = 2:C200: 2:C200: sources disagree")
