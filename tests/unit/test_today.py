"""The local day as a gateway remembers it: lanes of machines, first readings, over a restart and a midnight."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ganpo_agent.keeping.outbox import Outbox
from ganpo_agent.local.subjects import decimal
from ganpo_agent.local.today import MOST_RUNS, Today
from ganpo_model.clock import HOUR_MS, from_ms, to_ms
from ganpo_model.facts import Reading, RegisterItem, States
from ganpo_model.states import State

MIDNIGHT = datetime(2026, 11, 24, 16, tzinfo=UTC)
"""In Shanghai."""
T0 = to_ms(MIDNIGHT)
R, W, F, U = State.PRODUCING, State.IDLE, State.FAULT, State.UNKNOWN


def states(start_h: float, end_h: float, *runs: tuple[float, State]) -> States:
    start, end = (from_ms(T0 + round(h * HOUR_MS)) for h in (start_h, end_h))
    return States("states", "SB-1", start, end, tuple((round(h * HOUR_MS), state) for h, state in runs))


def reading(at_h: float, raw: int) -> Reading:
    return Reading("reading", "DB-1/energy_import#0123abcd", from_ms(T0 + round(at_h * HOUR_MS)), raw)


def lane(today: Today, now_h: float, *open_runs: tuple[float, State]) -> list[tuple[float, State]]:
    open_fact = states(now_h - 1, now_h, *open_runs)
    spans = today.lane("SB-1", open_fact, T0 + round(now_h * HOUR_MS))
    return [((span.start - T0) / HOUR_MS, span.state) for span in spans]


def test_a_lane_begins_at_midnight_of_the_site_and_what_nobody_saw_is_unknown() -> None:
    today = Today("Asia/Shanghai")
    today.take([states(-2, 1, (0, W), (2.5, R))])
    today.take([states(3, 4, (0, F))])
    assert lane(today, 6, (0, R)) == [(0, W), (0.5, R), (1, U), (3, F), (4, U), (5, R)]


def test_what_is_told_again_covers_what_was_told_and_a_new_day_forgets_the_old_one() -> None:
    today = Today("Asia/Shanghai")
    today.take([states(1, 2, (0, W))])
    today.take([states(1, 2, (0.25, R))])
    assert lane(today, 4, (0, U)) == [(0, U), (1, W), (1.25, R), (2, U)]
    today.take([states(23, 25, (0, R))])
    assert lane(today, 26, (0, W)) == [(24, R), (25, W)]


def test_the_first_reading_of_the_day_is_kept_in_whatever_order_they_come() -> None:
    today = Today("Asia/Shanghai")
    today.take([reading(-1, 5), reading(9, 90)])
    now = T0 + 10 * HOUR_MS
    assert today.first("DB-1/energy_import#0123abcd", now) == (T0 + 9 * HOUR_MS, 90)
    today.take([reading(0.1, 10), reading(10, 100)])
    assert today.first("DB-1/energy_import#0123abcd", now) == (T0 + HOUR_MS // 10, 10)
    assert today.first("DB-1/energy_import#0123abcd", T0 + 25 * HOUR_MS) is None


def test_a_machine_that_never_rests_fills_no_memory() -> None:
    today = Today("Asia/Shanghai")
    runs = [(n / 3600, (R, W)[n % 2]) for n in range(500)]
    for hour in range(20):
        today.take([states(hour, hour + 0.5, *runs)])
    spans = today.lane("SB-1", states(20, 21, (0, R)), T0 + 21 * HOUR_MS)
    assert len(spans) <= MOST_RUNS + 3


def test_after_a_restart_the_outbox_still_tells_of_the_day(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 16)
    outbox.begin(MIDNIGHT - timedelta(days=2), random.Random(1))
    for hour in range(-40, 9):
        now = MIDNIGHT + timedelta(hours=hour + 1)
        outbox.append([states(hour, hour + 1, (0, (R, W)[hour % 2]))], now)
        outbox.append([reading(hour, 1000 + hour)], now)
    outbox.acknowledge(outbox.stream, [(1, 60)], MIDNIGHT)
    outbox.close()
    later = Outbox(tmp_path, 16)
    later.open()
    keys = later.since(T0)
    assert len(keys) <= 2 * 10, "only the frames of the day are read"
    today = Today("Asia/Shanghai")
    today.take(later.facts(keys))
    later.close()
    assert lane(today, 10, (0, F)) == [(h, (R, W)[h % 2]) for h in range(9)] + [(9, F)]
    assert today.first("DB-1/energy_import#0123abcd", T0 + 10 * HOUR_MS) == (T0, 1000)


def test_a_register_is_shown_exactly_in_its_unit() -> None:
    def item(num: int, den: int) -> RegisterItem:
        return RegisterItem(
            "r", "DB-1", "energy_import", "electricity", "kWh", num, den, None, 10, resets=False
        )

    assert decimal(4820300, item(1, 100)) == "48203"
    assert decimal(12345, item(80, 100)) == "9876"
    assert decimal(1, item(1, 3)) == "0.333333"
    assert decimal(2**53 + 1, item(1, 1)) == "9007199254740993"
    assert decimal(0, item(1, 100)) == "0"
