"""What a server shows of itself to anybody: its endpoints, its certificate, its clock; no session is made for it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ganpo_drivers.opcua.certificate import dates
from ganpo_drivers.opcua.client import Client
from ganpo_drivers.opcua.errors import asking
from ganpo_drivers.opcua.security import Credentials, named, offers
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.transport import first_certificate
from ganpo_drivers.opcua.trust import changed
from ganpo_model.errors import (
    CertificateNotTrusted,
    GanpoError,
    Unreachable,
    UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a server shows: `offers` as settings spell it, certificates (DER) by it, and its clock."""

    offers: tuple[str, ...]
    certificates: dict[str, bytes]
    application: str
    server_time: datetime | None

    def certificate(self, settings: OpcUaSettings) -> bytes:
        """The certificate of the endpoint that the settings ask for.

        Raises UnsupportedProtocol where it is not offered, or comes without a certificate that can be read.
        """
        if settings.security not in self.offers:
            raise not_offered(settings, self.offers)
        found = self.certificates.get(settings.security)
        if not found:
            raise UnsupportedProtocol(
                "the server shows no certificate that can be read",
                where=settings.url,
                hint="make one at the server",
            )
        return found


def not_offered(settings: OpcUaSettings, offered: tuple[str, ...] | list[str]) -> UnsupportedProtocol:
    """What to say where the server has no endpoint of the security that is set."""
    found = "; ".join(offered) or "nothing"
    return UnsupportedProtocol(
        f'the server offers no endpoint with security "{settings.security}" (it offers: {found})',
        where=settings.url,
        hint="set security to one of them, or allow it at the server",
    )


async def discover(settings: OpcUaSettings) -> Shown:
    """Ask for the endpoints, without security: this is always allowed (OPC 10000-4 5.5.4).

    Raises Unreachable, UnsupportedProtocol.
    """
    client = Client(settings)
    endpoints: list[Any] = []
    try:
        await client.begin()
        async with asking(settings.url, "opening a channel", settings.timeout_s, opening=True):
            await client.open_secure_channel()
        async with asking(settings.url, "asking for endpoints", settings.timeout_s, opening=True):
            endpoints = await client.get_endpoints() or []
            await client.close_secure_channel()
    finally:
        await client.transport.drop()
    certificates = {
        named(end.SecurityPolicyUri, end.SecurityMode): first_certificate(end.ServerCertificate)
        for end in reversed(endpoints)
    }
    application = next((end.Server.ApplicationUri or "" for end in endpoints), "")
    return Shown(tuple(offers(endpoints)), certificates, application, client.transport.server_time)


async def reason(settings: OpcUaSettings, credentials: Credentials, refused: GanpoError) -> GanpoError:
    """Why a server did not let us open a secured session, found by asking it without security; else `refused`."""
    own, pin, home = credentials.own, credentials.pin, settings.home
    if own is None or pin is None or home is None:
        return refused
    try:
        shown = await discover(settings)
    except GanpoError:
        return refused
    try:
        certificate = shown.certificate(settings)
    except UnsupportedProtocol as error:
        return error
    if certificate != pin.certificate:
        return changed(pin, certificate, settings.url, home.connection)
    there, here, ours = shown.server_time, datetime.now(UTC), own.certificate
    broke = isinstance(refused.__cause__, OSError)  # silence too: TimeoutError is one
    judged = broke or isinstance(refused, CertificateNotTrusted)
    if judged and there is not None and not ours.not_valid_before_utc <= there <= ours.not_valid_after_utc:
        return CertificateNotTrusted(
            f"{refused.what}: its clock says {there:%Y-%m-%d %H:%M}, our certificate is valid from {dates(ours)}",
            where=settings.url,
            hint="`ganpo cert renew`" if here > ours.not_valid_after_utc else "set the server's clock",
        )
    if broke:
        hint = f"so do servers that do not trust our certificate: `ganpo cert export {home.connection}` writes it"
        return Unreachable(refused.what, where=refused.where, hint=hint)
    return refused
