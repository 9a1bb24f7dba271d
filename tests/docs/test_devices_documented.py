"""docs/devices.md is what the profiles say."""

from pathlib import Path
from typing import get_args

import pytest

from ganpo_config.devices import page
from ganpo_config.known_devices import addressed, unreadable
from ganpo_config.profiles import Profiles
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.addressing import Addressing, Numbering

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("place", "lang"), [("devices.md", "en"), ("zh/devices.md", "zh")])
def test_the_page_of_devices_is_the_present_one(place: str, lang: str) -> None:
    stored = (DOCS / place).read_text(encoding="utf-8")
    assert stored == page(Profiles(Path("nowhere")).values(), lang), "python -m ganpo_config.devices docs"


def test_what_cannot_be_read_is_told_in_both_languages_with_what_helps() -> None:
    for device in unreadable():
        assert device.why_zh
        assert device.why_en
        assert device.instead_zh
        assert device.instead_en


def test_every_way_to_write_addresses_is_listed_with_devices_and_an_example_that_is_one() -> None:
    assert {one.addressing for one in addressed()} - {"0-based"} == set(get_args(Addressing)) - set(
        get_args(Numbering)
    )
    for one in addressed():
        bit = one.example.startswith("M")
        address = ModbusAddress.parse(one.example, type="" if bit else "uint32", addressing=one.addressing)
        assert str(address).startswith("1:")
        assert one.note_zh
        assert one.confidence in ("high", "medium")
