"""When the gateway says `live` (uplink.md, Delivery)."""

import random
from itertools import pairwise
from pathlib import Path

from ganpo_agent.keeping.outbox import Row
from ganpo_agent.timekeeper import Timekeeper
from ganpo_agent.uplink.uplink import Uplink
from support.plants import PlantBuilder, TestClock


def said(uplink: Uplink, seconds: int) -> list[float]:
    """When it says `live`, from 0 on, having said it at 0."""
    found = []
    uplink._live_at = 0.0
    for tick in range(1, seconds * 4):
        now = tick / 4
        if now >= uplink._live_due(now):
            uplink._live_at = now
            found.append(now)
    return found


def uplink(folder: Path, *, sure: bool = True) -> Uplink:
    plant = PlantBuilder(folder, uplink={"live_s": 60}).build()
    made = Uplink(plant, Timekeeper(TestClock(sure=sure)), random.Random(1), dict)
    made.window.connected()
    return made


def test_every_second_until_an_acknowledgement_comes_and_then_every_minute(tmp_path: Path) -> None:
    mine = uplink(tmp_path)
    assert said(mine, 5) == [1, 2, 3, 4]
    mine.window.acknowledged((), 0)
    assert said(mine, 200) == [60, 120, 180]


def test_after_5_s_without_an_answer_every_3_s_and_after_2_minutes_ever_more_rarely(tmp_path: Path) -> None:
    mine = uplink(tmp_path)
    mine.window.acknowledged((), 0)
    mine.window.due([Row("01S", 1, "reading", b"")], 0)
    asked = said(mine, 1200)
    assert asked[0] == 5
    pauses = [b - a for a, b in pairwise(asked)]
    assert {pause for at, pause in zip(asked, pauses, strict=False) if at < 118} == {3}
    later = [pause for at, pause in zip(asked, pauses, strict=False) if at >= 120]
    assert later == sorted(later)
    assert all(b <= 2.2 * a for a, b in pairwise(later))
    assert later[-3:] == [60, 60, 60]


def test_every_second_while_time_is_not_trusted(tmp_path: Path) -> None:
    mine = uplink(tmp_path, sure=False)
    mine._time.trusted = lambda: False  # type: ignore[method-assign]
    mine.window.acknowledged((), 0)
    assert said(mine, 5) == [1, 2, 3, 4]
