"""Secured sessions of the driver `opcua` against asyncua's server: policies, logins, certificates of both sides."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ganpo_drivers import Home, Point, Scan
from ganpo_drivers.opcua import certificate
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.certificate import fingerprint
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.transport import Transport
from ganpo_drivers.opcua.trust import Pin, pin
from ganpo_drivers.testing import Proxy
from ganpo_model.errors import (
    AccessRefused,
    CertificateNotTrusted,
    ConnectionLost,
    Unreachable,
    UnsupportedProtocol,
)
from support.identities import der, identity
from support.opcua_server import OpcUaServer

GATEWAY = "gw-test-0001"
BEST = "Basic256Sha256,SignAndEncrypt"
POLICIES = [
    f"{policy},{mode}"
    for policy in (
        "Basic256Sha256",
        "Aes128_Sha256_RsaOaep",
        "Aes256_Sha256_RsaPss",
        "Basic256",
        "Basic128Rsa15",
    )
    for mode in ("Sign", "SignAndEncrypt")
]
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("opcua")


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    home = Home(GATEWAY, "plc", folder / "state" / "opcua")
    certificate.own(home, NOW)
    (folder / "gateway.der").write_bytes(certificate.own(home, NOW).der)
    return home


@pytest.fixture(scope="module")
def server(folder: Path, home: Home) -> Iterator[OpcUaServer]:
    users = [identity(folder / "operator.pem")]
    with OpcUaServer(
        values={"A": 1},
        users={"monitor": "geheim42"},
        user_certificates=users,
        secured=POLICIES,
        identity=identity(folder / "plc.pem", end=NOW + timedelta(30)),
        trusts=[folder / "gateway.der"],
    ) as running:
        yield running


def make(url: str, home: Home, security: str = BEST, **settings: Any) -> OpcUaDriver:
    if not {"username", "user_certificate"} & settings.keys():
        settings |= {"username": "monitor", "password": "geheim42"}
    return OpcUaDriver(
        OpcUaSettings.model_validate(
            {"driver": "opcua", "url": url, "security": security, "timeout_s": 1.5} | settings
        ).at(home)
    )


@asynccontextmanager
async def opened(driver: OpcUaDriver) -> AsyncIterator[OpcUaDriver]:
    try:
        await driver.open()
        yield driver
    finally:
        await driver.close()


async def read(driver: OpcUaDriver, *names: str) -> list[Any]:
    points = [Point(name, OpcUaAddress.parse(OpcUaServer.node(name))) for name in names]
    return (await driver.read(driver.prepare(points))).values


def trusting(home: Home, file: Path, *, any_date: bool = False) -> Home:
    pin(home, Pin(der(file), NOW, any_date))
    return home


@pytest.mark.parametrize("security", POLICIES)
async def test_every_policy_and_mode_reads_and_nothing_readable_is_on_the_wire_of_an_encrypted_one(
    server: OpcUaServer, home: Home, folder: Path, security: str
) -> None:
    trusting(home, folder / "plc.pem")
    with Proxy("127.0.0.1", server.port) as proxy:
        url = f"opc.tcp://127.0.0.1:{proxy.port}"
        async with opened(make(url, home, security)) as driver:
            assert await read(driver, "A") == [1]
        sent = b"".join(proxy.sent)
    assert security.partition(",")[0].encode() in sent, "the policy is named in the clear"
    assert b"geheim42" not in sent
    assert (b"urn:ganpo:simulation" in sent) is False or security.endswith(",Sign")


async def test_a_certificate_that_ends_soon_is_a_note_and_a_figure(
    server: OpcUaServer, home: Home, folder: Path
) -> None:
    trusting(home, folder / "plc.pem")
    async with opened(make(server.url, home)) as driver:
        report = driver.report()
        (note,) = report.notes
        assert f"the server's certificate ends on {NOW + timedelta(30):%Y-%m-%d}" in note
        assert set(report.expire) == {"own", "server"}


async def test_an_open_channel_is_a_note_where_the_server_offers_better(
    server: OpcUaServer, home: Home
) -> None:
    async with opened(make(server.url, home, "None", allow_insecure=True)) as driver:
        assert await read(driver, "A") == [1]
        (note,) = driver.report().notes
    assert note.startswith(
        "nothing is signed or encrypted, although the server offers Aes128_Sha256_RsaOaep,Sign"
    )
    assert BEST in note
    assert "None" not in note


async def test_a_user_is_known_by_his_certificate(server: OpcUaServer, home: Home, folder: Path) -> None:
    trusting(home, folder / "plc.pem")
    pem = (folder / "operator.pem").read_text()
    for security in (BEST, "Aes256_Sha256_RsaPss,Sign"):
        async with opened(make(server.url, home, security, user_certificate=SecretStr(pem))) as driver:
            assert await read(driver, "A") == [1]
    stranger = identity(folder / "stranger.pem").read_text()
    driver = make(server.url, home, user_certificate=SecretStr(stranger))
    with pytest.raises(AccessRefused, match="logging in"):
        await driver.open()
    await driver.close()


async def test_a_password_is_encrypted_on_an_open_channel_where_the_server_wants_it(
    server: OpcUaServer, home: Home, folder: Path
) -> None:
    trusting(home, folder / "plc.pem")
    with Proxy("127.0.0.1", server.port) as proxy:
        url = f"opc.tcp://127.0.0.1:{proxy.port}"
        async with opened(make(url, home, "None", allow_insecure=True)) as driver:
            assert await read(driver, "A") == [1]
        sent = b"".join(proxy.sent)
    assert b"monitor" in sent
    assert b"geheim42" not in sent
    trusting(home, identity(folder / "another.pem"))
    driver = make(server.url, home, "None", allow_insecure=True)
    with pytest.raises(CertificateNotTrusted, match="changed"):
        await driver.open()
    await driver.close()
    assert server.sessions() == []


async def test_a_server_nobody_trusted_is_not_even_connected_to(server: OpcUaServer, folder: Path) -> None:
    fresh = Home(GATEWAY, "press 3", folder / "fresh" / "opcua")
    with Proxy("127.0.0.1", server.port) as proxy:
        driver = make(f"opc.tcp://127.0.0.1:{proxy.port}", fresh)
        with pytest.raises(CertificateNotTrusted, match="`ganpo trust press 3` shows it and asks"):
            await driver.open()
        await driver.close()
        assert proxy.sent == []


async def test_a_changed_certificate_is_told_with_both_fingerprints_and_the_command(
    server: OpcUaServer, home: Home, folder: Path
) -> None:
    trusting(home, identity(folder / "before.pem"))
    driver = make(server.url, home)
    with pytest.raises(CertificateNotTrusted) as caught:
        await driver.open()
    await driver.close()
    for part in (
        fingerprint(der(folder / "before.pem")),
        fingerprint(der(folder / "plc.pem")),
        "`ganpo trust plc`",
    ):
        assert part in str(caught.value)


async def test_a_server_that_does_not_trust_us_is_told_with_the_command_that_helps(
    server: OpcUaServer, folder: Path
) -> None:
    unknown = trusting(Home("gw-test-0002", "plc", folder / "unknown" / "opcua"), folder / "plc.pem")
    driver = make(server.url, unknown)
    with pytest.raises(CertificateNotTrusted) as caught:
        await driver.open()
    await driver.close()
    assert "BadSecurityChecksFailed" in str(caught.value)
    assert "`ganpo cert export plc`" in str(caught.value)
    (folder / "gateway.der").write_bytes(certificate.own(unknown, NOW).der)
    try:
        async with opened(driver):
            assert await read(driver, "A") == [1]
    finally:
        known = Home(GATEWAY, "plc", folder / "state" / "opcua")
        (folder / "gateway.der").write_bytes(certificate.own(known, NOW).der)


async def test_a_wrong_password_is_refused_with_the_words_for_it(
    server: OpcUaServer, home: Home, folder: Path
) -> None:
    trusting(home, folder / "plc.pem")
    driver = make(server.url, home, username="monitor", password="falsch99")
    with pytest.raises(AccessRefused, match="check username and password_file") as caught:
        await driver.open()
    await driver.close()
    assert "falsch99" not in repr(caught.value)
    driver = make(server.url, home, username=None)
    with pytest.raises(
        AccessRefused, match=r"no users of the kind 'anonymous' \(it takes: certificate, user name\)"
    ):
        await driver.open()
    await driver.close()


async def test_a_certificate_outside_its_dates_is_refused_unless_the_pin_says_otherwise_and_its_host_is_a_note(
    home: Home, folder: Path
) -> None:
    begin, end = NOW - timedelta(400), NOW - timedelta(30)
    file = identity(folder / "old.pem", begin=begin, end=end, hosts=["plc-hall3.invalid", "10.0.0.7"])
    with OpcUaServer(values={"A": 1}, secured=[BEST], identity=file) as old:
        driver = make(old.url, trusting(home, file), username=None)
        with pytest.raises(CertificateNotTrusted, match="`ganpo trust plc --any-date`"):
            await driver.open()
        await driver.close()
        trusting(home, file, any_date=True)
        async with opened(driver):
            assert await read(driver, "A") == [1]
            (note,) = driver.report().notes
    assert "made out to plc-hall3.invalid, 10.0.0.7, not to 127.0.0.1" in note


async def test_security_that_is_not_offered_is_told_with_what_is(home: Home, folder: Path) -> None:
    file = identity(folder / "signing.pem")
    with OpcUaServer(values={"A": 1}, secured=["Basic256Sha256,Sign"], identity=file) as signing:
        for security in (BEST, "Aes256_Sha256_RsaPss,Sign"):
            driver = make(signing.url, trusting(home, file), security, username=None)
            with pytest.raises(UnsupportedProtocol, match=r"it offers: Basic256Sha256,Sign; None") as caught:
                await driver.open()
            await driver.close()
            assert security in str(caught.value)


@pytest.mark.parametrize("security", [BEST, "Basic256Sha256,Sign", "None"])
async def test_a_secured_channel_is_renewed_between_reads(
    server: OpcUaServer, home: Home, folder: Path, security: str
) -> None:
    trusting(home, folder / "plc.pem")
    with Proxy("127.0.0.1", server.port) as proxy:
        url = f"opc.tcp://127.0.0.1:{proxy.port}"
        async with opened(make(url, home, security, allow_insecure=True)) as driver:
            first = driver._session
            assert first is not None
            for _ in range(3):
                first.granted.renew_at = 0.0
                assert await read(driver, "A") == [1]
            assert driver._session is first
        (sent,) = proxy.sent
    assert sent.count(b"OPNF") == 1 + 3


@pytest.mark.parametrize("security", [pytest.param("None", marks=pytest.mark.slow), BEST])
async def test_notifications_go_on_while_a_channel_is_renewed_whatever_the_clock_of_the_server(
    home: Home, folder: Path, security: str
) -> None:
    """What the server says between the answer to a renewal and our next word comes under the token before."""
    file = identity(folder / "unset.pem")
    with OpcUaServer(
        values={"A": 0}, ticking=["A"], secured=[BEST], identity=file, clock_off_s=-26 * 365.25 * 86400
    ) as unset:
        address = OpcUaAddress.parse(OpcUaServer.node("A"), mode="subscribe", sampling_ms="10")
        scans: list[Scan] = []

        async def deliver(scan: Scan) -> None:
            scans.append(scan)

        driver = make(unset.url, trusting(home, file), security, username=None, allow_insecure=True)
        async with opened(driver):
            with suppress(TimeoutError):
                async with asyncio.timeout(1.5), asyncio.TaskGroup() as group:
                    group.create_task(driver.subscribe([Point("A", address)], deliver))
                    session = driver._session
                    assert session is not None
                    while True:
                        await asyncio.sleep(0.3)
                        session.granted.renew_at = 0.0
                        await session._renew()  # as before a read; its request may come late
        assert not driver.report().faults
    numbers = [scan.values[0] for scan in scans if isinstance(scan.values[0], int)]
    assert len(numbers) > 10
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("security", [BEST, "Basic256Sha256,Sign"])
@pytest.mark.parametrize("how", ["a bit of it turned", "said twice"])
async def test_an_answer_that_somebody_touched_is_never_a_value(
    server: OpcUaServer, home: Home, folder: Path, security: str, how: str
) -> None:
    trusting(home, folder / "plc.pem")
    async with opened(make(server.url, home, security)) as driver:
        assert await read(driver, "A") == [1]
        assert driver._session is not None
        protocol = driver._session._transport.protocol
        assert protocol is not None
        heard = protocol.data_received

        def touched(data: bytes) -> None:
            if how == "said twice":
                heard(data)
                heard(data)
            else:
                middle = len(data) // 2
                heard(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])

        protocol.data_received = touched
        if how == "said twice":
            assert await read(driver, "A") == [1], "the first is the server's own"
        with pytest.raises(ConnectionLost):
            await read(driver, "A")
        await driver.open()
        assert await read(driver, "A") == [1]


async def test_a_server_that_does_not_own_its_certificate_makes_no_session(
    server: OpcUaServer, home: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting(home, folder / "plc.pem")
    create = Transport.create_session

    async def forged(transport: Transport, parameters: Any) -> Any:
        result = await create(transport, parameters)
        signature = result.ServerSignature.Signature
        result.ServerSignature.Signature = signature[:-1] + bytes([signature[-1] ^ 1])
        return result

    monkeypatch.setattr(Transport, "create_session", forged)
    driver = make(server.url, home)
    with pytest.raises(Unreachable, match="the server's signature at creating a session is wrong"):
        await driver.open()
    await driver.close()
    assert server.sessions() == []
