"""The budget of freshness: how far days are behind, and how much of the time they take."""

from datetime import timedelta

from ganpo_cloud.computing import SLOT_S, Rests
from support.plants import TestClock


def test_work_rests_as_long_as_it_took_and_begins_again_within_a_slot() -> None:
    clock = TestClock()
    rests = Rests(clock, 1, SLOT_S)
    for took, rest in ((0, 0), (2, 2), (400, 400), (600, 300), (1000, 0)):
        assert rests.due(), "it begins"
        clock.advance(timedelta(seconds=took))
        assert rests.due(), "and goes on"
        rests.over()
        if rest:
            clock.advance(timedelta(seconds=rest - 0.1))
            assert not rests.due()
            clock.advance(timedelta(seconds=0.2))
