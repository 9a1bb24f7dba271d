"""Exact quantities: integers and fractions, never floats."""

from fractions import Fraction
from itertools import pairwise
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.units import decimal_text, millionths


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
