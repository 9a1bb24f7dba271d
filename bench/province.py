"""The province's overview over 10,000 and 100,000 devices against bare SQL; a day's facts from dirty to aggregates.

Eleven cities, a hundred counties, eight industries; aggregates of 62 days and 25 months, production days of one month.
"""

import gc
import itertools
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median, quantiles

import httpx
from sqlalchemy import text

import days as day_rows
from cpu import cpu_s
from filling import NOW, PROVINCE, fill
from ganpo_cloud.days import days, painting, periods
from ganpo_cloud.province import ledger_days, totals
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.store.counted_tables import FLOWS, STOCKS
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import EVER, Kind, key, mark
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_cloud.web.answers import enterprises, equipment
from ganpo_cloud.web.answers.enterprises import Firms
from ganpo_cloud.web.answers.equipment import Counted
from ganpo_cloud.web.application import create_app
from ganpo_cloud.web.asking import Listed, Seen, question
from ganpo_cloud.web.pages.overview import overview
from ganpo_cloud.web.pages.rendering import Rendering, Scope, Site
from ganpo_model.clock import DAY_MS, to_ms
from measure import Figure
from plan_lists import fill_lists
from support import databases
from support.browsing import chromium
from support.plants import TestClock
from support.serving import Served

_TODAY = date(2026, 11, 28)
_MONTHS = "SELECT * FROM area_month WHERE industry = '' AND area IN {places} AND month >= '{year_ago}'"
_NODES = (
    "SELECT n.kind, a.grade, count(*) FROM node n LEFT JOIN accreditation a ON a.enterprise = n.enterprise"
    " AND a.node = n.node GROUP BY n.kind, a.grade"
)
_TAGS = "SELECT tag, count(DISTINCT enterprise) FROM tag GROUP BY tag"
_MADE = "SELECT enterprise, product, sum(millionths), count(*) FROM output GROUP BY enterprise, product"
_TAKEN = (
    "SELECT enterprise, carrier, sum(millionths), sum(covered_days) FROM balance WHERE month >= '{year_ago}'"
    " AND enterprise IN (SELECT enterprise FROM output) GROUP BY enterprise, carrier"
)
_QUIET = "SELECT count(*) FROM ledger WHERE kind = 'equipment' AND age = 'silent'"
_HERE = "SELECT * FROM area_day WHERE day = '{day}' AND industry = '' AND area IN {places}"
_OF_PLAN = (_NODES, _TAGS, _MADE, _TAKEN, "SELECT count(*) FROM banned", _HERE, _MONTHS)
PAGES = {
    "overview": ("/overview?lang=en", (_HERE, _MONTHS)),
    "the plan": ("/plan?lang=en", _OF_PLAN),
    "the plan of a city": ("/plan?lang=en&area=360100", _OF_PLAN),
    "county ranking": (
        "/ranking?lang=en",
        (
            "SELECT * FROM area_day WHERE day = '{day}' AND industry = '' AND area IN {counties}",
            "SELECT area, month, nc_checked, main FROM area_month WHERE industry = '' AND area IN {counties}",
        ),
    ),
    "comparison of four areas": (
        "/compare?lang=en&of=360100&of=360700&of=360121&of=FOOD",
        ("SELECT area, month, nc_checked, main FROM area_month WHERE industry = '' AND area IN {four}",),
    ),
    "new in the cloud": ("/onboarded?lang=en", ("SELECT count(*) FROM onboarding WHERE cloud_at >= {ms}",)),
    "gone silent": ("/silent?lang=en", (_QUIET,)),
    "banned equipment": ("/banned?lang=en", ("SELECT count(*) FROM banned", "SELECT * FROM alarm")),
    "dual control": (
        "/dual-control?lang=en",
        ("SELECT * FROM area_outlook WHERE month = '{over}' AND industry = ''",),
    ),
    "front-runners": ("/front-runners?lang=en", (_MADE, _TAKEN)),
    "intelligent manufacturing": ("/trees?lang=en", (_NODES,)),
    "tags": ("/tags?lang=en", (_TAGS,)),
    "capacity use": ("/capacity-use?lang=en", (_MADE,)),
}
"""Pages of the official, each with what is asked bare of the same rows; of the first five there is a goal."""
WITH_GOAL = tuple(PAGES)[:5]


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    sizes = (1_000, 10_000) if short else (10_000, 100_000)
    times = 20 if short else 100
    for kind in databases.KINDS:
        databases.choose(kind)
        p95: dict[int, float] = {}
        pages: dict[int, dict[str, float]] = {}
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                database = databases.database(Path(folder))
                fill(database, size)
                fill_lists(database, size)
                yield f"{kind}, {size:,} devices"
                p95[size] = yield from _ask(database, times, size)
                pages[size] = yield from _pages(database, max(times // 4, 10))
                if size == sizes[0]:
                    yield from _load(database)
                database.close()
        grown = p95[sizes[1]] / p95[sizes[0]]
        yield f"  {f'{kind}: {sizes[1]:,} / {sizes[0]:,} devices, overview p95':<46} {grown:>9.2f} x          goal <= 2"
        for name, large in pages[sizes[1]].items():
            grown = large / pages[sizes[0]][name]
            goal = "          goal <= 2" if name in WITH_GOAL else ""
            yield f"  {f'{name}, p95':<46} {grown:>9.2f} x{goal}"
    databases.choose("sqlite")
    yield from _dirty(200 if short else 10_000, 1 if short else 3)


def _ask(database: Database, times: int, size: int) -> Generator[str, None, float]:
    """Questions over the aggregates, ours and bare; returns the p95 of the overview."""
    city, county = "360100", "360121"
    counties = [n for n, rows in PROVINCE.areas.items() if rows[-1].kind == "county"]
    columns = ", ".join(f"sum({name})" for name in (*STOCKS, *FLOWS))
    places = ", ".join(f"'{county}'" for county in counties)
    bare = (
        f"SELECT {columns} FROM area_day WHERE day = '{_TODAY}' AND industry <> '' AND area IN ({places})"
        f" UNION ALL SELECT {columns} FROM area_month WHERE month = '{_TODAY:%Y-%m}' AND industry <> ''"
        f" AND area IN ({places})"
    )
    first = periods.span(periods.month_of(_TODAY))[0]
    over_days = (
        "SELECT sum(p.planned_ms), sum(p.planned_ms - p.unknown_ms), sum(p.producing_ms) FROM production p"
        " JOIN ledger s ON s.enterprise = p.enterprise AND s.asset_no = p.subject"
        f" WHERE p.day >= '{first}' AND s.in_service"
    )
    site = Site(database, TestClock(wall=NOW), PROVINCE)

    def ours(area: str, industry: str | None) -> Callable[[], object]:
        def ask() -> object:
            with database.read() as connection:
                return Indicators(snapshot(connection, PROVINCE, None, NOW)).of(area, industry)

        return ask

    def page(area: str, industry: str | None, day: date | None = None) -> Callable[[], object]:
        def ask() -> object:
            frame = Rendering(site, Scope(PROVINCE, NOW, area, industry, day, path="/overview", lang="en"))
            with database.read() as connection:
                return overview(connection, frame, Seen())

        return ask

    def listed(answer: Callable[..., object], asked: Listed) -> Callable[[], object]:
        def ask() -> object:
            with database.read() as connection:
                return answer(connection, question(PROVINCE, NOW, asked), asked)

        return ask

    def plain(statement: str) -> Callable[[], object]:
        def ask() -> object:
            with database.read() as connection:
                return connection.execute(text(statement)).all()

        return ask

    limit = _times(plain(bare), times)
    yield _line("bare SQL over the aggregate rows", limit)
    whole = _times(ours(PROVINCE.whole, None), times)
    yield _line("overview, every number", whole)
    yield _line("  of a city", _times(ours(city, None), times))
    yield _line("  of a county", _times(ours(county, None), times))
    yield _line("  of an industry", _times(ours(PROVINCE.whole, "FOOD"), times))
    shown = _times(page(PROVINCE.whole, None), max(times // 4, 5))
    yield _line("overview page: parts, industries, 24 months", shown)
    past = _TODAY - timedelta(days=8)
    yield _line("  of a past day", _times(page(PROVINCE.whole, None, past), max(times // 4, 5)))
    ledger = plain("SELECT count(*) FROM ledger WHERE kind = 'equipment' AND status <> ''")
    yield _line("bare SQL over the ledger", _times(ledger, max(times // 4, 5)))
    for name, answer, asked in (
        ("devices behind a number", equipment.equipment, Counted(measure="now_cloud", limit=100)),
        ("devices that are silent", equipment.equipment, Counted(age="silent", limit=100)),
        ("devices by a part of their number", equipment.equipment, Counted(q="999", limit=100)),
        (
            "devices by name, in the middle",
            equipment.equipment,
            Counted(sort="name", limit=100, page=size // 200),
        ),
        ("devices, the last", equipment.equipment, Counted(limit=100, page=size // 100)),
        ("enterprises", enterprises.enterprises, Firms(limit=100)),
        ("enterprises of a city", enterprises.enterprises, Firms(limit=100, area=city)),
        ("enterprises by devices", enterprises.enterprises, Firms(limit=100, sort="-devices")),
        ("enterprises by CNC coverage", enterprises.enterprises, Firms(limit=100, sort="-nc_rate")),
        (
            "enterprises in the cloud by devices",
            enterprises.enterprises,
            Firms(limit=100, measure="enterprises_cloud", sort="-devices"),
        ),
        (
            "claimed devices by age, in the middle",
            equipment.equipment,
            Counted(measure="nc_claimed", sort="-age", limit=100, page=max(size // 4000, 1)),
        ),
        (
            "devices that are silent since October",
            equipment.equipment,
            Counted(silent_since="2026-10-01", limit=100),
        ),
        (
            "devices with a document, of a city, by name",
            equipment.equipment,
            Counted(evidence="document", area=city, sort="name", limit=100),
        ),
    ):
        yield _line(f"a page of {name}", _times(listed(answer, asked), max(times // 4, 5))) + "  goal <= 150"
    yield _line("bare SQL over the day rows of the month", _times(plain(over_days), max(times // 20, 3)))
    ratio = median(whole) / median(limit)
    yield f"  {'overview / bare SQL over the aggregate rows':<46} {ratio:>9.2f} x          goal <= 3"
    return quantiles(whole, n=20)[-1]


def _pages(database: Database, times: int) -> Generator[str, None, dict[str, float]]:
    """The official's pages as they come over HTTP, each asked anew, and beside each what it takes to ask bare for the
    rows that it stands on; returns the p95 of each."""
    found = {}
    app = create_app(database, TestClock(wall=NOW))
    gc.collect()
    gc.freeze()  # as the pages' process does, which has nothing of the filling either
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        numbers = itertools.count()  # what is asked a second time is not worked out again

        def ask(path: str) -> Callable[[], object]:
            return lambda: client.get(f"{path}&nobody_asks={next(numbers)}").raise_for_status()

        for name, (path, statements) in PAGES.items():
            began = cpu_s()
            seconds = _times(ask(path), times)
            cpu = 1000 * (cpu_s() - began) / (times + 2)
            found[name] = quantiles(seconds, n=20)[-1]
            limit = _times(_bare(database, statements), times)
            goal = "  goal <= 150" if name in WITH_GOAL else ""
            bare = f"  {1000 * median(limit):>8.2f} bare SQL"
            yield _line(f"{name}, over HTTP", seconds) + f"  {cpu:>8.2f} ms CPU{bare}{goal}"
    return found


def _bare(database: Database, statements: Sequence[str]) -> Callable[[], object]:
    """All rows of some statements about today and the whole province."""
    parts = PROVINCE.parts(PROVINCE.whole, _TODAY)
    counties = [n for n, rows in PROVINCE.areas.items() if rows[-1].kind == "county"]
    words = {
        "day": f"{_TODAY}",
        "over": periods.months(_TODAY, 2)[0],
        "year_ago": periods.months(_TODAY, 13)[0],
        "ms": to_ms(NOW) - 28 * DAY_MS,
        "places": _among([PROVINCE.whole, *parts]),
        "counties": _among(counties),
        "four": _among(["360000", "360100", "360700", "360121"]),
    }

    def ask() -> object:
        with database.read() as connection:
            return [connection.execute(text(of.format_map(words))).all() for of in statements]

    return ask


def _among(names: Iterable[str]) -> str:
    return "(" + ", ".join(f"'{name}'" for name in names) + ")"


def _load(database: Database) -> Iterator[str]:
    """The overview in a browser: what comes over the wire at first, and when it can be used."""
    with Served(create_app(database, TestClock(wall=NOW))) as served, chromium() as browser:
        page = browser.new_page()
        sizes: dict[str, int] = {}
        page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))
        ready = []
        for _ in range(5):
            page.goto(f"{served.url}/overview?lang=en")
            page.wait_for_load_state("networkidle")
            ready.append(
                page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
            )
        first = sum(size for url, size in sizes.items() if "echarts" not in url)
    yield f"  {'first load without ECharts':<46} {first / 1000:>9.0f} kB         goal <= 200"
    yield f"  {'overview can be used after':<46} {median(ready):>9.0f} ms         goal <= 1000"


def _dirty(devices: int, runs: int) -> Iterator[str]:
    """A day's slots of machines: from dirty to aggregates, and painting alone."""
    alone, through = [], []
    with tempfile.TemporaryDirectory() as folder:
        database = Database(DatabaseSettings(url=f"sqlite:///{folder}/cloud.db"))
        names = day_rows.fill(database, devices)
        start, end = day_rows.BORDERS
        for _ in range(runs + 1):
            began = time.perf_counter()
            with database.read() as connection:
                for name in names:
                    painting.painted(connection, day_rows.ENTERPRISE, name, start, end)
            alone.append(time.perf_counter() - began)
            with database.write() as connection:
                keys = (key(day_rows.ENTERPRISE, name) for name in names)
                mark(connection, Kind.DAY, ((of, day_rows.DAY) for of in keys))
                mark(connection, Kind.LEDGER, [(day_rows.ENTERPRISE, EVER)])
            began = time.perf_counter()
            while (
                days.recompute(database, day_rows.NOW)
                or ledger_days.recompute(database, day_rows.NOW)
                or totals.recompute(database, PROVINCE, day_rows.NOW)
            ):
                pass
            through.append(time.perf_counter() - began)
        database.close()
    yield str(
        Figure(f"{devices:,} machine-days painted alone", [1000 * s / devices for s in alone[1:]], "ms each")
    )
    yield str(Figure("  from dirty to aggregates", [1000 * s / devices for s in through[1:]], "ms each"))
    yield f"  {'machines a second':<46} {devices / median(through[1:]):>9.0f}"
    ratio = median(through[1:]) / median(alone[1:])
    yield f"  {'from dirty to aggregates / painted alone':<46} {ratio:>9.2f} x          goal <= 3"


def _times(ask: Callable[[], object], times: int) -> list[float]:
    """Seconds of each question, after two that nobody counts."""
    found = []
    for _ in range(times + 2):
        began = time.perf_counter()
        ask()
        found.append(time.perf_counter() - began)
    return found[2:]


def _line(name: str, seconds: list[float]) -> str:
    cut = quantiles(seconds, n=20)
    return f"  {name:<46} {1000 * median(seconds):>9.2f} ms p50  {1000 * cut[-1]:>9.2f} ms p95"
