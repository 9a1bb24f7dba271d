"""What `ganpo trust` and `ganpo cert` do: trust between this gateway and its OPC UA servers, in both directions."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ganpo_agent.cli.common import configured
from ganpo_config.plant import Plant
from ganpo_drivers import Home
from ganpo_drivers.opcua import certificate
from ganpo_drivers.opcua.certificate import Own, dates, fingerprint
from ganpo_drivers.opcua.discovery import discover
from ganpo_drivers.opcua.security import better, hosts, other_host
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.trust import Pin, check_dates, pin, pinned
from ganpo_drivers.opcua.user import User
from ganpo_model.errors import CertificateNotTrusted, ConfigError
from ganpo_service.commands import say
from ganpo_service.words import tell


def trust(config: Path | None, connection: str, *, any_date: bool, yes: bool) -> None:
    """Show the certificate that the server of a connection has, and pin it once a person says so.

    Raises GanpoError, as every function here.
    """
    settings, home = _secured(configured(config), connection)
    shown = asyncio.run(discover(settings))
    found = Pin(shown.certificate(settings), datetime.now(UTC), any_date)
    before = pinned(home)
    server = found.x509
    say(f"{connection}: {settings.url}, security {settings.security}")
    _describe(server, shown.application)
    if settings.unsecured:
        say(f"warning: {settings.unsecured}; it offers {'; '.join(better(shown.offers)) or 'nothing else'}")
    if odd := other_host(server, settings.url):
        say(f"warning: {odd}")
    check_dates(found, settings.url, connection, found.since)
    if before is not None and before.certificate != found.certificate:
        since = f"since {before.since:%Y-%m-%d}"
        say(f"warning: another one is trusted {since}: SHA-256 {fingerprint(before.certificate)}")
    if not yes:
        click.confirm(
            tell("Compare the fingerprint with what the server itself shows. Trust it?"), abort=True
        )
    pin(home, found)
    soon_s = CertificateNotTrusted.again_s
    say(f"trusted for {connection}; a running gateway uses it within {soon_s:g} s")


def show(config: Path | None) -> None:
    """The certificate in use, and the one that waits."""
    home = _home(configured(config))
    _tell("in use", certificate.own(home, datetime.now(UTC)))
    waiting = certificate.coming(home)
    if waiting is not None:
        _tell("waits for `ganpo cert switch`", waiting)


def export(config: Path | None, connection: str, to: Path) -> None:
    """Write everything of ours that the server of a connection has to trust into a folder."""
    settings, home = _secured(configured(config), connection)
    files = {f"ganpo-{home.gateway}.der": certificate.own(home, datetime.now(UTC)).der}
    waiting = certificate.coming(home)
    if waiting is not None:
        files[f"ganpo-{home.gateway}-renewed.der"] = waiting.der
    if settings.user_certificate is not None:
        user = User.read(settings.user_certificate.get_secret_value())
        files[f"{quote(connection, safe='')}-user.der"] = certificate.der(user.certificate)
    try:
        to.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (to / name).write_bytes(content)
            say(f"{to / name}")
            say(f"  SHA-1        {fingerprint(content, hashes.SHA1)}")
            say(f"  SHA-256      {fingerprint(content)}")
    except OSError as error:
        raise ConfigError(
            f"cannot be written ({error.strerror})", where=str(to), hint="--to names a folder"
        ) from error
    say(
        f"Have {settings.url} trust this; it knows us as {certificate.uri(home.gateway)}. Many servers keep what they "
        "refused in a list of rejected certificates, from where it can be trusted too."
    )


def renew(config: Path | None) -> None:
    """Make the next certificate; the present one stays in use."""
    home = _home(configured(config))
    _tell("made, not in use yet", certificate.renew(home, datetime.now(UTC)))
    say("`ganpo cert export CONNECTION` writes it; once every server trusts it: `ganpo cert switch`")


def switch(config: Path | None) -> None:
    """Take the next certificate into use."""
    _tell("in use from the next session on", certificate.switch(_home(configured(config))))


def _home(plant: Plant) -> Home:
    return plant.gateway.home("opcua", "")


def _secured(plant: Plant, connection: str) -> tuple[OpcUaSettings, Home]:
    """The settings of an OPC UA connection and its home. Raises ConfigError where there is no such connection."""
    found = {bound.name: bound.settings for bound in plant.connections}
    settings = found.get(connection)
    if isinstance(settings, OpcUaSettings) and settings.home is not None:
        return settings, settings.home
    known = [name for name, other in found.items() if isinstance(other, OpcUaSettings)]
    what = "no such connection" if settings is None else "not an OPC UA connection: it has no certificates"
    raise ConfigError(what, where=f"connections.{connection}", hint=f"OPC UA: {', '.join(known) or 'none'}")


def _tell(what: str, own: Own) -> None:
    say(f"{own.path}: {what}")
    san = own.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    _describe(own.certificate, ", ".join(san.get_values_for_type(x509.UniformResourceIdentifier)))


def _describe(found: x509.Certificate, application: str) -> None:
    content = certificate.der(found)
    for name, text in (
        ("subject", found.subject.rfc4514_string()),
        ("application", application),
        ("hosts", ", ".join(hosts(found))),
        ("valid", dates(found)),
        ("SHA-1", fingerprint(content, hashes.SHA1)),
        ("SHA-256", fingerprint(content)),
    ):
        say(f"  {name:<12} {text}")
