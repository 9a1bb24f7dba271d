"""Commands as whole processes, in seconds of CPU: help beside an interpreter that does nothing, and a check.

The check of 5,000 points in a list stands beside a program that only reads the same list with csv and pydantic, and
beside itself with ten times as many points.
"""

import csv
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from measure import Figure, pairs, ratio
from support.configs import BUS, HEAD
from workbook import meters, points

_LISTS = '[lists]\nmeters = "meters.csv"\npoints = "points.csv"\n'
_GANPO = (sys.executable, "-c", "from ganpo_agent.cli.main import main; main()")
_BARE = """
import csv, pathlib, pydantic, sys
rows = list(csv.DictReader(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()))
model = pydantic.create_model("Point", **dict.fromkeys(rows[0], (str, ...)))
print(len([model.model_validate(row) for row in rows]))
"""


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    count, runs = (100, 1) if short else (5000, 9)
    nothing = partial(_cpu_s, sys.executable, "-c", "pass")
    times = pairs(runs, partial(_cpu_s, *_GANPO, "--help"), nothing)
    yield str(Figure("ganpo --help", times[0], "s CPU"))
    yield str(Figure("an interpreter that does nothing", times[1], "s CPU"))
    yield ratio("help / nothing", *times, "<= 6")
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_written(Path(folder) / str(number), number) for number in (count, 10 * count))
        bare = partial(_cpu_s, sys.executable, "-c", _BARE, str(few.with_name("points.csv")))
        times = pairs(runs, partial(_checked, few), bare)
        yield str(Figure(f"ganpo check, {count:,} points", times[0], "s CPU")) + "   goal <= 1 s"
        yield str(Figure("csv and pydantic alone", times[1], "s CPU"))
        yield ratio("check / csv and pydantic alone", *times)
        times = pairs(min(runs, 3), partial(_checked, many), partial(_checked, few))
        yield str(Figure(f"ganpo check, {10 * count:,} points", times[0], "s CPU"))
        yield ratio("ten times as many", *times, "<= 10")


def _written(folder: Path, count: int) -> Path:
    """A configuration with so many points in lists."""
    folder.mkdir()
    for name, rows in (("meters", list(meters(count))), ("points", list(points(count)))):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    config = folder / "agent.toml"
    config.write_text(HEAD + BUS + _LISTS, encoding="utf-8")
    return config


def _checked(config: Path) -> float:
    return _cpu_s(*_GANPO, "check", "--config", str(config))


def _cpu_s(*command: str) -> float:
    """What a command takes, user and system. Byte code is kept: an installed package has it."""
    environ = {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
