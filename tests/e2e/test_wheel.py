"""One wheel holds the six packages with everything they read at run time."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


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
    assert "pymodbus" in base
    for library in ("sqlalchemy", "fastapi", "jinja2", "influxdb", "babel", "amqtt"):
        assert library not in base
