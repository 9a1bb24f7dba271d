"""Front-runners and capacity use: from lists and meters to page, API and plan, against plain loops over the same."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import consumption, ledger
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.tables import register
from ganpo_cloud.web.pages import front_runners
from ganpo_model import credit_code
from support.answering import answering
from support.province import PROVINCE, Plant, listed
from support.recounting import Bills, capacity_uses, days_of, leaders

pytestmark = pytest.mark.usefixtures("each_database")
CODES = [credit_code.completed(f"91360681DEM{n:05d}") for n in range(15)]
MONTHS = [f"{2025 + (n + 10) // 12}-{(n + 10) % 12 + 1:02d}" for n in range(12)]
"""2025-11 to 2026-10: over when it is asked."""
ROD, TUBE, SAND = "copper_rod", "copper_tube", "sand"
MUCH = 9 * 10**12
"""Tonnes of a month: those of two months have more millionths than 64 bits."""
METERED = CODES[10:]
"""They make both, and a process meter measures the rods."""
AREAS = ("360681", "360602")


def made(n: int) -> list[str]:
    """What an enterprise makes."""
    return [ROD, TUBE] if n == 6 or n >= 10 else [ROD]


LISTS: dict[str, list[str]] = {
    "enterprises": [
        f"{code},Firm {n},,{AREAS[n % 2]},NONFERROUS,3211,{'no' if n == 9 else 'yes'},2018-01-01"
        for n, code in enumerate(CODES)
    ],
    "sites": [f"{code},plant-1,Plant,{AREAS[n % 2]},Asia/Shanghai" for n, code in enumerate(CODES)],
    "products": [
        f"{ROD},铜杆,Copper rod,t,NONFERROUS",
        f"{TUBE},铜管,Copper tube,t,NONFERROUS",
        f"{SAND},砂,Sand,t,NONFERROUS",
    ],
    "carriers": [f"{code},{year},electricity" for code in CODES for year in (2025, 2026)],
    "statements": [
        f"{code},{month},electricity,{1000 * (70 + 7 * n + at)},kWh,B-1,Wang,whole"
        for n, code in enumerate(CODES)
        for at, month in enumerate(MONTHS)
        if n != 8 or at > 5
    ],
    "outputs": [
        f"{code},{month},{product},{100 + 3 * n + at}.5,t,{'GX-1' if n >= 10 and product == ROD else ''},O-1,Li"
        for n, code in enumerate(CODES)
        for product in made(n)
        for at, month in enumerate(MONTHS)
        if n != 7 or at > 2
    ]
    + [f"{CODES[6]},2024-{n:02d},{SAND},{MUCH},t,,O-1,Li" for n in range(1, 10)],
    "capacities": [f"{code},{ROD},2026,{1500 + 100 * n},C-1,Li" for n, code in enumerate(CODES) if n % 3]
    + [f"{code},{ROD},2025,{1400 + 100 * n},C-0,Li" for n, code in enumerate(CODES) if n % 2]
    + [f"{CODES[6]},{SAND},2024,{MUCH},C-1,Li"],
}
REGISTER = "GX-1/energy_import#1"
READ = {code: 300 * (20 + n) for n, code in enumerate(METERED)}
"""kWh a day of their process meters; that of the last is read on too few days."""


class Meters(Bills):
    """The bills, and what process meters say beside them."""

    def metered(self, code: str, meter: str, month: str) -> tuple[str, Fraction, int]:
        days = days_of(month)
        unread = code == METERED[-1] and month < "2026-01"
        return "electricity", Fraction(READ[code] * days), 0 if unread else days


def fill(database: Database) -> None:
    """Lists through the importer; meters as the days have them."""
    plant = Plant(database)
    for kind, rows in LISTS.items():
        plant.take(kind, *rows)
    plant.settle()
    first = date(2025, 11, 1)
    with database.write() as connection:
        for code in METERED:
            empty = {"TEXT": "", "BOOLEAN": False, "SMALLINT": 0, "DATE": None}
            row: dict[str, Any] = {
                column.name: None if column.nullable else empty[str(column.type)] for column in ledger.columns
            }
            row |= {"enterprise": code, "asset_no": "GX-1", "since": first, "kind": "meter", "name": "GX-1"}
            row |= {"site": "plant-1", "area": AREAS[0], "industry": "NONFERROUS", "status": "in_use"}
            row |= {"in_service": True, "carrier": "electricity"}
            row |= {"role": "process"}
            connection.execute(ledger.insert().values(row))
            told = {"enterprise": code, "id": REGISTER, "subject": "GX-1", "signal": "energy_import"}
            empty |= {"INTEGER": 0, "BIGINT": 0}
            rest = {c.name: None if c.nullable else empty[str(c.type)] for c in register.columns}
            connection.execute(register.insert().values(rest | told | {"num": 1, "den": 1}))
        sql.add(
            connection,
            consumption,
            (
                (code, REGISTER, day, "GX-1", "electricity", "energy_import", READ[code] * 10**6, 0, 0, seen)
                for code in METERED
                for n in range(365)
                for day, seen in [(first + timedelta(days=n), code != METERED[-1] or n > 60)]
            ),
        )


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with answering(tmp_path, fill) as client:
        yield client


def get(http: httpx.Client, path: str, **asked: str) -> Any:
    answer = http.get(f"/api/v1/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


ASKED: tuple[dict[str, str], ...] = (
    {},
    {"area": "360681"},
    {"scale": "above"},
    {"from": "2026-05", "to": "2026-10"},
    {"as_of": "2026-10-31"},
    {"as_of": "2025-10-31"},
)


def test_who_leads_is_who_a_plain_loop_finds_and_everybody_else_has_one_reason(http: httpx.Client) -> None:
    lists = {kind: listed(kind, LISTS[kind]) for kind in LISTS}
    seen = set()
    for asked in ASKED:
        told = get(http, "front-runners", **asked)
        months = MONTHS if asked.get("as_of") != "2025-10-31" else []
        wanted = leaders(lists, PROVINCE, asked, months, Meters(lists, PROVINCE))
        found = {
            (row["enterprise"], row["product"]): (
                row["kind"] if row["reason"] is None else None,
                row["rank"],
                row["quarter"],
                row["taken_millionths"],
                row["gap_millionths"],
                row["reason"],
            )
            for row in told
        }
        assert found == wanted, asked
        assert len(told) == len(found), "each stands once"
        seen |= {row["reason"] for row in told} | {row["kind"] for row in told if row["rank"]}
    assert seen == {None, "scale", "months", "several_products", "coverage", "whole", "metered"}
    ranked = [row for row in get(http, "front-runners") if row["rank"]]
    assert {row["kind"] for row in ranked} == {"whole"}
    four = [row for row in get(http, "front-runners") if row["kind"] == "metered" and row["reason"] is None]
    assert len(four) == 4, "shown, and not ranked"


def test_page_and_plan_say_what_the_api_says(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    told = get(http, "front-runners")
    page = http.get("/front-runners", params={"lang": "en"}).text
    for row in told:
        assert row["enterprise"] in page
    marks = dict(re.findall(r'data-number="(left_out:energy:\w+) 360000[^"]*">(\d+)<', page))
    for reason in ("months", "several_products", "coverage"):
        assert int(marks[f"left_out:energy:{reason}"]) == sum(row["reason"] == reason for row in told)
    plan = {line["measure"]: line for line in get(http, "plan")}
    ranked = [row for row in told if row["rank"]]
    assert plan["energy_ranked"]["number"]["numerator"] == len(ranked)
    gaps = sum(row["gap_millionths"] for row in ranked)
    assert 0 <= plan["energy_gap"]["number"]["numerator"] - gaps < len(ranked), "each is rounded down"
    assert plan["water_gap"]["note"], "nobody declares water"
    assert "5户" in http.get("/plan", params={"lang": "zh"}).text
    table = http.get("/api/v1/front-runners", params={"format": "csv"}).content.decode("utf-8-sig")
    assert len([*csv.DictReader(io.StringIO(table))]) == len(told)
    monkeypatch.setattr(front_runners, "MOST", 2)
    short = http.get("/front-runners", params={"lang": "en", "scale": ""}).text
    more = sum(max(number - 2, 0) for number in Counter(map(_table, told)).values())
    assert sum(map(int, re.findall(r"and (\d+) more, in the files", short))) == more > 5


def _table(row: dict[str, Any]) -> tuple[str, ...]:
    """Where a row stands on the page: by product and kind, or by the reason why it is left out."""
    return (row["product"], row["kind"]) if row["reason"] is None else (row["reason"],)


def test_capacity_use_is_output_over_the_capacity_of_the_same_months(http: httpx.Client) -> None:
    lists = {kind: listed(kind, LISTS[kind]) for kind in LISTS}
    for asked in (
        {},
        {"area": "360681"},
        {"area": "360602", "as_of": "2026-03-31"},
        {"as_of": "2026-01-15"},
        {"as_of": "2024-10-31"},
    ):
        told = {(row["enterprise"], row["product"]): row for row in get(http, "capacity-use", **asked)}
        wanted = capacity_uses(lists, PROVINCE, asked)
        assert {of: Fraction(row["use"]["numerator"], 10**6) for of, row in told.items()} == {
            of: made for of, (made, _) in wanted.items()
        }
        for of, row in told.items():
            assert 0 <= wanted[of][1] - Fraction(row["use"]["denominator"], 10**6) < Fraction(1, 10**6)
        if "area" in asked:
            continue
        plan = {line["measure"]: line for line in get(http, "plan", **asked)}
        assert plan["capacity_enterprises"]["number"]["numerator"] == len(wanted)
        if not wanted:
            assert plan["capacity_use"]["number"]["numerator"] is None
        else:
            assert (
                plan["capacity_use"]["number"]["numerator"]
                == sum(made for made, _ in wanted.values()) * 10**6
            )
    assert "Equipment use (proxy)" in http.get("/capacity-use", params={"lang": "en"}).text


def test_a_period_that_is_none_is_refused_with_what_to_do(http: httpx.Client) -> None:
    for asked, status, where in (
        ({"from": "2026-11", "to": "2026-11"}, 422, "to"),
        ({"from": "2026-10", "to": "2026-09"}, 422, "from"),
        ({"from": "2024-01", "to": "2026-01"}, 422, "from"),
        ({"medium": "steam"}, 422, "medium"),
        ({"to": "2026-13"}, 422, "to"),
    ):
        answer = http.get("/api/v1/front-runners", params=asked)
        assert (answer.status_code, answer.json()["where"]) == (status, where), answer.text
        assert http.get("/front-runners", params=asked).status_code == status
