"""What secures one session: our certificate, the server's that is trusted, and the policy that uses both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.crypto import security_policies
from cryptography import x509

from ganpo_drivers.opcua import certificate, trust
from ganpo_drivers.opcua.certificate import Own
from ganpo_drivers.opcua.settings import DEPRECATED, OpcUaSettings
from ganpo_drivers.opcua.trust import Pin
from ganpo_drivers.opcua.user import User
from ganpo_model.errors import CertificateNotTrusted, ConfigError

POLICIES: dict[str, Any] = {
    "None": security_policies.SecurityPolicyNone,
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256_Sha256_RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
    "Basic256": security_policies.SecurityPolicyBasic256,
    "Basic128Rsa15": security_policies.SecurityPolicyBasic128Rsa15,
}
"""asyncua's classes by the name that stands in settings and, behind #, in a policy's URI."""
_MODES = {"None": "None_", "Sign": "Sign", "SignAndEncrypt": "SignAndEncrypt"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are and whom we trust: `own` is None without security, `pin` where nothing was trusted, `user` where
    the user is known by a name or not at all."""

    own: Own | None = None
    pin: Pin | None = None
    user: User | None = None

    @classmethod
    def of(cls, settings: OpcUaSettings, now: datetime) -> "Credentials":
        """Read from the connection's home, and made there the first time: blocking.

        Raises CertificateNotTrusted where a secured session has no valid pin, ConfigError without a home, StorageError.
        """
        pem = settings.user_certificate
        user = User.read(pem.get_secret_value()) if pem is not None else None
        home = settings.home
        if settings.security == "None":
            logs_in = user is not None or settings.username is not None
            return cls(None, trust.pinned(home) if home is not None and logs_in else None, user)
        if home is None:
            raise ConfigError("security needs a folder for certificates: no home", where=settings.url)
        own, pin = certificate.own(home, now), trust.pinned(home)
        if pin is None:
            raise CertificateNotTrusted(
                "nobody has trusted the certificate of this server yet",
                where=settings.url,
                hint=f"`ganpo trust {home.connection}` shows it and asks",
            )
        trust.check_dates(pin, settings.url, home.connection, now)
        return cls(own, pin, user)

    def expire(self) -> dict[str, datetime]:
        """When each certificate ends that a secured session needs, by whose it is."""
        held: dict[str, x509.Certificate] = {}
        if self.own is not None:
            held["own"] = self.own.certificate
            if self.pin is not None and not self.pin.any_date:
                held["server"] = self.pin.x509
        if self.user is not None:
            held["user"] = self.user.certificate
        return {whose: found.not_valid_after_utc for whose, found in held.items()}


def remarks(
    settings: OpcUaSettings, credentials: Credentials, offered: Sequence[str], now: datetime
) -> list[str]:
    """What a person should know of how a session is secured: certificates that end soon, a host that is another, a
    server that offers more than is used."""
    home, pin = settings.home, credentials.pin
    connection = home.connection if home is not None else ""
    do = {
        "own": ("our certificate", "`ganpo cert renew`"),
        "server": ("the server's certificate", f"give it a new one, then `ganpo trust {connection}`"),
        "user": ("the user's certificate", "put a new one into user_certificate_file"),
    }
    told = []
    for whose, end in credentials.expire().items():
        if end - now < certificate.SOON:
            what, hint = do[whose]
            told.append(f"{what} {'ends' if end > now else 'ended'} on {end:%Y-%m-%d}: {hint}")
    if pin is not None and (odd := other_host(pin.x509, settings.url)):
        told.append(f"the server is trusted although {odd}")
    if settings.security == "None" and (found := better(offered)):
        told.append(f"nothing is signed or encrypted, although the server offers {'; '.join(found)}")
    return told


def policy_of(settings: OpcUaSettings, credentials: Credentials) -> Any:
    """asyncua's policy object for one session; it holds the keys of its channel."""
    kind = POLICIES[settings.policy]
    own, pin = credentials.own, credentials.pin
    if own is None or pin is None:
        return kind()
    mode = getattr(ua.MessageSecurityMode, _MODES[settings.mode])
    return kind(pin.x509, own.certificate, own.key, mode)


def named(policy_uri: str | None, mode: Any = None) -> str:
    """`Basic256Sha256,Sign` of an endpoint, as settings spell it."""
    policy = (policy_uri or "None").rpartition("#")[2]
    name = "" if mode is None else mode.name.rstrip("_")
    return policy if policy == "None" or not name else f"{policy},{name}"


def offers(endpoints: Sequence[Any]) -> list[str]:
    """What endpoints offer, as settings spell it, each once."""
    return sorted({named(end.SecurityPolicyUri, end.SecurityMode) for end in endpoints})


def better(offered: Sequence[str]) -> list[str]:
    """What is offered (as settings spell it) that protects a session."""
    return [one for one in offered if one.partition(",")[0] not in ("None", *DEPRECATED)]


def other_host(server: x509.Certificate, url: str) -> str:
    """What is odd where a certificate does not name the host of `url`; empty where it does."""
    host = urlsplit(url).hostname or ""
    names = hosts(server)
    try:
        same = ip_address(host) in {ip_address(name) for name in names if _is_ip(name)}
    except ValueError:
        same = host.casefold() in {name.casefold() for name in names}
    if same:
        return ""
    return f"its certificate is made out to {', '.join(names) or 'no host'}, not to {host}"


def hosts(server: x509.Certificate) -> list[str]:
    """The hosts a certificate names: DNS names and IP addresses."""
    try:
        names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
