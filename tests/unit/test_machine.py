"""Signals -> state -> runs (metrics.md section 2)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.observing.observer import Observer
from ganpo_agent.observing.rules import derive
from ganpo_config.plant import Between, Meaning, OneOf, Rule
from ganpo_drivers import FaultKind, PointFault, Scan
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.facts import Fact, States
from ganpo_model.paint import Slot, paint
from ganpo_model.states import State
from support import configs
from support.plants import START, PlantBuilder

T0 = to_ms(START)
SLOT = 900_000

RULES = (
    Rule(State.OFF, {"power": Between(None, 0.05)}),
    Rule(State.FAULT, {"alarm": OneOf((True,))}),
    Rule(State.HELD, {"execution": OneOf(("FEED_HOLD",))}),
    Rule(State.PRODUCING, {"execution": OneOf(("ACTIVE",)), "mode": OneOf(("AUTOMATIC",))}),
)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"power": 5.0, "alarm": False, "execution": "ACTIVE", "mode": "AUTOMATIC"}, State.PRODUCING),
        ({"power": 5.0, "alarm": False, "execution": "READY", "mode": "AUTOMATIC"}, State.IDLE),
        ({"power": 5.0, "alarm": False, "execution": "ACTIVE", "mode": "EDIT"}, State.IDLE),
        ({"power": 5.0, "alarm": True, "execution": "ACTIVE", "mode": "AUTOMATIC"}, State.FAULT),
        # a silent controller and 0 kW: the machine is switched off
        ({"power": 0.0, "alarm": None, "execution": None, "mode": None}, State.OFF),
        # undecided for lack of a value: only OFF, MAINTENANCE or FAULT may still win
        ({"power": None, "alarm": False, "execution": "ACTIVE", "mode": "AUTOMATIC"}, State.UNKNOWN),
        ({"power": None, "alarm": True, "execution": "ACTIVE", "mode": "AUTOMATIC"}, State.FAULT),
        ({"power": 5.0, "alarm": False, "execution": "READY", "mode": None}, State.IDLE),
        ({"power": 5.0, "alarm": False, "execution": "ACTIVE", "mode": None}, State.UNKNOWN),
        ({"power": 5.0, "alarm": False, "execution": None, "mode": "EDIT"}, State.UNKNOWN),
        ({"power": None, "alarm": None, "execution": None, "mode": None}, State.UNKNOWN),
    ],
)
def test_the_first_rule_that_holds_wins_and_a_missing_value_never_makes_a_state(
    values: dict[str, Any], state: State
) -> None:
    assert derive(RULES, values.get) is state


class Feed:
    """An observer with one machine `SB-1` and what it emitted."""

    def __init__(self, folder: Path, **machine: Any) -> None:
        self.builder = PlantBuilder(folder)
        self.builder.connection("cell")
        machine.setdefault("addresses", {"execution": "x"})
        self.builder.machine("cell", "SB-1", **machine)
        self.plant = self.builder.build()
        self.facts: list[Fact] = []
        self.observer = Observer(self.plant, self.facts.extend, T0)
        self.points = self.plant.connections[0].points

    def __call__(self, at_s: float, *values: Any) -> None:
        self.observer.feed(self.points, Scan(list(values)), None, T0 + round(at_s * 1000))

    def painted(self, end_s: float) -> list[tuple[float, float, str]]:
        end = T0 + round(end_s * 1000)
        self.observer.tick(end)
        facts = [f for f in [*self.facts, *self.observer.open_slots(end)] if isinstance(f, States)]
        slots = [Slot((n,), to_ms(f.start), to_ms(f.end), f.runs) for n, f in enumerate(facts)]
        return [((s.start - T0) / 1000, (s.end - T0) / 1000, str(s.state)) for s in paint(slots, T0, end)]


def test_runs_follow_the_signals_across_slots(tmp_path: Path) -> None:
    feed = Feed(tmp_path)
    for second in range(0, 2000, 10):
        feed(second, "ACTIVE" if 500 <= second < 1000 else "READY")
    assert feed.painted(2000) == [(0, 500, "IDLE"), (500, 1000, "PRODUCING"), (1000, 2000, "IDLE")]
    ends = [(f.start, f.end) for f in feed.facts if isinstance(f, States)]
    assert ends == [(from_ms(T0), from_ms(T0 + SLOT)), (from_ms(T0 + SLOT), from_ms(T0 + 2 * SLOT))]


def test_a_value_holds_to_its_stale_limit_and_then_it_is_unknown_from_the_limit_on(tmp_path: Path) -> None:
    feed = Feed(tmp_path)
    feed(0, "ACTIVE")
    feed(30, PointFault(FaultKind.MISSING, "no answer"))
    feed(1700, "ACTIVE")
    assert feed.painted(1710) == [(0, 60, "PRODUCING"), (60, 1700, "UNKNOWN"), (1700, 1710, "PRODUCING")]


def test_what_went_stale_between_two_reads_of_another_point_is_not_covered_by_the_second(
    tmp_path: Path,
) -> None:
    rules = (
        Rule(State.OFF, {"power": Between(None, 0.4)}),
        Rule(State.PRODUCING, {"execution": OneOf(("ACTIVE",))}),
    )
    addresses = {"execution": "x", "power": "p"}
    feed = Feed(tmp_path, addresses=addresses, meanings={"power": Meaning("number")}, rules=rules)
    execution, power = ([point] for point in feed.points)
    feed(0, "ACTIVE", 5.0)
    for second, kw in ((59.5, 5.0), (60.5, 0.0)):
        feed.observer.feed(power, Scan([kw]), None, T0 + round(second * 1000))
    feed.observer.feed(execution, Scan(["ACTIVE"]), None, T0 + 61_000)
    assert feed.painted(62) == [(0, 60, "PRODUCING"), (60, 60.5, "UNKNOWN"), (60.5, 62, "OFF")]


def test_what_the_device_itself_calls_bad_is_unknown_at_once_and_never_idle(tmp_path: Path) -> None:
    feed = Feed(tmp_path, meanings={"execution": Meaning("string", unavailable=("UNAVAILABLE",))})
    feed(0, "ACTIVE")
    feed(10, "UNAVAILABLE")
    feed(20, "READY")
    feed(30, PointFault(FaultKind.BAD, "BadSensorFailure"))
    assert feed.painted(40) == [
        (0, 10, "PRODUCING"),
        (10, 20, "UNKNOWN"),
        (20, 30, "IDLE"),
        (30, 40, "UNKNOWN"),
    ]


def test_a_number_outside_its_enum_or_range_is_unknown(tmp_path: Path) -> None:
    feed = Feed(
        tmp_path,
        addresses={"execution": "x", "power": "p"},
        meanings={
            "execution": Meaning("enum", enum={0: "ACTIVE", 1: "READY"}),
            "power": Meaning("number", low=0.0, high=50.0),
        },
        rules=(
            Rule(State.OFF, {"power": Between(None, 0.05)}),
            Rule(State.PRODUCING, {"execution": OneOf(("ACTIVE",))}),
        ),
    )
    feed(0, 0, 5.0)
    feed(10, 7, 5.0)
    feed(20, 1, 5.0)
    feed(30, 0, 400.0)
    feed(40, 0, float("nan"))
    feed(50, 0, 0.0)
    assert feed.painted(60) == [
        (0, 10, "PRODUCING"),
        (10, 20, "UNKNOWN"),
        (20, 30, "IDLE"),
        (30, 50, "UNKNOWN"),
        (50, 60, "OFF"),
    ]


def test_an_item_the_device_does_not_have_counts_as_the_profile_says(tmp_path: Path) -> None:
    gone = PointFault(FaultKind.ABSENT, "BadNoMatch")
    rules = (
        Rule(State.FAULT, {"alarm": OneOf((True,))}),
        Rule(State.PRODUCING, {"execution": OneOf(("ACTIVE",))}),
    )
    addresses = {"execution": "x", "alarm": "a"}
    feed = Feed(tmp_path, addresses=addresses, rules=rules, absent={"alarm": False})
    feed(0, "ACTIVE", gone)
    assert feed.painted(10) == [(0, 10, "PRODUCING")]
    feed = Feed(tmp_path, addresses=addresses, rules=rules)
    feed(0, "ACTIVE", gone)
    assert feed.painted(10) == [(0, 10, "UNKNOWN")]


def test_a_debounced_state_counts_from_its_beginning_even_across_a_slot(tmp_path: Path) -> None:
    feed = Feed(tmp_path, debounce_s=20)
    for second in range(0, 1000, 5):
        feed(second, "ACTIVE" if second in (300, 305) or second >= 890 else "READY")
    # 10 s of ACTIVE are a bounce; the one that began at 890 is confirmed at 910, in the next slot
    assert feed.painted(1000) == [(0, 890, "IDLE"), (890, 1000, "PRODUCING")]


def test_more_runs_than_a_fact_holds_are_told_in_pieces(tmp_path: Path) -> None:
    feed = Feed(tmp_path)
    for n in range(880 * 2):
        feed(n / 2, "ACTIVE" if n % 2 else "READY")
    painted = feed.painted(880)
    assert len(painted) == 880 * 2
    assert all(len(f.runs) <= 500 for f in feed.facts if isinstance(f, States))


def test_a_clock_step_ends_the_slot_and_the_next_begins_at_the_new_time(tmp_path: Path) -> None:
    for by in (3 * 3_600_000, -3 * 3_600_000):
        feed = Feed(tmp_path)
        feed(0, "ACTIVE")
        feed(100, "ACTIVE")
        before = len(feed.facts)
        feed.observer.step(T0 + 110_000 + by, by)
        told = feed.facts[before:]
        assert [fact.type for fact in told] == ["event", "states"]
        assert told[0].data == {"by_ms": by}  # type: ignore[union-attr]
        assert told[1].end == from_ms(T0 + 110_000)  # type: ignore[union-attr]
        feed.observer.tick(T0 + 130_000 + by)
        (open_slot,) = feed.observer.open_slots(T0 + 130_000 + by)
        assert open_slot.start == from_ms(T0 + 110_000 + by)
        assert open_slot.runs == ((0, State.PRODUCING),), "the evidence keeps its age"
        feed.observer.tick(T0 + 180_000 + by)
        (open_slot,) = feed.observer.open_slots(T0 + 180_000 + by)
        assert open_slot.runs == ((0, State.PRODUCING), (50_000, State.UNKNOWN)), (
            "stale 60 s after the last scan"
        )


def test_a_plc_in_stop_whose_values_stay_good_is_unknown_in_the_same_poll(tmp_path: Path) -> None:
    # with the profile that docs/configuration.md shows for it (F27)
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    profile = page.split("```toml\n# profiles/plc_press.toml\n")[1].split("```")[0]
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "plc_press.toml").write_text(profile, encoding="utf-8")
    plant = configs.plant(tmp_path, configs.CELL + configs.machine("plc_press", "", connection="cell"))
    observer = Observer(plant, lambda _facts: None, T0)
    frozen = START - timedelta(hours=8)
    for second, mode in enumerate((8, 8, 4)):
        scan = Scan([0, mode], [frozen, frozen])
        observer.feed(plant.connections[0].points, scan, None, T0 + second * 1000)
        assert observer.machines["SB-1"].state is (State.PRODUCING if mode == 8 else State.UNKNOWN)
    assert "4 is none of its values" in observer.faults()["SB-1/operation_mode"]
    told = observer.points(T0 + 5000, "SB-1")
    assert told["SB-1/channel_state"] == {
        "value": "Active",
        "unit": None,
        "read": "2026-11-25T01:00:02.000Z",
        "source_time": "2026-11-24T17:00:00.000Z",
        "source_age_s": 8 * 3600 + 5,
        "age_s": 3.0,
        "quality": "good",
        "raw": "0",
        "fault": None,
    }
    assert told["SB-1/operation_mode"]["value"] is None
    assert observer.points(T0 + 3_600_000)["SB-1/channel_state"]["value"] is None, (
        "stale is not shown as good"
    )


STOP = """
format = 1
id = "plc_line"
title = { zh = "x", en = "x" }
origin = "our definition"
driver = "opcua"
debounce_s = 5
[signals.channel_state]
address = "nsu=urn:plc;s=State"
enum = { Active = 0, Interrupted = 1 }
interval_s = 1
[signals.channel_mode]
address = "nsu=urn:plc;s=Mode"
enum = { Automatic = 0 }
interval_s = 1
"""
BOUND = """
[signals.operation_mode]
address = "nsu=urn:plc;s=OperatingMode"
enum = { Run = 8, Stop = 4 }
interval_s = 1
"""
PRODUCES = """
[[states]]
state = "PRODUCING"
when = { channel_state = "Active", channel_mode = "Automatic" }
"""


@pytest.mark.parametrize("stopped", ["PRODUCING", "UNKNOWN", "OFF", "FAULT"])
def test_eight_hours_of_stop_are_what_the_profile_makes_of_the_operating_mode(
    tmp_path: Path, stopped: str
) -> None:
    """F27: all values Good and frozen; where the mode is not bound, nothing but their age tells that nothing moves."""
    bound = BOUND if stopped != "PRODUCING" else ""
    bound = bound.replace(", Stop = 4", "") if stopped == "UNKNOWN" else bound
    rule = f'[[states]]\nstate = "{stopped}"\nwhen = {{ operation_mode = "Stop" }}\n'
    needed = PRODUCES.replace(" }", ', operation_mode = "Run" }') if bound else PRODUCES
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "plc_line.toml").write_text(
        STOP + bound + (rule if stopped in ("OFF", "FAULT") else "") + needed, encoding="utf-8"
    )
    parts = (
        '[[points]]\nasset_no = "SB-1"\nsignal = "parts_total"\nconnection = "cell"\n'
        'address = "nsu=urn:plc;s=Parts"\nmax_rate = 3600\ninterval_s = 1\n'
    )
    plant = configs.plant(tmp_path, configs.CELL + configs.machine("plc_line", "", connection="cell") + parts)
    facts: list[Fact] = []
    observer = Observer(plant, facts.extend, T0)
    points = plant.connections[0].points
    frozen = from_ms(T0 + 60_000)
    values = {"channel_state": 0, "channel_mode": 0, "parts_total": 4711}
    for second in range(0, 8 * 3600, 1 if stopped == "OFF" else 20):
        values["operation_mode"] = 8 if second < 60 else 4
        at = min(from_ms(T0 + second * 1000), frozen)
        scan = Scan([values[point.name.partition("/")[2]] for point in points], [at] * len(points))
        observer.feed(points, scan, None, T0 + second * 1000)
    end = T0 + 8 * 3_600_000
    observer.tick(end)
    slots = [
        Slot((n,), to_ms(f.start), to_ms(f.end), f.runs) for n, f in enumerate(facts) if isinstance(f, States)
    ]
    begins = 0 if stopped == "PRODUCING" else 60_000
    last = paint(slots, T0, end)[-1]
    assert (str(last.state), last.start - T0, last.end) == (stopped, begins, end)
    shown = observer.points(end, "SB-1")
    assert shown["SB-1/parts_total"]["value"] == 4711
    assert {about["source_age_s"] for about in shown.values()} == {8 * 3600 - 60}
    assert {about["source_time"] for about in shown.values()} == {"2026-11-25T01:01:00.000Z"}
