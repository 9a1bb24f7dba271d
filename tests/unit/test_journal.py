"""What the log says of points: the first fault of each and its end, once each (house-style.md)."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.observing.observer import Observer
from ganpo_config.plant import Meaning
from ganpo_drivers import FaultKind, PointFault, Scan
from ganpo_model.clock import to_ms
from support.plants import START, PlantBuilder

T0 = to_ms(START)
SHORT = PointFault(FaultKind.MISSING, "asked 2 registers, got 1 register")
ILLEGAL = PointFault(FaultKind.BAD, "exception 02: illegal data address")


class Many:
    """Points of one connection, fed with scans at seconds."""

    def __init__(self, folder: Path, count: int) -> None:
        builder = PlantBuilder(folder)
        builder.connection("bus")
        for number in range(count):
            builder.point("bus", "SB-1", f"x{number}", f"x{number}", Meaning("number"))
        self.plant = builder.build()
        self.observer = Observer(self.plant, lambda _facts: None, T0)

    def __call__(self, at_s: float, *values: Any) -> None:
        scan = Scan(list(values))
        self.observer.feed(self.plant.connections[0].points, scan, None, T0 + round(at_s * 1000))


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> Sequence[str]:
    return [
        r.message for r in caplog.records if r.name == "ganpo_agent.observing.journal" and r.levelno >= level
    ]


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.mark.parametrize("fault", [SHORT, ILLEGAL])
def test_the_first_fault_of_a_point_and_its_end_are_told_once_with_the_duration(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: PointFault
) -> None:
    feed = Many(tmp_path, 2)
    feed(0, 1.0, 5.0)
    for second in range(1, 63):
        feed(second, fault, 5.0)
    feed(63, 1.0, 5.0)
    feed(64, 1.0, 5.0)
    assert lines(caplog) == [
        f"at fault points=1 why={fault.text!r}: SB-1/x0",
        "good again points=1 after_s=62: SB-1/x0",
    ]


def test_a_missing_answer_keeps_the_value_and_shows_the_reason(tmp_path: Path) -> None:
    feed = Many(tmp_path, 1)
    feed(0, 1.0)
    feed(1, SHORT)
    state = feed.observer.seen["SB-1/x0"]
    assert (state.good(T0 + 1000), state.value) == (True, 1.0)
    assert feed.observer.faults() == {"SB-1/x0": "x0: asked 2 registers, got 1 register"}
    assert feed.observer.at_fault() == {"SB-1/x0"}
    feed(2, 1.0)
    assert feed.observer.faults() == {}
    assert not feed.observer.at_fault()


def test_many_points_of_one_block_are_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    feed = Many(tmp_path, 100)
    feed(0, *[ILLEGAL] * 100)
    feed(10, *[1.0] * 100)
    assert lines(caplog) == [
        f"at fault points=100 why={ILLEGAL.text!r}: SB-1/x0, SB-1/x1, SB-1/x2, SB-1/x3, SB-1/x4 and 95 more",
        "good again points=100 after_s=10: SB-1/x0, SB-1/x1, SB-1/x2, SB-1/x3, SB-1/x4 and 95 more",
    ]


def test_a_hundred_reasons_at_once_are_five_lines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    feed = Many(tmp_path, 100)
    feed(0, *[PointFault(FaultKind.BAD, f"{number} lies outside") for number in range(100)])
    assert len(lines(caplog)) == 5
    assert "points=96" in lines(caplog)[-1]


def test_what_comes_and_goes_is_told_once_an_hour(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    feed = Many(tmp_path, 1)
    for second in range(0, 3600, 2):
        feed(second, ILLEGAL)
        feed(second + 1, 1.0)
    assert len(lines(caplog)) == 2
    assert len(lines(caplog, logging.DEBUG)) == 1801
    feed(3600, ILLEGAL)
    feed(3601, 1.0)
    assert len(lines(caplog)) == 4


def test_a_step_of_the_clock_does_not_count_as_duration(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    feed = Many(tmp_path, 1)
    feed(0, ILLEGAL)
    feed.observer.step(T0 + 7_200_000, 7_195_000)
    feed(7205, 1.0)
    assert lines(caplog)[1] == "good again points=1 after_s=10: SB-1/x0"


def test_what_a_profile_says_may_be_absent_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    builder = PlantBuilder(tmp_path)
    builder.connection("plc")
    builder.machine("plc", "M-1", {"execution": "a", "alarm": "b"}, absent={"alarm": False})
    plant = builder.build()
    observer = Observer(plant, lambda _facts: None, T0)
    absent = PointFault(FaultKind.ABSENT, "it has no b")
    observer.feed(plant.connections[0].points, Scan(["ACTIVE", absent]), None, T0)
    assert not observer.at_fault()
    assert lines(caplog) == []
    observer.feed(plant.connections[0].points, Scan([absent, ILLEGAL]), None, T0 + 1000)
    assert observer.at_fault() == {"M-1/execution", "M-1/alarm"}
    assert len(lines(caplog)) == 2


def test_what_comes_back_soon_and_stays_is_told_after_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    feed = Many(tmp_path, 1)
    feed(0, ILLEGAL)
    feed(5, 1.0)
    for second in range(10, 2000, 10):
        feed(second, ILLEGAL)
    feed(2000, 1.0)
    assert lines(caplog) == [
        f"at fault points=1 why={ILLEGAL.text!r}: SB-1/x0",
        "good again points=1 after_s=5: SB-1/x0",
        f"at fault points=1 why={ILLEGAL.text!r}: SB-1/x0",
        "good again points=1 after_s=1990: SB-1/x0",
    ]
