"""Modbus addresses: three addressings, one form inside."""

import pytest

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
        ("1:holding:10", {}, "none of int16"),
        ("1:holding:10", {"type": "float64"}, "not in this version"),
        ("1:holding:10", {"type": "sm16"}, "not in this version"),
        ("1:holding:10", {"type": "float32", "order": "DCBA"}, "not in this version"),
        ("1:holding:10", {"type": "float32", "order": "XY"}, "none of ABCD, CDAB"),
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
    "url",
    [
        "127.0.0.1:502",
        "tcp://",
        "udp://a",
        "tcp://host:port",
        "rtu:///dev/ttyS0",
        "tls://h",
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
