"""The observer looks at what falls due and at nothing else: what it tells is as if it looked at everything always."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ganpo_agent.observing.machine import MachineRuns
from ganpo_agent.observing.observer import Observer
from ganpo_config.plant import Between, Meaning, OneOf, Plant, Rule
from ganpo_drivers import FaultKind, PointFault, Scan
from ganpo_model.clock import to_ms
from ganpo_model.facts import Fact
from ganpo_model.states import State
from support.campaign import rounds
from support.plants import START, PlantBuilder

T0 = to_ms(START)
SAYS = ("ACTIVE", "STOPPED", "INTERRUPTED")
BAD = PointFault(FaultKind.BAD, "the device says so")
MISSING = PointFault(FaultKind.MISSING, "no answer")
ABSENT = PointFault(FaultKind.ABSENT, "it has no such node")
POWER_RULES = (
    Rule(State.OFF, {"power": Between(None, 0.05)}),
    Rule(State.IDLE, {"power": Between(0.05, 3.0)}),
    Rule(State.PRODUCING, {"power": Between(3.0, None)}),
)
STEP = st.tuples(
    st.sampled_from(("cell", "press", "meter", "nothing", "clock")),
    st.sampled_from((BAD, MISSING, ABSENT, *SAYS)),
    st.sampled_from((BAD, MISSING, -9.0, -4.0, 0.0, 1.0, 9.0)),
    st.sampled_from((1, 400, 1000, 2500, 7000)),
)


def plant(folder: Path) -> Plant:
    builder = PlantBuilder(folder, slot_ms=30_000)
    for name in ("cell", "press", "meter"):
        builder.connection(name)
    rules = tuple(
        Rule(state, {"execution": OneOf((said,))})
        for said, state in zip(SAYS, (State.PRODUCING, State.IDLE, State.HELD), strict=True)
    )
    builder.machine(
        "cell",
        "C-1",
        {"execution": "x", "mode": "m"},
        rules,
        debounce_s=3.0,
        stale_s=5.0,
        absent={"mode": "AUTO"},
    )
    builder.machine(
        "press",
        "P-1",
        {"power": "p"},
        POWER_RULES,
        meanings={"power": Meaning("number")},
        debounce_s=4.0,
        stale_s=3.0,
    )
    builder.meter("meter", "DB-1", "r", stale_s=3.0)
    return builder.build()


class EagerMachine(MachineRuns):
    """Is brought to now whenever it is asked."""

    fall_due = MachineRuns.advance


class Eager(Observer):
    """Looks at everything at every tick."""

    def tick(self, now: int) -> None:
        for machine in self.machines.values():
            machine.__class__ = EagerMachine
            machine.due = now
        for link in self.links.values():
            link.due = now
        super().tick(now)


@settings(max_examples=rounds(150, 20_000))
@given(st.lists(STEP, min_size=1, max_size=60))
def test_looking_at_what_falls_due_tells_what_looking_at_everything_tells(
    steps: list[tuple[str, Any, Any, int]],
) -> None:
    made = plant(Path("/nowhere"))
    points = {connection.name: connection.points for connection in made.connections}
    told: list[list[Fact]] = [[], []]
    watching = [kind(made, facts.extend, T0) for kind, facts in zip((Observer, Eager), told, strict=True)]
    now = T0
    for what, said, power, pause in steps:
        now += pause
        for observer in watching:
            observer.tick(now)
            if what == "clock":
                observer.step(now - 3500, -3500)
            elif what != "nothing":
                values = {"cell": [said, said], "press": [power], "meter": [pause]}[what]
                observer.feed(points[what], Scan(values), None, now)
        now -= 3500 * (what == "clock")
        lazy, eager = watching
        assert lazy.subjects() == eager.subjects()
        assert told[0] == told[1]
        assert lazy.open_slots(now) == eager.open_slots(now)
    for observer in watching:
        observer.tick(now + 60_000)
        observer.finish(now + 60_000)
    assert told[0] == told[1]


def test_a_second_in_which_nothing_falls_due_looks_at_no_machine(tmp_path: Path, monkeypatch: Any) -> None:
    made = plant(tmp_path)
    observer = Observer(made, lambda _facts: None, T0)
    looked: list[str] = []
    advance = MachineRuns.advance

    def noted(machine: MachineRuns, *given: Any) -> Any:
        looked.append(machine.machine.asset_no)
        return advance(machine, *given)

    for second in range(5):
        observer.feed(made.connections[0].points, Scan(["ACTIVE", "AUTO"]), None, T0 + 1000 * second)
    observer.tick(T0 + 5000)
    monkeypatch.setattr(MachineRuns, "advance", noted)
    observer.tick(T0 + 6000)
    assert looked == []
    observer.tick(T0 + 9000)
    assert looked == ["C-1"], "stale since then"
