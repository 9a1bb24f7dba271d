"""`ganpo trust` and `ganpo cert`: what a person types, reads and gets."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr

from ganpo_agent.app import Agent
from ganpo_agent.cli.main import main
from ganpo_config import load
from ganpo_drivers import Home, Point, Scan
from ganpo_drivers.opcua import certificate, kept, trust
from ganpo_drivers.opcua.certificate import fingerprint
from ganpo_drivers.opcua.security import Credentials, other_host, remarks
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.trust import Pin
from ganpo_model.errors import CertificateNotTrusted, ConfigError, StorageError
from support.configs import HEAD, plainly
from support.identities import der, identity
from support.opcua_server import OpcUaServer

BEST = "Basic256Sha256,SignAndEncrypt"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpcUaServer]:
    file = identity(tmp_path_factory.mktemp("server") / "plc.pem", hosts=["plc-hall3"])
    with OpcUaServer(values={"A": 1}, secured=[BEST], identity=file) as running:
        yield running


@pytest.fixture
def config(tmp_path: Path, server: OpcUaServer) -> Path:
    file = tmp_path / "agent.toml"
    head = HEAD.replace('"/var/lib/ganpo"', f'"{tmp_path / "state"}"')
    opcua = f'[connections.plc]\ndriver = "opcua"\nurl = "{server.url}"\nsecurity = "{BEST}"\n'
    modbus = '[connections.bus]\ndriver = "modbus"\nurl = "tcp://127.0.0.1:502"\naddressing = "0-based"\n'
    file.write_text(head + opcua + modbus)
    return file


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home("gw-test-0001", "plc", tmp_path / "state" / "opcua")


def typed(config: Path, *words: str, answer: str = "") -> Result:
    return CliRunner().invoke(main, [*words, "--config", str(config)], input=answer)


def test_a_server_is_shown_and_trusted_once_a_person_says_so(
    config: Path, home: Home, server: OpcUaServer
) -> None:
    shown = fingerprint(der(Path(server.options["identity"])))
    no = typed(config, "trust", "plc", answer="n\n")
    assert no.exit_code == 1
    for part in (
        shown,
        "urn:freeopcua:python:server",
        "plc-hall3",
        "warning: its certificate is made out to",
    ):
        assert part in no.output
    assert trust.pinned(home) is None
    assert typed(config, "trust", "plc", answer="y\n").exit_code == 0
    found = trust.pinned(home)
    assert found is not None
    assert (fingerprint(found.certificate), found.any_date) == (shown, False)
    trust.pin(home, Pin(certificate.own(home, NOW).der, NOW))
    again = typed(config, "trust", "plc", "--yes")
    assert "warning: another one is trusted since" in again.output
    assert again.exit_code == 0


def test_check_says_who_is_not_trusted_yet_and_what_is_deprecated(config: Path, home: Home) -> None:
    told = typed(config, "check")
    assert "warning  agent.toml: connections.plc.security: nobody has trusted its server yet" in plainly(
        told.output
    )
    trust.pin(home, Pin(certificate.own(home, NOW).der, NOW))
    config.write_text(config.read_text().replace(BEST, "Basic256,Sign"))
    told = typed(config, "check")
    assert "yet" not in told.output
    assert "warning  agent.toml: connections.plc.security: rests on SHA-1" in plainly(told.output)


OPEN = 'None"\nallow_insecure = true'


@pytest.mark.parametrize("user", ["", "username", "certificate"])
def test_a_user_on_an_open_channel_is_warned_of_and_trust_says_what_the_server_offers(
    config: Path, user: str, tmp_path: Path
) -> None:
    """Nobody's session on an open channel was said aloud and is warned of by pages alone."""
    identity(tmp_path / "operator.pem")
    (tmp_path / "secret").write_text("geheim42")
    (tmp_path / "secret").chmod(0o600)
    keys = {
        "": "",
        "username": 'username = "monitor"\npassword_file = "secret"\n',
        "certificate": 'user_certificate_file = "operator.pem"\n',
    }
    text = config.read_text().replace(BEST + '"', OPEN + "\n" + keys[user])
    config.write_text(text)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    told = plainly(CliRunner(env=environ).invoke(main, ["check", "--config", str(config)]).output)
    warned = "warning  agent.toml: connections.plc.security: a user logs in without security: "
    assert (warned in told) == bool(user)
    assert ("password is encrypted only where" in told) == (user == "username")
    assert ("`ganpo trust plc` says what the server offers" in told) == bool(user)
    plant = load(config, environ).plant
    assert plant is not None
    told_of = Agent(plant).health()["connections"]
    assert {name: bool(one["unsecured"]) for name, one in told_of.items()} == {"plc": True, "bus": False}


def test_trust_on_an_open_channel_says_what_the_server_offers(tmp_path: Path, config: Path) -> None:
    file = identity(tmp_path / "both.pem")
    with OpcUaServer(values={"A": 1}, secured=[BEST], identity=file, security_none=True) as both:
        text = config.read_text().replace(BEST + '"', OPEN)
        lines = [
            f'url = "{both.url}"' if line.startswith('url = "opc.tcp') else line for line in text.splitlines()
        ]
        config.write_text("\n".join(lines))
        told = typed(config, "trust", "plc", answer="n\n").output
    assert "warning: everything that is read can be seen and changed on the way; it offers " + BEST in told


def test_from_the_file_to_a_value_as_a_person_does_it(
    config: Path, server: OpcUaServer, tmp_path: Path
) -> None:
    """`check` warns, `trust` pins, and what `run` would run reads: the gateway's id is what the server sees."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    identity(secrets / "operator.pem", uri="urn:operator")
    text = config.read_text().replace(BEST + '"', BEST + '"\nuser_certificate_file = "operator.pem"')
    address = OpcUaServer.node("A")
    point = f'[[points]]\nasset_no = "SB-1"\nsignal = "power"\nconnection = "plc"\naddress = "{address}"\n'
    machine = '[[equipment]]\nasset_no = "SB-1"\nname = "Machine"\nconnection = "none"\n'
    config.write_text(text + machine + point)
    environ = {"CREDENTIALS_DIRECTORY": str(secrets)}
    assert (
        CliRunner(env=environ).invoke(main, ["trust", "plc", "--yes", "--config", str(config)]).exit_code == 0
    )
    loaded = load(config, environ)
    assert loaded.plant is not None, loaded.errors
    assert not [text for text in loaded.warnings if "trusted" in text]
    (bound,) = [one for one in loaded.plant.connections if one.name == "plc"]
    assert bound.settings.home == Home("gw-test-0001", "plc", tmp_path / "state" / "opcua")

    async def read() -> Scan:
        driver = bound.driver(bound.settings)
        try:
            await driver.open()
            return await driver.read(driver.prepare([Point(p.name, p.address) for p in bound.points]))
        finally:
            await driver.close()

    assert asyncio.run(read()).values == [1]


def test_what_is_no_secured_connection_is_told(config: Path) -> None:
    for name, what in (("plcc", "no such connection"), ("bus", "it has no certificates")):
        for command in (("trust",), ("cert", "export")):
            result = typed(config, *command, name)
            assert result.exit_code == 1
            assert what in result.stderr
            assert "OPC UA: plc" in result.stderr


def test_ours_is_shown_exported_renewed_and_switched(config: Path, home: Home, tmp_path: Path) -> None:
    shown = typed(config, "cert", "show")
    first = certificate.own(home, NOW)
    for part in (str(first.path), "urn:ganpo:gw-test-0001", fingerprint(first.der), "in use"):
        assert part in shown.output
    assert "no renewed certificate waits" in typed(config, "cert", "switch").stderr
    assert typed(config, "cert", "renew").exit_code == 0
    exported = typed(config, "cert", "export", "plc", "--to", str(tmp_path / "usb"))
    assert exported.exit_code == 0
    files = {file.name: file.read_bytes() for file in (tmp_path / "usb").iterdir()}
    waiting = certificate.coming(home)
    assert waiting is not None
    assert files == {"ganpo-gw-test-0001.der": first.der, "ganpo-gw-test-0001-renewed.der": waiting.der}
    assert fingerprint(first.der) in exported.output
    assert typed(config, "cert", "switch").exit_code == 0
    assert certificate.own(home, NOW).der == waiting.der


def test_our_certificate_is_made_once_and_only_the_service_can_read_it(home: Home) -> None:
    first = certificate.own(home, datetime(1970, 1, 1, tzinfo=UTC))
    assert first.path.stat().st_mode & 0o777 == 0o600
    assert certificate.own(home, NOW).der == first.der
    assert first.certificate.not_valid_before_utc.year >= 2026, "made before the gateway had the time"
    assert "PRIVATE" not in repr(first)
    assert [file.name for file in home.folder.iterdir()] == ["gw-test-0001.pem"]
    first.path.write_bytes(first.path.read_bytes()[:-200])
    with pytest.raises(StorageError, match="damaged"):
        certificate.own(home, NOW)


def test_connections_that_are_opened_side_by_side_make_one_certificate(home: Home) -> None:
    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(lambda _: certificate.own(home, NOW).der, range(6)))
    assert len(set(made)) == 1
    assert [file.name for file in home.folder.iterdir()] == ["gw-test-0001.pem"]


def test_a_renewed_certificate_waits_until_the_switch(home: Home) -> None:
    before = certificate.own(home, NOW)
    waiting = certificate.renew(home, NOW)
    assert certificate.renew(home, NOW).der == waiting.der, "a second renew finds the first"
    assert certificate.own(home, NOW).der == before.der != waiting.der
    assert certificate.switch(home).der == certificate.own(home, NOW).der == waiting.der
    assert certificate.coming(home) is None
    assert (home.folder / "gw-test-0001.old.pem").exists()
    with pytest.raises(ConfigError, match="no renewed certificate waits"):
        certificate.switch(home)


def test_a_certificate_is_judged_by_its_dates_and_a_clock_that_never_ran_by_the_day_of_the_trust(
    tmp_path: Path,
) -> None:
    dated = der(identity(tmp_path / "x.pem", begin=NOW - timedelta(30), end=NOW + timedelta(30)))
    pinned = Pin(dated, NOW)
    for now in (NOW, datetime(1970, 1, 1, tzinfo=UTC), NOW + timedelta(29)):
        trust.check_dates(pinned, "plc", "plc", now)
    with pytest.raises(CertificateNotTrusted, match="--any-date"):
        trust.check_dates(pinned, "plc", "plc", NOW + timedelta(31))
    trust.check_dates(Pin(dated, NOW, any_date=True), "plc", "plc", NOW + timedelta(31))


def test_the_end_of_a_certificate_is_told_60_days_ahead(home: Home, tmp_path: Path) -> None:
    settings = OpcUaSettings(driver="opcua", url="opc.tcp://127.0.0.1", security=BEST).at(home)
    file = identity(tmp_path / "plc.pem", end=NOW + timedelta(365))
    trust.pin(home, Pin(der(file), NOW))
    held = Credentials.of(settings, NOW)
    assert remarks(settings, held, (), NOW) == []
    assert remarks(settings, held, (), NOW + timedelta(304)) == []
    (told,) = remarks(settings, held, (), NOW + timedelta(306))
    assert "the server's certificate ends on" in told
    assert "`ganpo trust plc`" in told
    late = remarks(settings, held, (), NOW + timedelta(3651))
    assert ["ended on" in text for text in late] == [True, True]
    assert "`ganpo cert renew`" in late[0]


@pytest.mark.parametrize(
    ("hosts", "url", "same"),
    [
        (["plc1"], "opc.tcp://PLC1:4840", True),
        (["plc1", "10.0.0.7"], "opc.tcp://10.0.0.7:4840", True),
        (["fe80::1"], "opc.tcp://[FE80:0::1]:4840", True),
        (["plc1"], "opc.tcp://10.0.0.7:4840", False),
        (["10.0.0.70"], "opc.tcp://10.0.0.7:4840", False),
        ([], "opc.tcp://plc1:4840", False),
    ],
)
def test_a_certificate_names_its_hosts(tmp_path: Path, hosts: list[str], url: str, same: bool) -> None:
    found = Pin(der(identity(tmp_path / "x.pem", hosts=hosts)), NOW).x509
    assert (other_host(found, url) == "") is same


def test_what_root_makes_belongs_to_the_service(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.folder.parent.mkdir()
    owner = home.folder.parent.stat()
    given: list[tuple[str, int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, uid, gid: given.append((path.name, uid, gid)))
    certificate.own(home, NOW)
    assert given[0] == ("opcua", owner.st_uid, owner.st_gid)
    assert [who for _, *who in given] == [[owner.st_uid, owner.st_gid]] * 2
    assert given[1][0].startswith("gw-test-0001.pem")


def test_what_this_user_may_not_read_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    monkeypatch.setattr(Path, "read_text", denied)
    for look in (lambda: certificate.own(home, NOW), lambda: trust.pinned(home)):
        with pytest.raises(StorageError, match="root or its user can read it"):
            look()


def test_a_folder_that_cannot_be_written_is_told_with_its_place(home: Home) -> None:
    home.folder.parent.write_text("no folder")
    with pytest.raises(
        StorageError, match=r"gw-test-0001\.pem: our certificate cannot be read \(Not a directory\)"
    ):
        certificate.own(home, NOW)
    with pytest.raises(
        StorageError, match=r"x\.pem: cannot be written .* write there as root or as its user"
    ):
        kept.add(home.folder.parent / "x.pem", b"")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"plc": 1}',
        b'{"plc": {"certificate": "AAAA", "since": "2026-11-01", "any_date": false}}',
    ],
)
def test_a_damaged_list_of_pins_trusts_nobody_and_says_what_to_do(home: Home, content: bytes) -> None:
    home.folder.mkdir(parents=True)
    (home.folder / "trusted.json").write_bytes(content)
    with pytest.raises(StorageError, match="trust the servers anew"):
        trust.pinned(home)


def test_pins_of_connections_stand_beside_each_other_whatever_their_names(home: Home, tmp_path: Path) -> None:
    names = ["plc", "压机 3/左", "x" * 64]
    files = {name: der(identity(tmp_path / f"{n}.pem", bits=1024)) for n, name in enumerate(names)}
    for name, content in files.items():
        trust.pin(Home(home.gateway, name, home.folder), Pin(content, NOW))
    for name, content in files.items():
        found = trust.pinned(Home(home.gateway, name, home.folder))
        assert found is not None
        assert found.certificate == content


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        ("", "no certificate in PEM"),
        ("certificate", "no private key in PEM"),
        ("key", "no certificate in PEM"),
        ("mixed", "not that of its certificate"),
    ],
)
def test_a_file_that_is_no_user_is_told_at_its_key(tmp_path: Path, pem: str, reason: str) -> None:
    one, other = (identity(tmp_path / f"{name}.pem").read_text() for name in ("one", "other"))
    begin = "-----BEGIN CERTIFICATE"
    key, _, rest = one.partition(begin)
    mixed = other.partition(begin)[0] + begin + rest
    text = {"": "", "certificate": begin + rest, "key": key, "mixed": mixed}[pem]
    with pytest.raises(ValueError, match=reason) as caught:
        OpcUaSettings.model_validate(
            {"driver": "opcua", "url": "opc.tcp://plc", "security": BEST, "user_certificate": SecretStr(text)}
        )
    assert "PRIVATE" not in str(caught.value)
