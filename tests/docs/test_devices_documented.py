"""docs/devices.md is what the profiles say."""

from pathlib import Path

from ganpo_config.devices import page, unreadable
from ganpo_config.profiles import Profiles

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_devices_is_the_present_one() -> None:
    stored = (DOCS / "devices.md").read_text(encoding="utf-8")
    assert stored == page(Profiles(Path("nowhere")).values()), (
        "python -m ganpo_config.devices >docs/devices.md"
    )


def test_what_cannot_be_read_is_told_in_both_languages_with_what_helps() -> None:
    for device in unreadable():
        assert device.why_zh
        assert device.why_en
        assert device.instead_zh
        assert device.instead_en
