"""Exact quantities: integers and fractions, never floats."""

from fractions import Fraction
from itertools import pairwise
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.units import decimal_text, fraction, millionths


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.01", Fraction(1, 100)),
        (" 1 ", Fraction(1)),
        ("400/5", Fraction(80)),
        ("10:5", Fraction(2)),
        ("0.1 / 3", Fraction(1, 30)),
        ("1e-3", Fraction(1, 1000)),
    ],
)
def test_a_decimal_or_a_ratio_is_exact(text: str, value: Fraction) -> None:
    assert fraction(text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "1/0", "1/x", "/5", "1/2/3", "1:2:3", "400/", "nan", "0,01", "10:5月"]
)
def test_what_is_no_number_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        fraction(text)


def test_the_steel_recordings_total_is_exact_where_floats_miss_it() -> None:
    assert millionths(52_119_976, 1, 100) == 521_199_760_000
    assert decimal_text(521_199_760_000, 2) == "521,199.76"


@given(st.lists(st.integers(0, 10**12), min_size=2), st.integers(1, 10**9), st.integers(1, 10**9))
def test_differences_of_millionths_add_up_to_the_whole(raws: list[int], num: int, den: int) -> None:
    raws.sort()
    at = [millionths(raw, num, den) for raw in raws]
    assert sum(b - a for a, b in pairwise(at)) == at[-1] - at[0]
    assert at[-1] == floor(Fraction(raws[-1] * num * 10**6, den))


@pytest.mark.parametrize(
    ("amount", "decimals", "text"),
    [
        (0, 2, "0.00"),
        (1_234_567_891_234, 3, "1,234,567.891"),
        (999_999, 2, "0.99"),
        (-1_500_000, 1, "-1.5"),
        (-1, 2, "0.00"),
        (5_900_000, 0, "5"),
        (1, 6, "0.000001"),
    ],
)
def test_display_cuts_and_never_rounds_up(amount: int, decimals: int, text: str) -> None:
    assert decimal_text(amount, decimals) == text
