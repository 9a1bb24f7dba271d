"""One wheel holds the six packages with everything they read at run time."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
CHARTS = {"ganpo_cloud/web/static/vendor/echarts.min.js", "ganpo_cloud/web/static/vendor/htmx.min.js"}
FRONT_ENDS = {
    "pip": ["-m", "pip", "wheel", "-q", "--no-deps", "--disable-pip-version-check", "-w"],
    "build, by way of an sdist": ["-m", "build", "--outdir"],
    "build": ["-m", "build", "--wheel", "--outdir"],
    "sdist": ["-m", "build", "--sdist", "--outdir"],
    "editable": ["-m", "hatchling", "build", "-t", "wheel:editable", "-d"],
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=110)
    (file,) = folder.glob("ganpo-*.whl")
    with ZipFile(file) as wheel:
        yield wheel


def test_the_wheel_holds_every_file_of_every_package_and_nothing_else(wheel: ZipFile) -> None:
    packages = [
        next(ROOT.glob(f"{area}/ganpo_{area}"))
        for area in ("model", "service", "drivers", "config", "agent", "cloud", "demo")
    ]
    there = {
        f"{package.name}/{file.relative_to(package)}"
        for package in packages
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == there


def test_a_gateway_does_not_install_what_only_the_collector_needs(wheel: ZipFile) -> None:
    (info,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    lines = wheel.read(info).decode().splitlines()
    needs = [line.partition(":")[2] for line in lines if line.startswith("Requires-Dist")]
    base = " ".join(need for need in needs if "extra ==" not in need)
    for library in ("asyncua", "pymodbus", "paho-mqtt", "pydantic-settings"):
        assert library in base
    for library in ("sqlalchemy", "fastapi", "influxdb", "babel", "amqtt"):
        assert library not in base


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The project as it comes, without what a build before brought."""
    left_out = shutil.ignore_patterns(
        ".*", "__pycache__", "build", "dist", "vendor", "installed", "tests", "docs"
    )
    return shutil.copytree(ROOT, tmp_path / "source", ignore=left_out)


def build(
    front_end: str, source: Path, npm: str | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Build into `out` beside the source, with `npm` as the only program of that name, or with none at all."""
    programs = source.parent / "programs"
    programs.mkdir(exist_ok=True)
    if npm is not None:
        (programs / "npm").write_text(npm)
        (programs / "npm").chmod(0o755)
    command = [sys.executable, *FRONT_ENDS[front_end], str(source.parent / "out")]
    return subprocess.run(
        command if front_end == "editable" else [*command, str(source)],
        cwd=source,
        env={**os.environ, **env, "PATH": str(programs)},
        capture_output=True,
        text=True,
        timeout=110,
    )


def charts(source: Path) -> set[str]:
    (file,) = source.parent.glob("out/ganpo-*.whl")
    with ZipFile(file) as wheel:
        return CHARTS & set(wheel.namelist())


@pytest.mark.parametrize(
    "front_end", [pytest.param("pip", marks=pytest.mark.slow), "build, by way of an sdist"]
)
def test_without_npm_at_hand_the_builds_own_brings_echarts_and_htmx_under_every_front_end(
    front_end: str, source: Path
) -> None:
    said = build(front_end, source)
    assert said.returncode == 0, said.stdout + said.stderr
    assert charts(source) == CHARTS


FAILS = "#!/bin/sh\nexit 1\n"


@pytest.mark.parametrize("front_end", ["build", "sdist"])
def test_what_cannot_have_the_charts_is_not_built_and_says_how_to_go_on(front_end: str, source: Path) -> None:
    said = build(front_end, source, FAILS)
    assert said.returncode != 0
    assert "GANPO_WITHOUT_CHARTS=1" in said.stdout + said.stderr
    assert not list(source.parent.glob("out/ganpo-*"))


def test_without_charts_where_that_is_asked_for_it_is_built_and_nothing_is_fetched(source: Path) -> None:
    said = build("build", source, FAILS, GANPO_WITHOUT_CHARTS="1")
    assert said.returncode == 0, said.stdout + said.stderr
    assert charts(source) == set()


def test_an_editable_installation_goes_on_without_charts_and_warns(source: Path) -> None:
    said = build("editable", source, FAILS)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "the pages come without charts" in said.stdout + said.stderr
