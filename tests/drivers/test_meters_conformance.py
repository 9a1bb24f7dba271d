"""The kit over the drivers `dlt645` and `cjt188` and simulated meters; nothing but reading goes over the wire."""

from collections.abc import Iterator

import pytest

from ganpo_demo.loopback import free_port
from ganpo_demo.register_meters import Cjt188Meter, Dlt645Meter, FramedLine, volume
from ganpo_drivers import Value
from ganpo_drivers.cjt188.address import Cjt188Address
from ganpo_drivers.cjt188.driver import Cjt188Driver
from ganpo_drivers.cjt188.frame import Frame as WaterFrame
from ganpo_drivers.cjt188.frame import encoded as water_encoded
from ganpo_drivers.cjt188.settings import Cjt188Settings
from ganpo_drivers.dlt645.address import Dlt645Address
from ganpo_drivers.dlt645.driver import Dlt645Driver
from ganpo_drivers.dlt645.frame import Frame, encoded
from ganpo_drivers.dlt645.settings import Dlt645Settings
from ganpo_drivers.testing import DriverConformance
from support import writes
from support.meter_line import READS_ELECTRICITY, READS_WATER, MeterPort, controls, noted

METER, WATER = "000000000161", "10:78330011223344"


@pytest.fixture(scope="module", autouse=True)
def meters() -> Iterator[None]:
    shown = {"00010000": "00048203", "02030000": "801234", "9010": "00000026"}
    electric = [FramedLine(10, [Dlt645Meter(METER, shown.get)]) for _ in range(2)]
    water_meter = Cjt188Meter(0x10, WATER[3:], lambda: volume(1000.1) + volume(900) + "00" * 9)
    water = [FramedLine(11, [water_meter]) for _ in range(2)]
    with (
        MeterPort(electric[0].answer, electric[1].answer) as one,
        MeterPort(water[0].answer, water[1].answer) as two,
    ):
        TestDlt645.url, TestCjt188.url = f"tcp://127.0.0.1:{one.port}", f"tcp://127.0.0.1:{two.port}"
        TestDlt645OverSerial.url, TestCjt188OverSerial.url = f"serial://{one.path}", f"serial://{two.path}"
        yield


class TestDlt645(DriverConformance):
    url: str
    bad_addresses = (
        "",
        "161:00010000",
        "999999999999:00010000",
        f"{METER}:0001",
        f"{METER}:forward",
        f"{METER}:0201FF00",
        f"{METER}:0201FF00.4",
        f"{METER}:00010000.1",
    )

    def make(self) -> Dlt645Driver:
        return self.at(self.url)

    def make_unreachable(self) -> Dlt645Driver:
        return self.at(f"tcp://127.0.0.1:{free_port()}")

    def at(self, url: str) -> Dlt645Driver:
        return Dlt645Driver(
            Dlt645Settings(
                driver="dlt645", url=url, timeout_s=0.1 if url.startswith("tcp") else 0.4, baud=115_200
            )
        )

    def known(self) -> list[Dlt645Address]:
        return [Dlt645Address.parse(f"{METER}:{di}") for di in ("00010000", "02030000", "9010")]

    def expected(self) -> list[Value]:
        return [482.03, -0.1234, 0.26]

    def unknown(self) -> Dlt645Address:
        return Dlt645Address.parse(f"{METER}:00020000")

    def forbidden(self, sent: bytes) -> list[str]:
        return [f"control {code:02X}" for code in controls(sent, 10) if code not in READS_ELECTRICITY]


class TestCjt188(DriverConformance):
    url: str
    bad_addresses = (
        "",
        "78330011223344:total",
        f"50:{WATER[3:]}:total",
        "10:783300112233:total",
        f"{WATER}:heat",
        f"{WATER}:total:GJ",
        f"{WATER}:status:m3",
        f"20:{WATER[3:]}:heat",
    )

    def make(self) -> Cjt188Driver:
        return self.at(self.url)

    def make_unreachable(self) -> Cjt188Driver:
        return self.at(f"tcp://127.0.0.1:{free_port()}")

    def at(self, url: str) -> Cjt188Driver:
        return Cjt188Driver(
            Cjt188Settings(
                driver="cjt188", url=url, timeout_s=0.1 if url.startswith("tcp") else 0.4, baud=115_200
            )
        )

    def known(self) -> list[Cjt188Address]:
        return [Cjt188Address.parse(f"{WATER}:{item}") for item in ("total", "settlement", "status")]

    def expected(self) -> list[Value]:
        return [1000.1, 900.0, 0]

    def unknown(self) -> Cjt188Address:
        return Cjt188Address.parse(f"{WATER}:total:L")

    def forbidden(self, sent: bytes) -> list[str]:
        return [f"control {code:02X}" for code in controls(sent, 11) if code not in READS_WATER]


class TestDlt645OverSerial(TestDlt645):
    def make(self) -> Dlt645Driver:
        return self.at(self.url)

    def make_unreachable(self) -> Dlt645Driver:
        return self.at("serial:///dev/serial/by-id/nobody")


class TestCjt188OverSerial(TestCjt188):
    def make(self) -> Cjt188Driver:
        return self.at(self.url)

    def make_unreachable(self) -> Cjt188Driver:
        return self.at("serial:///dev/serial/by-id/nobody")


def test_the_watch_over_the_wire_would_see_a_write() -> None:
    """14H writes data, 15H an address, 04H of CJ/T 188 moves the valve."""
    written = encoded(Frame(METER, 0x14, bytes(12)), 4) + encoded(Frame(METER, 0x11, bytes(4)), 4)
    assert TestDlt645().forbidden(written) == ["control 14"]
    moved = water_encoded(WaterFrame("10", WATER[3:], 0x04, b"\xa0\x17\x01\x55"), 3)
    assert TestCjt188().forbidden(moved) == ["control 04"]


@pytest.mark.parametrize("size", [1, 5, 99])
def test_the_watch_of_the_meters_sees_a_write_in_whatever_pieces_it_comes(size: int) -> None:
    heard = bytearray()

    def answer(data: bytes) -> bytes:
        heard.extend(data)
        return b""

    answering = noted(answer)
    sent = encoded(Frame(METER, 0x11, bytes(4)), 4) + encoded(Frame(METER, 0x14, bytes(12)), 4)
    sent += water_encoded(WaterFrame("10", WATER[3:], 0x04, b"\xa0\x17\x01\x55"), 3)
    for at in range(0, len(sent), size):
        answering(sent[at : at + size])
    assert heard == sent
    assert writes.noted() == ["DL/T 645 control 14", "CJ/T 188 control 04"]
