"""Lists of devices and enterprises: what is asked of them, in which order, is what plain loops over the ledger say."""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import ledger, production
from ganpo_cloud.store.database import Database
from support.answering import answering
from support.province import NOW

pytestmark = pytest.mark.usefixtures("each_database")
TODAY = NOW.date()
COUNTIES = ("360681", "360121", "360731")
AGES = (None, "active", "seen", "silent", "gone")
Row = dict[str, Any]


def devices() -> list[Row]:
    chance = random.Random(20180615)
    found = []
    for n in range(60):
        age = AGES[n % 5]
        row: Row = {
            "enterprise": f"E{n // 4:02d}",
            "asset_no": f"SB-{n:03d}",
            "kind": "equipment",
            "name": chance.choice(["车床", "Press 7%", "press_a", "铣床"]),
            "area": COUNTIES[n // 4 % 3],
            "industry": ("FOOD", "NONFERROUS")[n // 4 % 2],
            "status": "in_use",
            "in_service": True,
            "main": n % 3,
            "numerical_control": chance.randrange(4),
            "networked": age is not None,
            "cloud": age is not None,
            "age": age,
        }
        row["last_good"] = (
            TODAY - timedelta(days=chance.randrange(15, 120)) if age in ("silent", "gone") else None
        )
        found.append(row)
    return found


DEVICES = devices()


def fill(database: Database) -> None:
    plain: Row = {column.name: None if column.nullable else 0 for column in ledger.columns}
    plain |= dict.fromkeys(("name", "site", "area", "industry", "status", "asset_no"), "")
    plain |= dict.fromkeys(("in_service", "retired", "above_scale", "networked", "cloud"), False)
    plain |= {"since": date(2020, 1, 1)}
    firms = {row["enterprise"]: row | {"asset_no": "", "kind": "enterprise"} for row in DEVICES}
    days: Row = {column.name: None if column.nullable else 0 for column in production.columns}
    days |= {"watched": True, "known": True, "age": "silent"}
    with database.write() as connection:
        for row in (*DEVICES, *firms.values()):
            named = plain | row
            sql.replace(connection, ledger, [tuple(named[column.name] for column in ledger.columns)])
            if row["kind"] == "equipment" and (last := row["last_good"]):
                for day, good in (
                    (last, True),
                    (last - timedelta(days=9), True),
                    (last + timedelta(days=3), False),
                ):
                    key = {
                        "enterprise": row["enterprise"],
                        "subject": row["asset_no"],
                        "day": day,
                        "good": good,
                    }
                    one = days | key
                    sql.replace(connection, production, [tuple(one[c.name] for c in production.columns)])


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with answering(tmp_path, fill) as client:
        yield client


ASKED: list[tuple[dict[str, str], Callable[[Row], bool]]] = [
    ({}, lambda row: True),
    ({"age": "silent"}, lambda row: row["age"] == "silent"),
    ({"age": "never"}, lambda row: row["age"] is None),
    ({"evidence": "claimed"}, lambda row: row["numerical_control"] == 1),
    (
        {"measure": "nc_declared", "without": "nc_proven"},
        lambda row: row["main"] > 0 and row["numerical_control"] in (1, 2),
    ),
    (
        {"silent_since": "2026-10-10"},
        lambda row: row["last_good"] is not None and row["last_good"] < date(2026, 10, 10),
    ),
    (
        {"area": COUNTIES[1], "industry": "FOOD"},
        lambda row: row["area"] == COUNTIES[1] and row["industry"] == "FOOD",
    ),
    ({"q": "press"}, lambda row: "press" in row["name"].lower()),
    ({"q": "7%"}, lambda row: "7%" in row["name"]),
    ({"q": "e03"}, lambda row: row["enterprise"] == "E03"),
    ({"q": "SB-01", "age": "gone"}, lambda row: row["asset_no"].startswith("SB-01") and row["age"] == "gone"),
]


def test_what_is_asked_of_a_list_is_what_plain_loops_find(http: httpx.Client) -> None:
    for asked, wanted in ASKED:
        answer = http.get("/api/v1/equipment", params=asked)
        found = [row["asset_no"] for row in answer.json()]
        assert found == [row["asset_no"] for row in DEVICES if wanted(row)], asked
        assert answer.headers["x-total-count"] == str(len(found))
        page = http.get("/equipment", params=asked | {"lang": "en"})
        assert f'title">{len(found)} devices' in page.text, asked
    silent = http.get("/api/v1/equipment", params={"age": "silent"}).json()
    assert [row["last_good"] for row in silent] == [
        str(r["last_good"]) for r in DEVICES if r["age"] == "silent"
    ]


def test_every_column_sorts_both_ways_and_pages_hold_every_row_once(http: httpx.Client) -> None:
    key: dict[str, Callable[[Row], Any]] = {name: itemgetter(name) for name in DEVICES[0]}
    key["age"] = lambda row: AGES.index(row["age"])
    for column in (
        "enterprise",
        "asset_no",
        "name",
        "area",
        "industry",
        "numerical_control",
        "networked",
        "age",
    ):
        for falling in (False, True):
            wanted = sorted(DEVICES, key=lambda r: (r["enterprise"], r["asset_no"]))
            wanted.sort(key=key[column], reverse=falling)
            if column == "age":  # what was never seen stands last
                wanted.sort(key=lambda row: row["age"] is None)
            told = ("-" if falling else "") + column
            pages = [
                http.get("/api/v1/equipment", params={"sort": told, "limit": "25", "page": f"{n}"}).json()
                for n in (1, 2, 3)
            ]
            assert [row["asset_no"] for page in pages for row in page] == [
                row["asset_no"] for row in wanted
            ], told
    assert 'aria-sort="descending"' in http.get("/equipment?sort=-age").text


def test_enterprises_sort_by_their_counts_and_rates(http: httpx.Client) -> None:
    codes = sorted({row["enterprise"] for row in DEVICES})
    own = {code: [row for row in DEVICES if row["enterprise"] == code] for code in codes}
    main = {code: [row for row in own[code] if row["main"]] for code in codes}
    nc = {code: sum(row["numerical_control"] >= 2 for row in main[code]) for code in codes}
    cloud = {code: sum(row["age"] not in (None, "gone") for row in own[code]) for code in codes}
    for column, of in (("nc", nc), ("cloud", cloud), ("nc_rate", {c: nc[c] / len(main[c]) for c in codes})):
        for sign in ("", "-"):
            found = http.get("/api/v1/enterprises", params={"sort": sign + column}).json()
            wanted = sorted(codes, key=lambda code: of[code], reverse=bool(sign))
            assert [row["code"] for row in found] == wanted, sign + column
            assert {row["code"]: row["nc"] for row in found} == nc
    assert 'aria-sort="descending"' in http.get("/enterprises?sort=-nc_rate").text


def test_what_a_list_cannot_be_asked_is_refused_with_what_it_can(http: httpx.Client) -> None:
    for asked, told in (
        ({"sort": "weight"}, "none of enterprise, asset_no"),
        ({"age": "old"}, "is none of"),
        ({"evidence": "sworn"}, "is none of"),
        ({"silent_since": "Monday"}, "not a date like"),
        ({"sorted": "name"}, "no such parameter"),
    ):
        answer = http.get("/api/v1/equipment", params=asked)
        assert answer.status_code == 422, asked
        assert told in answer.json()["title"], answer.text
    nothing = http.get("/equipment", params={"q": "nobody", "lang": "en"}).text
    assert "Nothing here is as it is asked for." in nothing
