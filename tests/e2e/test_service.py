"""`ganpo service`, in the file system of a box that does not run: systemd's own programs set it up."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.configs import HEAD

LINE = """
[connections.hall]
driver = "dlt645"
url = "serial:///dev/serial/by-id/usb-FTDI_A1"
"""
Ganpo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """With this environment as /opt/ganpo, a configuration, and outbox and lists that nobody may touch."""
    for folder in ("etc/ganpo", "opt", "var/lib/ganpo"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "opt/ganpo").symlink_to(sys.prefix)
    (tmp_path / "etc/ganpo/agent.toml").write_text(HEAD)
    (tmp_path / "var/lib/ganpo/outbox.db").write_text("frames")
    return tmp_path


@pytest.fixture
def ganpo(box: Path) -> Ganpo:
    def ask(*words: str, programs: str = "opt/ganpo") -> subprocess.CompletedProcess[str]:
        python = [str(box / programs / "bin/python3"), "-c", "from ganpo_agent.cli.main import main; main()"]
        return subprocess.run(
            [*python, "service", *words, "--root", str(box)], capture_output=True, text=True, timeout=30
        )

    return ask


def files(box: Path) -> dict[str, str]:
    found = (path for path in box.rglob("*") if path.is_file() or path.is_symlink())
    return {
        str(path.relative_to(box)): path.read_text() for path in found if path.exists() and path.is_file()
    }


def test_it_stands_starts_with_the_machine_and_goes_again_without_touching_data(
    box: Path, ganpo: Ganpo
) -> None:
    before = files(box)
    done = ganpo("install")
    assert done.returncode == 0, done.stderr
    unit = box / "etc/systemd/system/ganpo-agent.service"
    assert "\nExecStart=/opt/ganpo/bin/ganpo run\n" in unit.read_text()
    assert (box / "etc/systemd/system/multi-user.target.wants/ganpo-agent.service").is_symlink()
    assert "ganpo:x:" in (box / "etc/passwd").read_text()
    assert any(
        line.startswith("dialout:") and "ganpo" in line
        for line in (box / "etc/group").read_text().splitlines()
    )
    said = json.loads(ganpo("status", "--json").stdout)
    assert (said["enabled"], said["current"], said["serial"]) == ("enabled", True, False)

    assert ganpo("uninstall").returncode == 0
    assert not unit.exists()
    assert json.loads(ganpo("status", "--json").stdout)["unit"] is None
    accounts = ("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/.pwd.lock")
    assert {name: text for name, text in files(box).items() if not name.startswith(accounts)} == before


def test_serial_ports_are_open_where_the_configuration_has_one(box: Path, ganpo: Ganpo) -> None:
    ports = box / "etc/systemd/system/ganpo-agent.service.d/serial.conf"
    assert ganpo("install").returncode == 0
    assert not ports.exists()
    (box / "etc/ganpo/agent.toml").write_text(HEAD + LINE)
    assert "serial ports           open" in ganpo("install").stdout
    assert "DeviceAllow=char-ttyUSB rw" in ports.read_text()
    assert ganpo("install", "--no-serial").returncode == 0
    assert not ports.parent.exists()


def test_a_configuration_elsewhere_is_named_to_the_service_and_forgotten_again(
    box: Path, ganpo: Ganpo
) -> None:
    (box / "srv").mkdir()
    (box / "srv/agent.toml").write_text(HEAD)
    given = box / "etc/systemd/system/ganpo-agent.service.d/environment.conf"
    done = ganpo("install", "--config", "/srv/agent.toml")
    assert done.returncode == 0, done.stderr
    assert given.read_text() == '[Service]\nEnvironment="GANPO_CONFIG=/srv/agent.toml"\n'
    assert "commands find it with --config /srv/agent.toml" in done.stdout
    assert ganpo("install").returncode == 0
    assert not given.parent.exists()
    done = ganpo("install", "--config", "/srv/nothing.toml")
    assert (done.returncode, f"{box}/srv/nothing.toml: no such file" in done.stderr) == (1, True)
    done = ganpo("install", "--config", "/home/me/agent.toml")
    assert (done.returncode, "/home is hidden from the service" in done.stderr) == (1, True)


def test_a_dry_run_prints_all_and_does_nothing(box: Path, ganpo: Ganpo) -> None:
    before = files(box)
    done = ganpo("install", "--serial", "--dry-run")
    assert done.returncode == 0
    for told in (
        "ExecStart=/opt/ganpo/bin/ganpo run",
        "char-ttyUSB",
        "m ganpo dialout",
        "enable ganpo-agent.service",
    ):
        assert told in done.stdout
    assert files(box) == before


def test_where_a_package_has_brought_the_unit_it_is_used_as_it_is(box: Path, ganpo: Ganpo) -> None:
    packaged = box / "usr/lib/systemd/system/ganpo-agent.service"
    packaged.parent.mkdir(parents=True)
    packaged.write_text(
        "[Service]\nExecStart=/usr/lib/ganpo/bin/ganpo run\n[Install]\nWantedBy=multi-user.target\n"
    )
    assert ganpo("install").returncode == 0
    assert not (box / "etc/systemd/system/ganpo-agent.service").exists()
    said = json.loads(ganpo("status", "--json").stdout)
    assert (said["unit"], said["enabled"]) == (str(packaged), "enabled")
    assert ganpo("uninstall").returncode == 0
    assert packaged.exists()
    assert json.loads(ganpo("status", "--json").stdout)["enabled"] == "disabled"


def test_the_unit_of_an_older_version_is_told_and_replaced(box: Path, ganpo: Ganpo) -> None:
    ganpo("install")
    unit = box / "etc/systemd/system/ganpo-agent.service"
    unit.write_text(unit.read_text().replace("WatchdogSec=60", "WatchdogSec=30"))
    assert "of another version: install it again" in ganpo("status").stdout
    assert ganpo("install").returncode == 0
    assert "WatchdogSec=60" in unit.read_text()


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("", "the configuration has errors"),
        (
            HEAD.replace("/var/lib/ganpo", "/data"),
            'the service can write to /var/lib/ganpo alone; state_dir = "/var/',
        ),
    ],
)
def test_what_could_not_run_is_not_installed(box: Path, ganpo: Ganpo, config: str, told: str) -> None:
    (box / "etc/ganpo/agent.toml").write_text(config)
    before = files(box)
    done = ganpo("install")
    assert done.returncode == 1
    assert told in done.stderr
    assert files(box) == before


def test_a_configuration_that_the_service_could_not_read_is_told(box: Path, ganpo: Ganpo) -> None:
    (box / "etc/ganpo/agent.toml").chmod(0o600)
    done = ganpo("install")
    assert done.returncode == 1
    assert "the user ganpo, who cannot read it; chmod 644" in done.stderr


def test_programs_that_the_service_could_not_see_are_refused(box: Path, ganpo: Ganpo) -> None:
    (box / "home").mkdir()
    (box / "home/ganpo").symlink_to(sys.prefix)
    done = ganpo("install", programs="home/ganpo")
    assert done.returncode == 1
    assert "/home is hidden from the service" in done.stderr
    assert "install into /opt/ganpo" in done.stderr
