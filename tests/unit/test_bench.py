"""What benchmarks ask of the collector is there: they run rarely, and go to it by name."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from ganpo_cloud.days import periods
from ganpo_cloud.store.counted_tables import ALL, area_day
from support import databases

BENCH = Path(__file__).parents[2] / "bench"
ASKED = re.findall(r'named\("(ganpo[\w.]+):(\w+)"', (BENCH / "worker.py").read_text())


@pytest.mark.parametrize(("module", "name"), sorted(set(ASKED)))
def test_a_name_that_a_side_asks_for_is_where_it_says(module: str, name: str) -> None:
    assert callable(getattr(importlib.import_module(module), name))


def test_the_province_of_the_benchmarks_is_filled_as_the_tables_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    filling = importlib.import_module("filling")
    with databases.database(tmp_path) as database:
        filling.fill(database, 12)
        with database.read() as connection:
            counted = select(area_day.c.day, area_day.c.units).where(
                area_day.c.area == filling.PROVINCE.whole
            )
            found = connection.execute(counted.where(area_day.c.industry == ALL)).all()
    assert len(found) == periods.DAYS
    assert {units for _, units in found} == {12}


def test_every_benchmark_is_there_and_the_lines_are_told_wing_by_wing() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH / "run.py"), "lines"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    told = {line.split()[0].rstrip(":") for line in done.stdout.splitlines()[1:]}
    assert {"store", "inlet", "days", "province", "imports", "projection", "web", "all", "before"} <= told
    names = re.findall(r'^    "(\w+)",$', (BENCH / "run.py").read_text(), re.MULTILINE)
    assert all((BENCH / f"{name}.py").is_file() for name in names)
