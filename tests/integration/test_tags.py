"""Tags: what they count and what they leave over on any day, against plain loops over lists."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.imports import registry
from ganpo_cloud.store.database import Database
from support import recounting
from support.answering import answering
from support.province import CODES, NOW, PROVINCE, Plant, inventory, link_up, listed

BOTH = pytest.mark.usefixtures("each_database")
"""What SQL counts is asked of both databases."""
TODAY = NOW.date()
BRANCH = "91360000MA35EMNE4J"
HOMES = {CODES[0]: "360681", CODES[1]: "360121", CODES[2]: "360702", CODES[3]: "360702"}
LISTS: dict[str, list[str]] = {
    "enterprises": [
        *(f"{code},Firm {code[-1]},,{HOMES[code]},NONFERROUS,3211,no,2016-01-01" for code in CODES[:2]),
        f"{CODES[0]},Firm,,360681,NONFERROUS,3211,yes,2018-06-01",
        f"{CODES[1]},Firm,,360121,NONFERROUS,3211,yes,2020-12-31",
        f"{CODES[1]},Firm,,360121,NONFERROUS,3211,no,2023-01-01",
        f"{CODES[2]},Firm,,360702,FOOD,1310,yes,2019-01-01",
        f"{CODES[3]},Firm,,360702,FOOD,1310,yes,2017-01-01",
    ],
    "sites": [f"{code},plant-1,Plant,{area},Asia/Shanghai" for code, area in HOMES.items()],
    "equipment": [f"{code},plant-1,SB-{n},Lathe,in_use,2017-01-01" for code in CODES for n in range(4)],
    "flags": [
        *(f"{code},SB-{n},main,yes,claimed,,Li,2017-01-01" for code in CODES for n in range(3)),
        *(
            f"{code},SB-{n},numerical_control,yes,document,D,Li,202{n + 3}-01-01"
            for m, code in enumerate(CODES)
            for n in range(m)
        ),
    ],
    "tags": [
        f"technology_centre,{CODES[0]},,,2019-01-01,,Doc 1,Li",
        f"technology_centre,{CODES[2]},,,2019-01-01,2024-12-31,Doc 2,Wang",
        f"technology_centre,{CODES[3]},,,2022-01-01,,Doc 3,Wang",
        f"technical_upgrade,{CODES[0]},,,2019-01-01,,Doc 4,Li",
        f"technical_upgrade,{CODES[1]},,,2019-01-01,,Doc 4,Li",
        f"technical_upgrade,{CODES[3]},,,2024-03-01,,Doc 5,Li",
        "pilot_comprehensive,,360700,,2018-01-01,,Doc 6,Li",
        "pilot_special,,360702,FOOD,2018-01-01,,Doc 7,Li",
        "pilot_special,,360121,NONFERROUS,2018-01-01,2020-01-01,Doc 7,Li",
        "zone,,360681,,2018-01-01,,Doc 8,Li",
    ],
    "cloud_moves": [
        f"{CODES[0]},data_centre,yes,Doc 9,Li,2022-01-01",
        f"{CODES[0]},data_centre,no,Doc 10,Li,2025-01-01",
        f"{CODES[2]},business_systems,yes,Doc 11,Li,2022-01-01",
    ],
    "targets": [
        "T14,360000,,>=,100,2020-12-31,,,plan,Li",
        "T15,360000,,=,100,2020-12-31,,,plan,Li",
        "T30,360000,,>=,1500,2020-12-31,,,plan,Li",
    ],
}
LISTED = {kind: listed(kind, rows) for kind, rows in LISTS.items()}


def fill(database: Database) -> None:
    """The lists, and a machine each that two gateways saw yesterday."""
    plant = Plant(database)
    for kind, rows in LISTS.items():
        plant.take(kind, *rows)
    for n, code in enumerate(CODES[2:]):
        at = NOW - timedelta(days=1)
        registry.add(database, f"gw-test-000{n}", code, "plant-1")
        for fact in (inventory("SB-0", at=at), link_up("SB-0", at)):
            plant.send(f"gw-test-000{n}", [fact], at + timedelta(minutes=5))
    plant.settle()


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with answering(tmp_path, fill) as client:
        yield client


def get(http: httpx.Client, path: str, **asked: Any) -> Any:
    answer = http.get(f"/api/v1{path}", params={name: value for name, value in asked.items() if value})
    assert answer.status_code == 200, answer.text
    return answer.json()


DAYS = (date(2018, 12, 31), date(2021, 5, 5), date(2024, 6, 1), TODAY)


@BOTH
def test_everything_that_is_tagged_or_declared_is_what_a_plain_loop_counts(http: httpx.Client) -> None:
    for day in DAYS:
        as_of = None if day == TODAY else f"{day}"
        for area, industry in (("360000", None), ("360700", "FOOD")):
            for row in get(http, "/tags", area=area, industry=industry, as_of=as_of):
                place = row["area"] if row["area"] != "?" else "nowhere"
                counted = recounting.tagged(LISTED, PROVINCE, place, industry, day)
                told = (row["number"], row["among"])
                assert told == counted.get(row["measure"], (0, None)), (row, day, industry)
    plan = {line["measure"]: line for line in get(http, "/plan") if line["measure"]}
    assert plan["technical_upgrade"]["number"] == {"numerator": 2, "denominator": 3}
    assert plan["technical_upgrade"]["status"] == "below"
    assert plan["newly_above_scale"]["number"] == {"numerator": 2, "denominator": None}
    assert (plan["technology_centre"]["target"]["value"], plan["technology_centre"]["status"]) == (
        "100",
        "below",
    )
    assert plan["green_factory"]["number"]["numerator"] is None, "nobody entered any"
    assert plan["green_factory"]["note"] is not None
    moved = [
        plan[f"move_{kind}"]["number"]["numerator"] for kind in ("data_centre", "business_systems", "devices")
    ]
    assert moved == [0, 1, 2], "one withdrew, one declares, of two the machines are seen"


@BOTH
def test_what_a_tag_leaves_over_is_what_its_lists_hold_and_a_plain_loop_counts(http: httpx.Client) -> None:
    for tag, days in (
        ("technology_centre", (date(2024, 6, 1), TODAY)),
        ("pilot_special", (TODAY,)),
        ("zone", (TODAY,)),
    ):
        for day in days:
            asked = {"tag": tag, "as_of": None if day == TODAY else f"{day}"}
            machines = [
                row
                for row in LISTED["equipment"]
                if recounting.marks(LISTED, PROVINCE, tag, row["enterprise"], day)
            ]
            main = [row for row in machines if row["asset_no"] != "SB-3"]
            flags = {
                (flag["enterprise"], flag["asset_no"])
                for flag in LISTED["flags"]
                if flag["flag"] == "numerical_control" and flag["since"] <= f"{day}"
            }
            nc = [row for row in main if (row["enterprise"], row["asset_no"]) in flags]
            items = {item["id"]: item for item in get(http, "/overview", **asked)}
            assert items["nc_rate_main"]["checked"] == {"numerator": len(nc), "denominator": len(main)}
            firms = {row["enterprise"] for row in machines}
            assert items["nc_rate_main"]["enterprises"] == {"with_data": len(firms), "of": len(firms)}
            seen = firms & set(CODES[2:]) if day == TODAY else set()
            assert items["enterprise_onboarded"]["checked"]["numerator"] == len(seen)
            assert items["intelligent_count"]["target"] is None
            listed = get(http, "/equipment", **asked)
            assert [(row["enterprise"], row["asset_no"]) for row in listed] == sorted(
                (row["enterprise"], row["asset_no"]) for row in machines
            )
            assert {row["code"] for row in get(http, "/enterprises", **asked)} == firms
            by = get(http, "/indicators/nc_rate_main", by="area", **asked)
            assert sum(row["checked"]["denominator"] for row in by[1:]) == len(main)


def test_who_has_a_tag_is_listed_with_document_and_who_entered_it(http: httpx.Client) -> None:
    rows = get(http, "/tags/technology_centre")
    assert [(row["enterprise"], row["document"], row["by"]) for row in rows] == sorted(
        [(CODES[0], "Doc 1", "Li"), (CODES[3], "Doc 3", "Wang")]
    )
    assert len(get(http, "/tags/technology_centre", as_of="2024-12-31")) == 3, "the last day belongs to it"
    assert len(get(http, "/tags/technology_centre", as_of="2025-01-01")) == 2
    assert [row["area"] for row in get(http, "/tags/pilot_special", industry="FOOD")] == ["360702"]
    page = http.get("/tags/technology_centre", params={"lang": "en"}).text
    assert all(text in page for text in ("Doc 1", "Doc 3", "Wang"))
    overview = http.get("/overview", params={"lang": "en", "tag": "technology_centre"}).text
    assert "Only Enterprise technology centre: 2" in overview
    assert "Doc 3 · Wang" in overview
    firm = http.get(f"/enterprises/{CODES[0]}", params={"lang": "en"}).text
    assert "Doc 10" in firm, "what it declared last"
    tags = http.get("/tags", params={"lang": "en"}).text
    assert 'data-number="newly_left 360000 * 2026-11-28">1<' in tags
    assert 'data-number="first_listed 360000 * 2026-11-28">1<' in tags


def test_a_tag_that_there_is_not_is_refused_with_those_that_there_are(http: httpx.Client) -> None:
    for path in ("/overview", "/equipment", "/energy"):
        answer = http.get(f"/api/v1{path}", params={"tag": "golden"})
        assert (answer.status_code, answer.json()["where"]) == (404, "tag")
        assert "technology_centre" in answer.json()["title"]
    page = http.get("/overview", params={"tag": "golden", "lang": "en"})
    assert page.status_code == 404
    assert "Enterprise technology centre" in page.text
    assert http.get("/tags/golden").status_code == http.get("/api/v1/tags/golden").status_code == 404
    assert http.get("/api/v1/plan", params={"tag": "zone"}).status_code == 422, (
        "it is not filtered, and says so"
    )
    for path in ("/plan", "/compare", "/dual-control", "/front-runners", "/assessment", "/reports"):
        page = http.get(path, params={"tag": "zone", "lang": "en"})
        assert "Zone does not filter this page" in page.text, path
        links = re.findall(r'href="([^"]+)"', page.text)
        assert any("tag=zone" in link for link in links), f"{path}: the tag is kept for pages that it filters"
        assert not [link for link in links if link.startswith("/api/") and "tag=" in link], path
