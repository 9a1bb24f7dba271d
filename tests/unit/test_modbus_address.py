"""Modbus addresses: three addressings, one form inside."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.settings import ModbusSettings


@pytest.mark.parametrize(
    ("text", "addressing", "form"),
    [
        ("1:holding:10", "0-based", "1:holding:10"),
        ("1:holding:11", "1-based", "1:holding:10"),
        ("1:holding:40011", "4xxxxx", "1:holding:10"),
        ("1:holding:400011", "4xxxxx", "1:holding:10"),
        ("7:input:30001", "4xxxxx", "7:input:0"),
        ("7:input:365536", "4xxxxx", "7:input:65535"),
        ("1:holding:49999", "4xxxxx", "1:holding:9998"),
        ("1:holding:410000", "4xxxxx", "1:holding:9999"),
        ("1:holding:465536", "4xxxxx", "1:holding:65535"),
        ("1:holding:65536", "1-based", "1:holding:65535"),
        ("1:holding:65535", "0-based", "1:holding:65535"),
    ],
)
def test_an_address_is_kept_as_the_protocols_own_number(text: str, addressing: str, form: str) -> None:
    address = ModbusAddress.parse(text, type="uint16", addressing=addressing)
    assert str(address) == form
    assert ModbusAddress.parse(str(address), type="uint16") == address
    assert address.key == text.partition(":")[0]


@pytest.mark.parametrize(
    ("text", "columns", "told"),
    [
        ("holding:10", {"type": "uint16"}, "not unit:area:address"),
        ("1:register:10", {"type": "uint16"}, "none of coil, discrete, input, holding"),
        ("300:holding:10", {"type": "uint16"}, "300 is not a Modbus unit id (1-247)"),
        ("1:holding:10", {}, "none of int8, uint8, int16"),
        ("1:holding:10", {"type": "f32"}, "type 'f32' is called float32 here"),
        ("1:holding:10", {"type": "float"}, "type 'float' is called float32 here"),
        ("1:holding:10", {"type": "u16"}, "type 'u16' is called uint16 here"),
        ("1:holding:10", {"type": "WORD"}, "type 'WORD' is called uint16 here"),
        ("1:holding:10", {"type": "UInt32"}, "type 'UInt32' is called uint32 here"),
        ("1:holding:10", {"type": "text"}, "is called string2 ... string64, with the number of characters"),
        ("1:holding:10", {"type": "string"}, "is called string2 ... string64"),
        ("1:holding:10", {"type": "bcd"}, "is called bcd16, bcd32 or bcd64"),
        ("1:holding:10", {"type": "bool"}, "is called bit here"),
        ("1:holding:10", {"type": "string65"}, "none of int8"),
        ("1:holding:10", {"type": "string1"}, "none of int8"),
        ("1:holding:10", {"type": "uint24"}, "none of int8"),
        ("1:holding:10", {"type": "float32", "order": "XY"}, "none of ABCD, CDAB, BADC, DCBA"),
        ("1:holding:10", {"type": "float32", "order": "cdab"}, "order 'cdab' is called CDAB of float32"),
        ("1:holding:10", {"type": "float32", "order": "little-endian"}, "is called DCBA of float32"),
        ("1:holding:10", {"type": "float32", "order": "GHEFCDAB"}, "is called CDAB of float32"),
        ("1:holding:10", {"type": "int64", "order": "CDAB"}, "order 'CDAB' is called GHEFCDAB of int64"),
        ("1:holding:10", {"type": "string8", "order": "CDAB"}, "none of ABCD, BADC"),
        ("1:holding:10", {"type": "string2", "order": "BADC"}, "two registers"),
        ("1:holding:10", {"type": "uint8", "order": "ABCD"}, "two registers"),
        ("1:holding:65533", {"type": "float64"}, "65533 is the last register there is, and float64 takes 4"),
        ("1:holding:0", {"type": "float64", "max_registers": 2}, "it lies over 4 registers, and one request"),
        ("holding:0", {"type": "int16"}, "the unit is missing"),
        ("1:holding:0:int16", {}, "the type of one register stands in its column: int16"),
        ("1:holding:0*10", {"type": "int16"}, "one register times a number: that is its scale"),
        ("1:holding:0 + 2:holding:1", {"type": "int16"}, "units 1 and 2: a value is read with one request"),
        (
            "1:holding:0 + 1:input:1",
            {"type": "int16"},
            "holding and input: the parts of a value are read with",
        ),
        (
            "1:holding:0 + 1:holding:125",
            {"type": "int16"},
            "its parts lie over 126 registers, and one request",
        ),
        ("1:holding:0 + 1:holding:1", {}, "none of int8"),
        ("1:holding:0 + 1:holding:1:u32", {"type": "int16"}, "type 'u32' is called uint32 here"),
        ("1:holding:0 + 1:holding:1:string4", {"type": "int16"}, "a part of a sum is a number, no string4"),
        ("1:holding:0 + 1:holding:1.3", {"type": "int16"}, "a bit is no part of a sum: "),
        ("1:coil:0 + 1:coil:1", {}, "a bit is no part of a sum: 1:coil:0"),
        ("1:holding:0 + 1:holding:1*0", {"type": "int16"}, "times 0 is nothing"),
        ("1:holding:0 + 1:holding:1*1/0", {"type": "int16"}, "nothing can be divided by 0"),
        ("1:holding:0 + 1:holding:65535", {"type": "uint32"}, "65535 is the last register there is"),
        ("1:holding:0 +", {"type": "int16"}, "nor a sum, like 1:holding:0*1 + 1:holding:1*10000"),
        ("+ 1:holding:0", {"type": "int16"}, "nor a sum"),
        ("1:holding:0*x + 1:holding:1", {"type": "int16"}, "nor a sum"),
        ("1:holding:0 1:holding:1", {"type": "int16"}, "nor a sum"),
        ("1:holding:0:int32 + 1:holding:2:int64", {}, "int32 and int64 have no order in common"),
        ("1:holding:0 + 1:holding:1", {"type": "int16", "order": "ABCD"}, "two registers"),
        ("1:holding:0 e 1:holding:5 e 1:holding:6", {"type": "int16"}, "nor a sum"),
        ("1:holding:0 e 5", {"type": "int16"}, "nor a sum"),
        ("1:holding:0 e 1:holding:5:float32", {"type": "int16"}, "an exponent is int8, uint8, int16, uint16"),
        (
            "1:holding:0 e 1:coil:5",
            {"type": "int16"},
            "an exponent is a register, like 1:holding:5: 1:coil:5",
        ),
        ("1:holding:0 e 2:holding:5", {"type": "int16"}, "units 1 and 2"),
        ("1:holding:10", {"type": "uint16", "order": "ABCD"}, "two registers"),
        ("1:holding:65535", {"type": "uint32"}, "65535 is the last register there is, and uint32 takes 2"),
        (
            "1:holding:465536",
            {"type": "uint32", "addressing": "4xxxxx"},
            "465536 is the last register there is, and uint32 takes 2",
        ),
        (
            "1:holding:465537",
            {"type": "uint16", "addressing": "4xxxxx"},
            "465537 with 4xxxxx addressing: the last is 465536",
        ),
        (
            "1:holding:65537",
            {"type": "uint16", "addressing": "1-based"},
            "65537 with 1-based addressing: the last is 65536",
        ),
        (
            "1:holding:65536",
            {"type": "uint16", "addressing": "0-based"},
            "65536 with 0-based addressing: the last is 65535",
        ),
        ("1:holding:0", {"type": "uint16", "addressing": "1-based"}, "the first is 1"),
        (
            "1:holding:97719",
            {"type": "uint16", "addressing": "4xxxxx"},
            "a holding address is 40001 ... 465536",
        ),
        (
            "1:holding:30001",
            {"type": "uint16", "addressing": "4xxxxx"},
            "a holding address is 40001 ... 465536 (3 is for input)",
        ),
        ("1:holding:40000", {"type": "uint16", "addressing": "4xxxxx"}, "the first is 40001"),
        ("1:coil:5.1", {}, "is a bit already"),
        ("1:holding:5.16", {}, "bits 0-15"),
        ("1:holding:5", {"type": "bit"}, "needs its number"),
        ("1:coil:5", {"type": "uint16"}, "for a bit"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(text: str, columns: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError) as error:
        ModbusAddress.parse(text, **columns)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "columns", "form", "kind"),
    [
        (
            "1:holding:0*1 + 1:holding:1*10000",
            {"type": "uint16"},
            "1:holding:0*1 + 1:holding:1*10000",
            "uint16",
        ),
        ("1:holding:0+holding:1*10000", {"type": "uint16"}, "1:holding:0*1 + 1:holding:1*10000", "uint16"),
        (
            "1:holding:0:uint16 + 1:holding:1:uint16",
            {},
            "1:holding:0:uint16*1 + 1:holding:1:uint16*1",
            "",
        ),
        (
            "1:holding:0 + 1:holding:1:uint16 + 1:holding:2:uint32",
            {"type": "uint16"},
            "1:holding:0*1 + 1:holding:1*1 + 1:holding:2:uint32*1",
            "uint16",
        ),
        ("1:input:8 - 1:input:10", {"type": "int32"}, "1:input:8*1 - 1:input:10*1", "int32"),
        ("1:input:8*-1 + 1:input:10*-0.5", {"type": "int32"}, "1:input:8*-1 - 1:input:10*1/2", "int32"),
        (
            "1:holding:8:int32 + 1:holding:10:float32*1/3600 e 1:holding:1438",
            {"order": "CDAB"},
            "1:holding:8:int32*1 + 1:holding:10:float32*1/3600 e 1:holding:1438",
            "",
        ),
        ("1:holding:0 e 1:holding:5", {"type": "uint32"}, "1:holding:0*1 e 1:holding:5", "uint32"),
        (
            "1:holding:0*100 e holding:5:uint8",
            {"type": "int16"},
            "1:holding:0*100 e 1:holding:5:uint8",
            "int16",
        ),
        ("holding:0 + holding:2", {"type": "int32", "unit": "7"}, "7:holding:0*1 + 7:holding:2*1", "int32"),
        (
            "1:holding:40001 + 1:holding:40002*10000",
            {"type": "uint16", "addressing": "4xxxxx"},
            "1:holding:0*1 + 1:holding:1*10000",
            "uint16",
        ),
    ],
)
def test_a_sum_is_printed_in_one_form_that_means_the_same(
    text: str, columns: dict[str, str], form: str, kind: str
) -> None:
    address = ModbusAddress.parse(text, **columns)
    assert (str(address), address.type) == (form, kind)
    again = {name: word for name, word in columns.items() if name in ("type", "order")}
    assert ModbusAddress.parse(form, **again) == address
    assert ModbusAddress.parse(form, type=kind, order=address.order) == address


@pytest.mark.parametrize("cell", ["{}:holding:10", "{0}:holding:10 + {0}:holding:12*10", "{}:D100"])
@pytest.mark.parametrize("unit", [0, 255])
def test_a_device_with_a_network_port_of_its_own_may_be_asked_as_0_or_255(cell: str, unit: int) -> None:
    columns = {"type": "uint16", "addressing": "delta-dvp"}
    direct, line = (
        ModbusSettings(driver="modbus", url=url, addressing="0-based").columns()
        for url in ("tls://meter.plant", "rtu+tcp://converter.plant:4001")
    )
    address = ModbusAddress.parse(cell.format(unit), **direct | columns)
    assert (address.unit, address.key) == (unit, str(unit))
    again = {"type": "uint16", "order": address.order}
    assert ModbusAddress.parse(str(address), **direct | again) == address
    with pytest.raises(ValueError, match=rf"^{unit} is not a Modbus unit id \(1-247\)$"):
        ModbusAddress.parse(cell.format(unit), **line | columns)


@pytest.mark.parametrize("unit", ["248", "254", "256", "999999999999", "00300"])
def test_what_is_no_unit_id_is_none_over_tcp_either(unit: str) -> None:
    with pytest.raises(ValueError, match=r"is not a Modbus unit id \(1-247\), nor 0 or 255"):
        ModbusAddress.parse(f"{unit}:holding:10", type="uint16", alone=True)


PLACES = st.tuples(
    st.integers(0, 120),
    st.sampled_from(["", ":uint16", ":int32", ":float32", ":bcd16"]),
    st.fractions(-(10**6), 10**6, max_denominator=10**6).filter(bool),
)
POWERS = st.sampled_from(["", " e 3:input:7", " e 3:input:1438:uint8", " e 3:holding:0"])


@given(st.lists(PLACES, min_size=2, max_size=6), POWERS, st.sampled_from(["", "CDAB", "BADC", "DCBA"]))
def test_whatever_is_added_is_printed_and_read_again(
    places: list[tuple[int, str, Fraction]], power: str, order: str
) -> None:
    columns = {"type": "uint32", "order": order}
    places = [*places, (60, ":int32", Fraction(1))]
    cell = " + ".join(f"3:input:{number}{kind}*{times}" for number, kind, times in places) + power
    address = ModbusAddress.parse(cell, **columns)
    assert ModbusAddress.parse(str(address), **columns) == address
    assert str(ModbusAddress.parse(str(address), **columns)) == str(address)
    assert [part.times for part in address.parts] == [times for _, _, times in places]


@given(st.text("0123456789:+-*/.e holdingcu\u0663", max_size=40))
@example("1:holding:" + "9" * 5000)
@example("9" * 5000 + ":holding:0 + 1:holding:1")
@example("1:holding:0*1/0 + 1:holding:1")
def test_whatever_stands_in_a_cell_it_is_an_address_or_refused(text: str) -> None:
    try:
        address = ModbusAddress.parse(text, type="int16")
    except ValueError:
        return
    assert ModbusAddress.parse(str(address), type="" if address.type == "bit" else "int16") == address


def test_an_exponent_belongs_to_the_request_where_it_fits_into_it() -> None:
    near = ModbusAddress.parse("1:holding:10 e 1:holding:5", type="uint32")
    assert (near.number, near.words, near.apart) == (5, 7, None)
    far = ModbusAddress.parse("1:holding:8 e 1:holding:1438", type="uint32")
    assert (far.number, far.words, str(far.apart)) == (8, 2, "1:holding:1438")
    narrow = ModbusAddress.parse("1:holding:10 e 1:holding:5", type="uint32", max_registers=6)
    assert (narrow.number, narrow.words, str(narrow.apart)) == (10, 2, "1:holding:5")


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:502",
        "tcp://",
        "udp://a",
        "tcp://host:port",
        "tcp://a..b",
        "tcp://a/1",
    ],
)
def test_what_is_no_endpoint_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="tcp://HOST"):
        ModbusSettings(driver="modbus", url=url, addressing="0-based")


def test_a_port_is_a_port() -> None:
    with pytest.raises(ValueError, match="1 to 65535"):
        ModbusSettings(driver="modbus", url="tcp://host:70000", addressing="0-based")
    connection = ModbusSettings(driver="modbus", url="tcp://meter.plant", addressing="0-based")
    assert connection.endpoint == ("meter.plant", 502)
