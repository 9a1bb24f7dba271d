"""Judging 10,000 and 1,000,000 readings of a register: seconds, growth, and the state that a day leaves.

Day by day is how a collector judges: each day goes on from the state of the day before. The whole at once is what a
burst comes to; it is timed as `timeit` times, with Python's collector of garbage held: what that costs grows with
everything that lives in a process, and is no part of judging.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ganpo_model.clock import DAY_MS, MINUTE_MS
from ganpo_model.registers import Reading, Register, fold
from measure import Figure, pairs, ratio

RULES = Register(3600)
_A_DAY = 96


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    small, runs = (100, 1) if short else (10_000, 5)
    large = 100 * small
    for name, every_ms, judge in (
        ("every 15 min, day by day", 15 * MINUTE_MS, _day_by_day),
        ("every 15 min, at once", 15 * MINUTE_MS, _at_once),
        ("every millisecond, at once", 1, _at_once),
    ):
        readings = [Reading(n * every_ms, n) for n in range(large)]
        many, few = pairs(
            runs, partial(_timed, judge, readings, 1), partial(_timed, judge, readings[:small], 20)
        )
        yield str(Figure(f"{name}: {small:,}", few, "s"))
        yield str(Figure(f"{name}: {large:,}", many, "s"))
        yield ratio(f"{large:,} / {small:,} readings", many, few, "<= 110")
        state = fold(RULES, None, readings, (), 0, DAY_MS * large).state
        yield f"  {'what the last day leaves':<46} {len(state):>9,} bytes"


def _timed(judge: Callable[[Sequence[Reading]], None], readings: Sequence[Reading], times: int) -> float:
    """Seconds of the processor for one time."""
    held = judge is _at_once
    gc.collect()
    if held:
        gc.disable()
    began = time.process_time()
    for _ in range(times):
        judge(readings)
    took = (time.process_time() - began) / times
    gc.enable()
    return took


def _at_once(readings: Sequence[Reading]) -> None:
    fold(RULES, None, readings, (), 0, readings[-1].at + 1)


def _day_by_day(readings: Sequence[Reading]) -> None:
    state = None
    for first in range(0, len(readings), _A_DAY):
        day = first // _A_DAY * DAY_MS
        state = fold(RULES, state, readings[first : first + _A_DAY], (), day, day + DAY_MS).state
