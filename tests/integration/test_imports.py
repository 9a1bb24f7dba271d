"""What is heavy is imported where it is used: help is quick, and a gateway without OPC UA never has its library."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.configs import BUS, HEAD

HEAVY = {
    "asyncua",
    "pymodbus",
    "pydantic",
    "cryptography",
    "rich",
    "fastapi",
    "sqlalchemy",
    "asyncio",
    "amqtt",
}
PRINT = """
import json, sys
from contextlib import suppress
from {} import main
with suppress(SystemExit):
    main({})
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def imported(module: str, *arguments: str) -> set[str]:
    """The modules that a command of ours has once it ended."""
    code = PRINT.format(module, [*arguments])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout
    return {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}


@pytest.mark.parametrize("module", ["ganpo_agent.cli.main", "ganpo_cloud.cli.main", "ganpo_demo.cli"])
def test_help_imports_nothing_heavy(module: str) -> None:
    assert not imported(module, "--help") & HEAVY


def test_a_configuration_of_modbus_alone_does_not_import_opc_ua(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(HEAD + BUS, encoding="utf-8")
    found = imported("ganpo_agent.cli.main", "check", "--config", str(file))
    assert "pymodbus" in found
    assert not found & {"asyncua", "cryptography"}
