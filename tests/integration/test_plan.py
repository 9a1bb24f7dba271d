"""The plan row by row: what its page, API and exports say of a filled database, against plain loops over its lists."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.store.database import Database
from support.answering import answering
from support.province import CODES, NOW, PROVINCE, Plant, enterprise, listed
from support.recounting import plan_rows

pytestmark = pytest.mark.usefixtures("each_database")
REFERENCE = Path(__file__).parents[2] / "cloud/ganpo_cloud/province/plan.csv"
UNSAID = {"T06", "T07", "T08", "T09", "T10", "T11", "T12", "T13", "T16", "T25", "T29", "T31", "T34"}
"""An equipment monitor does not say them."""
ENTERPRISE_TAGS = {
    "technology_centre": [(0, "2019-01-01", ""), (1, "2019-02-01", "2019-12-31")],
    "technical_upgrade": [(0, "2019-03-16", ""), (2, "2018-09-01", "")],
    "integration_standard": [(n, "2018-09-01", "") for n in range(3)],
    "integration_benchmark": [(3, "2020-01-01", "")],
    "industrial_platform": [(3, "2019-03-15", "2019-03-15")],
    "green_factory": [(1, "2018-09-01", "2026-11-28")],
}
"""Which enterprise has a tag, from when to when: both days belong to it."""
LISTS: dict[str, list[str]] = {
    "enterprises": [enterprise(code) for code in CODES],
    "sites": [f"{code},plant-1,Plant,360681,Asia/Shanghai" for code in CODES],
    "equipment": [f"{code},plant-1,SB-{n},Lathe,in_use,2018-01-01" for code in CODES for n in range(5)],
    "flags": [
        *(f"{code},SB-{n},main,yes,claimed,,Wang,2018-01-01" for code in CODES for n in range(5)),
        *(
            f"{code},SB-{n},numerical_control,yes,document,2019-{n},Wang,2019-0{n + 1}-01"
            for code in CODES[:3]
            for n in range(4)
        ),
        *(f"{code},SB-0,intelligent,yes,document,I-1,Wang,2026-10-01" for code in CODES[:2]),
    ],
    "tags": [
        *(
            f"{tag},{CODES[n]},,,{first},{last},paper,Wu"
            for tag, marked in ENTERPRISE_TAGS.items()
            for n, first, last in marked
        ),
        "pilot_comprehensive,,360600,,2018-07-01,2020-12-31,paper,Wu",
        "green_park,,360681,,2019-03-01,,paper,Wu",
        "pilot_special,,360681,NONFERROUS,2018-07-01,,paper,Wu",
    ],
    "cloud_moves": [
        f"{CODES[0]},data_centre,yes,paper,Wu,2019-03-01",
        f"{CODES[0]},business_systems,yes,paper,Wu,2019-02-01",
        f"{CODES[1]},business_systems,yes,paper,Wu,2019-02-01",
        f"{CODES[1]},business_systems,no,paper,Wu,2020-02-01",
    ],
    "targets": [
        "T01,360000,,>=,60,2027-12-31,,,plan,Li",
        "T02,360000,,>,10000,2020-12-31,,,plan,Li",
        "T03,360000,,increase_vs_baseline,,2020-12-31,,,plan,Li",
        "T01,360681,,>=,50,2019-06-30,,,county paper,Wu",
        "T01,360681,,>=,55,2019-06-30,,,city paper,Yu",
        "T02,360681,,<=,1,2019-06-30,,,city paper,Yu",
    ],
}


def fill(database: Database) -> None:
    """Everything that a plain loop can count again."""
    plant = Plant(database)
    for kind, rows in LISTS.items():
        if kind == "targets":  # one after the other: the last one entered counts
            for minutes, row in enumerate(rows):
                plant.take(kind, row, now=NOW + timedelta(minutes=minutes - 60))
        else:
            plant.take(kind, *rows)
    plant.settle()


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with answering(tmp_path, fill) as client:
        yield client


def lines(http: httpx.Client, **asked: str) -> list[dict[str, Any]]:
    """The plan as the API tells it."""
    answer = http.get("/api/v1/plan", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def test_all_rows_of_the_plan_stand_in_its_order_with_a_number_or_a_reason(http: httpx.Client) -> None:
    with REFERENCE.open(encoding="utf-8") as file:
        wanted = list(csv.DictReader(file))
    assert [f"T{n:02d}" for n in range(1, 35)] == [row["id"] for row in wanted]
    told = lines(http)
    assert list(dict.fromkeys(line["id"] for line in told)) == [row["id"] for row in wanted]
    for line in told:
        assert (
            (line["id"] in UNSAID)
            == bool(line["why_zh"])
            == bool(line["why_en"])
            == (line["measure"] is None)
        )
        if line["id"] in UNSAID:
            assert line["measure"] is line["number"] is line["status"] is None
    for lang in ("zh", "en"):
        page = http.get("/plan", params={"lang": lang}).text
        assert re.findall(r'<tbody id="(T\d\d)">', page) == [row["id"] for row in wanted]
        said = unescape(re.sub("<[^>]*>", "", page))
        for row in wanted:
            assert row["quote_zh"] in said
            assert row[f"why_{lang}"] in said
    table = http.get("/api/v1/plan", params={"format": "csv"}).content.decode("utf-8-sig")
    assert [row["id"] for row in csv.DictReader(io.StringIO(table))] == [line["id"] for line in told]


def test_every_number_of_the_plan_is_what_a_plain_loop_counts(http: httpx.Client) -> None:
    lists = {kind: listed(kind, LISTS[kind]) for kind in LISTS}
    for asked in (
        {},
        {"area": "360681"},
        {"industry": "NONFERROUS"},
        {"industry": "FOOD"},
        {"as_of": "2019-03-15"},
    ):
        told = {line["measure"]: line for line in lines(http, **asked) if line["measure"]}
        counted = plan_rows(lists, PROVINCE, asked)
        assert counted.keys() <= told.keys()
        for measure, number in counted.items():
            found = told[measure]["number"]
            assert (found["numerator"], found["denominator"]) == number, (measure, asked)


def test_a_deadline_that_has_passed_says_what_stood_then_and_since_when_it_is_as_it_is(
    http: httpx.Client,
) -> None:
    page = text(http.get("/indicators/nc_rate_main", params={"area": "360681", "lang": "en"}).text)
    then = plan_rows({kind: listed(kind, LISTS[kind]) for kind in LISTS}, PROVINCE, {"as_of": "2019-06-30"})
    assert then["nc_rate_main"] == (12, 20)
    assert "Deadline 30 Jun 2019: 60.0%; reached since Nov 2024 or before" in page
    card = text(http.get("/overview", params={"lang": "en", "area": "360681"}).text)
    assert "at the deadline 60.0% ( 2019-06-30 ) Status reached since Nov 2024 or before" in card
    assert (
        "rising ≤ 1 over it 1 sets pace +0.3 sets a month over 6 months at the deadline 0 sets ( 2019-06-30 )"
        in card
    )
    assert "Status above it since Oct 2026 in 12 months, at this pace 6" in card
    whole = text(http.get("/overview", params={"lang": "zh"}).text)
    assert "到期时 0 台（套）（ 2020-12-31 ） 状态 2024年11月或更早起一直未达到" in whole, (
        "nothing was intelligent then"
    )
    assert "按现步速12个月后" in whole
    assert "needed" not in card


def test_two_targets_that_differ_stand_beside_each_other_and_the_one_entered_last_counts(
    http: httpx.Client,
) -> None:
    rows = http.get("/api/v1/targets", params={"of": "T01"}).json()
    here = [row for row in rows if row["area"] == "360681"]
    assert [(row["document"], row["by"], row["value"], row["counts"]) for row in here] == [
        ("city paper", "Yu", "55", True),
        ("county paper", "Wu", "50", False),
    ]
    found = next(line for line in lines(http, area="360681") if line["id"] == "T01")
    assert (found["target"]["document"], found["target"]["by"]) == ("city paper", "Yu")
    assert found["target"]["recorded_at"] > here[1]["recorded_at"]
    page = text(http.get("/targets", params={"of": "T01", "lang": "zh"}).text)
    assert re.search("city paper Yu .*✓ 采用", page)
    assert "以最后录入的为准" in page
    for lang, said in (("zh", "另录入1份"), ("en", "and 1 more entered beside it")):
        assert said in http.get("/plan", params={"area": "360681", "lang": lang}).text


def text(html: str) -> str:
    """What a page reads, with single blanks."""
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split()).replace(" ;", ";")
