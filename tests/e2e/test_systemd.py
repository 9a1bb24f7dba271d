"""The units, judged offline by systemd itself."""

import re
import subprocess
from pathlib import Path

import pytest

from ganpo_service.units import GATEWAY, Write
from support.processes import BIN

UNITS = Path(__file__).parents[2] / "service" / "ganpo_service" / "units"
NAMES = ("ganpo-agent.service", "ganpo-cloud.service")
MOST_EXPOSED = 1.2
MOST_EXPOSED_WITH_SERIAL = 1.8


def analyze(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *args], capture_output=True, text=True, timeout=30)


def copy(name: str, folder: Path, key: str = "", instead: str = "") -> str:
    """The unit with the programs of this environment, and perhaps with one key misspelt."""
    text = (UNITS / name).read_text()
    if key:
        assert re.search(rf"^{key}=", text, re.MULTILINE), key
        text = re.sub(rf"^{key}=", f"{instead}=", text, flags=re.MULTILINE)
    (folder / name).write_text(text.replace("/opt/ganpo/bin/", f"{BIN}/"))
    return str(folder / name)


@pytest.mark.parametrize("name", NAMES)
def test_systemd_has_nothing_to_say_about_a_unit(tmp_path: Path, name: str) -> None:
    done = analyze("verify", "--man=no", copy(name, tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_key_is_told(tmp_path: Path, name: str) -> None:
    done = analyze("verify", "--man=no", copy(name, tmp_path, "ProtectHome", "ProtectHme"))
    assert "ProtectHme" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_exposes_little(tmp_path: Path, name: str) -> None:
    assert exposure(copy(name, tmp_path)) <= MOST_EXPOSED


def test_a_gateway_with_serial_ports_exposes_little_more(tmp_path: Path) -> None:
    unit = Path(copy("ganpo-agent.service", tmp_path))
    (ports,) = (
        step for step in GATEWAY.install(serial=True) if isinstance(step, Write) and "tty" in step.text
    )
    closed = exposure(str(unit))
    unit.write_text(unit.read_text() + ports.text)
    assert analyze("verify", "--man=no", str(unit)).stderr == ""
    assert closed < exposure(str(unit)) <= MOST_EXPOSED_WITH_SERIAL


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_without_its_filter_of_system_calls_exposes_too_much(tmp_path: Path, name: str) -> None:
    assert exposure(copy(name, tmp_path, "SystemCallFilter", "X-Nothing")) > MOST_EXPOSED


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_starts_a_command_that_exists(name: str) -> None:
    found = re.search(r"^ExecStart=/opt/ganpo/bin/(.+)$", (UNITS / name).read_text(), re.MULTILINE)
    assert found is not None
    program, *arguments = found[1].split()
    subprocess.run([str(BIN / program), *arguments, "--help"], check=True, capture_output=True, timeout=30)


def exposure(unit: str) -> float:
    """What `systemd-analyze security` counts, from 0 (nothing) to 10 (everything)."""
    done = analyze("security", "--offline=true", unit)
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    return float(found[1])
