"""A machine known by its power: off is |power| < idle_kw, and what flows back for long is no measurement (G05)."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ganpo_agent.observing.observer import Observer
from ganpo_config.plant import Plant
from ganpo_drivers import Scan
from ganpo_model.clock import to_ms
from ganpo_model.facts import Fact, States
from ganpo_model.paint import Slot, paint
from support.configs import BUS, machine, meter, notes, plant, point
from support.plants import START

T0 = to_ms(START)
PRESS = machine("machine_by_power", "meter=DB-1 idle_kw=0.4 run_kw=3.0 debounce_s=10")
SUB = BUS + meter("max_rate = 100").replace("boundary_in", "sub") + PRESS
TOP = 3.4028234663852886e38
"""The largest float32: what many meters say when they have nothing to say."""

Runs = list[tuple[float, float, str]]


class Press:
    """The plant of a configuration with a press, fed with its power in kW."""

    def __init__(self, found: Plant) -> None:
        self.plant = found
        self.facts: list[Fact] = []
        self.observer = Observer(self.plant, self.facts.extend, T0)
        self.now = T0

    def __call__(self, *powers: tuple[float, ...]) -> Runs:
        """What is painted when the press takes each of `powers` (seconds, kW, and what its channel says), read
        every second."""
        (points,) = (link.points for link in self.plant.connections)
        for seconds, kw, *channel in powers:
            values = [kw if p.signal == "power" else channel[0] if channel else 1000 for p in points]
            for _ in range(round(seconds)):
                self.observer.feed(points, Scan(list(values)), None, self.now)
                self.now += 1000
        self.observer.tick(self.now)
        told = [f for f in [*self.facts, *self.observer.open_slots(self.now)] if isinstance(f, States)]
        slots = [Slot((n,), to_ms(f.start), to_ms(f.end), f.runs) for n, f in enumerate(told)]
        return [
            ((s.start - T0) / 1000, (s.end - T0) / 1000, str(s.state)) for s in paint(slots, T0, self.now)
        ]

    @property
    def fault(self) -> str:
        """What is wrong with the power."""
        return self.observer.faults().get("DB-1/power", "")


@pytest.mark.parametrize(
    ("powers", "runs"),
    [
        # a press that never lasts in a state is off without proof no more
        ([(60, 0.0)] + [(8, 4.2), (7, 1.0)] * 20, [(0, 60, "OFF"), (60, 360, "PRODUCING")]),
        # a brake keeps the state, and what is noise around nothing is off
        ([(30, 4.2), (9, -4.2), (30, 4.2)], [(0, 69, "PRODUCING")]),
        ([(30, 4.2), (5, -2.0), (30, 0.1)], [(0, 35, "PRODUCING"), (35, 65, "OFF")]),
        ([(30, 1.0), (5, -2.0), (30, 1.0)], [(0, 65, "IDLE")]),
        ([(15, 0.39), (15, -0.39), (15, 0.0), (15, -0.0)], [(0, 60, "OFF")]),
        # exactly at the limit it is on
        ([(30, 0.4)], [(0, 30, "IDLE")]),
        ([(30, 3.0)], [(0, 30, "PRODUCING")]),
        # a transformer the wrong way round: nothing is known, from the beginning or from the first that is certain
        ([(40, -4.2)], [(0, 40, "UNKNOWN")]),
        ([(30, -0.4)], [(0, 30, "UNKNOWN")]),
        ([(30, 4.2), (40, -4.2)], [(0, 40, "PRODUCING"), (40, 70, "UNKNOWN")]),
        ([(8, -4.2), (7, -1.0)] * 10, [(0, 150, "UNKNOWN")]),
        ([(8, -4.2), (7, -0.1)] * 10, [(0, 150, "UNKNOWN")]),
        # and once it is turned the number is believed again
        ([(40, -4.2), (30, 4.2)], [(0, 40, "UNKNOWN"), (40, 70, "PRODUCING")]),
        ([(40, -4.2), (30, 0.1)], [(0, 40, "UNKNOWN"), (40, 70, "OFF")]),
    ],
)
def test_power_gives_the_state_only_where_it_proves_it(
    tmp_path: Path, powers: Sequence[tuple[float, float]], runs: Runs
) -> None:
    assert Press(plant(tmp_path, SUB))(*powers) == runs


def test_what_flows_back_is_a_brake_for_no_longer_than_the_debounce_however_seldom_it_is_read(
    tmp_path: Path,
) -> None:
    press = Press(plant(tmp_path, SUB))
    press((30, 4.2), (1, -4.2))
    press.now += 29_000
    found = press((30, 4.2))
    assert found == [(0, 40, "PRODUCING"), (40, 60, "UNKNOWN"), (60, 90, "PRODUCING")]


def test_what_flows_back_for_long_is_a_fault_that_names_the_transformer(tmp_path: Path) -> None:
    press = Press(plant(tmp_path, SUB))
    press((9, -4.2))
    assert press.fault == ""
    press((5, -4.1))
    assert "the current transformer (CT) is the wrong way round" in press.fault
    assert "-4.1 kW" in press.fault
    said = press.fault
    press((5, -3.9), (5, -0.2), (5, -3.8))
    assert press.fault == said, "one fault, one text"
    press((1, 4.0))
    assert press.fault == ""


@pytest.mark.parametrize(
    "text",
    [
        SUB.replace('"sub"', '"boundary_in"'),
        SUB.replace('"sub"', '"boundary_out"'),
        SUB.replace('"sub"', '"generation"'),
        SUB + point('address = "1:holding:9"\ntype = "uint32"\norder = "ABCD"', signal="energy_export"),
    ],
)
def test_where_power_may_flow_back_it_is_no_fault_and_never_off(tmp_path: Path, text: str) -> None:
    press = Press(plant(tmp_path, text))
    assert press((30, 0.1), (30, -4.2), (30, -0.2)) == [(0, 30, "OFF"), (30, 60, "IDLE"), (60, 90, "OFF")]
    assert press.fault == ""


def test_the_export_that_a_profile_reads_at_every_meter_of_its_kind_says_nothing(tmp_path: Path) -> None:
    found = plant(tmp_path, SUB.replace("power_meter_3p_modbus", "inepro_pro380"))
    assert "energy_export" in {point.signal for point in found.connections[0].points}
    press = Press(found)
    press((30, 4.0), (30, -4.2))
    assert "the current transformer (CT) is the wrong way round" in press.fault


@pytest.mark.parametrize("kw", [TOP, -TOP, 20_001.0, -20_001.0])
def test_without_a_transformer_no_more_than_20_mw_is_believed(tmp_path: Path, kw: float) -> None:
    press = Press(plant(tmp_path, SUB))
    assert press((30, kw)) == [(0, 30, "UNKNOWN")]
    assert "lies outside -20000" in press.fault
    assert any(note.endswith("; believed from -20000 to 20000 kW") for note in notes(tmp_path, SUB))
    assert press((30, 20_000.0))[-1] == (30, 60, "PRODUCING")


def test_with_a_transformer_no_more_than_it_admits_is_believed(tmp_path: Path) -> None:
    text = SUB.replace("max_rate = 100", 'ct = "50/5"\nreads = "secondary"')
    press = Press(plant(tmp_path, text))
    assert press((30, -32.348)) == [(0, 30, "UNKNOWN")]
    assert "-323.48 lies outside -41.5704 ... 41.5704" in press.fault
    assert any(note.endswith("; believed from -41.5704 to 41.5704 kW") for note in notes(tmp_path, text))


def test_a_machine_with_a_controller_that_brakes_is_what_its_controller_says(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.toml").write_text(
        """
format = 1
id = "own"
title = { zh = "x", en = "x" }
origin = "our definition"
driver = "modbus"
addressing = "0-based"
debounce_s = 3
[signals.power]
meter = "DB-1"
[signals.channel_state]
address = "1:holding:20"
type = "uint16"
enum = { Active = 0, Interrupted = 1 }
[[states]]
state = "OFF"
when = { power = { below = 0.4 } }
[[states]]
state = "HELD"
when = { channel_state = "Interrupted" }
[[states]]
state = "PRODUCING"
when = { channel_state = "Active" }
""",
        encoding="utf-8",
    )
    text = BUS + meter("max_rate = 100").replace("boundary_in", "sub") + machine("own", "", connection="bus")
    press = Press(plant(tmp_path, text))
    found = press((10, 4.0, 0), (1, -2.0, 0), (1, -2.0, 1), (10, 4.0, 1), (10, 0.1, 1))
    assert found == [(0, 11, "PRODUCING"), (11, 22, "HELD"), (22, 32, "OFF")]
