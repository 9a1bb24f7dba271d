"""Dual control: what a year comes to against its limits, from lists to page and API, counted again by plain loops."""

import csv
import io
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from ganpo_cloud.imports import registry
from ganpo_cloud.imports.kinds import KINDS
from ganpo_cloud.province import dual_control, limits, totals
from ganpo_cloud.province.dual_control import Course, DualControl
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import area_day, outlook
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.described import Ratio
from ganpo_cloud.store.marks import planned_anew
from ganpo_cloud.store.registry_tables import limit
from ganpo_cloud.web.application import create_app
from ganpo_cloud.web.pages import dual_control as page_of
from ganpo_model.facts import CalendarItem, ShiftItem
from support import databases, recounting
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise, inventory
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
CITY, MONTH = "360700", "2026-10"
OLD, NEW, QUIET, AWAY = CODES
TCE = Fraction("0.1229")
"""Of 1,000 kWh."""


def bills(code: str, year: int, kwh: int, months: range) -> list[str]:
    return [f"{code},{year}-{n:02d},electricity,{kwh},kWh,bill,Li," for n in months]


LISTS: dict[str, list[str]] = {
    "enterprises": [enterprise(OLD, "360703"), enterprise(NEW, "360704", "1310", "FOOD"),
                    enterprise(QUIET, "360703"), enterprise(AWAY, "360102")],
    "sites": [f"{NEW},plant-1,Plant,360704,Asia/Shanghai"],
    "calendars": [f"{NEW},plant-1,2020-01-01,,day,mon-fri,08:00,17:00,"],
    "carriers": [f"{code},{year},electricity" for code in CODES for year in (2025, 2026)],
    "statements": [
        *bills(OLD, 2025, 1_000_000, range(1, 13)), *bills(OLD, 2026, 1_200_000, range(1, 11)),
        *bills(NEW, 2026, 500_000, range(1, 11)), *bills(QUIET, 2025, 100_000, range(1, 13)),
        *bills(AWAY, 2025, 700_000, range(1, 13)), *bills(AWAY, 2026, 700_000, range(1, 11)),
    ],
    "value_added": [
        f"{OLD},2025,90000000,2020,S,2025-09", f"{OLD},2025,120000000,2020,S,", f"{OLD},2026,108000000,2020,S,2026-06",
        f"{OLD},2026,162000000,2020,S,2026-09", f"{NEW},2026,40000000,2020,S,2026-10",
    ],
    "limits": [
        f"{CITY},,,2026,total_tce,2600,,old,Li", f"{CITY},,,2026,intensity,0.12,2020,plan,Li",
        "360000,,,2026,total_tce,4000,,plan,Li", f"{CITY},NONFERROUS,,2026,total_tce,1769.76,,plan,Li",
        f",,{OLD},2026,total_tce,1900,,plan,Li", f",,{NEW},2026,intensity,0.1,2020,plan,Li",
    ],
}  # fmt: skip


def fill(database: Database) -> None:
    plant = Plant(database)
    for kind, rows in LISTS.items():
        plant.take(kind, *rows)
    plant.take("limits", f"{CITY},,,2026,total_tce,2600.5,,newer,Wang", now=NOW + timedelta(minutes=5))
    plant.settle()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.filled(tmp_path, fill))
    yield plant
    plant.database.close()


def read(http: httpx.Client, path: str) -> str:
    """What a page of the city reads."""
    page = http.get(path, params={"area": CITY, "lang": "en"}).text
    return " ".join(re.sub("<style.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL).split()).replace(
        " ;", ";"
    )


def course(
    plant: Plant, kind: str = "total_tce", area: str = CITY, industry: str = "", month: str = MONTH
) -> Course:
    with plant.database.read() as connection:
        found = DualControl(connection, PROVINCE, month).places([area], [industry])
    return next(row for row in found if row.kind == kind)


def listed(*more: tuple[str, list[str]]) -> dict[str, list[dict[str, str]]]:
    said = {kind: [*rows] for kind, rows in LISTS.items()}
    for kind, rows in more:
        said[kind] += rows
    return {
        kind: list(csv.DictReader(io.StringIO("\n".join([",".join(KINDS[kind].columns), *rows]))))
        for kind, rows in said.items()
    }


def test_a_city_by_hand(plant: Plant) -> None:
    """OLD goes on as last year: 12,000,000 kWh; NEW evenly: 5,000,000 kWh over its planned days; QUIET says nothing."""
    total = course(plant)
    assert (total.by_last_year, total.by_linear, total.by_none) == (1, 1, 1)
    assert total.value(total.to_date) == 17_000 * TCE
    row = course(plant, industry="FOOD")
    expected, used = row.value(row.projected), row.value(row.to_date)
    assert used == 5_000 * TCE
    assert expected is not None
    # 2026 has 245 or so working days of which some 40 lie in November and December; holidays.csv says which.
    assert Fraction(116, 100) < expected / used < Fraction(125, 100)
    assert total.value(total.projected) == 14_400 * TCE + expected, "QUIET adds what it used: nothing"
    nonferrous = course(plant, industry="NONFERROUS")
    assert (nonferrous.share, nonferrous.light) == (Fraction(1), "hatched"), (
        "QUIET declares and says nothing: 10 of 20 months"
    )
    value = course(plant, "intensity", industry="NONFERROUS")
    assert value.value(value.to_date) == 10_800 * TCE / 16_200, "until September, both"
    assert value.value(value.projected) == 14_400 * TCE / 21_600, "120 x 162 / 90 million CNY"


def test_every_place_and_month_as_plain_loops_count_it(plant: Plant) -> None:
    compared = 0
    for month in ("2026-01", "2026-02", "2026-06", "2026-09", MONTH, "2025-12", "2025-05"):
        for area in (CITY, "360000", "360703", "360704", "360102"):
            told = recounting.dual(listed(), PROVINCE, month, area)
            total, value = (course(plant, kind, area, month=month) for kind in limits.KINDS)
            assert (total.value(total.to_date) or 0) == told.used, (month, area)
            ways = {"last_year": total.by_last_year, "linear": total.by_linear, "none": total.by_none}
            assert ways == told.ways, (month, area)
            got, whole = total.value(total.projected), told.whole
            assert (got is None) == (whole is None), (month, area)
            if got is not None and whole is not None:
                assert 0 <= whole - got < Fraction(4, 10**6), (month, area, "rounded down once a firm")
                compared += 1
            then, year = told.intensity, told.intensity_of_the_year
            assert (then is None, year is None) == (value.to_date is None, value.projected is None)
            if then is not None:
                assert abs((value.value(value.to_date) or 0) - then) < Fraction(1, 10**9)
                compared += 1
            if year is not None:
                assert abs((value.value(value.projected) or 0) - year) < Fraction(1, 10**9)
                compared += 1
    assert compared > 20


def test_of_an_enterprise_that_moves_what_is_ahead_is_where_it_went(plant: Plant) -> None:
    before, left = course(plant), course(plant, area="360703")
    assert left.value(left.projected) == 14_400 * TCE
    plant.take("enterprises", enterprise(OLD, "360704").replace("2018-01-01", "2026-07-01"))
    plant.settle()
    after, left, there = course(plant), course(plant, area="360703"), course(plant, area="360704")
    assert left.value(left.to_date) == left.value(left.projected) == 7_200 * TCE, (
        "January to June, and no more"
    )
    assert after.projected == before.projected, "the city has the same"
    whole, moved = after.value(after.projected), there.value(there.projected)
    assert whole is not None
    assert moved == whole - 7_200 * TCE
    assert (left.by_last_year, there.by_last_year, after.by_last_year) == (1, 1, 1), (
        "at each that it was at; once above"
    )


def test_what_is_missing_hatches_and_what_is_above_stays_above(plant: Plant) -> None:
    plant.take(
        "limits", f"{CITY},NONFERROUS,,2026,total_tce,1769.75,,tighter,Wang", now=NOW + timedelta(minutes=6)
    )
    assert course(plant, industry="NONFERROUS").light == "red"
    plant.take("statements", *bills(QUIET, 2026, 1, range(1, 11)))
    plant.settle()
    row = course(plant, industry="NONFERROUS")
    assert (row.by_last_year, row.by_none, row.light) == (2, 0, "red")
    plant.take(
        "limits", f"{CITY},NONFERROUS,,2026,total_tce,2000,,wider,Wang", now=NOW + timedelta(minutes=7)
    )
    assert course(plant, industry="NONFERROUS").light == "green"
    early = course(plant, industry="FOOD", month="2026-01")
    assert (early.projected, early.why) == (None, dual_control.TOO_LITTLE), "30 planned days are not gone"


def test_a_month_whose_last_day_runs_is_not_over(plant: Plant) -> None:
    now = NOW + timedelta(days=2)
    plant.settle(now)
    app = create_app(plant.database, TestClock(wall=now), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http:
        whole, *_ = http.get("/dual-control", params={"area": CITY}).json()
        assert (whole["month"], whole["light"]) == (MONTH, "hatched")
        assert http.get("/dual-control", params={"month": "2026-11"}).status_code == 422
        assert http.get("/front-runners", params={"to": "2026-11"}).status_code == 422
        assert http.get("/dual-control", params={"as_of": "2026-10-31"}).json()[0]["month"] == MONTH
        rows = http.get("/plan", params={"area": CITY}).json()
    (total,) = [row["number"]["numerator"] for row in rows if row["measure"] == "dual_total"]
    assert total == whole["projected"]["numerator"]


def test_planned_days_that_somebody_says_otherwise_count_in_every_month_also_without_a_machine(
    plant: Plant,
) -> None:
    plant.take("sites", f"{AWAY},plant-1,Plant,360102,Asia/Shanghai")
    registry.add(plant.database, "gw-test-0001", AWAY, "plant-1")
    shifts = (ShiftItem("day", "mon-fri", "08:00", "17:00", ()),)
    told = replace(inventory("SB-1"), calendar=CalendarItem(shifts, ()))
    said: Sequence[tuple[str, Callable[[], None]]] = (
        (NEW, lambda: plant.take("exceptions", f"{NEW},plant-1,2026-12-01..2026-12-31,off,stop")),
        (NEW, lambda: plant.take("calendars", f"{NEW},plant-1,2020-01-01,,day,mon-sat,08:00,17:00,")),
        (AWAY, lambda: plant.send("gw-test-0001", [told])),
    )
    for code, say in said:
        before = outlooks_of(plant, code)
        say()
        plant.settle()
        after = outlooks_of(plant, code)
        of_year = [(one.planned, other.planned) for one, other in zip(before, after, strict=True)][-10:]
        assert len(of_year) == 10
        assert all(one != other for one, other in of_year)
        with plant.database.write() as connection:
            planned_anew(connection)
        plant.settle()
        assert outlooks_of(plant, code) == after


def outlooks_of(plant: Plant, code: str) -> list[Any]:
    with plant.database.read() as connection:
        mine = select(outlook).where(outlook.c.enterprise == code).order_by(outlook.c.month)
        return list(connection.execute(mine))


def test_months_that_ended_while_nobody_collected_are_over_too(plant: Plant) -> None:
    later = NOW + timedelta(days=7)
    totals.turn_day(plant.database, later)
    plant.settle(later)
    assert course(plant, month="2026-11").projected is not None
    with plant.database.read() as connection:
        days = set(connection.execute(select(area_day.c.day)).scalars())
    assert {NOW.date() + timedelta(days=n) for n in range(8)} <= days


def test_where_much_of_last_year_has_no_projection_the_place_has_none(plant: Plant) -> None:
    plant.take("statements", *bills(QUIET, 2025, 140_000, range(1, 13)))
    plant.settle()
    row = course(plant, industry="NONFERROUS")
    assert (row.projected, row.why, row.r) == (None, dual_control.TOO_LITTLE, None)
    assert row.light == "none", "140 of 1,140 parts"
    more = listed(("statements", []))
    for said in more["statements"]:
        if said["enterprise"] == QUIET:
            said["quantity"] = "140000"
    assert recounting.dual(more, PROVINCE, MONTH, "360703").whole is None


def test_more_enterprises_may_have_limits_than_a_statement_takes_values(plant: Plant) -> None:
    with plant.database.read() as connection:
        before = DualControl(connection, PROVINCE, MONTH).enterprises("360000", "")
    told = ("total_tce", "9", "", "many", "Li", 0)
    with plant.database.write() as connection:
        sql.add(connection, limit, [("", "", f"{n:018d}", 2026, *told) for n in range(64)])
    with plant.database.read() as connection:
        driver: Any = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            usual = driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32)
        assert DualControl(connection, PROVINCE, MONTH).enterprises("360000", "") == before
        if isinstance(driver, sqlite3.Connection):
            driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, usual)
    assert len(before) == 2


def test_a_sheet_on_its_page_in_its_files_and_at_the_api(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        rows: list[dict[str, Any]] = http.get("/api/v1/dual-control", params={"area": CITY}).json()
        total = rows[0]
        assert (total["kind"], total["limit"]["document"], [o["document"] for o in total["others"]]) == (
            "total_tce", "newer", ["old"],
        )  # fmt: skip
        assert total["month"] == MONTH
        with plant.database.read() as connection:
            course = DualControl(connection, PROVINCE, MONTH).places([CITY], [""])[0]
        assert course.limit is not None
        limit = int(course.limit.number * 10**6)
        for used, exceeded in ((limit, False), (limit + 1, True)):
            assert replace(course, to_date=Ratio(used, None)).exceeded is exceeded
        firms = [(row["enterprise"], row["kind"]) for row in rows if row["scope"] == "enterprise"]
        assert sorted(firms) == sorted([(OLD, "total_tce"), (NEW, "intensity")])
        page = http.get("/dual-control", params={"area": CITY, "lang": "en"}).text
        assert re.search(r"newer.*yes: entered last.*old.*no: another was entered later", page, re.DOTALL)
        assert f'data-number="dual_total:to-date {CITY} * {MONTH}">' in page
        sheet = " ".join(re.sub("<[^>]*>", "", page).split())
        assert "To date, in tce: areas 2,089.30 + without a place 0.00 = 2,089.30." in sheet
        assert (
            "their own 1,474.80 + all others 614.50 = 2,089.30, as the page Energy and water adds up" in sheet
        )
        year = {"area": CITY, "from": "2026-01", "to": MONTH}
        taken = http.get("/api/v1/energy", params=year).json()
        assert sum(row["tce_millionths"] or 0 for row in taken) == 2_089_300_000, "as the page has it"
        assert "more in the files" not in page
        monkeypatch.setattr(page_of, "MOST", 0)
        short = http.get("/dual-control", params={"area": CITY, "lang": "en", "month": ""}).text
        assert (
            len(re.findall("The 0 enterprises nearest to their limit, or above it, and 1 more", short)) == 2
        )
        assert f'data-number="dual_total:to-date {OLD}' not in short
        for form in ("csv", "xlsx"):
            file = http.get("/api/v1/dual-control", params={"area": CITY, "format": form})
            assert file.status_code == 200
        table = list(
            csv.DictReader(
                io.StringIO(http.get("/api/v1/dual-control?format=csv").content.decode("utf-8-sig"))
            )
        )
        assert table[0]["limit.value"] == "4000"
        for asked, status in (
            ("2026-11", 422),
            ("2027-01", 422),
            ("2026-13", 422),
            ("2020-01", 200),
            ("", 200),
        ):
            assert http.get("/dual-control", params={"month": asked}).status_code == status, asked
        assert http.get("/dual-control", params={"month": "2025-12", "lang": "zh"}).status_code == 200
        card = re.search(
            r'id="comprehensive_energy">.*?</section>',
            http.get(f"/overview?area={CITY}&lang=zh").text,
            re.DOTALL,
        )
        assert card is not None
        assert "双控上限" in card[0]
        assert f'data-number="dual_total:light {CITY} * {MONTH}" data-value="hatched"' in card[0], (
            "QUIET says nothing"
        )
        bare = http.get("/overview?area=360102&lang=zh").text
        assert "双控上限" not in bare, "no limit is no line"
        items = {item["id"]: item for item in http.get(f"/api/v1/overview?area={CITY}").json()}
        value = items["energy_intensity"]
        assert value["period"] == "2026-01/2026-10", "of OLD until September, of NEW until October"
        assert value["checked"] == {"numerator": int(15_800 * TCE * 10**6), "denominator": 202_000_000 * 100}
        plan = {row["measure"]: row for row in http.get("/api/v1/plan", params={"area": CITY}).json()}
        assert plan["dual_total"]["number"]["numerator"] == total["projected"]["numerator"]
        target = plan["dual_total"]["target"]
        assert (target["comparator"], target["value"], target["document"]) == ("<=", "2600.5", "newer")
        assert target["deadline"] == "2026-12-31"
        judged = {"green": "reached", "yellow": "reached", "red": "above", "hatched": "uncovered"}
        pages: dict[str, str] = {}
        for where in ({"area": CITY}, {"area": CITY, "industry": "NONFERROUS"}):
            said = {row["measure"]: row for row in http.get("/api/v1/plan", params=where).json()}
            for of, row in zip(
                ("dual_total", "dual_intensity"),
                http.get("/api/v1/dual-control", params=where).json(),
                strict=False,
            ):
                wanted = "no_target" if row["limit"] is None else judged[row["light"]]
                assert said[of]["status"] == said[f"{of}_ratio"]["status"] == wanted, (where, of)
        plant.take(
            "targets",
            f"T04,{CITY},,<=,0.05,2025-12-31,,,plan,Li",
            "T04,360703,,<=,0.1,2025-12-31,,,plan,Li",
            "T05,360703,,<=,3,2020-12-31,,,plan,Li",
        )
        for number, told in (
            ("energy", "over it by 0.04612"),
            ("energy", "Deadline 31 Dec 2025: 0.12290"),
            ("energy", "not reached since 2025 or before"),
            ("energy", "; reached since 2026"),
            ("water", "Deadline 31 Dec 2020: no data then"),
        ):
            words = pages[number] = pages.get(number) or read(http, f"/indicators/{number}_intensity")
            assert told in words, (number, told)
        plant.take("value_added", f"{OLD},2026,999000000,2020,S,")
        plant.settle()
        later = {item["id"]: item for item in http.get(f"/api/v1/overview?area={CITY}").json()}
        assert later["energy_intensity"]["checked"] == value["checked"], (
            "what a year will bring is no part of it"
        )
