"""A user who is known by a certificate (OPC 10000-4 7.41.5)."""

from dataclasses import dataclass, field
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True, slots=True)
class User:
    """Certificate and key of a user."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def read(cls, pem: str) -> Self:
        """Both from one PEM text. Raises ValueError with what is wrong, and nothing of the text."""
        content = pem.encode()
        try:
            certificate = x509.load_pem_x509_certificate(content)
        except ValueError:
            raise ValueError("no certificate in PEM in this file (-----BEGIN CERTIFICATE-----)") from None
        try:
            key = serialization.load_pem_private_key(content, None)
        except TypeError:
            raise ValueError("its private key is encrypted: `openssl rsa` takes the password off") from None
        except ValueError:
            raise ValueError(
                "no private key in PEM in this file: it has to hold the key and the certificate"
            ) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("its private key is not RSA: OPC UA's policies know no other")  # noqa: TRY004
        if key.public_key() != certificate.public_key():
            raise ValueError("its private key is not that of its certificate")
        return cls(certificate, key)
