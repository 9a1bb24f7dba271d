"""The lists of the plan: what each takes and refuses, two officials at once, and a hundred thousand rows."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from ganpo_cloud.imports import beside, report
from ganpo_cloud.imports.importing import Preview, apply, preview, withdrawal
from ganpo_cloud.imports.kinds import KINDS
from ganpo_cloud.imports.plan_kinds import PLAN
from ganpo_cloud.imports.registry import add
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_cloud.store.tables import dirty
from ganpo_model.clock import from_ms, iso, to_ms
from ganpo_model.errors import ConfigError
from ganpo_model.facts import MeterItem
from support import databases
from support.books import book
from support.province import CODES, NOW, PROVINCE, Plant, enterprise, inventory

A, B = CODES[0], CODES[1]
"""One whose gateway tells of its meters, and one that has none."""
DOC = "文件1,Li"
SAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "lists"
MANY = 20_000
NODES = (
    f"{A},plant-1,F,,factory,厂,2020-01-01,",
    f"{A},plant-1,W,F,workshop,车间,2021-01-01,2025-12-31",
    f"{A},plant-1,L,W,line,线,2021-01-01,2025-12-31",
)


def filled(database: Database) -> None:
    """Two enterprises, machines, meters, a tree, a product with its output, value added."""
    plant = Plant(database)
    plant.take("enterprises", enterprise(A), enterprise(B))
    plant.take("sites", *(f"{code},plant-1,厂,360681,Asia/Shanghai" for code in (A, B)))
    plant.take("equipment", *(f"{A},plant-1,SB-{n},机床,in_use,2020-01-01" for n in (1, 2)))
    meters = (
        MeterItem("DB-1", "总表", "electricity", "boundary_in", None, None),
        MeterItem("GX-1", "工序", "electricity", "process", "DB-1", None),
        MeterItem("GX-2", "工序", "electricity", "process", "DB-1", None),
    )
    plant.take("nodes", *NODES)
    plant.take("node_equipment", f"{A},L,SB-1,2021-01-01,2023-12-31")
    plant.take("accreditations", f"{A},W,workshop,city,{DOC},2022-01-01,2023-12-31")
    plant.take("products", "rod,铜杆,Rod,t,NONFERROUS", "tube,铜管,Tube,t,NONFERROUS", "ore,矿,Ore,t,OTHER")
    plant.take("outputs", f"{A},2026-08,rod,10,t,GX-1,{DOC}", f"{B},2026-08,rod,10,t,ANY-1,{DOC}")
    plant.take("value_added", f"{A},2026,500,2020,x,2026-05", f"{A},2026,900,2020,x,2026-09")
    plant.take("tags", f"green_factory,{A},,,2022-01-01,2023-12-31,{DOC}")
    plant.take("limits", f"360100,,,2026,total_tce,100,,{DOC}")
    add(database, "gw-test-0000", A, "plant-1")
    plant.send("gw-test-0000", [replace(inventory("SB-1"), meters=meters)])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = databases.filled(tmp_path, filled)
    yield found
    found.close()


def text(kind: str, *rows: str) -> bytes:
    return "\n".join([",".join(KINDS[kind].columns), *rows]).encode()


def take(
    database: Database, kind: str, *rows: str, raw: bytes = b"", read: Callable[..., Preview] = preview
) -> Preview:
    """Apply a list where nothing of it is refused."""
    with database.write() as connection:
        found = read(connection, kind, raw or text(kind, *rows), f"{kind}.csv", PROVINCE, NOW)
        if not found.errors:
            apply(connection, found, NOW.date())
    return found


TAKEN: tuple[tuple[str, str, str, str], ...] = (
    ("nodes", f"{A},plant-1,W,F,workshop,新车间,2026-01-01,", "新车间", "二车间"),
    ("node_equipment", f"{A},L,SB-1,2024-01-01,2025-12-31", "2025-12-31", "2025-06-30"),
    ("accreditations", f"{A},W,workshop,provincial,{DOC},2022-06-01,2025-12-31", "文件1", "文件2"),
    ("limits", f",,{A},2026,intensity,0.15,2020,{DOC}", "0.15", "0.25"),
    ("limits", f"360100,,,2027,total_tce,95000,,{DOC}", "95000", "93000"),
    ("limits", "360100,STEEL,,2026,total_tce,90000,,文件2,Li", "90000", "80000"),
    ("products", "wire,铜线,Wire,t,NONFERROUS", "Wire", "Thin wire"),
    ("outputs", f"{A},2026-09,rod,1200.5,t,GX-2 GX-1,{DOC}", "1200.5", "1300"),
    ("capacities", f"{A},rod,2026,20000,{DOC}", "20000", "25000"),
    ("cloud_moves", f"{A},data_centre,yes,{DOC},2024-05-01", "yes", "no"),
    ("tags", f"pilot_special,,360121,FOOD,2018-09-01,,{DOC}", "文件1", "文件2"),
    ("tags", f"pilot_comprehensive,,360100,,2018-09-01,2026-12-31,{DOC}", "2026-12-31", ""),
    ("banned", f"{A},SB-2,forbidden,2026-09-01,文件1,GX-1,0.5,Li", "0.5", "2"),
    ("value_added", f"{A},2026,950,2020,x,2026-10", "950", "940"),
    ("targets", "T01,360000,,>=,60,2020-12-31,,,plan,Li", "Li", "Wang"),
)


@pytest.mark.usefixtures("each_database")
def test_every_list_of_the_plan_is_taken_is_as_before_and_is_corrected(database: Database) -> None:
    for kind, row, old, new in TAKEN:
        for line, (added, changed, unchanged) in (
            (row, (1, 0, 0)),
            (row, (0, 0, 1)),
            (row.replace(old, new), (0, 1, 0)),
        ):
            found = take(database, kind, line)
            assert not found.errors, (line, found.errors)
            assert (len(found.added), len(found.changed), found.unchanged) == (added, changed, unchanged)
        if KINDS[kind].named:
            with pytest.raises(ConfigError, match="rows of other lists name these"):
                take(database, kind, line, read=withdrawal)
            continue
        for gone in (1, 0):
            found = take(database, kind, line, read=withdrawal)
            assert (len(found.withdrawn or ()), len(found.errors)) == (gone, 1 - gone), (line, found.errors)
        assert "does not stand in the registry: there is nothing to take back" in str(found.errors[0])
        assert len(take(database, kind, line).added) == 1, "it is gone"


def test_what_was_entered_for_the_wrong_one_is_taken_back_as_it_stands_or_not_at_all(
    database: Database, tmp_path: Path
) -> None:
    row, file = f"{A},SB-1,forbidden,2026-09-01,文件,,,Li", tmp_path / "banned.csv"
    ahead = f"{A},SB-1,2026-11-30T00:00:00Z,2026-11-30T08:00:00Z,why"
    now = to_ms(NOW)
    with database.write() as connection:
        begun = (A, "SB-1", now - 1000, now, "why", 0)
        sql.add(connection, registry.downtime, [begun])
    take(database, "downtime", ahead)
    take(database, "banned", row)
    for kind, rows, said in (
        (
            "banned",
            (row.replace("forbidden", "outdated"),),
            "row 2: stands there otherwise: kind forbidden; take back",
        ),
        ("banned", (row, row), "row 3: row 2 says something of the same"),
        ("banned", (row, row.replace("SB-1", "SB-9")), "row 3, asset_no = SB-9"),
        ("limits", ("360100,,,2026,total_tce,90,,文件1,Li",), "otherwise: value 100"),
        ("downtime", (f"{A},SB-1,{iso(from_ms(now - 1000))},{iso(NOW)},why",), "has begun"),
    ):
        found = take(database, kind, *rows, read=withdrawal)
        assert said in " ".join(map(str, found.errors)), (rows, found.errors)
    plant, banned = Plant(database), select(func.count()).where(ledger.c.banned, ledger.c.asset_no == "SB-1")
    file.write_bytes(text("banned", row))
    for applied, to in ((False, "to be "), (True, "")):
        found = report.take(database, None, "banned", file, NOW, apply=applied, withdraw=True)
        *_, told = report.lines(found, file.name, applied=applied)
        assert told.startswith(f"banned.csv: 1 {to}taken back, 0 rejected; ")
        plant.settle()
        with database.read() as connection:
            assert (connection.execute(banned).scalar_one() == 0) is applied, "the device counts again"
    assert len(take(database, "downtime", ahead, read=withdrawal).withdrawn or ()) == 1, "it has not begun"


def test_the_samples_of_the_documentation_are_taken_in_the_order_of_its_table(tmp_path: Path) -> None:
    with databases.database(tmp_path) as database:
        for kind in KINDS:
            if (file := SAMPLES / f"{kind}.csv").exists():
                assert take(database, kind, raw=file.read_bytes()).added, kind
        assert take(database, "tags").notes == ("tags.csv: no row stands below its head",)
    assert {*PLAN} <= {file.stem for file in SAMPLES.glob("*.csv")}


REFUSED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    # A tree.
    ("nodes", (f"{A},plant-1,L2,X,line,x,2022-01-01,",), ("parent = X: no node of this enterprise",)),
    ("nodes", (f"{A},plant-1,L2,W,line,x,2020-06-01,",), ("parent = W: does not exist on 2020-06-01",)),
    ("nodes", (f"{A},plant-1,L2,W,line,x,2022-01-01,",), ("parent = W: does not exist on 2026-01-01",)),
    (
        "nodes",
        (f"{A},plant-1,L2,L,workshop,x,2022-01-01,2022-12-31",),
        ("parent = L: a workshop does not lie in a line",),
    ),
    ("nodes", (f"{A},plant-1,L2,L2,line,x,2022-01-01,",), ("parent = L2: is the node itself",)),
    (
        "nodes",
        tuple(
            f"{A},plant-1,{one},{other},{kind},x,2026-01-01,"
            for one, other, kind in (
                ("C1", "C3", "workshop"),
                ("C2", "C1", "line"),
                ("C3", "C2", "cell"),
            )
        ),
        (
            "parent = C3: a workshop does not lie in a cell (factory > workshop > line > cell)",
            "kind = cell: C1 lies in it",
        ),
    ),
    (
        "nodes",
        (f"{A},plant-1,L,F,line,x,2025-01-01,",),
        ("row 2, from = 2025-01-01: another row of the node holds then (2021-01-01..2025-12-31)",),
    ),
    (
        "nodes",
        (f"{A},plant-1,W,F,workshop,x,2021-01-01,2024-12-31",),
        ("to = 2024-12-31: L lies in it, also on 2025",),
    ),
    (
        "nodes",
        (f"{A},plant-1,W,F,line,x,2021-01-01,2025-12-31",),
        ("kind = line: L lies in it, a line (factory",),
    ),
    ("nodes", (f"{A},plant-1,L2,W,line,x,2022-01-01,2021-12-31",), ("to = 2021-12-31: lies before from",)),
    (
        "nodes",
        (f"{A},plant-1,L2,F,line,x,2027-01-01,",),
        ("from = 2027-01-01: lies in the future (today is 2026-11",),
    ),
    (
        "nodes",
        (f"{A},plant-1,L2,F,equipment,x,2022-01-01,",),
        ("kind = equipment: none of factory, workshop",),
    ),
    ("nodes", (f"{A},plant-9,L2,F,line,x,2022-01-01,",), ("site = plant-9: no site of this enterprise",)),
    ("nodes", (f"{A},plant-1,L 2,F,line,x,2022-01-01,",), ("node = L 2: 1 to 64 characters without space",)),
    (
        "node_equipment",
        (f"{A},X,SB-2,2022-01-01,",),
        ("node = X: no node of this enterprise; ganpo-cloud import",),
    ),
    ("node_equipment", (f"{A},L,SB-9,2022-01-01,",), ("asset_no = SB-9: no equipment of this enterprise",)),
    ("node_equipment", (f"{A},L,DB-1,2022-01-01,",), ("asset_no = DB-1: no equipment of this enterprise",)),
    ("node_equipment", (f"{A},L,SB-2,2022-01-01,",), ("node = L: does not exist on 2026-01-01",)),
    (
        "node_equipment",
        (f"{A},F,SB-1,2023-06-01,",),
        ("asset_no = SB-1: is in L then (2021-01-01..2023-12-31)",),
    ),
    (
        "node_equipment",
        (f"{A},F,SB-2,2022-01-01,", f"{A},L,SB-2,2023-01-01,2023-02-01"),
        (
            "row 2, asset_no = SB-2: is in L then",
            "row 3, asset_no = SB-2: is in F then (2022-01-01..)",
        ),
    ),
    # What it is recognised as.
    (
        "accreditations",
        (f"{A},L,line,city,{DOC},2026-01-01,",),
        ("node = L: does not exist on any of these",),
    ),
    ("accreditations", (f"{A},X,line,city,{DOC},2022-01-01,",), ("node = X: no node of this enterprise",)),
    (
        "accreditations",
        (f"{A},L,workshop,city,{DOC},2022-01-01,2022-12-31",),
        ("kind = workshop: the node is a line then",),
    ),
    (
        "accreditations",
        (f"{A},L,line,best,{DOC},2022-01-01,2022-12-31",),
        ("grade = best: none of national",),
    ),
    ("accreditations", (f"{A},L,line,city,,Li,2022-01-01,2022-12-31",), ("document: is missing",)),
    (
        "accreditations",
        (f"{A},W,workshop,city,文件9,Li,2023-06-01,2024-05-31",),
        ("from = 2023-06-01: has this grade already (2022-01-01..2023-12-31, 文件1)",),
    ),
    # Limits.
    ("limits", (f"360100,,{A},2026,total_tce,1,,{DOC}",), ("area = 360100: a limit is of an area or of an",)),
    ("limits", (f",,,2026,total_tce,1,,{DOC}",), ("area: a limit is of an area or of an enterprise",)),
    ("limits", (f",FOOD,{A},2026,total_tce,1,,{DOC}",), ("industry = FOOD: an enterprise has one already",)),
    ("limits", (f"360100,,,2026,total_tce,-1,,{DOC}",), ("value = -1: is negative",)),
    ("limits", (f"360100,,,2026,total_tce,0,,{DOC}",), ("value = 0: is 0: leave the row out",)),
    ("limits", (f"360100,,,2026,total_tce,1e3,,{DOC}",), ("value = 1e3: no number like 60",)),
    ("limits", (f"360100,,,2026,total_tce,1,2020,{DOC}",), ("price_basis = 2020: a total has no prices",)),
    (
        "limits",
        (f"360100,,,2026,intensity,1,,{DOC}",),
        ("price_basis: is missing: the prices of the value added",),
    ),
    (
        "limits",
        (f"360100,,,2026,intensity,1,2015,{DOC}",),
        ("2015: value added of 2026 is in prices of 2020",),
    ),
    ("limits", (f"360100,,,2028,total_tce,1,,{DOC}",), ("year = 2028: lies in the future",)),
    (
        "limits",
        (f"360200,,,2026,total_tce,1,,{DOC}", "360200,,,2026,total_tce,2,,文件2,Li"),
        ("row 3: row 2 says something of the same", "of two documents the one counts that is imported last"),
    ),
    # Products.
    ("products", ("Rod,铜杆,Rod,t,NONFERROUS",), ("product = Rod: 1 to 40 of a-z, 0-9 and _",)),
    ("products", ("bar,棒,Bar,t,COPPER",), ("industry = COPPER: none of NONFERROUS",)),
    ("products", ("bar,棒,Bar,,NONFERROUS",), ("unit: is missing",)),
    (
        "products",
        ("rod,铜杆,Rod,kg,NONFERROUS",),
        ("output or capacity of it is told in t: in another unit it is",),
    ),
    ("outputs", (f"{A},2026-09,bar,1,t,,{DOC}",), ("product = bar: no product of the list",)),
    ("outputs", (f"{A},2026-09,rod,1,kg,,{DOC}",), ("unit = kg: output of rod is told in t",)),
    ("outputs", (f"{A},2026-09,rod,-1,t,,{DOC}",), ("quantity = -1: is negative",)),
    ("outputs", (f"{A},2027-09,rod,1,t,,{DOC}",), ("month = 2027-09: lies in the future",)),
    (
        "outputs",
        (f"{A},2026-09,rod,1,t,GX-1 GX-9,{DOC}",),
        ("GX-9: no meter of this enterprise by its newest",),
    ),
    (
        "outputs",
        (f"{A},2026-09,rod,1,t,DB-1,{DOC}",),
        ("DB-1 is no process meter, its role is boundary_in; role process",),
    ),
    ("outputs", (f"{A},2026-08,tube,1,t,GX-2 GX-1,{DOC}",), ("GX-1 is named at rod too",)),
    (
        "outputs",
        (f"{A},2026-09,rod,1,t,GX-1,{DOC}", f"{A},2026-09,tube,1,t,GX-1;GX-2,{DOC}"),
        (
            "row 2, meters = GX-1: GX-1 is named at tube too",
            "row 3, meters = GX-1;GX-2: GX-1 is named at rod too",
        ),
    ),
    ("capacities", (f"{A},bar,2026,1,{DOC}",), ("product = bar: no product of the list",)),
    ("capacities", (f"{A},rod,2026,0,{DOC}",), ("quantity = 0: is 0",)),
    # Moves, tags, what may not run.
    (
        "cloud_moves",
        (f"{A},devices,yes,{DOC},2024-05-01",),
        ("kind = devices: none of data_centre, business",),
    ),
    ("cloud_moves", (f"{A},data_centre,yes,{DOC},2027-05-01",), ("since = 2027-05-01: lies in the future",)),
    ("cloud_moves", (f"{A},data_centre,yes,,Li,2024-05-01",), ("document: is missing",)),
    ("tags", (f"best,{A},,,2022-01-01,,{DOC}",), ("tag = best: none of technology_centre",)),
    (
        "tags",
        (f"green_factory,,360100,,2022-01-01,,{DOC}",),
        ("enterprise: is missing", "area = 360100: green_fac"),
    ),
    (
        "tags",
        (f"green_park,{A},,,2022-01-01,,{DOC}",),
        (f"enterprise = {A}: green_park is of area: leave it",),
    ),
    (
        "tags",
        (f"pilot_special,,360121,,2022-01-01,,{DOC}",),
        ("industry: is missing: pilot_special is of area, ind",),
    ),
    (
        "tags",
        (f"pilot_comprehensive,,360100,FOOD,2022-01-01,,{DOC}",),
        ("industry = FOOD: pilot_comprehensive is",),
    ),
    (
        "tags",
        (f"green_factory,{A},,,2023-06-01,,{DOC}",),
        ("has this tag already (2022-01-01..2023-12-31, 文件1)",),
    ),
    (
        "banned",
        (f"{A},SB-9,forbidden,2026-09-01,文件,,,Li",),
        ("asset_no = SB-9: no equipment of this enterprise",),
    ),
    (
        "banned",
        (f"{A},SB-2,forbidden,2020-01-01,文件,,,Li", f"{A},SB-2,outdated,2026-09-01,文件,,,Li"),
        ("row 3: row 2 says something of the same", "is imported last: each in a file of its own"),
    ),
    ("banned", (f"{A},SB-2,old,2026-09-01,文件,,,Li",), ("kind = old: none of outdated, forbidden",)),
    (
        "banned",
        (f"{A},SB-2,forbidden,2026-09-01,文件,DB-9,,Li",),
        ("meter = DB-9: no meter of this enterprise",),
    ),
    ("banned", (f"{A},SB-2,forbidden,2026-09-01,文件,GX-1,-1,Li",), ("standby_kw = -1: is negative",)),
    ("banned", (f"{A},SB-2,forbidden,2026-09-01,文件,,1,Li",), ("standby_kw = 1: is of the meter: name it",)),
    # Value added, and targets.
    ("value_added", (f"{A},2026,950,2020,x,2025-10",), ("through = 2025-10: is no month of 2026",)),
    ("value_added", (f"{A},2026,950,2020,x,2026-12",), ("through = 2026-12: lies in the future",)),
    ("value_added", (f"{A},2026,950,2020,x,October",), ("through = October: no month like 2025-03",)),
    ("value_added", (f"{A},2026,400,2020,x,2026-07",), ("amount_cny = 400: is less than that of 2026-05",)),
    ("value_added", (f"{A},2026,899,2020,x,",), ("amount_cny = 899: is less than that of 2026-09",)),
    ("value_added", (f"{A},2026,1000,2020,x,2026-04",), ("amount_cny = 1000: is more than that of 2026-05",)),
    (
        "value_added",
        (f"{A},2026,950,2015,x,2026-10",),
        ("price_basis = 2015: is 2020 in the row of 2026-09",),
    ),
    (
        "targets",
        ("T01,360000,,>=,60,2020-12-31,,,plan,", "T01,360000,,>=,70,2020-12-31,,,文件2,"),
        ("row 3: row 2 says something of the same",),
    ),
)


def test_what_cannot_be_so_is_told_with_row_column_and_reason_and_nothing_is_changed(
    database: Database,
) -> None:
    tables = {about.table for about in KINDS.values()}

    def stored() -> list[int]:
        with database.read() as connection:
            return [connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables]

    before = stored()
    for kind, rows, told in REFUSED:
        found = take(database, kind, *rows)
        said = "\n".join(map(str, found.errors))
        assert found.rejected, rows
        for what in told:
            assert what in said, (rows, said)
            assert f"{kind}.csv row " in said
    assert stored() == before


def test_a_conflict_with_what_is_stored_is_told_at_the_row_of_the_list_alone(database: Database) -> None:
    for kind, rows, _ in REFUSED:
        places = [error.where.partition(",")[0] for error in take(database, kind, *rows).errors]
        assert set(places) <= {f"{kind}.csv row {n}" for n in range(2, 2 + len(rows))}, rows
        assert len({str(error) for error in take(database, kind, *rows).errors}) == len(places), rows


def test_meters_are_taken_as_told_until_an_inventory_says_which_there_are(database: Database) -> None:
    assert not take(database, "outputs", f"{B},2026-09,rod,1,t,ANY-1,{DOC}").errors
    assert take(database, "outputs", f"{A},2026-09,rod,1,t,ANY-1,{DOC}").errors


def test_two_documents_stand_side_by_side_and_say_when_each_was_imported(database: Database) -> None:
    assert len(take(database, "limits", "360100,,,2026,total_tce,90,,文件2,Wang").added) == 1
    with database.read() as connection:
        stored = connection.execute(select(registry.limit).where(registry.limit.c.area == "360100")).all()
    assert {(row.value, row.document, row.by) for row in stored} == {
        ("100", "文件1", "Li"),
        ("90", "文件2", "Wang"),
    }
    assert all(row.recorded_at for row in stored)


def test_what_an_import_touches_is_marked(database: Database) -> None:
    def marked() -> set[tuple[str, str]]:
        with database.read() as connection:
            return {(row.kind, row.key) for row in connection.execute(select(dirty))}

    for kind, row, mark in (
        ("banned", f"{A},SB-2,forbidden,2026-09-01,文件,,,Li", ("ledger", A)),
        ("value_added", f"{A},2026,950,2020,x,2026-10", ("sums", "")),
    ):
        with database.write() as connection:
            connection.execute(dirty.delete())
        assert not take(database, kind, row).errors
        assert mark in marked(), kind


def test_a_workbook_with_formulas_is_read_as_what_they_show_and_refused_where_they_show_nothing(
    database: Database,
) -> None:
    def limits(value: object) -> bytes:
        def fill(sheet: object, _: object) -> None:
            for at, cell in enumerate(KINDS["limits"].columns):
                sheet.write_string(0, at, cell)  # type: ignore[attr-defined]
            for at, cell in enumerate(["360300", "", "", "2026", "total_tce", "", "", "文件1", "Li"]):
                sheet.write_string(1, at, cell)  # type: ignore[attr-defined]
            sheet.write_formula(1, 5, "=SUM(1,2)", None, value)  # type: ignore[attr-defined]

        return book({"limits": fill})

    for value in ("#REF!", ""):
        found = take(database, "limits", raw=limits(value))
        (error,) = found.errors
        assert "cell F2, value" in str(error), error
    assert len(take(database, "limits", raw=limits(3)).added) == 1
    found = take(database, "limits", "360300,,,2025,total_tce,=SUM(A1:A9),,文件1,Li")
    assert "value = =SUM(A1:A9): a formula, no value; copy the column" in str(found.errors[0])


@pytest.mark.usefixtures("each_database")
def test_of_two_who_import_the_same_list_at_once_one_waits_and_sees_what_the_other_did(
    tmp_path: Path, database: Database
) -> None:
    where = database.where
    url = where if "://" in where else f"sqlite:///{where}"
    rows = [f"green_factory,{A},,,{2000 + n}-01-01,{2000 + n}-06-30,{DOC}" for n in range(20)]
    for first, second, (added, changed, unchanged) in (
        (rows, rows, (0, 0, 20)),
        (rows, [row.replace("-06-30", "-05-31") for row in rows], (0, 20, 0)),
    ):
        with database.write() as connection:
            connection.execute(registry.tag.delete())
        found: list[Preview] = []

        def one(name: str, some: list[str], found: list[Preview] = found) -> None:
            file = tmp_path / name
            file.write_bytes(text("tags", *some))
            with Database(DatabaseSettings(url=url), 20.0) as mine:
                found.append(report.take(mine, None, "tags", file, NOW, apply=True))

        both = [
            threading.Thread(target=one, args=(name, some)) for name, some in (("a", first), ("b", second))
        ]
        with database.write():
            for thread in both:
                thread.start()
            time.sleep(0.1)
            assert not found, "both wait"
        for thread in both:
            thread.join(20)
        got = [(len(of.added), len(of.changed), of.unchanged) for of in found]
        assert got == [(20, 0, 0), (added, changed, unchanged)]
        with database.read() as connection:
            ends = connection.execute(select(registry.tag.c.last)).scalars().all()
        assert len(ends) == 20
        assert len({end.month for end in ends}) == 1, "one list as a whole, or the other"


def test_a_preview_asks_for_what_its_enterprises_have_in_few_questions_whatever_its_length(
    database: Database,
) -> None:
    asked: list[str] = []
    with database.read() as connection:
        event.listen(
            connection, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement)
        )
        for many in (2, 2_000):
            asked.clear()
            rows = (
                f"{A},F,SB-2,{date(2021, 1, 1) + timedelta(2 * n)},{date(2021, 1, 2) + timedelta(2 * n)}"
                for n in range(many // 2)
            )
            found = preview(
                connection, "node_equipment", text("node_equipment", *rows), "x.csv", PROVINCE, NOW
            )
            assert not found.errors
            assert len(asked) <= 5
    assert all("WHERE" in statement for statement in asked), "never a whole table"


def test_rows_are_held_against_each_other_in_linear_time() -> None:
    day = date(2020, 1, 1)
    of = {"enterprise": A, "first": day, "last": None, "kind": "line", "parent": "F"}
    nodes = [of | {"node": f"L{n}"} for n in range(MANY)]
    nodes.append(of | {"node": "F", "parent": "", "kind": "factory"})
    years = [
        {"enterprise": A, "node": "L", "first": day + timedelta(n), "last": day + timedelta(n)}
        for n in range(MANY)
    ]
    rules: list[tuple[beside.Beside, list[beside.Values]]] = [
        (beside.tree, nodes),
        (beside.apart("enterprise node", beside.days, "from"), nodes),
        (beside.apart("enterprise node", beside.days, "from"), years),
    ]
    began = time.process_time()
    assert [list(rule(rows)) for rule, rows in rules] == [[], [], []]
    assert time.process_time() - began < 10, "20,000 rows each against each would be 200 million pairs"


SPANS = st.tuples(st.integers(0, 12), st.none() | st.integers(0, 6))


@given(st.lists(SPANS, max_size=5))
def test_days_that_two_rows_share_and_days_that_none_has_are_those_of_a_plain_count(
    spans: list[tuple[int, int | None]],
) -> None:
    day: Callable[[int], date] = lambda n: date(2020, 1, 1) + timedelta(n)  # noqa: E731
    some: list[tuple[int, int | None]] = [
        (a, None if n is None else a + n) for a, n in sorted(spans, key=lambda of: of[0])
    ]
    rows = [
        {"n": n, "key": 1, "first": day(a), "last": None if b is None else day(b)}
        for n, (a, b) in enumerate(some)
    ]
    had = [[n for n, (a, b) in enumerate(some) if a <= of and (b is None or of <= b)] for of in range(25)]
    clashing = {row["n"] for row, _, _ in beside.apart("key", beside.days, "key")(rows)}
    assert bool(clashing) == any(len(of) > 1 for of in had)
    assert clashing <= {n for of in had if len(of) > 1 for n in of}
    gap = beside.missing(day(0), day(24), [(day(a), None if b is None else day(b)) for a, b in some])
    empty = [n for n, of in enumerate(had) if not of]
    assert gap == (day(empty[0]) if empty else None)
