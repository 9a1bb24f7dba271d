"""`--help` of every command answers at once: what is heavy is imported where it is used."""

import subprocess
import sys

import pytest

from support.processes import BIN

HEAVY = {
    "pydantic",
    "asyncua",
    "pymodbus",
    "paho",
    "fastapi",
    "starlette",
    "sqlalchemy",
    "uvicorn",
    "amqtt",
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
