"""What the plan asks of the invented province beside its machines: limits on energy, products with output and capacity,
moves to the cloud, tags, and machines that may not run."""

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from ganpo_cloud.province.divisions import Province
from ganpo_demo.fleet import Firm, Fleet, days_between
from ganpo_demo.fleet_products import COAL_KG, PRODUCTS, made
from ganpo_demo.written import WHO, written
from ganpo_model.reference import tags

_LIKELY = {
    "technical_upgrade": 0.45,
    "integration_standard": 0.25,
    "technology_centre": 0.08,
    "green_factory": 0.06,
    "integration_benchmark": 0.05,
    "industrial_platform": 0.01,
}
"""How many enterprises have a tag."""


def lists(of: Fleet, province: Province) -> Iterator[tuple[str, bytes]]:
    """The lists, in the order in which they refer to each other."""
    yield written("limits", _limits(of, province))
    goods = ((industry, product) for industry, some in PRODUCTS.items() for product in some)
    yield written("products", ([p.id, p.zh, p.en, p.unit, industry] for industry, p in goods))
    yield written("outputs", (row for firm in of.firms for row in _outputs(firm, of)))
    yield written("capacities", (row for firm in of.firms for row in _capacities(firm, of)))
    yield written("cloud_moves", (row for firm in of.firms for row in _moves(firm, of)))
    yield written("tags", (*_tags_of_enterprises(of), *_tags_of_areas(of, province)))
    yield written("banned", (row for firm in of.firms for row in _banned(firm, of.first)))


_ROOMS = (1.25, 1.03, 0.88, 1.12)
"""Limits by what is likely to be used: wide, just enough, too narrow."""


def _limits(of: Fleet, province: Province) -> Iterator[Sequence[str]]:
    """Of the province, its cities, two industries and every ninth enterprise; one city divides its own among its
    counties."""
    rng = random.Random(f"limits {of.seed}")
    cities = [area for area, rows in province.areas.items() if rows[-1].kind == "city"]
    pilot = province.above(of.firms[0].county)[1]
    counties = sorted({firm.county for firm in of.firms if pilot in province.above(firm.county)})
    places = [(area, "", rng.choice(_ROOMS)) for area in cities]
    places += [(area, "", _ROOMS[n % len(_ROOMS)]) for n, area in enumerate(counties)]
    places += [(province.whole, industry, rng.choice(_ROOMS)) for industry in ("STEEL", "BUILDMAT")]
    for year in sorted({of.first.year, of.last.year}):
        for area, industry, room in [(province.whole, "", 1.1), *places]:
            here = [
                firm
                for firm in of.firms
                if area in province.above(firm.county) and industry in ("", firm.industry)
            ]
            yield from _limit([area, industry, ""], year, here, province, room)
        for n, firm in enumerate(of.firms[::9]):
            yield from _limit(["", "", firm.code], year, [firm], province, _ROOMS[n % len(_ROOMS)])


def _limit(
    of: Sequence[str], year: int, firms: Sequence[Firm], province: Province, room: float
) -> Iterator[Sequence[str]]:
    """Total and intensity; `room`: the limit by what is likely to be used."""
    tce = sum(_tce(firm, province, year) for firm in firms)
    yuan = sum(100 * firm.gauges[0].daily for firm in firms)
    told = f"{WHO} 双控{year}"
    if tce:
        yield [*of, str(year), "total_tce", f"{tce * room:.0f}", "", told, WHO]
        yield [*of, str(year), "intensity", f"{tce * room / yuan * 10_000:.4f}", "2020", told, WHO]


def _tce(firm: Firm, province: Province, year: int) -> float:
    """What an enterprise uses in a year, about."""
    day = date(year, 1, 1)
    days = 328.0 if firm.since is None else 347.0 if firm.pattern == "three" else 305.0
    used = {gauge.carrier: gauge.daily / gauge.den * days for gauge in firm.gauges}
    if firm.coal and firm.number % 9:
        used["raw_coal"] = COAL_KG * 12.0
    return float(province.coefficients.tce({of: int(many * 10**6) for of, many in used.items()}, day))


def _months(of: Fleet) -> Iterator[tuple[date, date]]:
    """First and last day of the months that are over."""
    month = of.first
    while (then := (month + timedelta(days=31)).replace(day=1)) <= of.last:
        yield month, then - timedelta(days=1)
        month = then


def _outputs(firm: Firm, of: Fleet) -> Iterator[Sequence[str]]:
    """Of each month that is over. One enterprise of eight has made nothing for a quarter of a year."""
    rng = random.Random(f"outputs {firm.code}")
    idle = firm.number % 8 == 5
    for product in made(firm):
        meters = product.gauge.asset_no if product.gauge is not None else ""
        for n, (first, last) in enumerate(_months(of)):
            planned = sum(firm.pattern == "three" or day.weekday() < 6 for day in days_between(first, last))
            quantity = product.daily * planned * 0.95 * rng.uniform(0.93, 1.07) * (not (idle and 2 <= n < 5))
            told = [f"{quantity:.1f}", product.product.unit, meters, WHO, WHO]
            yield [firm.code, f"{first:%Y-%m}", product.product.id, *told]


def _capacities(firm: Firm, of: Fleet) -> Iterator[Sequence[str]]:
    for product in made(firm):
        for year in sorted({of.first.year, of.last.year}):
            capacity = f"{product.daily * 330 / product.use:.0f}"
            yield [firm.code, product.product.id, str(year), capacity, WHO, WHO]


def _moves(firm: Firm, of: Fleet) -> Iterator[Sequence[str]]:
    """Business systems more often than a data centre; one of twenty came back from it."""
    rng = random.Random(f"moves {firm.code}")
    for kind, likely in (("data_centre", 0.2), ("business_systems", 0.4)):
        if rng.random() < likely:
            since = date(2022, 1, 1) + timedelta(days=rng.randrange(1200))
            yield [firm.code, kind, "yes", WHO, WHO, str(since)]
            if rng.random() < 0.05:
                yield [firm.code, kind, "no", WHO, WHO, str(of.first + timedelta(days=45))]


def _tags_of_enterprises(of: Fleet) -> Iterator[Sequence[str]]:
    """A few have ended."""
    for tag, likely in _LIKELY.items():
        rng = random.Random(f"{tag} {of.seed}")
        for n, firm in enumerate(of.firms):
            since = date(2018, 7, 1) + timedelta(days=rng.randrange(2400))
            ended = str(of.first + timedelta(days=60)) if rng.random() < 0.04 else ""
            if rng.random() < likely or n == 0:
                yield [
                    tag,
                    firm.code,
                    "",
                    "",
                    str(since),
                    ended,
                    f"{WHO} {tags()[tag].name_zh} {since.year}",
                    WHO,
                ]


def _tags_of_areas(of: Fleet, province: Province) -> Iterator[Sequence[str]]:
    """One city as a whole, an industry in a county each, parks and zones where enterprises are."""
    rng = random.Random(f"areas {of.seed}")
    began = ["2021-01-01", "", WHO, WHO]
    yield ["pilot_comprehensive", "", province.above(of.firms[0].county)[1], "", *began]
    counties: dict[str, str] = {}
    for firm in of.firms:
        if firm.industry not in counties and firm.county not in counties.values():
            counties[firm.industry] = firm.county
    for industry, county in sorted(counties.items()):
        yield ["pilot_special", "", county, industry, *began]
    some = sorted({firm.county for firm in of.firms})
    for tag, many in (("intelligent_base", 2), ("green_park", 3), ("zone", 6)):
        for county in rng.sample(some, min(many, len(some))):
            yield [tag, "", county, "", *began]


def _banned(firm: Firm, first: date) -> Iterator[Sequence[str]]:
    """Of every ninth enterprise with several machines the last one, where no gateway sees it: none of them runs."""
    tool = firm.tools[-1]
    if firm.number % 9 == 4 and len(firm.tools) > 1 and not tool.connected:
        kind = "forbidden" if firm.industry == "STEEL" else "outdated"
        yield [firm.code, tool.asset_no, kind, str(first), f"{WHO} 淘汰目录", "", "", WHO]
