"""One answer, three faces: what the JSON says, the CSV, the spreadsheet and the page say too."""

import csv
import html
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import insert

from ganpo_cloud.imports import registry
from ganpo_cloud.province import publishing
from ganpo_cloud.store.counted_tables import area_carrier
from ganpo_cloud.store.database import Database
from ganpo_cloud.web import routes
from ganpo_cloud.web.application import create_app
from ganpo_cloud.web.exports import canonical, plain
from ganpo_service.csv_cells import harmless
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
CODE = CODES[0]
TABLES = [resource for resource in routes.RESOURCES if resource.table]


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.filled(tmp_path, fill))
    yield plant
    plant.database.close()


@pytest.fixture
def http(plant: Plant) -> Iterator[httpx.Client]:
    app = create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        yield client


def fill(database: Database) -> None:
    plant = Plant(database)
    plant.take("enterprises", enterprise(CODE))
    plant.take("sites", f"{CODE},plant-1,P,360681,Asia/Shanghai")
    plant.take("equipment", *(f"{CODE},plant-1,SB-{n},Press {n},in_use,2020-01-01" for n in range(7)))
    plant.take("flags", f"{CODE},SB-1,main,yes,document,D,Li,2020-01-01")
    registry.add(plant.database, "gw-test-0001", CODE, "plant-1")
    plant.take("targets", "T01,360000,,>=,60,2027-12-31,,,plan")
    plant.settle()
    publishing.publish(plant.database, PROVINCE, "2026-10", NOW)


def store_beer(plant: Plant) -> None:
    row = {"area": PROVINCE.whole, "industry": "", "month": "2026-10", "carrier": "beer", "millionths": 5}
    counts = {"spread_ms": 0, "open": 0, "enterprises": 1, "declared": 1, "covered": 1}
    with plant.database.write() as connection:
        connection.execute(insert(area_carrier).values(**row, **counts))


def address(path: str) -> str:
    known = {"gateways": "gw-test-0001", "tags": "green_factory"}
    number = known.get(path.split("/")[1], "nc_rate_main")
    values = {"id": number, "month": "2026-10", "enterprise": CODE, "asset_no": "SB-1"}
    return f"/api/v1{path.format(**values)}"


def at(row: dict[str, Any], column: str) -> Any:
    found: Any = row
    for part in column.split("."):
        found = found.get(part) if found is not None else None
    return found


def test_a_table_is_the_same_in_all_its_forms_and_has_its_columns_though_it_is_empty(
    http: httpx.Client,
) -> None:
    for resource in TABLES:
        same_in_all_its_forms(http, resource)


def same_in_all_its_forms(http: httpx.Client, resource: routes.Resource) -> None:
    where = address(resource.path)
    rows = http.get(where).json()
    columns = plain.columns(resource.kind)
    told = list(
        csv.reader(io.StringIO(http.get(where, params={"format": "csv"}).content.decode("utf-8-sig")))
    )
    assert told[0] == columns, where
    assert len(told) == len(rows) + 1
    for row, line in zip(rows, told[1:], strict=True):
        for column, text in zip(columns, line, strict=True):
            value = at(row, column)
            if isinstance(value, int) and not isinstance(value, bool):
                assert int(text) == value
            elif value is None:
                assert text == ""
    book = http.get(where, params={"format": "xlsx", "lang": "zh"})
    assert book.status_code == 200, (where, book.text)
    (name, _) = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).sheet_names
    cells = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_name(name).to_python()
    text = http.get(where, params={"format": "csv", "lang": "zh"}).content.decode("utf-8-sig")
    people = list(csv.reader(io.StringIO(text)))
    assert [*cells[0]] == people[0], where
    assert len(people) == len(rows) + 1
    for line, other in zip(people[1:], cells[1:], strict=False):
        for cell, value in zip(line, other, strict=True):
            assert cell == str(harmless(canonical.plain(value))), where


def test_a_long_list_says_how_long_it_is_and_comes_page_by_page(plant: Plant, http: httpx.Client) -> None:
    found = [http.get("/api/v1/equipment", params={"limit": "3", "page": f"{n}"}) for n in (1, 2, 3, 4)]
    assert [answer.headers["x-total-count"] for answer in found] == ["7"] * 4
    numbers = [row["asset_no"] for answer in found for row in answer.json()]
    assert numbers == [f"SB-{n}" for n in range(7)]


def test_a_carrier_that_was_stored_and_that_no_table_knows_any_more_is_no_server_error(
    plant: Plant, http: httpx.Client
) -> None:
    store_beer(plant)
    (found,) = http.get("/api/v1/energy").json()
    assert (found["carrier"], found["unit"], found["millionths"]) == ("beer", None, 5)


def test_where_evidence_has_no_meaning_there_is_none(plant: Plant, http: httpx.Client) -> None:
    for item in http.get("/api/v1/overview").json():
        graded = item["id"] in ("nc_rate_main", "intelligent_count", "equip_digital_rate")
        assert (item["declared"] is not None) == (item["proven"] is not None) == graded, item["id"]
        assert item["checked"] is not None


NOT_THERE = [
    ("nothing", 404, "No such page"),
    ("overview?area=999999", 404, "No such area on this day"),
    ("equipment?area=999999", 404, "No such area on this day"),
    ("energy?area=360105", 404, "No such area on this day"),
    ("enterprises?industry=STEAL", 404, "No such industry"),
    ("equipment?measure=all", 422, "No such measure"),
    ("overview?as_of=2099-01-01", 422, "No date, or a date in the future"),
    ("equipment?as_of=2026-11-25T00:00:00%2B08:00", 422, "No date, or a date in the future"),
    ("equipment?page=0", 422, "This address asks for something that there is not"),
    ("reports/2026-09", 404, "ganpo-cloud publish 2026-09"),
]


def test_what_there_is_not_is_told_a_browser_in_words_and_the_api_as_a_problem(
    http: httpx.Client,
) -> None:
    for path, status, told in NOT_THERE:
        page = http.get(f"/{path}{'&' if '?' in path else '?'}lang=en")
        assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8"), path
        assert told in page.text, path
        main = page.text.partition("<main")[2]
        assert "Jiangxi" not in main, f"{path}: no number of the province stands there instead"
        assert "<h1>" in http.get(f"/{path}", headers={"Accept-Language": "zh"}).text, path
        below = http.get(f"/api/v1/{path}")
        assert (below.status_code, below.headers["content-type"]) == (status, "application/problem+json"), (
            path
        )


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("enterprises/91360000NOBODY0000", "Nobody of this code is known"),
        (f"enterprises/{CODE}/SB-99", "Nothing of this number is known"),
    ],
)
def test_a_page_of_what_nobody_knows_says_what_to_import_and_is_not_found(
    plant: Plant, http: httpx.Client, path: str, told: str
) -> None:
    page = http.get(f"/{path}", params={"lang": "en"})
    assert page.status_code == 404
    assert told in page.text
    assert (
        http.get(f"/enterprises/{CODE}/SB-1").status_code
        == http.get(f"/enterprises/{CODE}").status_code
        == 200
    )
    assert http.get("/").status_code == 200


def test_who_asks_for_the_head_of_an_answer_gets_that_and_no_body(http: httpx.Client) -> None:
    for path in ("/", "/overview", "/api/v1/overview", "/static/page.css", "/nothing"):
        whole, head = http.get(path), http.head(path)
        assert (head.status_code, head.content) == (whole.status_code, b""), path
        told = ("content-type", "content-length", "etag")
        assert [head.headers.get(name) for name in told] == [whole.headers.get(name) for name in told], path


def test_a_carrier_of_volumes_is_shown_in_cubic_metres(plant: Plant, http: httpx.Client) -> None:
    plant.take("statements", f"{CODE},2026-10,natural_gas,100,m3,D,Li,whole")
    plant.settle()
    page = http.get("/energy", params={"lang": "en"}).text
    assert "<small>m³</small>" in page
    assert "m3<" not in page


def test_a_page_offers_its_own_rows_and_what_it_offers_is_there(http: httpx.Client) -> None:
    for path, lang in itertools.product(
        ("equipment", "enterprises", "energy", "reports", "reports/2026-10", "definitions"), ("zh", "en")
    ):
        page = http.get(f"/{path}", params={"lang": lang, "area": "360681"})
        assert page.status_code == 200, path
        links = re.findall(r'href="(/api/v1/[^"]+)" download', page.text)
        assert {link.rpartition("format=")[2].partition("&")[0] for link in links} >= {"xlsx"}, path
        for link in links:
            assert http.get(html.unescape(link)).status_code == 200, link
        rows = http.get(f"/api/v1/{path}").json()
        named = {row.get("asset_no") or row.get("code") or row.get("month") or row.get("id") for row in rows}
        assert all(name is None or name in page.text for name in named) or path == "energy", path


def test_a_list_counts_what_its_page_counts_and_its_pages_hold_every_row_once(
    plant: Plant, http: httpx.Client
) -> None:
    plant.take("equipment", *(f"{CODE},plant-1,NR-{n:03d},X,in_use,2020-01-01" for n in range(230)))
    plant.settle()
    shown: list[str] = []
    for n in (1, 2, 3):
        page = http.get("/equipment", params={"lang": "en", "page": f"{n}", "q": "NR-"}).text
        assert "230 devices" in page
        shown += re.findall(r">(NR-\d+)<", page)
    assert shown == [f"NR-{n:03d}" for n in range(230)]
    assert http.get("/api/v1/equipment", params={"q": "NR-"}).headers["x-total-count"] == "230"


def test_an_energy_page_with_a_carrier_that_no_table_knows_names_it_by_its_id(
    plant: Plant, http: httpx.Client
) -> None:
    store_beer(plant)
    page = http.get("/energy", params={"lang": "en"})
    assert page.status_code == 200
    assert "beer" in page.text
