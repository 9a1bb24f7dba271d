"""A measure is declared once: its predicate, its condition in SQL and its sums say the same of every device."""

import os
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from ganpo_cloud.province import lists, totals
from ganpo_cloud.province.measures import counts
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import ALL, STOCKS, ledger
from ganpo_cloud.store.database import Database
from ganpo_model.activity import Age
from ganpo_model.coverage import ENTERPRISES, MEASURES, Evidence, Unit
from support import databases
from support.province import PROVINCE

DAY = date(2026, 11, 28)
COUNTY, INDUSTRY = "360121", "FOOD"
UNITS = st.builds(
    Unit,
    *(st.sampled_from(Evidence) for _ in range(4)),
    *(st.booleans() for _ in range(4)),
    st.sampled_from([None, *Age]),
)


@pytest.fixture
def database(tmp_path: Path) -> Any:
    with databases.database(tmp_path) as found:
        yield found


def row(code: str, asset_no: str, kind: str, unit: Unit, **other: object) -> tuple[Any, ...]:
    said = {
        "enterprise": code,
        "asset_no": asset_no,
        "since": date(2020, 1, 1),
        "kind": kind,
        "name": "X",
        "site": "plant-1",
        "area": COUNTY,
        "industry": INDUSTRY,
        "status": "retired" if unit.retired else "in_use",
        "above_scale": True,
        "in_service": unit.in_service,
        "retired": unit.retired,
        "networked": unit.networked,
        "cloud": unit.cloud,
        "age": None if unit.age is None else unit.age.value,
        **{
            flag: int(getattr(unit, flag)) for flag in ("main", "numerical_control", "digital", "intelligent")
        },
        **other,
    }
    return tuple(said.get(column.name) for column in ledger.columns)


@pytest.mark.usefixtures("each_database")
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(firms=st.lists(st.lists(UNITS, max_size=6), min_size=1, max_size=5), branch=st.booleans())
def test_predicate_condition_and_sums_count_the_same_devices_and_enterprises(
    database: Database, firms: list[list[Unit]], branch: bool
) -> None:
    """With `branch` the last of the enterprises is a branch of the first: what it has reached, that one has."""
    rows, units, wanted = [], {}, Counter[str]()
    for n, devices in enumerate(firms):
        parent = "E0" if branch and n and n == len(firms) - 1 else None
        rows.append(row(f"E{n}", "", "enterprise", Unit(), parent=parent))
        for m, unit in enumerate(devices):
            units[f"E{n}", f"SB-{m}"] = unit
            rows.append(row(f"E{n}", f"SB-{m}", "equipment", unit))
    with database.write() as connection:
        connection.execute(delete(ledger))
        sql.add(connection, ledger, rows)
    with database.read() as connection:
        for name, measure in MEASURES.items():
            mine = {key for key, unit in units.items() if measure.counts(unit)}
            query = select(ledger.c.enterprise, ledger.c.asset_no).where(ledger.c.kind == "equipment")
            assert {tuple(found) for found in connection.execute(query.where(counts(name)))} == mine, name
            listed = lists.devices(PROVINCE, lists.Filter(COUNTY, INDUSTRY, DAY), name)
            assert lists.number(connection, listed) == len(mine), name
            wanted[name] = len(mine)
        sums = totals.stocks(connection, PROVINCE, DAY)
    whole = [[*devices] for devices in firms]
    if branch and len(firms) > 1:
        whole[0] += whole.pop()
    for name, of in ENTERPRISES.items():
        wanted[name] = sum(
            of.devices is None or any(MEASURES[of.devices].counts(unit) for unit in devices)
            for devices in whole
        )
    for place in (COUNTY, "360100", PROVINCE.whole):
        for industry in (ALL, INDUSTRY):
            assert sums[place, industry] == {name: wanted[name] for name in STOCKS}


_INVENTED = """
import sys
from datetime import timedelta
from pathlib import Path

from ganpo_model import coverage

coverage.MEASURES["lathes"] = coverage.Measure(
    "intelligent main equipment", (coverage.MAIN, coverage.at_least("intelligent"), coverage.IN_SERVICE),
    "lathes stand here", "beside",
)

import httpx
from ganpo_cloud.imports import registry
from ganpo_cloud.web.application import create_app
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, Plant, enterprise, inventory
from support.serving import Served

plant = Plant(databases.database(Path(sys.argv[1])))
plant.take("enterprises", enterprise(CODES[0]))
plant.take("sites", f"{CODES[0]},plant-1,Plant,360681,Asia/Shanghai")
registry.add(plant.database, "gw-test-0001", CODES[0], "plant-1")
plant.send("gw-test-0001", [inventory("SB-1", "SB-2", flags=("main",), at=NOW - timedelta(hours=3))])
plant.take("flags", f"{CODES[0]},SB-2,intelligent,yes,document,2026-17,Wang,2026-11-01")
plant.settle()
with plant.database.read() as connection:
    sums = connection.exec_driver_sql("SELECT lathes FROM area_day WHERE area = '360600' AND industry = ''").all()
print("sums", sums[-1][0])
with Served(create_app(plant.database, TestClock(wall=NOW))) as served, httpx.Client(base_url=served.url) as http:
    listed = http.get("/api/v1/equipment?measure=lathes").json()
    print("list", *(row["asset_no"] for row in listed))
    page = http.get("/equipment?lang=en&measure=lathes").text
    print("page", "intelligent main equipment" in page, "SB-2" in page, "SB-1" in page)
    print("ladder", "lathes stand here" in http.get("/overview?lang=en").text)
plant.database.close()
"""


def test_an_invented_measure_is_one_declaration_and_stands_in_sums_list_api_and_on_the_pages(
    tmp_path: Path,
) -> None:
    """In a process of its own: columns are made from the declarations when the tables are."""
    path = os.pathsep.join(sys.path)
    ran = subprocess.run(
        [sys.executable, "-c", _INVENTED, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": path},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["sums 1", "list SB-2", "page True True False", "ladder True"]
