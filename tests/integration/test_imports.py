"""What is heavy is imported where it is used: a gateway without OPC UA never has its library, and one that runs has
nothing of the commands beside it (of help: `e2e/test_help.py`)."""

import json
import socket
import subprocess
import sys
from pathlib import Path

from support.configs import BUS, HEAD

CHECKS = """
import json, sys
from contextlib import suppress
from ganpo_agent.cli.main import main
with suppress(SystemExit):
    main(["check", "--config", "{file}"])
print(json.dumps(sorted(sys.modules)))
"""


def test_a_configuration_of_modbus_alone_does_not_import_opc_ua(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(HEAD + BUS, encoding="utf-8")
    code = CHECKS.format(file=file)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    found = set(json.loads(done.stdout.splitlines()[-1]))
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
