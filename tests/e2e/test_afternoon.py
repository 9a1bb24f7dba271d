"""The engineer's afternoon, as docs/afternoon.md prints it: its commands typed on a terminal of 80 columns (Show 1).

A server that others wrote is the meter, laid out by the devices' register table; broker, gateway and collector are
real. `pytest -s` prints the transcript. The same from the installed packages, with systemd, is `make deb-test`.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ganpo_demo.loopback import free_port
from support import afternoon
from support.broker import Mosquitto
from support.cloud import Cloud
from support.gateways import wait_for
from support.modbus_server import ModbusServer
from support.processes import BIN, end


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """The file system of a box with Ganpo in /opt, and `ganpo` on the path."""
    for folder in ("etc/ganpo", "opt", "var/lib/ganpo", "bin"):
        (tmp_path / "box" / folder).mkdir(parents=True)
    root = tmp_path / "box"
    (root / "opt/ganpo").symlink_to(sys.prefix)
    (root / "bin/ganpo").write_text(
        f"#!/bin/sh\nexec {root}/opt/ganpo/bin/python3 -c"
        " 'from ganpo_agent.cli.main import main; main()' \"$@\"\n"
    )
    (root / "bin/ganpo").chmod(0o755)
    return root


def test_four_commands_to_the_gateway_page_and_six_to_the_collector(tmp_path: Path, box: Path) -> None:
    commands = [one.command for one in afternoon.typed()]
    assert commands.index(afternoon.LAST_HERE) < 4, "commands to the value on the gateway page"
    assert len(commands) <= 6, "to the counted meter on the collector's page"
    http = free_port()
    environ = {
        "PATH": f"{box}/bin:{BIN}:/usr/sbin:/usr/bin:/bin",
        "GANPO_CONFIG": str(box / "etc/ganpo/agent.toml"),
        "GANPO_CLOUD_CONFIG": str(tmp_path / "cloud.toml"),
        "HOME": str(tmp_path),
        "LANG": "en_US.UTF-8",
    }
    started: list[subprocess.Popen[bytes]] = []
    with ModbusServer() as server, Mosquitto(tmp_path) as broker:
        afternoon.lay_out(server)
        cloud = Cloud(tmp_path, broker.url)
        own = {afternoon.METER: server.url.removeprefix("tcp://"), afternoon.BROKER: broker.url}

        def here(text: str) -> str:
            for page, ours in own.items():
                text = text.replace(page, ours)
            return f"{text} --root {box}" if text == afternoon.LAST_HERE else text

        def there(text: str) -> str:
            for page, ours in own.items():
                text = text.replace(ours, page)
            text = text.replace(f" --root {box}", "").replace(str(box), "")
            text = text.replace("/etc/systemd/system/", "/usr/lib/systemd/system/")  # no package brought it
            return text.replace("systemd does not run here", "active")

        try:
            for one in afternoon.walk(environ, here, there, by_hand=("systemctl",)):
                if one.theirs:
                    cloud.start()
                    wait_for(lambda: cloud.health()[0] > 0, 30)
                if one.command == afternoon.LAST_HERE:
                    unit = (box / "etc/systemd/system/ganpo-agent.service").read_text()
                    (start,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
                    program, *rest = shlex.split(start)
                    folder = {"GANPO_GATEWAY__STATE_DIR": str(box / "var/lib/ganpo")}
                    page = {"GANPO_GATEWAY__HTTP": f"127.0.0.1:{http}"}
                    with (tmp_path / "agent.log").open("w") as log:
                        started.append(
                            subprocess.Popen(
                                [f"{box}{program}", *rest],
                                env=environ | folder | page | afternoon.QUICK | {"LC_ALL": "C.UTF-8"},
                                stderr=log,
                            )
                        )
                    afternoon.shows_at_the_gateway(f"http://127.0.0.1:{http}", server)
            afternoon.shows_at_the_collector(cloud.url)
        finally:
            for process in started:
                end(process)
            cloud.kill()
