"""The lists of the invented province, as people would have written them: they go through the importer."""

import csv
import io
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from ganpo_cloud.imports.kinds import KINDS
from ganpo_cloud.province.divisions import OTHER, Province
from ganpo_demo.fleet import Firm, Fleet

DEADLINE = date(2027, 12, 31)
"""What the operator of the demo entered beside the plan's, which has passed."""


def lists(of: Fleet, province: Province) -> Iterator[tuple[str, bytes]]:
    """Every list, in the order in which they refer to each other."""
    years = sorted({of.first.year, of.last.year})
    yield "enterprises", _csv("enterprises", (_enterprise(firm) for firm in of.firms))
    yield "sites", _csv("sites", ([f.code, "plant-1", f.name, f.county, "Asia/Shanghai"] for f in of.firms))
    yield "equipment", _csv("equipment", (row for firm in of.firms for row in _equipment(firm)))
    yield "flags", _csv("flags", (row for firm in of.firms for row in _flags(firm)))
    yield "population", _csv("population", _population(of, province, years))
    yield "value_added", _csv("value_added", (row for firm in of.firms for row in _value_added(firm, years)))
    yield "carriers", _csv("carriers", (row for firm in of.firms for row in _carriers(firm, years)))
    yield "statements", _csv("statements", (row for firm in of.firms for row in _statements(firm, of)))
    plan = "1.3 目标/融合"
    yield (
        "targets",
        _csv(
            "targets",
            [
                ["T01", province.whole, "", ">=", "60", "2020-12-31", "", "", plan],
                ["T01", province.whole, "", ">=", "60", str(DEADLINE), "", "", "演示 Demo"],
                ["T02", province.whole, "", ">", "10000", "2020-12-31", "", "", plan],
                [
                    "T02",
                    province.whole,
                    "",
                    ">",
                    "150",
                    str(DEADLINE),
                    "",
                    "",
                    "演示 Demo: scaled to 600 devices",
                ],
                [
                    "T03",
                    province.whole,
                    "",
                    "increase_vs_baseline",
                    "",
                    "2020-12-31",
                    "60",
                    str(of.first),
                    plan,
                ],
                [
                    "T04",
                    province.whole,
                    "",
                    "increase_vs_baseline",
                    "",
                    "2020-12-31",
                    "",
                    "",
                    "1.3 目标/绿色",
                ],
                [
                    "T05",
                    province.whole,
                    "",
                    "increase_vs_baseline",
                    "",
                    "2020-12-31",
                    "",
                    "",
                    "1.3 目标/绿色",
                ],
            ],
        ),
    )


def _enterprise(firm: Firm) -> Sequence[str]:
    scale = "yes" if firm.above_scale else "no"
    return [firm.code, firm.name, "", firm.county, firm.industry, firm.gbt4754, scale, "2021-01-01"]


def _equipment(firm: Firm) -> Iterator[Sequence[str]]:
    for tool in firm.tools:
        yield [firm.code, "plant-1", tool.asset_no, tool.name, "in_use", "2021-06-01"]
    if firm.number % 17 == 3:
        yield [firm.code, "plant-1", firm.tools[-1].asset_no, firm.tools[-1].name, "retired", str(firm.until)]


def _flags(firm: Firm) -> Iterator[Sequence[str]]:
    for tool in firm.tools:
        if tool.main:
            yield [firm.code, tool.asset_no, "main", "yes", "claimed", "", "演示 Demo", "2021-06-01"]
        if tool.nc:
            said = ["claimed", ""] if tool.nc == 1 else ["document", f"{firm.number + 1}-{tool.asset_no}"]
            since = str(tool.nc_since)
            yield [firm.code, tool.asset_no, "numerical_control", "yes", *said, "演示 Demo", since]
            yield [firm.code, tool.asset_no, "digital", "yes", *said, "演示 Demo", since]
        if tool.intelligent:
            since = str(tool.nc_since)
            document = f"I-{firm.number + 1}-{tool.asset_no}"
            yield [firm.code, tool.asset_no, "intelligent", "yes", "document", document, "演示 Demo", since]


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
                yield [city, industry, str(year), str(number + more), "演示 Demo"]


def _value_added(firm: Firm, years: Iterable[int]) -> Iterator[Sequence[str]]:
    rng = random.Random(firm.code)
    for year in years:
        if rng.random() < 0.8:
            amount = round(firm.gauges[0].daily * rng.uniform(60, 140))
            yield [firm.code, str(year), str(amount), "2020", "演示 Demo"]


def _carriers(firm: Firm, years: Iterable[int]) -> Iterator[Sequence[str]]:
    for year in years:
        for gauge in firm.gauges:
            yield [firm.code, str(year), gauge.carrier]
        if firm.coal:
            yield [firm.code, str(year), "raw_coal"]


def _statements(firm: Firm, of: Fleet) -> Iterator[Sequence[str]]:
    """Of each month: coal over a weighbridge, and once it is over by the bill what no gateway has seen any of. Some
    enterprises never state their coal, and one bill of thirty is late."""
    coal, bills = random.Random(f"coal {firm.code}"), random.Random(f"bills {firm.code}")
    month = of.first
    while month <= of.last:
        then = (month + timedelta(days=31)).replace(day=1)
        here = [firm.code, f"{month:%Y-%m}"]
        if firm.coal and firm.number % 9:
            quantity = f"{coal.uniform(2e5, 2e6):.1f}"
            yield [*here, "raw_coal", quantity, "kg", "W-1", "演示 Demo", "unmetered"]
        seen = firm.since is not None and firm.since < then and month <= firm.until
        for gauge in () if seen or then > of.last else firm.gauges:
            quantity = f"{gauge.daily / gauge.den * (then - month).days * bills.uniform(0.7, 1.1):.1f}"
            if bills.random() < 29 / 30:
                yield [*here, gauge.carrier, quantity, gauge.unit, "B-1", "演示 Demo", "whole"]
        month = then


def _csv(kind: str, rows: Iterable[Sequence[str]]) -> bytes:
    told = io.StringIO(newline="")
    writer = csv.writer(told)
    writer.writerow(KINDS[kind].columns)
    writer.writerows(rows)
    return told.getvalue().encode()
