"""What benchmarks ask of the collector is there: they run rarely, and go to it by name."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
ASKED = re.findall(r'named\("([\w.]+):(\w+)"', (BENCH / "worker.py").read_text())


@pytest.mark.parametrize(("module", "name"), sorted(set(ASKED)))
def test_a_name_that_a_side_asks_for_is_where_it_says(module: str, name: str) -> None:
    assert callable(getattr(importlib.import_module(module), name))


def test_every_benchmark_is_there_and_the_lines_are_told_wing_by_wing() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH / "run.py"), "lines"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    told = {line.split()[0].rstrip(":") for line in done.stdout.splitlines()[1:]}
    assert {"store", "inlet", "days", "province", "imports", "projection", "web", "all", "before"} <= told
    names = re.findall(r'^    "(\w+)",$', (BENCH / "run.py").read_text(), re.MULTILINE)
    assert all((BENCH / f"{name}.py").is_file() for name in names)
