"""The driver `opcua` against node-opcua: a server that shares no line with asyncua."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client

from ganpo_drivers import FaultKind, Home, Point, PointFault, Scan
from ganpo_drivers.opcua import certificate, login
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.certificate import fingerprint
from ganpo_drivers.opcua.discovery import discover
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.trust import Pin, pin
from ganpo_drivers.testing import Proxy
from ganpo_model.errors import (
    AccessRefused,
    CertificateNotTrusted,
    TransientError,
    Unreachable,
    UnsupportedProtocol,
)
from support import writes
from support.identities import der, identity
from support.node_server import NodeServer

NOW = datetime.now(UTC)
BEST = "Basic256Sha256,SignAndEncrypt"
SECURED = [
    f"{policy},{mode}"
    for policy in ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss")
    for mode in ("Sign", "SignAndEncrypt")
]
LOGINS: dict[str, dict[str, str]] = {
    "anonymous": {},
    "name": {"username": "monitor", "password": "geheim42"},
    "certificate": {"user_certificate": "operator"},
}
UNKNOWN_HOST = "plc-hall3.invalid"
YEAR_S = 365.25 * 86400


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("node")
    for name in ("plc", "operator", "stranger"):
        file = identity(folder / f"{name}.pem", uri="urn:node:server", hosts=[UNKNOWN_HOST])
        (folder / f"{name}.der").write_bytes(der(file))
    return folder


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    home = Home("gw-test-0001", "plc", folder / "state" / "opcua")
    (folder / "gateway.der").write_bytes(certificate.own(home, NOW).der)
    pin(home, Pin(der(folder / "plc.pem"), NOW))
    return home


@pytest.fixture(scope="module")
def server(folder: Path, home: Home) -> Iterator[NodeServer]:
    """It calls itself by a host that nobody can resolve, as servers behind an address translation do (F08)."""
    with NodeServer(
        folder / "server",
        folder / "plc.pem",
        values={"A": 1.5},
        secured=SECURED,
        users={"monitor": "geheim42"},
        trusts=[folder / "gateway.der"],
        user_certificates=[folder / "operator.der"],
        hostname=UNKNOWN_HOST,
    ) as running:
        yield running


def make(url: str, home: Home, security: str = BEST, **settings: Any) -> OpcUaDriver:
    settings = {"timeout_s": 4, "allow_insecure": security == "None"} | settings
    return OpcUaDriver(
        OpcUaSettings.model_validate({"driver": "opcua", "url": url, "security": security} | settings).at(
            home
        )
    )


@asynccontextmanager
async def opened(driver: OpcUaDriver) -> AsyncIterator[OpcUaDriver]:
    try:
        await driver.open()
        yield driver
    finally:
        await driver.close()


async def read(driver: OpcUaDriver) -> Any:
    point = Point("A", OpcUaAddress.parse("nsu=urn:ganpo:simulation;s=A"))
    (value,) = (await driver.read(driver.prepare([point]))).values
    return value


async def test_values_that_a_full_queue_lost_are_told(server: NodeServer, home: Home) -> None:
    """The server looks twenty times a second, keeps ten values, and we take nothing for a second."""
    heard: list[Scan] = []

    async def deliver(scan: Scan) -> None:
        heard.append(scan)
        if len(heard) == 5:
            await asyncio.sleep(1.5)

    address = OpcUaAddress.parse("nsu=urn:ganpo:simulation;s=Looked", mode="subscribe", sampling_ms=50)
    async with opened(make(server.url, home, "None")) as driver:
        task = asyncio.create_task(driver.subscribe([Point("parts", address)], deliver))
        async with asyncio.timeout(10):
            while not driver.report().faults:
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        report = driver.report()
    assert set(report.faults) == {("", "queue_overflow")}
    assert "values of parts were lost in the server's queue" in report.notes
    counts = [value for scan in heard if isinstance(value := scan.values[0], float)]
    assert counts == sorted(set(counts)), "what was kept came in its order, each once"


@pytest.mark.parametrize("security", [pytest.param("None", marks=pytest.mark.slow), BEST])
async def test_a_subscription_lives_through_renewed_channels_and_its_own_silence(
    server: NodeServer, home: Home, security: str
) -> None:
    heard: list[Scan] = []

    async def deliver(scan: Scan) -> None:
        heard.append(scan)

    async def until(value: float) -> None:
        async with asyncio.timeout(10):
            while not heard or heard[-1].values[0] != value:
                await asyncio.sleep(0.02)

    texts = ["nsu=urn:ganpo:simulation;s=A", "nsu=urn:ganpo:simulation;s=Nowhere"]
    points = [
        Point(text, OpcUaAddress.parse(text, mode="subscribe", sampling_ms=200, deadband=0.1))
        for text in texts
    ]
    server.ask("set", name="A", value=1.5)
    async with opened(make(server.url, home, security)) as driver:
        task = asyncio.create_task(driver.subscribe(points, deliver))
        await until(1.5)
        fault = heard[-1].values[1]
        assert isinstance(fault, PointFault)
        assert fault.kind is FaultKind.ABSENT
        assert driver._session is not None
        for value in (2.5, 3.5):
            driver._session.granted.renew_at = 0.0
            server.ask("set", name="A", value=value)
            await until(value)
        count = len(heard)
        await asyncio.sleep(2.5)
        assert len(heard) >= count + 2, "that nothing changed is told too"
        assert driver.report().faults.keys() <= {("", "sampling")}, "this server samples seldomer than asked"
        task.cancel()
        await asyncio.wait([task])
    server.ask("set", name="A", value=1.5)
    assert server.ask("sessions") == 0


async def refused(driver: OpcUaDriver, kind: type[Exception]) -> str:
    """What is said where the driver cannot be opened."""
    with pytest.raises(kind) as caught:
        await driver.open()
    await driver.close()
    return str(caught.value)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("security", ["None", *SECURED])
async def test_every_policy_and_login_reads_renews_its_channel_and_leaves_no_session(
    server: NodeServer, home: Home, folder: Path, security: str, login: str
) -> None:
    settings = LOGINS[login].copy()
    if "user_certificate" in settings:
        settings["user_certificate"] = (folder / "operator.pem").read_text()
    async with opened(make(server.url, home, security, **settings)) as driver:
        session = driver._session
        assert session is not None
        assert await read(driver) == 1.5
        session.granted.renew_at = 0.0
        assert await read(driver) == 1.5
        assert driver._session is session
        assert server.ask("sessions") == 1
    assert server.ask("sessions") == 0


@pytest.mark.parametrize("security", ["None", BEST])
async def test_what_a_server_calls_itself_is_neither_looked_up_nor_connected_to(
    server: NodeServer, home: Home, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F08: behind an address translation its own name and port lead nowhere; a pinned one is read all the same."""
    looked_up: list[object] = []
    look_up = socket.getaddrinfo

    def noted(host: Any, *rest: Any, **how: Any) -> Any:
        looked_up.append(host)
        return look_up(host, *rest, **how)

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    with Proxy("127.0.0.1", server.port) as proxy:
        url = f"opc.tcp://localhost:{proxy.port}"
        shown = await discover(make(url, home, security).connection)
        assert shown.certificate(make(url, home, security).connection) == der(
            server.folder.parent / "plc.pem"
        )
        async with opened(make(url, home, security)) as driver:
            session = driver._session
            assert session is not None
            assert {end.EndpointUrl for end in session._transport.endpoints} == {
                f"opc.tcp://{UNKNOWN_HOST}:{server.port}"
            }
            assert await read(driver) == 1.5
            notes = driver.report().notes
    assert set(looked_up) == {"localhost"}
    told = f"the server is trusted although its certificate is made out to {UNKNOWN_HOST}, not to localhost"
    assert [note for note in notes if "certificate" in note] == ([] if security == "None" else [told])


async def test_a_write_would_be_seen_by_this_server(server: NodeServer) -> None:
    async with Client(server.url) as careless:
        index = await careless.get_namespace_index("urn:ganpo:simulation")
        await careless.get_node(f"ns={index};s=A").write_value(1.5)
    assert writes.noted() == ["OPC UA WriteRequest"]


async def test_who_is_refused_is_told_what_helps(server: NodeServer, home: Home, folder: Path) -> None:
    for security in ("None", BEST):
        driver = make(server.url, home, security, username="monitor", password="falsch99")
        said = await refused(driver, AccessRefused)
        assert "BadUserAccessDenied" in said
        assert "check username and password_file" in said
    stranger = (folder / "stranger.pem").read_text()
    said = await refused(make(server.url, home, user_certificate=stranger), AccessRefused)
    assert "BadIdentityTokenRejected" in said
    assert "a user's certificate has to be trusted" in said
    unknown = Home("gw-test-0002", "plc", home.folder)
    pin(unknown, Pin(der(folder / "plc.pem"), NOW))
    said = await refused(make(server.url, unknown), Unreachable)  # it closes the line; its ERR cannot be read
    assert "`ganpo cert export plc`" in said
    said = await refused(make(server.url, home, "Basic256,Sign"), UnsupportedProtocol)
    assert f"it offers: {'; '.join(sorted([*SECURED, 'None']))})" in said


async def test_another_server_in_its_place_is_told_with_both_fingerprints(
    server: NodeServer, home: Home, folder: Path
) -> None:
    other = Home("gw-test-0001", "press", home.folder)
    pin(other, Pin(der(folder / "stranger.pem"), NOW))
    said = await refused(make(server.url, other), CertificateNotTrusted)
    for name in ("plc", "stranger"):
        assert fingerprint(der(folder / f"{name}.pem")) in said
    assert "`ganpo trust press`" in said


async def test_the_sessions_of_others_are_waited_for_and_the_server_is_not_asked_for_more(
    home: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(login, "reason", asked.append)
    with NodeServer(
        folder / "small", folder / "plc.pem", values={"A": 1.5}, secured=[BEST], max_sessions=1
    ) as small:
        async with opened(make(small.url, home)) as first:
            assert await read(first) == 1.5
            said = await refused(make(small.url, home), TransientError)
            assert "BadTooManySessions" in said
            assert "allow the server more sessions" in said
            assert asked == []
        async with opened(make(small.url, home)) as second:
            assert await read(second) == 1.5


@pytest.mark.parametrize(("off_s", "year"), [(-26 * YEAR_S, "2000"), (73 * YEAR_S, "2099")])
async def test_a_clock_in_2000_or_2099_is_told_and_costs_nothing_where_certificates_are_not_judged(
    home: Home, folder: Path, off_s: float, year: str
) -> None:
    with NodeServer(
        folder / year,
        folder / "plc.pem",
        values={"A": 1.5},
        secured=[BEST],
        trusts=[folder / "gateway.der"],
        clock_off_s=off_s,
    ) as odd:
        async with opened(make(odd.url, home, "None")) as driver:
            session = driver._session
            assert session is not None
            for _ in range(3):
                assert await read(driver) == 1.5
                session.granted.renew_at = 0.0
            assert driver._session is session
        said = await refused(make(odd.url, home), CertificateNotTrusted)
    assert f"its clock says {year}" in said
    assert "set the server's clock" in said
