"""`ganpo doctor`: what would stop a gateway one day, each with what to do. Page and local API say the same.

Nothing is changed, and no device is asked.
"""

import asyncio
import socket
import sqlite3
import ssl
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ganpo_agent.device import machine
from ganpo_agent.device.machine import ALARM, LOOK, OK, UNKNOWN, Check
from ganpo_config.plant import Plant
from ganpo_model.errors import AccessRefused, GanpoError

if TYPE_CHECKING:
    from cryptography import x509

WITHIN_S = 5.0
"""Whatever is asked of the network."""
SOON_DAYS, NOW_DAYS = 30, 7
"""A certificate that ends within."""
_WHOSE_BROKER = "ask who runs the broker"


async def examine(plant: Plant, status: Mapping[str, Any] | None = None) -> list[Check]:
    """Everything, in the order in which it is mended. `status`: what the running agent says of itself, which then has
    the broker's only session; None where none runs."""
    here, names, login, certificates, backlog = await asyncio.gather(
        asyncio.to_thread(machine.examine, plant, status),
        _names(plant),
        _broker(plant, status),
        _certificates(plant, status),
        asyncio.to_thread(_backlog, plant, status),
    )
    return [*here, names, login, *certificates, backlog]


async def _names(plant: Plant) -> Check:
    """Whether every host of the configuration is known that is written as a name."""
    urls = {plant.uplink.broker, *(str(getattr(link.settings, "url", "")) for link in plant.connections)}
    hosts = sorted({host for url in urls if (host := urlsplit(url).hostname) and not _is_number(host)})
    if not hosts:
        return Check("dns", OK, "every host is written as a number: nothing to look up", None)
    answers = await asyncio.gather(*(_known(host) for host in hosts))
    unknown = [host for host, known in zip(hosts, answers, strict=True) if not known]
    if unknown:
        return Check("dns", ALARM, f"nobody knows {', '.join(unknown)}", f"getent hosts {unknown[0]}")
    return Check("dns", OK, f"known: {', '.join(hosts)}", None)


async def _known(host: str) -> bool:
    try:
        async with asyncio.timeout(WITHIN_S):
            await asyncio.get_running_loop().getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return True


def _is_number(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


async def _broker(plant: Plant, status: Mapping[str, Any] | None) -> Check:
    """Whether it lets us in: the running agent's word, else a login of our own, which would end the agent's."""
    url = plant.uplink.broker
    if status is not None:
        uplink = status["uplink"]
        if uplink["connected"]:
            last = uplink["last_ack"] or "none yet"
            return Check("broker", OK, f"{url}: logged in, last acknowledgement {last}", None)
        return Check("broker", ALARM, uplink["error"] or f"{url}: no session", "ganpo status")
    from ganpo_service.mqtt import Login, Session

    settings, gateway = plant.uplink, plant.gateway.id
    password = settings.password.get_secret_value() if settings.password is not None else None
    ca_file = str(settings.ca_path) if settings.ca_path is not None else None
    session = Session(
        Login(url, gateway, "uplink", gateway if password else None, password, ca_file), lambda: None
    )
    try:
        await session.open([(f"{settings.root}/{gateway}/ack", 1)], timeout_s=WITHIN_S)
    except AccessRefused as error:
        return Check("broker", ALARM, str(error), None)
    except GanpoError as error:
        return Check("broker", ALARM, str(error), None)
    finally:
        await session.close()
    return Check("broker", OK, f"{url}: it lets {gateway} in", None)


async def _certificates(plant: Plant, status: Mapping[str, Any] | None) -> list[Check]:
    """How long that of the broker, and ours for OPC UA, are valid."""
    found = []
    parts = urlsplit(plant.uplink.broker)
    days = None if status is None else status["uplink"]["certificate_days"]
    if days is not None and days >= 0:  # as the session saw it: without a library of certificates
        found.append(_for_days(days, f"that of the broker is valid for {days} days", _WHOSE_BROKER))
    elif parts.scheme == "mqtts" and parts.hostname:
        shown = await _shown(parts.hostname, parts.port or 8883)
        if shown is None:
            found.append(Check("certificate", UNKNOWN, "that of the broker cannot be seen", None))
        else:
            found.append(_valid("that of the broker", shown, _WHOSE_BROKER))
    own = plant.gateway.home("opcua", "").folder / f"{plant.gateway.id}.pem"
    pem = await asyncio.to_thread(_pem, own)
    if pem is not None:
        found.append(_valid("ours for OPC UA", pem, "ganpo cert renew"))
    return found or [Check("certificate", OK, "none is needed", None)]


async def _shown(host: str, port: int) -> "x509.Certificate | None":
    """The certificate that a server shows to anybody; whether it is trusted, the login says."""
    from cryptography import x509  # 10 MB: an agent whose broker has no certificate never needs it

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(WITHIN_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        return x509.load_der_x509_certificate(der) if der else None
    except (OSError, ValueError):
        return None


def _pem(path: Path) -> "x509.Certificate | None":
    try:
        pem = path.read_bytes()
    except OSError:
        return None
    from cryptography import x509  # 10 MB: where there is no certificate nothing is read with it

    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        return None


def _valid(whose: str, certificate: "x509.Certificate", command: str) -> Check:
    now, end = datetime.now(UTC), certificate.not_valid_after_utc
    days = (end - now).days
    if now < (begin := certificate.not_valid_before_utc):
        return Check("certificate", ALARM, f"{whose} is valid from {begin:%Y-%m-%d}", command)
    if end < now:
        return Check("certificate", ALARM, f"{whose} ended on {end:%Y-%m-%d}", command)
    return _for_days(days, f"{whose} is valid for {days} days, to {end:%Y-%m-%d}", command)


def _for_days(days: int, what: str, command: str) -> Check:
    level = ALARM if days < NOW_DAYS else LOOK if days < SOON_DAYS else OK
    return Check("certificate", level, what, None if level == OK else command)


def _backlog(plant: Plant, status: Mapping[str, Any] | None) -> Check:
    """What waits for the collector on the disk."""
    if status is not None:
        outbox = status["outbox"]
        if outbox["error"] or outbox["damaged"]:
            damaged = ", ".join(map(str, outbox["damaged"]))
            return Check("backlog", ALARM, outbox["error"] or f"damaged: {damaged}", "ganpo status")
        waiting, size, oldest = outbox["waiting"], outbox["bytes"], outbox["oldest"]
    else:
        path = plant.gateway.state_dir / "outbox.db"
        if not path.exists():
            return Check("backlog", OK, "no outbox yet: this gateway has not run here", None)
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)) as db:
                waiting, size = db.execute(
                    "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM frame WHERE acked_at IS NULL"
                ).fetchone()
        except sqlite3.Error as error:
            return Check("backlog", ALARM, f"{path} cannot be read: {error}", f"ls -l {path.parent}")
        oldest = None
    if waiting is None:
        return Check("backlog", UNKNOWN, "the outbox does not say", None)
    since = f", the oldest of {oldest}" if oldest else ""
    limit = plant.gateway.outbox_mib * 1024 * 1024
    level = LOOK if size > 0.8 * limit else OK
    what = f"{waiting} frames wait ({size / 1024:.0f} kB of {plant.gateway.outbox_mib} MiB){since}"
    return Check("backlog", level, what, "ganpo status" if level != OK else None)
