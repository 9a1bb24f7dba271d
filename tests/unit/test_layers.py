"""Who may import whom: model <- drivers <- config <- agent, model <- cloud, service below both (architecture.md)."""

import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from support.processes import BIN

ROOT = Path(__file__).parents[2]
AREAS = ("model", "service", "drivers", "config", "agent", "cloud", "demo")
WINGS = ("store", "inlet", "days", "province", "imports", "web", "cli", "app")
"""Of the collector, from below."""


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """The contracts of pyproject.toml over the sources below `root`."""
    roots = os.pathsep.join(str(root / area) for area in AREAS)
    return subprocess.run(
        [str(BIN / "lint-imports"), "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": roots},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_no_package_imports_one_above_it() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The sources once more, for a test to break."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for area in AREAS:
        shutil.copytree(ROOT / area, tmp_path / area, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_a_forbidden_import_is_found(copied: Path) -> None:
    (copied / "cloud" / "ganpo_cloud" / "web" / "wrong.py").write_text("import ganpo_config\n")
    (copied / "model" / "ganpo_model" / "wrong.py").write_text("import ganpo_drivers\n")
    done = lint_imports(copied)
    assert done.returncode == 1, done.stdout
    assert "ganpo_cloud.web.wrong -> ganpo_config" in done.stdout
    assert "ganpo_model.wrong -> ganpo_drivers" in done.stdout


def test_an_import_from_a_wing_above_is_found(copied: Path) -> None:
    cloud = copied / "cloud" / "ganpo_cloud"
    for below, above in pairwise(WINGS):
        (cloud / below / "wrong.py").write_text(f"import ganpo_cloud.{above}\n")
    (cloud / "projection" / "wrong.py").write_text("import ganpo_cloud.web\n")
    done = lint_imports(copied)
    assert done.returncode == 1, done.stdout
    for below, above in pairwise(WINGS):
        assert f"ganpo_cloud.{below}.wrong -> ganpo_cloud.{above}" in done.stdout
    assert "ganpo_cloud.projection.wrong -> ganpo_cloud.web" in done.stdout


def test_a_file_beside_the_wings_is_found(copied: Path) -> None:
    (copied / "cloud" / "ganpo_cloud" / "loose.py").write_text("")
    done = lint_imports(copied)
    assert done.returncode == 1, done.stdout
    assert "ganpo_cloud.loose" in done.stdout


def test_the_model_needs_the_standard_library_alone() -> None:
    for file in sorted((ROOT / "model" / "ganpo_model").rglob("*.py")):
        for line in file.read_text().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                package = words[1].partition(".")[0]
                assert package == "ganpo_model" or package in sys.stdlib_module_names, f"{file}: {line}"
