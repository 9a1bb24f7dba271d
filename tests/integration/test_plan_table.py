"""All 34 rows of the plan in the province of the demo: each number as the product tells it over both databases, beside
what plain loops count from lists and facts. With -s it prints the table."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud import computing
from ganpo_cloud.days import days
from ganpo_cloud.province import signing
from ganpo_cloud.store.database import Database
from ganpo_cloud.web.application import create_app
from ganpo_demo.fleet import fleet
from ganpo_demo.seeding import Seeding
from support import databases
from support.campaign import rounds
from support.invented import SEED
from support.plants import TestClock
from support.province import NOW, PROVINCE, Plant, listed
from support.recounting_plan import Number, PlanRecount
from support.serving import Served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
TODAY = date(2026, 11, 28)
FLEET = fleet(SEED, TODAY - timedelta(days=1), PROVINCE, enterprises=rounds(12, 60), devices=rounds(18, 120))
INTENSITIES = ("energy_intensity", "water_intensity", "dual_intensity")
QUANTITIES = (
    "dual_total",
    "dual_total_ratio",
    "dual_intensity_ratio",
    "energy_gap",
    "water_gap",
    "assessment_points",
)
RUNS = next(firm for firm in FLEET.firms if len(firm.watched()) > 1 and firm.until == FLEET.last)
"""A machine of it that its gateway sees is banned a week ago, and runs on."""
CITY, COUNTY = PROVINCE.above(RUNS.county)[1], RUNS.county
"""Where their assessment of last year is published."""


def ban() -> str:
    return f"{RUNS.code},{RUNS.watched()[-1].asset_no},forbidden,{TODAY - timedelta(days=7)},Doc,,,Li"


@contextmanager
def answered(folder: Path, kind: str) -> Iterator[httpx.Client]:
    """The demo's province in a database of a kind, asked at its API."""
    databases.choose(kind)
    database: Database = databases.database(folder / kind) if kind == "sqlite" else databases.database(folder)
    seeding = Seeding(database, PROVINCE, FLEET)
    seeding.registry(NOW)
    Plant(database).take("banned", ban())
    for firm in FLEET.firms:
        seeding._firm(firm, FLEET.first, FLEET.last)
    while days.recompute(database, NOW, PROVINCE.holidays):
        pass
    computing.settle(database, PROVINCE, NOW)
    for area in (CITY, COUNTY):
        signing.publish(database, PROVINCE, area, 2025, "Li", NOW)
    app = create_app(database, TestClock(wall=NOW), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        yield http
    database.close()
    databases.choose("sqlite")


def told(http: httpx.Client, area: str, industry: str | None) -> dict[str, dict[str, Any]]:
    """The plan by what is measured; a row without a number by its id."""
    asked = {"area": area} | ({"industry": industry} if industry else {})
    answer = http.get("/api/v1/plan", params=asked)
    assert answer.status_code == 200, answer.text
    return {line["measure"] or line["id"]: line for line in answer.json()}


def in_units(name: str, number: dict[str, Any]) -> Number:
    """As the loops have it: quantities and intensities in their units, over 10,000 CNY."""
    numerator, denominator = number["numerator"], number["denominator"]
    if numerator is None or name in ("nc_rate_main", "availability", "technical_upgrade"):
        return numerator, denominator
    if name in INTENSITIES:
        return (Fraction(numerator, denominator), 1) if denominator else (None, None)
    return (Fraction(numerator, 10**6) if name in QUANTITIES else numerator), denominator


def same(name: str, found: Number, counted: Number) -> bool:
    """Counts and rates exactly; of what is rounded down once for each enterprise so much less at most."""
    if name in INTENSITIES and counted[0] is not None and counted[1] is not None:
        # millionths of tce over fen: of 10,000 CNY a million fen
        counted = Fraction(counted[0]) / Fraction(counted[1]), 1
    if found[0] is None or counted[0] is None:
        return (found[0], counted[0]) == (None, None)
    if name in INTENSITIES:
        return bool(abs(found[0] - counted[0]) < Fraction(1, 10**8))
    if name in QUANTITIES:
        return bool(abs(found[0] - counted[0]) <= Fraction(len(FLEET.firms), 10**6))
    if name == "capacity_use":
        able = abs(10**6 * counted[1] - found[1])
        return bool(10**6 * counted[0] == found[0] and able <= len(FLEET.firms))
    return found == counted


@pytest.mark.usefixtures("postgresql")
def test_all_34_rows_are_what_plain_loops_count_over_both_databases(tmp_path: Path) -> None:
    by_hand = PlanRecount(FLEET, PROVINCE, TODAY, [CITY, COUNTY])
    by_hand.lists["banned"] += listed("banned", [ban()])
    places = [
        (PROVINCE.whole, None),
        (CITY, None),
        (COUNTY, None),
        (PROVINCE.whole, "STEEL"),
        (CITY, RUNS.industry),
    ]
    shown: dict[str, list[str]] = {}
    compared = 0
    for kind in databases.KINDS:
        with answered(tmp_path, kind) as http:
            for place in places:
                rows, counted = told(http, *place), by_hand.plan(*place)
                assert {line["id"] for line in rows.values()} == {aim.id for aim in PROVINCE.plan}
                assert counted.keys() == {name for name, line in rows.items() if line["measure"]}, (
                    "each is counted"
                )
                for name, line in rows.items():
                    if line["measure"] is None:
                        assert line["why_en"], line["id"]
                        shown.setdefault(name, [line["id"], line["why_en"]])
                        continue
                    found = in_units(name, line["number"])
                    assert same(name, found, counted[name]), (kind, place, name, found, counted[name])
                    compared += 1
                    if place[0] == PROVINCE.whole and place[1] is None:
                        shown.setdefault(name, [line["id"], name, text(counted[name])]).append(text(found))
    for cells in sorted(shown.values()):
        print(" | ".join(cells))
    assert len({cells[0] for cells in shown.values()}) == 34
    assert compared == 2 * len(places) * (len(shown) - 13)


def text(number: Number) -> str:
    """For people, cut at the sixth decimal."""
    some, every = number
    if some is None:
        return "-"
    if isinstance(some, Fraction) and isinstance(every, Fraction):
        some, every = some / every, None
    told = f"{float(some):,.6f}".rstrip("0").rstrip(".")
    return told if every in (None, 1) else f"{told} / {float(every):,.6f}".rstrip("0").rstrip(".")
