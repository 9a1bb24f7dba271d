"""What a meter says itself of its transformers, against the list."""

from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.observing.observer import Observer
from ganpo_agent.reading.groups import grouped
from ganpo_config.plant import Plant
from ganpo_drivers import FaultKind, PointFault, Scan
from ganpo_model.clock import to_ms
from ganpo_model.facts import Fact, Reading
from support.configs import BUS, errors, meaning, meter, notes, plant, point, register
from support.plants import START

T0 = to_ms(START)
PROFILE = """
format = 1
id = "secondary"
title = { zh = "x", en = "x" }
origin = "our definition"
driver = "modbus"
addressing = "0-based"
reads = "secondary"
[parameters]
unit = { zh = "单元号", en = "unit id" }
[signals.energy_import]
address = "{unit}:holding:0"
type = "uint32"
scale = "0.01"
[signals.current_l1]
address = "{unit}:holding:2"
type = "float32"
[signals.voltage_l1]
address = "{unit}:holding:4"
type = "float32"
[signals.power_l1]
address = "{unit}:holding:8"
type = "float32"
unit = "W"
"""
RATIOS = """
[signals.ct_ratio]
address = "{unit}:holding:6"
type = "int16"
[signals.pt_ratio]
address = "{unit}:holding:7"
type = "int16"
scale = "0.1"
"""
SIDES = """
[signals.ct_primary]
address = "{unit}:holding:6"
type = "uint16"
[signals.ct_secondary]
address = "{unit}:holding:7"
type = "uint16"
"""


def text(folder: Path, columns: str, signals: str = RATIOS, profile: str = PROFILE) -> str:
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles" / "secondary.toml").write_text(profile + signals, encoding="utf-8")
    return BUS + meter(columns).replace("power_meter_3p_modbus", "secondary")


class Fed:
    """A plant whose points are given values by signal."""

    def __init__(self, found: Plant) -> None:
        self.points = found.connections[0].points
        self.facts: list[Fact] = []
        self.observer = Observer(found, self.facts.extend, T0)
        self.at = T0

    def __call__(self, **values: Any) -> dict[str, str]:
        """The faults after a poll of these."""
        self.at += 1000
        points = [p for p in self.points if p.signal in values]
        self.observer.feed(points, Scan([values[p.signal] for p in points]), None, self.at)
        return self.observer.faults()

    def value(self, name: str) -> Any:
        return self.observer.points(self.at)[name]["value"]


def test_a_ratio_that_differs_from_the_list_is_a_fault_of_every_point_of_the_meter(tmp_path: Path) -> None:
    feed = Fed(plant(tmp_path, text(tmp_path, 'ct = "400/5"')))
    assert feed(energy_import=1000, current_l1=2.5) == {}
    assert feed.value("DB-1/energy_import") == 800
    told = "the ratio of its ct is 60 in the meter and 80 in the list (ct 400/5): set the meter, or mend the list"
    assert feed(ct_ratio=60) == {"DB-1/ct_ratio": f"1:holding:6: {told}"}
    faults = feed(energy_import=1001, current_l1=2.5)
    assert faults == {
        "DB-1/ct_ratio": f"1:holding:6: {told}",
        "DB-1/energy_import": f"1:holding:0: {told}",
        "DB-1/current_l1": f"1:holding:2: {told}",
    }
    assert feed.value("DB-1/energy_import") is None
    assert [fact.raw for fact in feed.facts if isinstance(fact, Reading)] == [1000]
    assert "DB-1/energy_import" in feed(ct_ratio=80)
    assert feed(energy_import=1002, current_l1=2.5) == {}
    assert feed.value("DB-1/energy_import") == pytest.approx(801.6)


@pytest.mark.parametrize("interval_s", [600, 10, 1])
def test_a_meter_says_its_ratios_before_what_they_bear_on(tmp_path: Path, interval_s: int) -> None:
    ratios = RATIOS.replace('type = "int16"', f'type = "int16"\ninterval_s = {interval_s}')
    feed = Fed(plant(tmp_path, text(tmp_path, 'ct = "400/5"', ratios)))
    for group in grouped(feed.points):
        feed(**{p.signal: 60 if p.signal == "ct_ratio" else 10 for p in group.points})
    assert feed.value("DB-1/energy_import") is None
    assert not [fact for fact in feed.facts if isinstance(fact, Reading)], (
        "nothing was counted with a wrong ratio"
    )


def test_what_agrees_or_cannot_be_read_disturbs_nothing(tmp_path: Path) -> None:
    feed = Fed(plant(tmp_path, text(tmp_path, 'ct = "400/3"')))
    assert feed(ct_ratio=133, pt_ratio=10, energy_import=5) == {}
    faults = feed(ct_ratio=PointFault(FaultKind.BAD, "exception 02"), energy_import=6)
    assert faults == {"DB-1/ct_ratio": "1:holding:6: exception 02"}
    assert feed.value("DB-1/energy_import") == pytest.approx(8)


def test_no_voltage_transformer_in_the_list_is_one_of_1(tmp_path: Path) -> None:
    feed = Fed(plant(tmp_path, text(tmp_path, 'ct = "400/5"')))
    feed(pt_ratio=1000)
    faults = feed(energy_import=5)
    told = "the ratio of its pt is 100 in the meter and 1 in the list (pt 1/1)"
    assert all(told in fault for fault in faults.values())
    assert set(faults) == {"DB-1/pt_ratio", "DB-1/energy_import"}


@pytest.mark.parametrize(
    ("primary", "secondary", "told"),
    [(400, 5, ""), (80, 1, ""), (300, 5, "is 60 in the meter and 80 in the list"), (400, 0, "")],
)
def test_both_sides_may_have_a_register_each(tmp_path: Path, primary: int, secondary: int, told: str) -> None:
    feed = Fed(plant(tmp_path, text(tmp_path, 'ct = "400/5"', SIDES)))
    faults = feed(ct_primary=primary, ct_secondary=secondary)
    assert bool(faults) == bool(told)
    assert all(told in fault for fault in faults.values())


def test_the_primary_side_may_stand_alone(tmp_path: Path) -> None:
    feed = Fed(plant(tmp_path, text(tmp_path, 'ct = "400/5"', SIDES.partition("[signals.ct_secondary]")[0])))
    assert feed(ct_primary=400) == {}
    (fault,) = feed(ct_primary=300).values()
    assert "the primary side of its ct is 300 in the meter and 400 in the list (ct 400/5)" in fault


def test_a_profile_that_reads_the_secondary_side_says_it_for_the_list(tmp_path: Path) -> None:
    found = plant(tmp_path, text(tmp_path, 'ct = "400/5"\npt = "10000/100"'))
    item = register(found, "DB-1/energy_import").item
    assert (item.num, item.den) == (80, 1)
    scales = {
        signal: meaning(found, f"DB-1/{signal}").scale for signal in ("current_l1", "voltage_l1", "power_l1")
    }
    assert scales == pytest.approx({"current_l1": 80, "voltage_l1": 100, "power_l1": 8})
    assert meaning(found, "DB-1/ct_ratio").scale == 1
    assert meaning(found, "DB-1/power_l1").high == pytest.approx(8314.08)
    told = notes(tmp_path, text(tmp_path, 'ct = "400/5"'))
    assert "DB-1: ct 400/5 is compared with what the meter says" in told
    assert "DB-1: pt 1/1 is compared with what the meter says" in told


@pytest.mark.parametrize(
    ("columns", "signals", "told"),
    [
        (
            "max_rate = 100",
            RATIOS,
            "meters[0].ct: is missing: the meter has a register for it (ct_ratio), and the list has to say it too",
        ),
        (
            "max_rate = 100",
            SIDES,
            "meters[0].ct: is missing: the meter has a register for it (ct_primary, ct_secondary), and",
        ),
        (
            "max_rate = 100",
            "",
            "meters[0].ct: is missing: the registers of secondary count the secondary side; as the transformer's",
        ),
        (
            'ct = "400/5"\nreads = "primary"',
            RATIOS,
            "meters[0].reads = primary: the registers of secondary count the secondary side; leave it empty",
        ),
    ],
)
def test_check_asks_for_the_transformer_that_the_meter_has(
    tmp_path: Path, columns: str, signals: str, told: str
) -> None:
    (found,) = errors(tmp_path, text(tmp_path, columns, signals))
    assert told in found


def test_a_meter_without_transformer_says_so(tmp_path: Path) -> None:
    columns = 'ct = "1/1"\nmax_rate = 50'
    item = register(plant(tmp_path, text(tmp_path, columns)), "DB-1/energy_import").item
    assert (item.num, item.den, item.max_rate) == (1, 100, 5000)
    feed = Fed(plant(tmp_path, text(tmp_path, columns)))
    assert feed(ct_ratio=1, energy_import=7) == {}


def test_a_ratio_bound_by_hand_is_asked_for_and_compared_too(tmp_path: Path) -> None:
    row = point('address = "1:holding:9"\ntype = "uint16"', signal="ct_ratio")
    (found,) = errors(tmp_path, BUS + meter("max_rate = 9") + row)
    assert "meters[0].ct: is missing: the meter has a register for it (ct_ratio)" in found
    feed = Fed(plant(tmp_path, BUS + meter('ct = "400/5"\nreads = "primary"') + row))
    (fault,) = feed(ct_ratio=60).values()
    assert "60 in the meter and 80 in the list" in fault
