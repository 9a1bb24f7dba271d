"""The gateway's own certificate: made once, kept with its key in one file, renewed beside the old one.

One for all OPC UA connections of a gateway; its ApplicationUri `urn:ganpo:GATEWAY` stays the same for ever (OPC 10000-6
6.2.2 has what an application instance certificate contains).
"""

import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ganpo_drivers.api import Home
from ganpo_drivers.opcua import kept
from ganpo_model.errors import ConfigError, StorageError

KEY_BITS = 2048
"""What every policy takes, the deprecated ones too, and what small PLCs can still compute."""
YEARS = 10
SOON = timedelta(days=60)
"""So long before its end a certificate is told of."""
_SLOW_CLOCKS = timedelta(days=1)
_EARLIEST = datetime(2026, 11, 1, tzinfo=UTC)
"""A gateway without a clock stands in 1970, and makes its certificate all the same."""


@dataclass(frozen=True, slots=True)
class Own:
    """A certificate of this gateway with its key, and the file that both are in."""

    path: Path
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)

    @property
    def der(self) -> bytes:
        """What a server has to trust."""
        return der(self.certificate)


def uri(gateway: str) -> str:
    """The ApplicationUri by which servers know a gateway."""
    return f"urn:ganpo:{gateway}"


def own(home: Home, now: datetime) -> Own:
    """The certificate that is in use; made where there is none yet. Takes some 0.1 s then, and the disk.

    Raises StorageError.
    """
    return _load(_path(home)) or _made(_path(home), home.gateway, now)


def coming(home: Home) -> Own | None:
    """The certificate that waits for the switch, if one was made. Raises StorageError."""
    return _load(_path(home, "next"))


def renew(home: Home, now: datetime) -> Own:
    """Make a certificate beside the one in use, or find the one that waits already. Raises StorageError."""
    return coming(home) or _made(_path(home, "next"), home.gateway, now)


def switch(home: Home) -> Own:
    """Use what `renew` made, from the next session on; the one used until now stays as a file.

    Raises ConfigError where none waits, StorageError.
    """
    waiting = coming(home)
    if waiting is None:
        raise ConfigError("no renewed certificate waits", where=str(home.folder), hint="`ganpo cert renew`")
    used = _load(_path(home))
    if used is not None:
        kept.replace(_path(home, "old"), used.path.read_bytes())
    kept.replace(_path(home), waiting.path.read_bytes())
    waiting.path.unlink()
    return Own(_path(home), waiting.certificate, waiting.key)


def der(certificate: x509.Certificate) -> bytes:
    """The certificate as it travels."""
    return certificate.public_bytes(serialization.Encoding.DER)


def fingerprint(certificate: bytes, algorithm: type[hashes.HashAlgorithm] = hashes.SHA256) -> str:
    """`AB:CD:...` of a certificate in DER."""
    digest = hashes.Hash(algorithm())
    digest.update(certificate)
    return digest.finalize().hex(":").upper()


def dates(certificate: x509.Certificate) -> str:
    """From when to when it is valid, for people."""
    return f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"


def _path(home: Home, suffix: str = "") -> Path:
    return home.folder / ".".join(filter(None, (home.gateway, suffix, "pem")))


def _made(path: Path, gateway: str, now: datetime) -> Own:
    kept.add(path, _make(gateway, now))
    made = _load(path)
    if made is None:
        raise StorageError("our certificate vanished as it was made", where=str(path))
    return made


def _load(path: Path) -> Own | None:
    if (content := kept.read(path, "our certificate")) is None:
        return None
    try:
        key = serialization.load_pem_private_key(content, None)
        certificate = x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise StorageError(
            "our certificate is damaged",
            where=str(path),
            hint="bring back a copy; or remove it, and the servers have to trust a new one (`ganpo cert export`)",
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise StorageError("key and certificate do not belong together", where=str(path))
    return Own(path, certificate, key)


def _make(gateway: str, now: datetime) -> bytes:
    """A new key and its certificate, signed by itself, as PEM."""
    key = rsa.generate_private_key(65537, KEY_BITS)
    public = key.public_key()
    begin = max(now, _EARLIEST)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ganpo"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Ganpo {gateway}"),
        ]
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,  # it signs itself; servers on OpenSSL look for it
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - _SLOW_CLOCKS)
        .not_valid_after(begin + timedelta(days=YEARS * 365))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.UniformResourceIdentifier(uri(gateway)), x509.DNSName(_host_name())]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _host_name() -> str:
    """Of this machine, as a certificate can have it."""
    return socket.gethostname().encode("ascii", "ignore").decode() or "localhost"
