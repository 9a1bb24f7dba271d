"""Modbus inside TLS: the certificate and the host name of the other side are always verified (drivers.md)."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ganpo_drivers import Point
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_model.errors import CertificateNotTrusted, TransientError, UnsupportedProtocol
from support.identities import identity
from support.modbus_line import ModbusLine


@asynccontextmanager
async def line(file: Path) -> AsyncIterator[ModbusLine]:
    """A device with the key and the certificate of a file."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    line = ModbusLine(context)
    async with line:
        yield line


def driver_of(line: ModbusLine, trusted: Path | None, host: str = "127.0.0.1") -> ModbusDriver:
    """Who trusts what is in a file, or the authorities of the system."""
    ca = None if trusted is None else SecretStr(trusted.read_text())
    url = f"tls://{host}:{line.port}"
    return ModbusDriver(ModbusSettings(driver="modbus", url=url, addressing="0-based", timeout_s=2, ca=ca))


async def read(driver: ModbusDriver, *firsts: int) -> list[Any]:
    texts = [f"1:holding:{first}" for first in firsts]
    points = [Point(text, ModbusAddress.parse(text, type="uint16")) for text in texts]
    return (await driver.read(driver.prepare(points))).values


async def test_values_come_through_tls_from_who_is_trusted(tmp_path: Path) -> None:
    own = identity(tmp_path / "plc.pem")
    async with line(own) as device:
        driver = driver_of(device, own)
        for _ in range(2):
            await driver.open()
            assert await read(driver, *range(100), 300) == [*range(100), 300]
            await driver.close()
        assert device.sessions == 2


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("nobody knows it", "self-signed certificate"),
        ("another was trusted", "self-signed certificate"),
        ("another host", "Hostname mismatch|IP address mismatch"),
        ("expired", "certificate has expired"),
        ("not yet valid", "certificate is not yet valid"),
    ],
)
async def test_who_is_not_trusted_is_told_with_what_to_look_at(tmp_path: Path, case: str, told: str) -> None:
    now, day = datetime.now(UTC), timedelta(days=1)
    begin = {"expired": now - 9 * day, "not yet valid": now + day}.get(case, now - day)
    end = now - day if case == "expired" else now + 9 * day
    hosts = ["plc.example"] if case == "another host" else ["127.0.0.1"]
    own = identity(tmp_path / "plc.pem", hosts=hosts, begin=begin, end=end)
    other = identity(tmp_path / "other.pem")
    async with line(own) as device:
        trusted = {"nobody knows it": None, "another was trusted": other}.get(case, own)
        driver = driver_of(device, trusted)
        with pytest.raises(CertificateNotTrusted, match=told) as refused:
            await driver.open()
        assert refused.value.where == f"tls://127.0.0.1:{device.port}"
        assert "`ca_file` names who signed it" in refused.value.hint
        assert not device.requests
        await driver.close()


async def test_a_port_without_tls_is_another_protocol(tmp_path: Path) -> None:
    own = identity(tmp_path / "plc.pem")
    async with ModbusLine() as device:
        driver = driver_of(device, own)
        with pytest.raises((UnsupportedProtocol, TransientError)) as told:
            await driver.open()
        assert told.value.where.startswith("tls://")
        await driver.close()
