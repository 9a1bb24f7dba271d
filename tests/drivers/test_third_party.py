"""A driver of another maker: installed as a package of its own, found by its entry point, held to the contract."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.processes import BIN

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "ganpo-driver-lines"
QUIET = ["-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:asyncio"]
"""The kit needs pytest and no plug-in."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, so that nothing is built in the checkout."""
    copy = tmp_path_factory.mktemp("vendor") / EXAMPLE.name
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return copy


@pytest.fixture(scope="module")
def environ(source: Path) -> dict[str, str]:
    """Of a process that has the driver installed, beside what is installed here."""
    target = source.parent / "installed"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index"]
    command = [*pip, "--no-deps", "--no-build-isolation", "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": str(target)}


def test_it_is_listed_with_version_and_origin(environ: dict[str, str]) -> None:
    done = subprocess.run(
        [BIN / "ganpo", "driver", "list"], capture_output=True, text=True, timeout=60, env=environ
    )
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("lines"))
    assert "1.0.0" in line
    assert "ganpo-driver-lines" in line


def test_its_own_tests_are_green_and_none_is_skipped(source: Path, environ: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", *QUIET]
    done = subprocess.run(
        command, cwd=source / "tests", capture_output=True, text=True, timeout=100, env=environ
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (passed,) = re.findall(r"^(\d+) passed in", done.stdout, re.MULTILINE)
    assert int(passed) == 23, "every test of the kit but the one of an ability it lacks"


def test_a_test_that_fails_says_what_it_compared(source: Path, environ: dict[str, str]) -> None:
    driver = source.parent / "installed" / "ganpo_driver_lines" / "__init__.py"
    right = driver.read_text()
    driver.write_text(
        right.replace("else float(answer)", "else float(answer) + asyncio.get_running_loop().time()")
    )
    command = [sys.executable, "-m", "pytest", *QUIET, "-k", "in_order"]
    try:
        done = subprocess.run(
            command, cwd=source / "tests", capture_output=True, text=True, timeout=60, env=environ
        )
    finally:
        driver.write_text(right)
    assert done.returncode == 1
    assert re.search(r"E +(Assertion|assert).*[0-9.]+", done.stdout), done.stdout


def test_the_page_shows_it_as_it_is() -> None:
    page = (ROOT / "docs" / "drivers.md").read_text()
    for file in ("pyproject.toml", "ganpo_driver_lines/__init__.py", "tests/test_lines.py"):
        assert (EXAMPLE / file).read_text() in page, file
