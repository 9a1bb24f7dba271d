"""Which certificate the server of each connection is known by: pinned by a person with `ganpo trust`."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from ganpo_drivers.api import Home
from ganpo_drivers.opcua import kept
from ganpo_drivers.opcua.certificate import dates, fingerprint
from ganpo_model.errors import CertificateNotTrusted, StorageError


@dataclass(frozen=True, slots=True)
class Pin:
    """The certificate (DER) that a person trusts for a connection, since when, and whether beyond its dates too."""

    certificate: bytes
    since: datetime
    any_date: bool = False

    @property
    def x509(self) -> x509.Certificate:
        """The certificate, read."""
        return x509.load_der_x509_certificate(self.certificate)


def pinned(home: Home) -> Pin | None:
    """What is trusted for this connection. Raises StorageError."""
    entry = _all(_file(home)).get(home.connection)
    return _pin(entry, _file(home)) if entry is not None else None


def pin(home: Home, trusted: Pin) -> None:
    """Trust it from now on, instead of what was trusted before. Raises StorageError."""
    entry = {
        "sha256": fingerprint(trusted.certificate),
        "since": trusted.since.isoformat(),
        "any_date": trusted.any_date,
        "certificate": base64.b64encode(trusted.certificate).decode(),
    }
    entries = _all(_file(home)) | {home.connection: entry}
    kept.replace(_file(home), json.dumps(entries, ensure_ascii=False, indent=1).encode())


def check_dates(trusted: Pin, where: str, connection: str, now: datetime) -> None:
    """Raises CertificateNotTrusted for a certificate outside its dates, unless the pin takes it at any date.

    A gateway whose clock stands before the day of the trust has no time yet: that day counts.
    """
    certificate = trusted.x509
    now = max(now, trusted.since)
    if trusted.any_date or certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return
    raise CertificateNotTrusted(
        f"its certificate is valid from {dates(certificate)}, and here it is {now:%Y-%m-%d}",
        where=where,
        hint="give the server a new one, or set the clock that is wrong; "
        f"`ganpo trust {connection} --any-date` takes it as it is",
    )


def changed(trusted: Pin, shown: bytes, where: str, connection: str) -> CertificateNotTrusted:
    """What to say of a server that shows another certificate than the trusted one."""
    return CertificateNotTrusted(
        f"its certificate changed: trusted is SHA-256 {fingerprint(trusted.certificate)}, "
        f"it shows {fingerprint(shown)}",
        where=where,
        hint=f"find out why; if the new one is right: `ganpo trust {connection}`",
    )


def _file(home: Home) -> Path:
    return home.folder / "trusted.json"


def _all(file: Path) -> dict[str, Any]:
    if (content := kept.read(file, "the list of trusted certificates")) is None:
        return {}
    try:
        entries = json.loads(content)
    except ValueError as error:
        raise _damaged(file) from error
    if not isinstance(entries, dict):
        raise _damaged(file)
    return entries


def _pin(entry: Any, file: Path) -> Pin:
    try:
        certificate = base64.b64decode(entry["certificate"], validate=True)
        x509.load_der_x509_certificate(certificate)
        since = datetime.fromisoformat(entry["since"])
        if since.tzinfo is None:
            raise ValueError("no time zone")
        any_date = entry["any_date"] is True
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file) from error
    return Pin(certificate, since, any_date)


def _damaged(file: Path) -> StorageError:
    hint = "remove it, and trust the servers anew: `ganpo trust CONNECTION`"
    return StorageError("the list of trusted certificates is damaged", where=str(file), hint=hint)
