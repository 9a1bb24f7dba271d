"""What is heavy is imported where it is used: help is quick, a gateway without OPC UA never has its library, and one
that runs has nothing of the commands beside it."""

import json
import socket
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


RUNS = """
import json, os, signal, sys, threading, time, urllib.request
from contextlib import suppress
from urllib.error import URLError
from ganpo_agent.cli.main import main
def look():
    while True:
        with suppress(URLError):
            assert urllib.request.urlopen("http://{address}/api/v1/doctor").status == 200
            break
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=look).start()
with suppress(SystemExit):
    main(["run", "--config", "{file}"])
print(json.dumps(sorted(sys.modules)))
"""


def test_a_gateway_that_runs_has_no_other_command_and_no_library_that_it_does_not_use(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*free.getsockname())
    file = tmp_path / "agent.toml"
    head = HEAD.replace("/var/lib/ganpo", str(tmp_path)).replace("[uplink]", f'http = "{address}"\n[uplink]')
    file.write_text(head + BUS, encoding="utf-8")
    code = RUNS.format(address=address, file=file)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    found = set(json.loads(done.stdout))
    assert {name for name in found if name.startswith("ganpo_agent.cli.")} == {
        f"ganpo_agent.cli.{name}" for name in ("main", "running", "common")
    }
    assert not found & {
        "asyncua",
        "cryptography",
        "jinja2",
        "rich",
        "xml.sax",
        "difflib",
        "ganpo_service.catalogue",
    }
