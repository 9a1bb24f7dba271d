"""What would move a number of the province, over 10,000 and 100,000 devices: the work list by enterprise and device by
device, and its page, beside bare SQL that reads the ledger once."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from sqlalchemy import text

from cpu import cpu_s
from filling import NOW, PROVINCE, fill_ledger
from ganpo_cloud.province import totals
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import Kind, mark
from ganpo_cloud.web.answers.moves import Moving, moves
from ganpo_cloud.web.asking import Question
from ganpo_cloud.web.pages.moves import beside
from ganpo_cloud.web.pages.rendering import Rendering, Scope, Site
from measure import Figure
from support import databases
from support.plants import TestClock

NUMBERS = ("nc_rate_main", "equip_network_rate", "equip_active_rate", "enterprise_onboarded")


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    for kind in databases.KINDS:
        databases.choose(kind)
        for size in (1_000,) if short else (10_000, 100_000):
            with tempfile.TemporaryDirectory() as folder, databases.database(Path(folder)) as database:
                _fill(database, size)
                yield f"{kind}, {size:,} devices"
                yield from _ask(database, 1 if short else 7)
    databases.choose("sqlite")


def _fill(database: Database, devices: int) -> None:
    """A ledger and the sums of today."""
    with database.write() as connection:
        fill_ledger(connection, devices)
        mark(connection, Kind.SUMS, [("", NOW.date())])
    while totals.recompute(database, PROVINCE, NOW):
        pass
    with database.write() as connection:
        connection.execute(text("ANALYZE"))


def _ask(database: Database, times: int) -> Iterator[str]:
    bare = text(
        "SELECT enterprise, count(*), sum(main) FROM ledger WHERE kind = 'equipment' GROUP BY enterprise"
    )
    scope = Scope(PROVINCE, NOW, PROVINCE.whole, path="/moves", lang="zh")
    rendering = Rendering(Site(database, TestClock(wall=NOW), PROVINCE), scope)

    def listed(number: str, by: str) -> Callable[[], object]:
        def ask() -> object:
            with database.read() as connection:
                asked = Moving(indicator=number, by=by, limit=100)  # type: ignore[arg-type]
                found = moves(connection, Question(PROVINCE, NOW, PROVINCE.whole), asked)
                return beside(connection, rendering, found)  # type: ignore[arg-type]

        return ask

    def plain() -> object:
        with database.read() as connection:
            return connection.execute(bare).all()

    yield _line("bare SQL: the ledger grouped by enterprise", *_times(plain, times))
    for number in NUMBERS:
        for by in ("enterprise", "device"):
            found = _times(listed(number, by), times)
            goal = "" if median(found[0]) <= 1000 else "   MISSED"
            yield _line(f"the page of {number}, by {by}", *found) + f"   goal <= 1000{goal}"


def _line(name: str, wall: list[float], cpu: list[float]) -> str:
    return f"{Figure(name, wall, 'ms')}  {median(cpu):>6.0f} ms CPU"


def _times(ask: Callable[[], object], times: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each, of the clock and of CPU, after one that nobody counts."""
    ask()
    wall, cpu = [], []
    for _ in range(times):
        began, busy = time.perf_counter(), cpu_s()
        ask()
        wall.append(1000 * (time.perf_counter() - began))
        cpu.append(1000 * (cpu_s() - busy))
    return wall, cpu
