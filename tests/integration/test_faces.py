"""One answer, three faces: what the JSON says, the CSV, the spreadsheet and the page say too."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import insert

from ganpo_cloud.province import publishing
from ganpo_cloud.store.counted_tables import area_carrier
from ganpo_cloud.web import exports, routes
from ganpo_cloud.web.application import create_app
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
CODE = CODES[0]
TABLES = [resource for resource in routes.RESOURCES if resource.table]


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.database(tmp_path))
    yield plant
    plant.database.close()


@pytest.fixture
def http(plant: Plant) -> Iterator[httpx.Client]:
    app = create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=served.url) as client:
        yield client


def fill(plant: Plant) -> None:
    plant.take("enterprises", enterprise(CODE))
    plant.take("sites", f"{CODE},plant-1,P,360681,Asia/Shanghai")
    plant.take("equipment", *(f"{CODE},plant-1,SB-{n},Press {n},in_use,2020-01-01" for n in range(7)))
    plant.take("flags", f"{CODE},SB-1,main,yes,document,D,Li,2020-01-01")
    plant.take("targets", "T01,360000,,>=,60,2027-12-31,,,plan")
    plant.settle()
    publishing.publish(plant.database, PROVINCE, "2026-10", NOW)


def address(path: str) -> str:
    values = {"id": "nc_rate_main", "month": "2026-10", "enterprise": CODE, "asset_no": "SB-1"}
    return f"/api/v1{path.format(**values)}"


def at(row: dict[str, Any], column: str) -> Any:
    found: Any = row
    for part in column.split("."):
        found = found.get(part) if found is not None else None
    return found


@pytest.mark.parametrize("resource", TABLES, ids=lambda resource: resource.path)
def test_a_table_is_the_same_in_all_its_forms_and_has_its_columns_though_it_is_empty(
    plant: Plant, http: httpx.Client, resource: routes.Resource
) -> None:
    fill(plant)
    where = address(resource.path)
    rows = http.get(where).json()
    columns = exports.columns(resource.kind)
    told = list(
        csv.reader(io.StringIO(http.get(where, params={"format": "csv"}).content.decode("utf-8-sig")))
    )
    book = http.get(where, params={"format": "xlsx"})
    (name, *_) = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).sheet_names
    cells = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_name(name).to_python()
    assert told[0] == cells[0] == columns
    assert len(told) == len(cells) == len(rows) + 1
    for row, line, other in zip(rows, told[1:], cells[1:], strict=True):
        for column, text, cell in zip(columns, line, other, strict=True):
            value = at(row, column)
            if isinstance(value, int) and not isinstance(value, bool):
                assert (int(text), cell) == (value, value)
            elif value is None:
                assert (text, cell) == ("", "")


def test_a_long_list_says_how_long_it_is_and_comes_page_by_page(plant: Plant, http: httpx.Client) -> None:
    fill(plant)
    found = [http.get("/api/v1/equipment", params={"limit": "3", "page": f"{n}"}) for n in (1, 2, 3, 4)]
    assert [answer.headers["x-total-count"] for answer in found] == ["7"] * 4
    numbers = [row["asset_no"] for answer in found for row in answer.json()]
    assert numbers == [f"SB-{n}" for n in range(7)]


def test_a_carrier_that_was_stored_and_that_no_table_knows_any_more_is_no_server_error(
    plant: Plant, http: httpx.Client
) -> None:
    row = {"area": PROVINCE.whole, "industry": "", "month": "2026-10", "carrier": "beer", "millionths": 5}
    counts = {"spread_ms": 0, "open": 0, "enterprises": 1, "declared": 1, "covered": 1}
    with plant.database.write() as connection:
        connection.execute(insert(area_carrier).values(**row, **counts))
    (found,) = http.get("/api/v1/energy").json()
    assert (found["carrier"], found["unit"], found["millionths"]) == ("beer", None, 5)


def test_where_evidence_has_no_meaning_there_is_none(plant: Plant, http: httpx.Client) -> None:
    fill(plant)
    for item in http.get("/api/v1/overview").json():
        graded = item["id"] in ("nc_rate_main", "intelligent_count", "equip_digital_rate")
        assert (item["declared"] is not None) == (item["proven"] is not None) == graded, item["id"]
        assert item["checked"] is not None
