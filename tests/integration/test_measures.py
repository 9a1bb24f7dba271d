"""A measure is declared once: its predicate, its condition in SQL and its sums say the same of every device."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from ganpo_cloud.days.reasons import REASONS
from ganpo_cloud.province import lists, totals
from ganpo_cloud.province.measures import counts
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import ALL, STOCKS, ledger
from ganpo_cloud.store.database import Database
from ganpo_model.activity import Age
from ganpo_model.coverage import ENTERPRISES, MEASURES, Evidence, Unit, ladder, stops
from support import databases
from support.campaign import rounds
from support.province import PROVINCE

DAY = date(2026, 11, 28)
COUNTY, INDUSTRY = "360121", "FOOD"
UNITS = st.builds(
    Unit,
    *(st.sampled_from(Evidence) for _ in range(4)),
    *(st.booleans() for _ in range(5)),
    st.sampled_from([None, *Age]),
    st.integers(0, 2),
)
"""Of any kind, also such as cannot be."""
SEEN = st.builds(
    lambda unit, cloud: replace(unit, networked=unit.age is not None, cloud=cloud and unit.age is not None),
    UNITS,
    st.booleans(),
)
"""What has an age was seen, and what was stored was seen; whose age is active or silent was stored."""


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
        "banned": unit.banned,
        "networked": unit.networked,
        "cloud": unit.cloud,
        "age": None if unit.age is None else unit.age.value,
        "named": unit.named,
        **{
            flag: int(getattr(unit, flag)) for flag in ("main", "numerical_control", "digital", "intelligent")
        },
        **other,
    }
    return tuple(said.get(column.name) for column in ledger.columns)


@pytest.mark.usefixtures("each_database")
@settings(
    max_examples=rounds(12, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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
        here = lists.Filter(COUNTY, INDUSTRY, DAY)
        listed_firms = {
            name: {found.enterprise for found in connection.execute(lists.enterprises(PROVINCE, here, name))}
            for name in ENTERPRISES
            if branch
        }
    whole = [[*devices] for devices in firms]
    if branch and len(firms) > 1:
        whole[0] += whole.pop()
    for name, of in ENTERPRISES.items():
        codes = {
            f"E{n}"
            for n, devices in enumerate(whole)
            if (of.devices is None or any(MEASURES[of.devices].counts(unit) for unit in devices))
            and not any(MEASURES[other].counts(unit) for other in of.without for unit in devices)
        }
        wanted[name] = len(codes)
        assert listed_firms.get(name, codes) == codes, name
    for place in (COUNTY, "360100", PROVINCE.whole):
        for industry in (ALL, INDUSTRY):
            assert sums[place, industry] == {name: wanted[name] for name in STOCKS}


@settings(max_examples=200, deadline=None)
@given(firms=st.lists(st.lists(SEEN, max_size=6), max_size=5))
def test_those_that_stop_on_a_rung_are_told_apart_by_one_reason_each_and_add_up(
    firms: list[list[Unit]],
) -> None:
    """N(rung) - N(next rung) = the sum of N(stops there by reason), of devices and of enterprises."""
    units = [unit for devices in firms for unit in devices]
    devices = {name: [unit for unit in units if of.counts(unit)] for name, of in MEASURES.items()}
    reached = [{name for name, of in MEASURES.items() if any(map(of.counts, firm))} for firm in firms]
    whole = {name: [n for n, has in enumerate(reached) if of.counts(has)] for name, of in ENTERPRISES.items()}
    both: list[tuple[Any, Any]] = [(MEASURES, devices), (ENTERPRISES, whole)]
    for measures, found in both:
        rungs = ladder(measures)
        for (rung, now, _), (_, beyond, _) in pairwise(rungs):
            causes = stops(measures, rung)
            assert len(found[now]) - len(found[beyond]) == sum(len(found[name]) for name in causes), rung
            assert all(of.reason in REASONS for of in causes.values())
        assert stops(measures, rungs[-1][0]) == {}


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
from support.campaign import rounds
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
