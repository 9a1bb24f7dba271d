"""What a person may get wrong about the province: lists and questions; each told clearly, and nothing by halves."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select

from ganpo_cloud.imports.importing import preview
from ganpo_cloud.imports.kinds import KINDS
from ganpo_cloud.store import registry_tables
from ganpo_cloud.store.database import Database
from ganpo_cloud.web.application import create_app
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
CODE, OTHER = CODES[:2]
SCRIPT = "<script>alert(1)</script>"


def fill(database: Database) -> None:
    plant = Plant(database)
    plant.take("enterprises", enterprise(CODE), enterprise(OTHER))
    plant.take("sites", f"{CODE},plant-1,P,360681,Asia/Shanghai")
    plant.take("value_added", f"{OTHER},2025,1000000,2020,statistics")


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.filled(tmp_path, fill))
    yield plant
    plant.database.close()


ROWS = [
    ("enterprises", f"{CODE[:-1]}A,N,,360681,NONFERROUS,3211,yes,2018-01-01", "check character"),
    (
        "enterprises",
        f"{CODE},N,,360105,NONFERROUS,3211,yes,2025-01-01",
        "湾里区 was abolished on 2020-06-01",
    ),
    ("enterprises", f"{CODE},N,,360681,FOOD,3211,yes,2018-01-01", "an enterprise counts in one industry"),
    (
        "enterprises",
        f"{CODE},{'N' * 10_000},,360681,NONFERROUS,3211,yes,2018-01-01",
        "a cell has at most 1000",
    ),
    (
        "enterprises",
        f"{CODE},\u202eN,,360681,NONFERROUS,3211,yes,2018-01-01",
        "turn the direction of writing",
    ),
    ("value_added", f"{CODE},2025,,2020,statistics", "is missing: a number like 1234.5"),
    ("value_added", f"{CODE},2025,-5,2020,statistics", "is negative"),
    ("value_added", f"{CODE},2025,5,2015,statistics", "2025 is in prices of 2020: amounts of two bases"),
    ("value_added", f"{CODE},2099,5,2020,statistics", "lies in the future"),
    ("statements", f"{CODE},2026-12,raw_coal,5,kg,D,Li", "lies in the future"),
    ("statements", f"{CODE},2026-10,raw_coal,5,t,D,Li", "none of kg"),
    ("carriers", f"{CODE},2026,coal", "none of raw_coal"),
    ("targets", "T01,360000,,>=,,2027-12-31,,,plan", "only increase_vs_baseline has no number"),
    ("targets", "T03,360000,,increase_vs_baseline,5,2027-12-31,,,plan", "has no number: leave it empty"),
    ("targets", "T01,361234,,>=,60,2027-12-31,,,plan", "no such area"),
    ("population", "360681,STEAL,2026,5,s", "none of NONFERROUS"),
    ("population", "360681,钢铁,2026,5,s", "industry = 钢铁: is a name: its id is STEEL"),
    ("population", "南昌市,STEEL,2026,5,s", "area = 南昌市: is a name: its id is 360100"),
]


def test_a_row_that_is_wrong_is_told_with_its_cell_and_nothing_of_its_file_is_taken(
    plant: Plant,
) -> None:
    for kind, row, told in ROWS:
        text = f"{','.join(KINDS[kind].columns)}\n{row}\n"
        table = KINDS[kind].table
        with plant.database.read() as connection:
            before = connection.execute(select(func.count()).select_from(table)).scalar_one()
            found = preview(connection, kind, text.encode(), f"{kind}.csv", PROVINCE, NOW)
        print(found.errors[0])
        assert told in str(found.errors[0]), row
        assert found.errors[0].where.startswith(f"{kind}.csv row 2"), row
        with plant.database.read() as connection:
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == before, row


def test_a_code_in_full_width_digits_is_read_and_told(plant: Plant) -> None:
    text = (
        f"{','.join(KINDS['enterprises'].columns)}\n９{CODE[1:]},N,,360681,NONFERROUS,3211,yes,2018-01-01\n"
    )
    with plant.database.read() as connection:
        found = preview(connection, "enterprises", text.encode(), "enterprises.csv", PROVINCE, NOW)
    assert not found.errors
    (note,) = found.notes
    assert "full-width" in note
    assert "row 2" in note


def test_a_file_that_names_everybody_may_change_the_prices(plant: Plant) -> None:
    plant.take("value_added", f"{OTHER},2025,900000,2015,statistics", f"{CODE},2025,5,2015,statistics")
    with plant.database.read() as connection:
        bases = set(connection.execute(select(registry_tables.value_added.c.price_basis)).scalars())
    assert bases == {"2015"}


def test_a_name_with_script_in_it_is_only_a_name(plant: Plant) -> None:
    plant.take("enterprises", f"{CODE},{SCRIPT},,360681,NONFERROUS,3211,yes,2020-01-01")
    plant.take("equipment", f"{CODE},plant-1,SB-1,@SUM(A1),in_use,2020-01-01")
    plant.settle()
    with (
        Served(create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)) as served,
        httpx.Client(base_url=served.url, timeout=60) as http,
    ):
        for path in ("enterprises", f"enterprises/{CODE}", f"enterprises/{CODE}/SB-1"):
            page = http.get(f"/{path}", params={"lang": "en"}).text
            assert SCRIPT not in page
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        listed = http.get("/api/v1/equipment", headers={"Accept": "text/csv"})
        assert listed.headers["content-type"].startswith("text/csv")
        assert "'@SUM(A1)" in listed.text
        assert listed.text.startswith("\ufeff")


def test_a_code_of_digits_alone_survives_a_spreadsheet_and_comes_back_as_it_was(plant: Plant) -> None:
    """Of 18 digits a spreadsheet keeps 15: behind a tab they are text, and an import strips it."""
    code = "913601000005543370"
    row = f"{code},-2+3厂,,360681,NONFERROUS,3211,yes,2020-01-01"
    plant.take("enterprises", row)
    plant.settle()
    with (
        Served(create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)) as served,
        httpx.Client(base_url=served.url, timeout=60) as http,
    ):
        listed = http.get("/api/v1/enterprises", headers={"Accept": "text/csv"}).text
        whole = http.get("/api/v1/enterprises", params={"format": "xlsx"}).content
    (line,) = [line for line in listed.splitlines() if code in line]
    assert f"\t{code}," in line
    assert "'-2+3厂" in line
    cells = [
        cell
        for row in CalamineWorkbook.from_filelike(BytesIO(whole)).get_sheet_by_index(0).to_python()
        for cell in row
    ]
    assert code in cells
    assert "-2+3厂" in cells
    again = row.replace(code, f"\t{code}")
    with plant.database.read() as connection:
        text = f"{','.join(KINDS['enterprises'].columns)}\n{again}\n"
        found = preview(connection, "enterprises", text.encode(), "enterprises.csv", PROVINCE, NOW)
    assert (found.unchanged, found.errors) == (1, ())


QUESTIONS: list[tuple[str, dict[str, str | list[str]], int, str]] = [
    ("indicators/nobody", {}, 404, "no such indicator"),
    ("indicators/nc_rate_main", {"by": "moon"}, 422, "by"),
    ("equipment", {"measure": "all"}, 422, "none of units"),
    ("equipment", {"limit": "1000000"}, 422, "limit"),
    ("equipment", {"page": "0"}, 422, "page"),
    (
        "equipment",
        {"offset": "100"},
        422,
        "no such parameter; it takes age, area, as_of",
    ),
    ("enterprises", {"q": "x" * 10_000}, 422, "q"),
    ("energy", {"from": "2026-13"}, 422, "from"),
    ("energy", {"from": "2026-05", "to": "2016-05"}, 422, "from has to lie before to"),
    ("energy", {"from": "2010-01", "to": "2030-12"}, 200, "[]"),
    ("overview", {"format": "pdf"}, 422, "format"),
    ("overview", {"aera": "360100"}, 422, "no such parameter"),
    ("overview", {"industry": "STEAL"}, 404, "none of NONFERROUS"),
    ("targets", {"of": "T99"}, 404, "no row of the plan, nor a number of it"),
    ("compare", {"of": ["360100"] * 21}, 422, "is said more than 20 times"),
    ("compare", {"of": ["360100"] * 5}, 200, "360100"),
    ("reports/2099-01", {}, 404, "this month is not published"),
    (f"why/{'x' * 200}", {}, 422, "enterprise"),
]


def test_a_question_that_is_wrong_has_one_shape_of_answer(plant: Plant) -> None:
    with (
        Served(create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)) as served,
        httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http,
    ):
        for path, params, status, told in QUESTIONS:
            answer = http.get(f"/{path}", params=params)
            assert answer.status_code == status, (path, params)
            assert told in answer.text, (path, params)
            if status != 200:
                assert answer.headers["content-type"].startswith("application/problem+json"), (path, params)


def test_an_answer_that_is_known_is_not_sent_again(plant: Plant) -> None:
    plant.settle()
    with (
        Served(create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)) as served,
        httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http,
    ):
        first = http.get("/overview")
        again = http.get("/overview", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        plant.take("targets", "T01,360000,,>=,60,2027-12-31,,,plan")
        changed = http.get("/overview", headers={"If-None-Match": first.headers["etag"]})
        assert changed.status_code == 200
        assert changed.headers["etag"] != first.headers["etag"]
