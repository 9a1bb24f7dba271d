"""Who leads in specific consumption: five enterprises worked by hand, and what holds for any."""

from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.specific import Making, enough_months, nearest_rank, ranked

FIVE = {"A": (90, 1000), "B": (120, 1200), "C": (55, 500), "D": (260, 2000), "E": (75, 500)}
"""tce and tonnes: 90, 100, 110, 130 and 150 kgce a tonne."""


def test_five_enterprises_worked_by_hand() -> None:
    found = ranked(Making(who, Fraction(tce), Fraction(tonnes)) for who, (tce, tonnes) in FIVE.items())
    # Nearest rank of 5: ceil(1.25) = 2nd, ceil(2.5) = 3rd, ceil(3.75) = 4th.
    assert found.quartiles == (Fraction(100, 1000), Fraction(110, 1000), Fraction(130, 1000))
    told: list[Any] = [(place.of.who, place.rank, place.quarter, place.gap) for place in found.places]
    # D: (130 - 110) kgce x 2,000 t = 40 tce; E: (150 - 110) x 500 = 20 tce.
    assert told == [("A", 1, 1, 0), ("B", 2, 1, 0), ("C", 3, 2, 0), ("D", 4, 3, 40), ("E", 5, 4, 20)]
    assert found.gap == 60


def test_four_are_shown_and_not_ranked_and_equal_ones_share_a_rank() -> None:
    four = ranked(Making(who, Fraction(tce), Fraction(t)) for who, (tce, t) in [*FIVE.items()][:4])
    assert (four.quartiles, four.gap) == (None, None)
    assert [place.of.who for place in four.places] == ["A", "B", "C", "D"]
    equal = ranked(Making(who, Fraction(1), Fraction(1 if who < 3 else 2)) for who in range(6))
    assert [place.rank for place in equal.places] == [1, 1, 1, 4, 4, 4]


def test_ten_of_twelve_months_are_enough_and_every_one_of_fewer() -> None:
    assert [enough_months(n, 12) for n in (9, 10, 12)] == [False, True, True]
    assert [enough_months(n, 6) for n in (5, 6)] == [False, True]
    assert not enough_months(0, 0)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)), min_size=5, max_size=40))
def test_what_a_plain_loop_finds(rows: list[tuple[int, int]]) -> None:
    found = ranked(Making(n, Fraction(taken), Fraction(output)) for n, (taken, output) in enumerate(rows))
    values = sorted(Fraction(taken, output) for taken, output in rows)
    for quarters in (1, 2, 3):
        at_most = [value for value in values if sum(v <= value for v in values) * 4 >= len(values) * quarters]
        assert nearest_rank(values, quarters) == min(at_most)
    median = found.quartiles and found.quartiles[1]
    assert median is not None
    assert found.gap == sum(max(Fraction(), taken - median * output) for taken, output in rows)
    for place in found.places:
        assert place.rank == 1 + sum(value < place.of.specific for value in values)
