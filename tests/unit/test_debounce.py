"""A state counts once it lasted; where none lasts, the machine still is in one (decision 0003, formats.md)."""

import random
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganpo_agent.observing.observer import Observer
from ganpo_agent.observing.rules import derive
from ganpo_config.plant import Between, Machine, Meaning, OneOf, Rule
from ganpo_drivers import FaultKind, PointFault, Scan, Value
from ganpo_model.clock import to_ms
from ganpo_model.facts import Fact, States
from ganpo_model.paint import Slot, paint
from ganpo_model.states import PRECEDENCE, State
from support.campaign import rounds
from support.plants import START, PlantBuilder

T0 = to_ms(START)
SLOT_S = 30
RULES = tuple(Rule(state, {"execution": OneOf((str(state),))}) for state in PRECEDENCE)
STALE_S = 3
SILENCE = "no answer"
UNKNOWN = PointFault(FaultKind.BAD, "the device says so")

Runs = list[tuple[float, float, str]]


def observed(
    folder: Path, derived: Sequence[tuple[float, str]], debounce_s: float, poll_s: float = 1
) -> Runs:
    """What is painted in the end of a machine whose signals mean `derived` (seconds, state), read every `poll_s`."""
    builder = PlantBuilder(folder, slot_ms=SLOT_S * 1000)
    builder.connection("cell")
    stale_s = max(poll_s, STALE_S)
    builder.machine("cell", "SB-1", {"execution": "x"}, RULES, debounce_s=debounce_s, stale_s=stale_s)
    plant = builder.build()
    facts: list[Fact] = []
    observer = Observer(plant, facts.extend, T0)
    points = plant.connections[0].points
    now = T0
    for seconds, state in derived:
        value: Value | PointFault = UNKNOWN if state == "UNKNOWN" else state
        for _ in range(round(seconds / poll_s)):
            if state != SILENCE:
                observer.feed(points, Scan([value]), None, now)
            now += round(poll_s * 1000)
    observer.tick(now)
    return painted(facts, observer, now)


def painted(facts: Sequence[Fact], observer: Observer, now: int) -> Runs:
    told = [f for f in [*facts, *observer.open_slots(now)] if isinstance(f, States)]
    assert all(f.start < f.end for f in told)
    slots = [Slot((n,), to_ms(f.start), to_ms(f.end), f.runs) for n, f in enumerate(told)]
    return [((s.start - T0) / 1000, (s.end - T0) / 1000, str(s.state)) for s in paint(slots, T0, now)]


@pytest.mark.parametrize(
    ("pattern", "state"),
    [
        ([(8, "PRODUCING"), (7, "IDLE")], "PRODUCING"),
        ([(7, "IDLE"), (8, "PRODUCING")], "PRODUCING"),
        ([(3, "SETUP"), (4, "HELD"), (2, "IDLE")], "SETUP"),
        ([(6, "PRODUCING"), (6, "HELD"), (6, "IDLE")], "PRODUCING"),
        ([(5, "HELD"), (5, "IDLE"), (5, "PRODUCING")], "PRODUCING"),
        ([(9, "IDLE"), (9, "HELD"), (9, "SETUP"), (9, "PRODUCING")], "PRODUCING"),
        ([(9, "HELD"), (9, "IDLE")], "HELD"),
        ([(9, "OFF"), (1, "IDLE")], "IDLE"),
        ([(9, "OFF"), (1, "PRODUCING")], "PRODUCING"),
        ([(6, "PRODUCING"), (1, "FAULT")], "FAULT"),
        ([(6, "PRODUCING"), (1, "MAINTENANCE"), (2, "FAULT")], "MAINTENANCE"),
    ],
)
def test_where_no_state_lasts_the_first_derived_counts_from_the_beginning_of_that_stretch(
    tmp_path: Path, pattern: list[tuple[float, str]], state: str
) -> None:
    found = observed(tmp_path, [(60, "OFF"), *pattern * 20, (60, "OFF")], 10)
    began = 60 if pattern[0][1] != "OFF" else 60 + pattern[0][0]
    assert found[:2] == [(0, began, "OFF"), (began, found[1][1], state)]
    assert [run[2] for run in found] == ["OFF", state, "OFF"]
    assert found[1][1] - began >= 20 * sum(seconds for seconds, _ in pattern) - 10


def test_one_blip_in_a_night_of_noise_does_not_make_it_a_night_of_work(tmp_path: Path) -> None:
    noise = [(3.0, "OFF"), (3.0, "IDLE")]
    found = observed(tmp_path, [*noise * 100, (2, "PRODUCING"), *noise * 100], 10)
    assert [run[2] for run in found] == ["IDLE", "PRODUCING", "IDLE"]
    _, (began, ended, _), _ = found
    assert 600 - 30 <= began <= 600 < ended <= 600 + 30


def test_a_bounce_in_a_state_that_lasts_changes_nothing(tmp_path: Path) -> None:
    derived = [(60, "PRODUCING"), (6, "IDLE"), (3, "FAULT"), (60, "PRODUCING")]
    assert observed(tmp_path, derived, 10) == [(0, 129, "PRODUCING")]


def test_off_and_nothing_known_in_turn_is_never_off(tmp_path: Path) -> None:
    found = observed(tmp_path, [(5, "OFF"), (5, "UNKNOWN")] * 20, 10)
    assert found == [(0, 200, "UNKNOWN")]


def test_moments_of_which_nothing_is_known_stay_unknown_within_a_stretch(tmp_path: Path) -> None:
    found = observed(tmp_path, [(8, "PRODUCING"), (2, "UNKNOWN")] * 3, 10)
    assert found == [
        (0, 8, "PRODUCING"),
        (8, 10, "UNKNOWN"),
        (10, 18, "PRODUCING"),
        (18, 20, "UNKNOWN"),
        (20, 28, "PRODUCING"),
        (28, 30, "UNKNOWN"),
    ]


def test_a_machine_polled_less_often_than_it_is_debounced_shows_what_was_read(tmp_path: Path) -> None:
    derived = [(30.0, "PRODUCING"), (30.0, "IDLE"), (30.0, "OFF")]
    assert observed(tmp_path, derived, 10, poll_s=30) == [
        (0, 30, "PRODUCING"),
        (30, 60, "IDLE"),
        (60, 90, "OFF"),
    ]


def expected(derived: Sequence[tuple[int, str]], debounce_s: int) -> Runs:
    """The same from the whole history at once, second by second."""
    seconds: list[str] = []
    last, age = "UNKNOWN", 0
    for length, state in derived:
        for _ in range(length):
            last, age = (last, age + 1) if state == SILENCE else (state, 0)
            seconds.append(last if age < STALE_S else "UNKNOWN")
    runs = [(state, len(list(group))) for state, group in groupby(seconds)]
    shown: list[str] = []
    settled = "UNKNOWN"
    before: list[str] = []
    stretch: list[str] = []
    for number, (state, length) in enumerate(runs):
        if length >= debounce_s:
            shown += [settled if was != "UNKNOWN" else was for was in stretch]
            settled, before, stretch = state, [], []
            shown += [state] * length
            continue
        if not stretch and not before and state == settled:
            shown += [state] * length
            continue
        stretch += [state] * length
        if len(stretch) >= debounce_s and number < len(runs) - 1:
            both = before + stretch
            order = ("MAINTENANCE", "FAULT", "PRODUCING", "SETUP", "HELD", "IDLE")
            found = next((s for s in order if s in both), "UNKNOWN")
            if found == "UNKNOWN":
                shown += [settled if was != "UNKNOWN" else was for was in stretch]
            else:
                shown[len(shown) - len(before) :] = [found if was != "UNKNOWN" else was for was in both]
            settled, before, stretch = found, stretch, []
    shown += [settled if was != "UNKNOWN" else was for was in stretch]
    at, painted_runs = 0, []
    for state, group in groupby(shown):
        length = len(list(group))
        painted_runs.append((float(at), float(at + length), state))
        at += length
    return painted_runs


STATES = st.sampled_from([str(state) for state in State] + [SILENCE])
FEW = st.sampled_from(["OFF", "PRODUCING", "IDLE", SILENCE])


@pytest.mark.campaign
@settings(max_examples=rounds(150, 20_000))
@given(
    derived=st.one_of(
        *(st.lists(st.tuples(st.integers(1, 14), some), min_size=1, max_size=25) for some in (STATES, FEW))
    ),
    debounce_s=st.integers(0, 12),
)
def test_what_is_told_slot_by_slot_is_what_the_whole_history_says(
    tmp_path_factory: pytest.TempPathFactory, derived: list[tuple[int, str]], debounce_s: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    derived = [*derived, (1, "IDLE")]
    assert observed(folder, derived, debounce_s) == expected(derived, debounce_s)


POWERED = (
    Rule(State.OFF, {"power": Between(None, 0.4)}),
    Rule(State.FAULT, {"alarm": OneOf((True,))}),
    Rule(State.PRODUCING, {"execution": OneOf(("ACTIVE",))}),
)
SAID: dict[str, tuple[Value | PointFault, ...]] = {
    "execution": ("ACTIVE", "READY", UNKNOWN),
    "alarm": (False, False, True),
    "power": (5.0, 5.0, 0.1, UNKNOWN),
}


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(rounds(20, 3000)))
def test_signals_read_at_different_times_and_forgotten_in_turn_give_what_they_say_together(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    builder = PlantBuilder(tmp_path, slot_ms=SLOT_S * 1000)
    for signal in SAID:
        builder.connection(signal)
        meaning = Meaning({"execution": "string", "alarm": "bool"}.get(signal, "number"))
        builder.point(signal, "SB-1", signal, signal, meaning, stale_s=STALE_S)
    debounce_s = rng.randint(0, 9)
    names = {signal: f"SB-1/{signal}" for signal in SAID}
    builder.machines.append(Machine("SB-1", names, {}, POWERED, debounce_s, {}))
    plant = builder.build()
    facts: list[Fact] = []
    observer = Observer(plant, facts.extend, T0)
    now, derived = T0, []
    said = {signal: values[0] for signal, values in SAID.items()}
    seen: dict[str, tuple[int, Value | PointFault]] = {}
    for second in range(120):
        now = T0 + second * 1000
        for connection in rng.sample(plant.connections, 3):
            signal = connection.name
            if rng.random() < 0.15:
                said[signal] = rng.choice(SAID[signal])
            if rng.random() < 0.2:
                observer.tick(now)
            if rng.random() < 0.6:
                observer.feed(connection.points, Scan([said[signal]]), None, now)
                seen[signal] = (second, said[signal])
        known = {
            signal: value
            for signal, (at, value) in seen.items()
            if second - at < STALE_S and not isinstance(value, PointFault)
        }
        derived.append((1, str(derive(POWERED, known.get))))
    now += 1000
    observer.tick(now)
    assert painted(facts, observer, now) == expected(derived, debounce_s)
