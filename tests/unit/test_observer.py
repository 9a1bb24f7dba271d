"""What a fresh gateway tells, and which readings it sends (metrics.md 5, uplink.md)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from ganpo_agent.observing.observer import Observer
from ganpo_drivers import FaultKind, Identity, PointFault, Scan
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.facts import Event, EventKind, Fact, Inventory, Reading
from support.configs import BUS, machine, meter, plant
from support.plants import REGISTER, START, PlantBuilder

T0 = to_ms(START)


def readings(facts: list[Fact]) -> list[tuple[float, int]]:
    return [((to_ms(f.at) - T0) / 1000, f.raw) for f in facts if isinstance(f, Reading)]


def events(facts: list[Fact], kind: EventKind) -> list[Event]:
    return [f for f in facts if isinstance(f, Event) and f.kind is kind]


class Metered:
    def __init__(self, folder: Path, **meter: Any) -> None:
        builder = PlantBuilder(folder)
        builder.connection("bus")
        builder.meter("bus", "DB-1", "r", **meter)
        self.plant = builder.build()
        self.facts: list[Fact] = []
        self.observer = Observer(self.plant, self.facts.extend, T0)

    def __call__(self, at_s: float, value: Any) -> None:
        self.observer.feed(self.plant.connections[0].points, Scan([value]), None, T0 + round(at_s * 1000))


def test_the_first_reading_of_every_slot_is_sent(tmp_path: Path) -> None:
    feed = Metered(tmp_path)
    for second in range(0, 2000, 10):
        feed(second, 1000 + second)
    assert readings(feed.facts) == [(0, 1000), (900, 1900), (1800, 2800)]


def test_a_person_is_shown_what_a_meter_reads_in_its_unit(tmp_path: Path) -> None:
    found = plant(tmp_path, BUS + meter('ct = "400/5"\nreads = "secondary"'))
    observer = Observer(found, lambda _facts: None, T0)
    points = found.connections[0].points
    values = {"energy_import": 12_345, "power": 1.5}
    observer.feed(points, Scan([values[point.signal] for point in points]), None, T0)
    told = observer.points(T0, "DB-1")
    assert (told["DB-1/energy_import"]["value"], told["DB-1/energy_import"]["unit"]) == (9876.0, "kWh")
    assert (told["DB-1/power"]["value"], told["DB-1/power"]["unit"]) == (120.0, "kW")


def test_a_person_is_shown_no_digits_that_a_scale_left_behind(tmp_path: Path) -> None:
    found = plant(tmp_path, BUS + machine("delta_ms300", "unit=1", connection="bus"))
    observer = Observer(found, lambda _facts: None, T0)
    observer.feed(found.connections[0].points, Scan([4005]), None, T0)
    assert 4005 * 0.01 != 40.05
    assert observer.points(T0)["SB-1/frequency"]["value"] == 40.05


def test_both_sides_of_what_does_not_fit_are_sent(tmp_path: Path) -> None:
    feed = Metered(tmp_path, max_rate=3600)
    for second, raw in [
        (0, 1000),
        (10, 1010),
        (20, 1020),
        (30, 0),
        (40, 1040),
        (50, 1050),
        (60, 1049),
        (70, 9000),
    ]:
        feed(second, raw)
    assert readings(feed.facts) == [(0, 1000), (20, 1020), (30, 0), (40, 1040), (60, 1049), (70, 9000)]


def test_more_than_sixty_pairs_an_hour_are_one_suspect_event(tmp_path: Path) -> None:
    feed = Metered(tmp_path, max_rate=3600)
    for second in range(0, 600, 2):
        feed(second, 5000 if second % 4 else 0)
    assert len(readings(feed.facts)) <= 2 * 60 + 1
    (suspect,) = events(feed.facts, EventKind.SUSPECT)
    assert suspect.data == {"register": REGISTER, "pairs": 61}
    assert suspect.subject == "DB-1"


def test_a_counter_that_is_set_back_sends_every_fall_up_to_3600_an_hour_without_suspicion(
    tmp_path: Path,
) -> None:
    feed = Metered(tmp_path, max_rate=3600, resets=True)
    for half in range(2 * 3700):  # from 1 to 0 within every second
        feed(half / 2, 1 - half % 2)
    falls = [second for second, raw in readings(feed.facts) if raw == 0]
    assert falls == [second + 0.5 for second in range(3700)]
    assert events(feed.facts, EventKind.SUSPECT) == []


def test_more_falls_than_3600_an_hour_are_one_suspect_event(tmp_path: Path) -> None:
    feed = Metered(tmp_path, max_rate=3600, resets=True)
    for quarter in range(4 * 2000):
        feed(quarter / 4, 1 - quarter % 2)
    assert len([raw for _, raw in readings(feed.facts) if raw == 0]) == 3600
    assert [event.data["pairs"] for event in events(feed.facts, EventKind.SUSPECT)] == [3601]


def test_a_fall_to_what_does_not_fit_is_sent_also_by_one_and_is_suspect_like_any_other(
    tmp_path: Path,
) -> None:
    feed = Metered(tmp_path, max_rate=3600, resets=True)
    for second, raw in [(0, 500), (1, 500), (2, 499), (3, 500), (4, 499)]:
        feed(second, raw)
    assert readings(feed.facts) == [(0, 500), (1, 500), (2, 499), (3, 500), (4, 499)]
    for second in range(5, 300):
        feed(second, 500 - second % 2)
    assert len(readings(feed.facts)) <= 2 * 60 + 1
    assert [event.data["pairs"] for event in events(feed.facts, EventKind.SUSPECT)] == [61]


def test_what_is_no_register_value_is_a_fault_and_no_reading(tmp_path: Path) -> None:
    feed = Metered(tmp_path, modulus=65536)
    for second, value in enumerate(
        [-1, "7", True, float("nan"), float("inf"), 65536, PointFault(FaultKind.BAD, "x")]
    ):
        feed(second, value)
    assert readings(feed.facts) == []
    feed(10, 65535)
    assert readings(feed.facts) == [(10, 65535)]


def test_the_inventory_is_complete_at_start_and_told_once_a_day(tmp_path: Path) -> None:
    feed = Metered(tmp_path)
    feed.observer.tick(T0 + 3_600_000)
    feed.observer.tick(to_ms(START + timedelta(days=1)))
    told = [fact for fact in feed.facts if isinstance(fact, Inventory)]
    assert [fact.at for fact in told] == [START, START + timedelta(days=1)]
    assert told[0].registers[0].id == REGISTER
    assert told[0].meters[0].asset_no == "DB-1"
    assert told[0].site.timezone == "Asia/Shanghai"


def test_link_up_carries_point_value_driver_identity_and_what_it_proves(tmp_path: Path) -> None:
    builder = PlantBuilder(tmp_path)
    builder.connection("cell", driver_id="opcua")
    builder.machine("cell", "SB-1", {"execution": "x"}, proves={"numerical_control": ("execution",)})
    plant = builder.build()
    facts: list[Fact] = []
    observer = Observer(plant, facts.extend, T0)
    points = plant.connections[0].points
    observer.feed(points, Scan([PointFault(FaultKind.BAD, "warming up")]), None, T0)
    assert events(facts, EventKind.LINK_UP) == []
    source = START - timedelta(seconds=3)
    identity = Identity(vendor="Acme", model="M1")
    observer.feed(points, Scan(["ACTIVE"], [source]), identity, T0 + 1000)
    observer.feed(points, Scan(["READY"], [source]), identity, T0 + 2000)
    (up,) = events(facts, EventKind.LINK_UP)
    assert up.at == from_ms(T0 + 1000)
    assert up.subject == "SB-1"
    assert up.data == {
        "point": "SB-1/execution",
        "value": "ACTIVE",
        "source_time": "2026-11-25T00:59:57.000Z",
        "driver": "opcua",
        "identity": {"vendor": "Acme", "model": "M1"},
        "proves": ["numerical_control"],
    }


def test_link_down_comes_when_nothing_is_known_any_more_and_says_why(tmp_path: Path) -> None:
    feed = Metered(tmp_path)
    feed(0, 1000)
    feed.observer.failed({"DB-1"}, "tcp://127.0.0.1:502 unit 1: no answer within 1 s")
    feed.observer.tick(T0 + 59_000)
    assert events(feed.facts, EventKind.LINK_DOWN) == []
    feed.observer.tick(T0 + 61_000)
    feed.observer.tick(T0 + 90_000)
    (down,) = events(feed.facts, EventKind.LINK_DOWN)
    assert down.data == {"reason": "tcp://127.0.0.1:502 unit 1: no answer within 1 s"}
    feed(100, 1001)
    assert len(events(feed.facts, EventKind.LINK_UP)) == 2


def test_a_machine_known_by_its_power_rests_on_the_meters_point_and_proves_nothing(tmp_path: Path) -> None:
    from ganpo_config.plant import Between, Machine, Meaning, Rule
    from ganpo_model.states import State

    builder = PlantBuilder(tmp_path)
    builder.connection("bus", driver_id="modbus")
    builder.meter("bus", "DB-3", "r")
    builder.point("bus", "DB-3", "power", "p", Meaning("number"))
    rules = (Rule(State.PRODUCING, {"power": Between(3.0, None)}),)
    proves = {"numerical_control": ("power",)}
    builder.machines.append(Machine("SB-7", {"power": "DB-3/power"}, {}, rules, 0.0, proves))
    plant = builder.build()
    facts: list[Fact] = []
    observer = Observer(plant, facts.extend, T0)
    observer.feed(plant.connections[0].points, Scan([1000, 4.5]), None, T0)
    ups = {event.subject: event.data for event in events(facts, EventKind.LINK_UP)}
    assert ups["SB-7"]["point"] == "DB-3/power"
    assert ups["SB-7"]["proves"] == []
    assert observer.machines["SB-7"].state is State.PRODUCING
