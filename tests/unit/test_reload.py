"""What another configuration changes, and what goes on: the difference of two plants, and the observer that becomes the
next one."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganpo_agent.observing.observer import Observer
from ganpo_agent.reloading.difference import Changes, Difference, difference
from ganpo_config.plant import Plant
from ganpo_drivers import Scan
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.facts import Event, Fact, Inventory, Reading, States
from ganpo_model.states import State
from support.configs import machine, meter, plant
from support.plants import START

T0 = to_ms(START)
CT = 'ct = "{}/5"\nreads = "secondary"'


def bus(name: str = "bus", port: int = 502, timeout_s: float = 1.0) -> str:
    return f"""
[connections.{name}]
driver = "modbus"
url = "tcp://127.0.0.1:{port}"
addressing = "0-based"
timeout_s = {timeout_s}
"""


def press(idle_kw: float = 1, debounce_s: int = 0, of: str = "DB-1") -> str:
    words = f"meter={of} idle_kw={idle_kw} run_kw=10 debounce_s={debounce_s}"
    return machine("machine_by_power", words)


BEFORE = bus() + meter(CT.format(400)) + meter(CT.format(50), asset_no="DB-2", parameters="unit=2") + press()


def compared(folder: Path, before: str, after: str) -> Difference:
    return difference(plant(folder, before), plant(folder, after))


def test_the_same_file_differs_in_nothing(tmp_path: Path) -> None:
    found = compared(tmp_path, BEFORE, "# a remark\n" + BEFORE)
    assert not found
    assert str(found) == "nothing"


@pytest.mark.parametrize(
    ("after", "connections", "subjects"),
    [
        pytest.param(
            BEFORE.replace("unit=2", "unit=3"),
            Changes(changed=("bus",)),
            Changes(changed=("DB-2",)),
            id="unit",
        ),
        pytest.param(
            BEFORE.replace("400/5", "600/5"),
            Changes(changed=("bus",)),
            Changes(changed=("DB-1", "SB-1")),
            id="ct",
        ),
        pytest.param(
            BEFORE.replace("idle_kw=1", "idle_kw=2"), Changes(), Changes(changed=("DB-1", "SB-1")), id="limit"
        ),
        pytest.param(
            BEFORE.replace("debounce_s=0", "debounce_s=9"),
            Changes(),
            Changes(changed=("SB-1",)),
            id="rest",
        ),
        pytest.param(
            BEFORE.replace("502", "503"),
            Changes(changed=("bus",)),
            Changes(changed=("DB-1", "DB-2", "SB-1")),
            id="url",
        ),
        pytest.param(
            BEFORE.replace(".bus]", ".line]").replace('"bus"', '"line"'),
            Changes(("line",), (), ("bus",)),
            Changes(changed=("DB-1", "DB-2", "SB-1")),
            id="name",
        ),
        pytest.param(
            BEFORE.replace("DB-2", "DB-3"),
            Changes(changed=("bus",)),
            Changes(("DB-3",), (), ("DB-2",)),
            id="number",
        ),
        pytest.param(BEFORE.replace('"Meter"', '"Main"'), Changes(), Changes(), id="words"),
        pytest.param(BEFORE + bus("other", 503), Changes(added=("other",)), Changes(), id="connection"),
    ],
)
def test_what_changes_is_named_and_nothing_else(
    tmp_path: Path, after: str, connections: Changes, subjects: Changes
) -> None:
    found = compared(tmp_path, BEFORE, after)
    assert (found.connections, found.subjects) == (connections, subjects)
    assert found
    assert not found.restart
    assert not found.uplink


def test_the_uplink_is_apart_and_what_holds_from_the_next_start_on_is_named(tmp_path: Path) -> None:
    before = plant(tmp_path, BEFORE)
    other = replace(before, uplink=before.uplink.model_copy(update={"broker": "mqtt://127.0.0.1:1884"}))
    assert difference(before, other) == Difference(uplink=True)
    assert str(difference(before, other)) == "uplink"
    moved = replace(
        before,
        gateway=before.gateway.model_copy(update={"http": "127.0.0.1:0", "id": "gw-test-0002"}),
        site=replace(before.site, slot_ms=60_000, timezone="Asia/Urumqi"),
    )
    assert difference(before, moved).restart == ("gateway.id", "gateway.http", "site.slot", "site.timezone")


class Watched:
    """An observer whose facts are kept; `read` feeds every point of a connection, what it is given or else 5."""

    def __init__(self, plant: Plant) -> None:
        self.facts: list[Fact] = []
        self.now = T0
        self.plant = plant
        self.observer = Observer(plant, self.facts.extend, T0)

    def read(self, seconds: float, **values: Any) -> list[Fact]:
        self.now += round(seconds * 1000)
        self.facts.clear()
        for link in self.plant.connections:
            if link.points:
                scan = Scan([values.get(point.signal, 5) for point in link.points])
                self.observer.feed(link.points, scan, None, self.now)
        return list(self.facts)

    def become(self, plant: Plant, seconds: float = 1) -> list[Fact]:
        self.now += round(seconds * 1000)
        self.facts.clear()
        changes = difference(self.plant, plant)
        self.plant = plant
        self.observer.become(plant, changes.subjects.all(), self.now)
        return list(self.facts)


def subjects(facts: Sequence[Fact], kind: type[Fact]) -> set[str]:
    return {
        getattr(f, "subject", "") or getattr(f, "register", "").partition("/")[0]
        for f in facts
        if isinstance(f, kind)
    }


def test_what_did_not_change_goes_on_and_what_did_begins_as_at_a_start(tmp_path: Path) -> None:
    watched = Watched(plant(tmp_path, BEFORE + press(of="DB-2").replace("SB-1", "SB-2")))
    watched.read(1, power=2)
    kept, other = watched.observer.machines["SB-1"], watched.observer.machines["SB-2"]
    seen = watched.observer.seen["DB-1/power"]
    assert (kept.state, other.state) == (State.PRODUCING, State.PRODUCING)
    after = plant(tmp_path, BEFORE.replace("unit=2", "unit=3") + press(of="DB-2").replace("SB-1", "SB-2"))
    told = watched.become(after)
    assert watched.observer.machines["SB-1"] is kept
    assert watched.observer.seen["DB-1/power"] is seen
    assert kept.state is State.PRODUCING
    assert watched.observer.machines["SB-2"].state is State.UNKNOWN
    (ended,) = [fact for fact in told if isinstance(fact, States)]
    assert (ended.subject, ended.end) == ("SB-2", from_ms(watched.now))
    (inventory,) = [fact for fact in told if isinstance(fact, Inventory)]
    assert inventory.at == from_ms(watched.now)
    told = watched.read(1, power=2)
    assert subjects(told, Reading) == {"DB-2"}, "the others sent theirs in this slot already"
    assert subjects(told, Event) == {"DB-2", "SB-2"}, "evidence of the device that is read now"
    assert {no: s["state"] for no, s in watched.observer.subjects().items() if no[0] == "S"} == {
        "SB-1": "PRODUCING",
        "SB-2": "PRODUCING",
    }


def test_a_subject_that_stands_no_more_is_withdrawn_and_its_faults_are_forgotten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(plant(tmp_path, BEFORE))
    watched.read(1, power="no number", energy_import="none")
    assert watched.observer.at_fault() == {f"DB-{n}/{s}" for n in (1, 2) for s in ("power", "energy_import")}
    told = watched.become(plant(tmp_path, bus() + meter(CT.format(400)) + press()))
    (inventory,) = [fact for fact in told if isinstance(fact, Inventory)]
    assert [item.asset_no for item in inventory.meters] == ["DB-1"]
    assert [item.subject for item in inventory.registers] == ["DB-1"]
    assert set(watched.observer.subjects()) == {"DB-1", "SB-1"}
    assert watched.observer.at_fault() == {"DB-1/power", "DB-1/energy_import"}
    caplog.clear()
    watched.observer.tick(watched.now + 3_600_000)
    assert "DB-2" not in caplog.text


meters = st.dictionaries(
    st.sampled_from(["DB-1", "DB-2", "DB-3"]),
    st.tuples(st.integers(1, 2), st.sampled_from([50, 400]), st.sampled_from(["bus", "line"])),
)
texts = st.tuples(meters, st.booleans(), st.sampled_from([1, 2]), st.sampled_from([502, 503]))


def written(about: tuple[dict[str, tuple[int, int, str]], bool, int, int]) -> str:
    found, with_press, idle_kw, port = about
    text = bus(port=port) + bus("line", 504)
    for number, (unit, ct, connection) in found.items():
        row = meter(CT.format(ct), asset_no=number, parameters=f"unit={unit}")
        text += row.replace('connection = "bus"', f'connection = "{connection}"')
    return text + (press(idle_kw) if with_press and "DB-1" in found else "")


@settings(max_examples=20)
@given(st.lists(texts, min_size=2, max_size=4), st.integers(0, 30))
def test_whatever_was_reloaded_before_it_is_read_and_told_as_after_a_start(
    about: list[tuple[dict[str, tuple[int, int, str]], bool, int, int]], power: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plants = [plant(Path(folder), written(one)) for one in about]
    reloaded = Watched(plants[0])
    for found in plants[1:]:
        reloaded.read(1, power=power)
        told = reloaded.become(found)
    fresh = Watched(plants[-1])
    fresh.now = reloaded.now
    assert [f for f in told if isinstance(f, Inventory)] == [plants[-1].inventory(from_ms(reloaded.now))]
    sent = fresh.read(2, power=power, energy_import=77)
    told = reloaded.read(2, power=power, energy_import=77)
    assert {f.register for f in sent if isinstance(f, Reading)} >= {
        f.register for f in told if isinstance(f, Reading)
    }
    for name, shown in fresh.observer.points(fresh.now).items():
        same = reloaded.observer.points(reloaded.now)[name]
        assert all(same[key] == shown[key] for key in ("value", "unit", "fault"))
    assert {no: s["state"] for no, s in reloaded.observer.subjects().items()} == {
        no: s["state"] for no, s in fresh.observer.subjects().items()
    }
    for name, state in reloaded.observer.seen.items():
        assert state.point == fresh.observer.seen[name].point
    ended = {f.subject for f in reloaded.observer.open_slots(reloaded.now + 1)}
    assert ended == {f.subject for f in fresh.observer.open_slots(fresh.now + 1)}
