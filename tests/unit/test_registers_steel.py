"""The trial of metrics.md section 5: half a year of a steel works, with what plants do to readings."""

import csv
import os
import random
from pathlib import Path

import pytest

from ganpo_model.clock import HOUR_MS, MINUTE_MS
from ganpo_model.registers import Judged, Reading, Register, StepKind, judge

REGISTER = Register(max_rate=80_000, modulus=100_000_000)
FIRST_RAW = 90_000_000
QUARTER = 15 * MINUTE_MS
SHARED = Path(os.environ.get("GANPO_SHARED") or Path(__file__).parents[3] / "shared")
RECORDING = SHARED / "data" / "steel_energy_15min.csv"


def recorded() -> list[int]:
    """Counts of 0.01 kWh per quarter of an hour, as they were measured."""
    with RECORDING.open(encoding="utf-8-sig", newline="") as file:
        return [round(float(row["Usage_kWh"]) * 100) for row in csv.DictReader(file)]


def made_up() -> list[int]:
    """The same in its manner: nights of 3 kWh, shifts of up to 150 kWh a quarter, standstills, past the modulus."""
    rng = random.Random(2018)
    counts = []
    for quarter in range(180 * 96):
        hour, day = quarter // 4 % 24, quarter // 96 % 7
        works = day < 5 and 7 <= hour < 20
        counts.append(rng.randrange(6000, 15_300) if works else rng.choice([0, 250, 300, 330, 400]))
    return counts


WORKS = [pytest.param(made_up, id="made-up")] + [pytest.param(recorded, id="recorded")] * RECORDING.exists()


@pytest.fixture(params=WORKS)
def works(request: pytest.FixtureRequest) -> tuple[list[Reading], int]:
    """True readings, the first at the start, and what they add up to."""
    counts = request.param()
    readings = [Reading(0, FIRST_RAW)]
    for number, count in enumerate(counts, start=1):
        readings.append(Reading(number * QUARTER, (readings[-1].raw + count) % 100_000_000))
    return readings, sum(counts)


def used(judged: Judged) -> int:
    assert not [step for step in judged.steps if step.kind is not StepKind.USED]
    assert not judged.set_aside
    return sum(step.amount for step in judged.steps)


def places(rng: random.Random, length: int, count: int) -> list[int]:
    """Places some days apart."""
    gap = length // count
    return [number * gap + rng.randrange(100, gap - 100) for number in range(count)]


def test_the_undisturbed_total_is_exact(works: tuple[list[Reading], int]) -> None:
    readings, truth = works
    assert used(judge(REGISTER, readings)) == truth


def test_sixty_per_cent_thrown_away_cost_nothing(works: tuple[list[Reading], int]) -> None:
    readings, truth = works
    rng = random.Random(60)
    inner = [reading for reading in readings[1:-1] if rng.random() >= 0.6]
    assert used(judge(REGISTER, [readings[0], *inner, readings[-1]])) == truth


def test_zeros_garbage_and_repeated_values_together_cost_nothing(works: tuple[list[Reading], int]) -> None:
    readings, truth = works
    rng = random.Random(40)
    seen = dict(readings)
    for number, place in enumerate(places(rng, len(readings) - 200, 40)):
        at = readings[place].at
        if number % 2:  # zeros for 40 minutes, from their first poll to their last
            for zero in (at + 10_000, at + QUARTER, at + 2 * QUARTER, at + 40 * MINUTE_MS):
                seen[zero] = 0
        else:  # a concentrator repeats a value for 5 hours
            for repeated in range(1, 21):
                seen[at + repeated * QUARTER] = readings[place].raw
    for place in rng.sample(range(200, len(readings) - 200), 400):  # garbage at the end of a slot
        seen.setdefault(
            readings[place].at - 1, rng.choice([0, 1, 4_294_967, 99_999_999, rng.randrange(10**8)])
        )
    thinned = [reading for reading in seen.items() if reading[0] % HOUR_MS == 0 or rng.random() < 0.7]
    for history in (list(seen.items()), [*thinned, readings[0], readings[-1]]):
        rng.shuffle(history)
        assert used(judge(REGISTER, history)) == truth
