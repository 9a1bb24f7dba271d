"""What a person types of a display, and whether it is what was read."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_cloud.inlet.decode import decode
from ganpo_model.commissioning import compare, number_typed
from ganpo_model.errors import ConfigError, FrameError
from ganpo_model.facts import Event, EventKind
from ganpo_model.frame import pack

NOW = datetime(2026, 11, 25, 2, 15, tzinfo=UTC)
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"


@pytest.mark.parametrize(
    ("typed", "digits", "unit"),
    [
        ("48203.1", "48203.1", ""),
        ("48203.1 kWh", "48203.1", "kWh"),
        ("48.2031MWh", "48.2031", "MWh"),
        ("００４８２０３．１", "0048203.1", ""),
        ("４８２０３。１　千瓦时", "48203.1", "千瓦时"),
        ("48203,1", "48203.1", ""),
        ("48,203.1", "48203.1", ""),
        ("48.203,1", "48203.1", ""),
        ("48 203.1", "48203.1", ""),
        ("48'203.1", "48203.1", ""),
        ("1,048,203", "1048203", ""),
        ("4820,312", "4820.312", ""),
        ("0,123 m³", "0.123", "m3"),
        ("1.234", "1.234", ""),
        (".5", "0.5", ""),
        ("+12", "12", ""),
        ("−3.2", "-3.2", ""),
    ],
)
def test_a_display_is_typed_as_people_type_it(typed: str, digits: str, unit: str) -> None:
    assert number_typed(typed) == (digits, unit)


@pytest.mark.parametrize("typed", ["1,234", "12,345", "１，２３４", "999,000 kWh"])
def test_what_may_be_two_numbers_is_asked_for_again(typed: str) -> None:
    with pytest.raises(ConfigError, match=r"may be \d+ or \d+\.\d{3}"):
        number_typed(typed)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "kWh", "--", "1..2", "1.2.3", "12 34", "1,23,456", "1,2.3,4", "٣٤", "9" * 40, "1." + "0" * 99],
)
def test_what_is_no_number_is_told_with_what_to_do(typed: str) -> None:
    with pytest.raises(ConfigError, match=r"is no number; type the digits"):
        number_typed(typed)


@given(st.text(max_size=40) | st.from_regex(r"[-+]?[0-9.,' ]{1,12} ?[kMW]?", fullmatch=True))
def test_whatever_is_typed_is_a_number_or_told(typed: str) -> None:
    try:
        digits, _ = number_typed(typed)
    except ConfigError:
        return
    assert Decimal(digits) is not None
    assert compare(digits, digits).agrees


@pytest.mark.parametrize(
    ("displayed", "read", "agrees"),
    [
        ("48203.1", "48203.19", True),
        ("48203.1", "48203.20", True),
        ("48203.1", "48203.21", False),
        ("48203.1", "48203.00", True),
        ("0048203", "48203.99", True),
        ("48203", "48204.01", False),
        ("482.03", "48203.12", False),
        ("48.20", "48.20312", True),
        ("-3.2", "-3.25", True),
        ("PRODUCING", "producing", True),
        ("PRODUCING", "IDLE", False),
    ],
)
def test_the_tolerance_is_one_step_of_the_display(displayed: str, read: str, agrees: bool) -> None:
    assert compare(displayed, read).agrees is agrees


def test_what_is_off_is_told_exactly() -> None:
    assert compare("482.03", "48203.12") == (False, Decimal("0.01"), Decimal("47721.09"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"displayed": 48203.1},
        {"displayed": None},
        {"more": 1},
        {"raw": -1},
        {"raw": True},
        {"point": "DB-2/energy_import"},
        {"register": "DB-1/volume_total#1f3a9c02"},
        {"register": "DB-1"},
        {"by": "x" * 101},
        {"displayed": "<b>\x00"},
    ],
)
def test_evidence_that_is_not_whole_is_no_frame(wrong: dict[str, Any]) -> None:
    data: dict[str, Any] = {
        "point": "DB-1/energy_import",
        "register": "DB-1/energy_import#1f3a9c02",
        "displayed": "48203.1",
    }
    data |= {"read": "48203.12", "raw": 4820312, "unit": "kWh", "by": "王工"}
    whole = Event("event", NOW, EventKind.COMMISSIONED, "DB-1", data)
    assert decode(pack(STREAM, 1, [whole]), NOW).facts == (whole,)
    with pytest.raises(FrameError, match=r"facts\[0\]\.data"):
        decode(pack(STREAM, 1, [replace(whole, data=data | wrong)]), NOW)
