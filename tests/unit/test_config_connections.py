"""`[connections.NAME]` of lines: which ports may be shared, what is warned of, what is refused (drivers.md, Modbus)."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from ganpo_drivers import Driver, registry
from support.configs import HEAD, errors, write


def connection(name: str, url: str, more: str = "") -> str:
    """A Modbus connection."""
    return f"""
[connections.{name}]
driver = "modbus"
url = "{url}"
addressing = "0-based"
{more}
"""


def test_two_connections_on_one_port_are_refused_with_both_places_also_by_another_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "ttyS0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyS0")
    text = connection("a", f"rtu://{tmp_path}/ttyS0") + connection("b", f"rtu://{tmp_path}/by-id")
    assert errors(tmp_path, text) == [
        (
            f"agent.toml: connections.b: connections.a is on the same port ({tmp_path}/ttyS0); "
            "several units of one line are points of one connection"
        )
    ]
    text = connection("a", "rtu+tcp://Converter:4001") + connection("b", "rtu+tcp://converter:4001")
    assert len(errors(tmp_path, text)) == 1


@pytest.mark.parametrize(
    ("modbus", "dlt645"),
    [("rtu:///dev/ttyS1", "serial:///dev/ttyS1"), ("rtu+tcp://converter:4001", "tcp://Converter:4001")],
)
def test_two_protocols_on_one_port_are_refused_too(tmp_path: Path, modbus: str, dlt645: str) -> None:
    other = f'[connections.other]\ndriver = "dlt645"\nurl = "{dlt645}"\n'
    (found,) = errors(tmp_path, connection("bus", modbus) + other)
    assert "connections.other: connections.bus is on the same port" in found


def test_connections_with_a_line_each_and_two_sessions_to_one_device_are_fine(tmp_path: Path) -> None:
    text = "".join(
        connection(name, url)
        for name, url in {
            "a": "rtu:///dev/serial/by-id/a",
            "b": "rtu:///dev/serial/by-id/b",
            "c": "rtu+tcp://converter:4001",
            "d": "rtu+tcp://converter:4002",
            "e": "tcp://plc",
            "f": "tcp://plc:502",
        }.items()
    )
    assert errors(tmp_path, text) == []


def test_a_port_that_has_another_number_after_the_next_start_is_warned_of(tmp_path: Path) -> None:
    loaded = write(tmp_path, HEAD + connection("bus", "rtu:///dev/ttyUSB0"))
    assert loaded.errors == ()
    assert loaded.warnings == (
        (
            "agent.toml: connections.bus.url: /dev/ttyUSB0 may be another adapter after the next start: "
            "write its name in /dev/serial/by-id"
        ),
    )


@pytest.mark.parametrize(
    ("url", "more", "told"),
    [
        ("ascii:///dev/ttyS0", "", "Modbus ASCII is not read: set the device to RTU"),
        ("rtu:///dev/ttyS0", "data_bits = 7", "data_bits = 7 is Modbus ASCII, which is not read"),
        ("rtu://dev/ttyS0", "", "not rtu:///dev/NAME"),
        ("rtu+tcp://converter", "", "the port is missing: rtu+tcp://HOST:PORT"),
        ("tcp://plc", "baud = 9600", "baud: not with tcp://"),
        ("rtu+tcp://converter:4001", 'parity = "even"', "parity: not with rtu+tcp://"),
        ("rtu:///dev/ttyS0", 'parity = "mark"', "parity = mark"),
        ("rtu:///dev/ttyS0", "stop_bits = 3", "stop_bits = 3"),
        ("udp://plc", "", "not tcp://HOST[:502], tls://HOST[:802], rtu:///dev/NAME or rtu+tcp://HOST:PORT"),
    ],
)
def test_what_no_line_has_is_refused(tmp_path: Path, url: str, more: str, told: str) -> None:
    (found,) = errors(tmp_path, connection("bus", url, more))
    assert told in found
    assert found.startswith("agent.toml: connections.bus")


def test_the_authority_of_a_tls_device_is_a_file_of_secrets(tmp_path: Path) -> None:
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    text = connection("plc", "tls://plc", 'ca_file = "ca.pem"')
    (found,) = errors(tmp_path, text, environ)
    assert "connections.plc.ca_file = ca.pem: no such file: " in found
    (tmp_path / "ca.pem").write_text("no certificate")
    (found,) = errors(tmp_path, text, environ)
    assert "its file holds no certificate (PEM)" in found
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=ca -keyout key.pem -out ca.pem"
    subprocess.run(make.split(), cwd=tmp_path, check=True, capture_output=True)
    assert errors(tmp_path, text, environ) == []
    (found,) = errors(tmp_path, text.replace("tls://", "tcp://"), environ)
    assert "ca_file: not with tcp://" in found


def test_a_driver_is_looked_for_once_however_many_connections_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    load = registry.load

    def look(name: str) -> type[Driver[Any, Any]]:
        asked.append(name)
        return load(name)

    monkeypatch.setattr(registry, "load", look)
    text = "".join(connection(f"line{n}", f"tcp://192.0.2.{n}") for n in range(1, 9))
    assert errors(tmp_path, text) == []
    assert asked == ["modbus"]
