"""`--help` of every command answers at once: what is heavy is imported where it is used."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ganpo_service.release import RELEASED
from support.processes import BIN

HEAVY = {
    "json",
    "socket",
    "asyncio",
    "pydantic",
    "asyncua",
    "pymodbus",
    "paho",
    "fastapi",
    "starlette",
    "sqlalchemy",
    "uvicorn",
    "amqtt",
    "cryptography",
    "rich",
    "python_calamine",
    "xlsxwriter",
}


@pytest.mark.parametrize("command", ["ganpo", "ganpo-cloud", "ganpo-demo"])
def test_help_imports_nothing_heavy(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(BIN / command), "--help"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "Usage" in done.stdout
    assert "click" in imported
    assert not imported & HEAVY


@pytest.mark.parametrize("command", ["ganpo", "ganpo-cloud", "ganpo-demo"])
def test_the_version_has_its_number_and_its_day(command: str) -> None:
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())["project"]
    said = subprocess.run(
        [BIN / command, "--version"], capture_output=True, text=True, timeout=30, check=True
    )
    assert said.stdout == f"{command} {project['version']} ({RELEASED:%Y-%m-%d})\n"
