"""The lists of the invented province, as people would have written them: they go through the importer."""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from ganpo_cloud.province.divisions import OTHER, Province
from ganpo_demo import fleet_plan, fleet_trees
from ganpo_demo.fleet import Firm, Fleet
from ganpo_demo.fleet_products import COAL_KG
from ganpo_demo.written import WHO, written

YEARS_AHEAD = 2
"""Of the deadlines that the operator of the demo entered beside the plan's, which have passed; from its own clock."""

_COUNTED = (
    ("T14", "3.1 技术创新", 100, 20),
    ("T15", "3.2 技术改造", 100, 60),
    ("T18", "3.3 数字化", 300, 60),
    ("T19", "3.3 数字化", 100, 15),
    ("T30", "3.7 优质企业", 1_500, 25),
    ("T32", "4.2 先行先试", 1, 1),
    ("T33", "4.2 先行先试", 8, 8),
)
"""What the plan asks of enterprises and areas, with its section; and what the demo does."""
_THRESHOLDS = (("lines_and_workshops", 80), ("nodes_factory", 30), ("intelligent_base", 3))


def lists(of: Fleet, province: Province) -> Iterator[tuple[str, bytes]]:
    """Every list, in the order in which they refer to each other."""
    years = sorted({of.first.year, of.last.year})
    yield written("enterprises", (row for firm in of.firms for row in _enterprise(firm, province)))
    yield written("sites", ([f.code, "plant-1", f.name, f.county, "Asia/Shanghai"] for f in of.firms))
    yield written("equipment", (row for firm in of.firms for row in _equipment(firm)))
    yield written("flags", (row for firm in of.firms for row in _flags(firm)))
    yield written("population", _population(of, province, years))
    yield written("value_added", (row for firm in of.firms for row in _value_added(firm, of.last, years)))
    yield written("carriers", (row for firm in of.firms for row in _carriers(firm, years)))
    yield written("statements", (row for firm in of.firms for row in _statements(firm, of)))
    yield written("targets", _targets(of, province.whole))
    yield from fleet_trees.lists(of)
    yield from fleet_plan.lists(of, province)


def _targets(of: Fleet, whole: str) -> Iterator[Sequence[str]]:
    """Those of the plan, whose deadline has passed, and what the operator of the demo entered beside them."""
    ahead = str(date(of.last.year + YEARS_AHEAD, of.last.month, 28))
    passed, plan, green = "2020-12-31", "1.3 目标/融合", "1.3 目标/绿色"
    yield ["T01", whole, "", ">=", "60", passed, "", "", plan, WHO]
    yield ["T01", whole, "", ">=", "60", ahead, "", "", WHO, WHO]
    yield ["T02", whole, "", ">", "10000", passed, "", "", plan, WHO]
    yield ["T02", whole, "", ">", "150", ahead, "", "", f"{WHO} 按600台缩放 scaled to 600 devices", WHO]
    yield ["T03", whole, "", "increase_vs_baseline", "", passed, "60", str(of.first), plan, WHO]
    for target, section, asked, ours in _COUNTED:
        yield [target, whole, "", ">=", str(asked), passed, "", "", section, WHO]
        yield [target, whole, "", ">=", str(ours), ahead, "", "", f"{WHO} 按200户缩放 scaled to 200", WHO]
    for target, ours in _THRESHOLDS:
        yield [target, whole, "", ">=", str(ours), ahead, "", "", f"{WHO} 万千百十", WHO]
    for target in ("T04", "T05"):
        yield [target, whole, "", "increase_vs_baseline", "", passed, "", "", green, WHO]


def _enterprise(firm: Firm, province: Province) -> Iterator[Sequence[str]]:
    """One of four was there before the plan, and became above scale while it ran, or left the scale."""
    of = [firm.code, firm.name, "", firm.county, firm.industry, firm.gbt4754]
    rng, scale = random.Random(f"scale {firm.code}"), ("no", "yes")
    before, changed = date(2016, 1, 1), date(rng.randint(2018, 2020), rng.randint(1, 12), 1)
    if rng.random() < 0.3 and province.area(firm.county, before) is not None:
        yield [*of, scale[not firm.above_scale], str(before)]
        yield [*of, scale[firm.above_scale], str(changed)]
    yield [*of, scale[firm.above_scale], "2021-01-01"]


def _equipment(firm: Firm) -> Iterator[Sequence[str]]:
    for tool in firm.tools:
        yield [firm.code, "plant-1", tool.asset_no, tool.name, "in_use", "2021-06-01"]
    if firm.number % 17 == 3:
        yield [firm.code, "plant-1", firm.tools[-1].asset_no, firm.tools[-1].name, "retired", str(firm.until)]


def _flags(firm: Firm) -> Iterator[Sequence[str]]:
    for tool in firm.tools:
        if tool.main:
            yield [firm.code, tool.asset_no, "main", "yes", "claimed", "", WHO, "2021-06-01"]
        if tool.nc:
            said = ["claimed", ""] if tool.nc == 1 else ["document", f"{firm.number + 1}-{tool.asset_no}"]
            since = str(tool.nc_since)
            yield [firm.code, tool.asset_no, "numerical_control", "yes", *said, WHO, since]
            yield [firm.code, tool.asset_no, "digital", "yes", *said, WHO, since]
        if tool.intelligent:
            since = str(tool.nc_since)
            document = f"I-{firm.number + 1}-{tool.asset_no}"
            yield [firm.code, tool.asset_no, "intelligent", "yes", "document", document, WHO, since]


def _population(of: Fleet, province: Province, years: Iterable[int]) -> Iterator[Sequence[str]]:
    rng = random.Random(of.seed)
    here: dict[tuple[str, str], int] = {}
    for firm in of.firms:
        city = province.above(firm.county)[1]
        here[city, firm.industry] = here.get((city, firm.industry), 0) + 1
    cities = [area for area, rows in province.areas.items() if rows[-1].kind == "city"]
    for city in cities:
        for industry in province.industries:
            if industry == OTHER:
                continue
            number = here.get((city, industry), 0)
            more = rng.randrange(0, 3)
            for year in years:
                yield [city, industry, str(year), str(number + more), WHO]


def _value_added(firm: Firm, last: date, years: Iterable[int]) -> Iterator[Sequence[str]]:
    """Of each year that is over, and of the one that runs until the last month that is; of every third enterprise month
    by month, cumulative."""
    rng, monthly = random.Random(firm.code), random.Random(f"monthly {firm.code}")
    for year in years:
        if rng.random() < 0.8:
            amount = round(firm.gauges[0].daily * rng.uniform(60, 140))
            parts = [monthly.uniform(0.8, 1.2) for _ in range(12)]
            over = 12 if year < last.year else last.month - 1
            if over == 12:
                yield [firm.code, str(year), str(amount), "2020", WHO, ""]
            for month in range(1 if firm.number % 3 == 0 else max(over, 1), over + 1):
                sofar = round(amount * sum(parts[:month]) / sum(parts))
                yield [firm.code, str(year), str(sofar), "2020", WHO, f"{year}-{month:02d}"]


def _carriers(firm: Firm, years: Iterable[int]) -> Iterator[Sequence[str]]:
    for year in years:
        for gauge in firm.gauges:
            yield [firm.code, str(year), gauge.carrier]
        if firm.coal:
            yield [firm.code, str(year), "raw_coal"]


def _statements(firm: Firm, of: Fleet) -> Iterator[Sequence[str]]:
    """Of each month: coal over a weighbridge, and once it is over by the bill what no gateway has seen any of. Three of
    four have the bills of last year too. Some enterprises never state their coal, some no longer send their bills, and
    one bill of thirty is late."""
    coal, bills = random.Random(f"coal {firm.code}"), random.Random(f"bills {firm.code}")
    month = of.first
    if of.first.year < of.last.year and firm.number % 4:
        month = date(of.last.year - 1, 1, 1)
    stopped = firm.since is None and firm.number % 11 == 7
    while month <= of.last:
        then = (month + timedelta(days=31)).replace(day=1)
        here = [firm.code, f"{month:%Y-%m}"]
        if stopped and month.year == of.last.year:
            return
        if firm.coal and firm.number % 9:
            quantity = f"{coal.uniform(0.7, 1.3) * COAL_KG:.1f}"
            yield [*here, "raw_coal", quantity, "kg", "W-1", WHO, "unmetered"]
        seen = firm.since is not None and firm.since < then and month <= firm.until
        for gauge in () if seen or then > of.last else firm.gauges:
            quantity = f"{gauge.daily / gauge.den * (then - month).days * bills.uniform(0.8, 1.0):.1f}"
            if bills.random() < 29 / 30:
                yield [*here, gauge.carrier, quantity, gauge.unit, "B-1", WHO, "whole"]
        month = then
