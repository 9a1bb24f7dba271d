"""What stands under `[connections.NAME]` of an OPC UA server."""

import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from ganpo_drivers.api import Caution, ConnectionSettings, Home
from ganpo_model.errors import StorageError

DEFAULT_PORT = 4840
DEPRECATED = ("Basic256", "Basic128Rsa15")
"""Policies on SHA-1, which are used where they are named and nowhere else."""
_POLICIES = ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", *DEPRECATED)

Security = Literal[
    "None",
    "Basic256Sha256,Sign",
    "Basic256Sha256,SignAndEncrypt",
    "Aes128_Sha256_RsaOaep,Sign",
    "Aes128_Sha256_RsaOaep,SignAndEncrypt",
    "Aes256_Sha256_RsaPss,Sign",
    "Aes256_Sha256_RsaPss,SignAndEncrypt",
    "Basic256,Sign",
    "Basic256,SignAndEncrypt",
    "Basic128Rsa15,Sign",
    "Basic128Rsa15,SignAndEncrypt",
]


class OpcUaSettings(ConnectionSettings):
    """One session on one OPC UA server."""

    url: str = Field(description="opc.tcp://HOST[:4840][/PATH], without user or password")
    security: Security = Field(
        description='policy and mode, as the server offers them: "Basic256Sha256,SignAndEncrypt"; '
        '"None": nothing is signed or encrypted'
    )
    allow_insecure: bool = Field(
        default=False,
        validate_default=True,
        description='has to be true for security "None", where values travel in the clear, '
        "and for a password that the server wants unencrypted",
    )
    username: str | None = Field(
        default=None, min_length=1, description="user name; without it the session is anonymous"
    )
    password: SecretStr | None = Field(
        default=None,
        validate_default=True,
        description="the user's password; write password_file, a file in the secrets directory",
    )
    user_certificate: SecretStr | None = Field(
        default=None,
        validate_default=True,
        description="certificate and private key (PEM, RSA) of a user who is known by them instead of a name; "
        "write user_certificate_file, a file in the secrets directory",
    )
    timeout_s: float = Field(
        default=4, gt=0, le=60, description="seconds within which every single request has to be answered"
    )
    accept_uncertain: bool = Field(
        default=False,
        description="take values of status Uncertain; otherwise they are a fault of their point",
    )

    @property
    def policy(self) -> str:
        """The name of the policy: `Basic256Sha256`, `None`."""
        return self.security.partition(",")[0]

    @property
    def mode(self) -> str:
        """`Sign`, `SignAndEncrypt`, or `None`."""
        return self.security.rpartition(",")[2]

    @property
    def unsecured(self) -> str:
        """Of a channel that is neither signed nor encrypted."""
        if self.security != "None":
            return ""
        what = "everything that is read can be seen and changed on the way"
        if self.username is None:
            return what
        return f"{what}; the password is encrypted only where the server asks for it"

    def cautions(self) -> Sequence[Caution]:
        """Of a user on an open channel, of a deprecated policy, and of a server that nobody has trusted yet."""
        found = []
        if self.unsecured and (self.username is not None or self.user_certificate is not None):
            what = f"a user logs in without security: {self.unsecured}"
            if self.home is not None:
                what += f". `ganpo trust {self.home.connection}` says what the server offers"
            found.append(Caution("security", what))
        if self.policy in DEPRECATED:
            what = "rests on SHA-1 and is deprecated: take another policy that the server offers"
            found.append(Caution("security", what))
        if self.security != "None" and self.home is not None:
            found += [Caution("security", what) for what in _not_trusted(self.home)]
        return found

    @field_validator("url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
        except ValueError:  # signs that look like others: a full-width colon
            raise ValueError("not an OPC UA address (opc.tcp://HOST:4840)") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError("no user or password belongs here; use username and password_file")
        host = parts.hostname or ""
        if parts.scheme != "opc.tcp" or not re.fullmatch(r"[^.]{1,63}(\.[^.]{1,63})*\.?", host):
            raise ValueError("not an OPC UA address (opc.tcp://HOST:4840)")
        port = parts.port or DEFAULT_PORT  # raises ValueError with the reason for an impossible port
        host = f"[{host}]" if ":" in host else host
        return f"opc.tcp://{host}:{port}{parts.path}"

    @field_validator("security", mode="before")
    @classmethod
    def _with_its_mode(cls, security: object) -> object:
        if security in _POLICIES:
            raise ValueError(f'a policy without its mode ("{security},SignAndEncrypt" or "{security},Sign")')
        return security

    @field_validator("allow_insecure")
    @classmethod
    def _said_aloud(cls, allow_insecure: bool, info: ValidationInfo) -> bool:
        if info.data.get("security") == "None" and not allow_insecure:
            raise ValueError(
                'security "None" needs allow_insecure = true: values and password travel in the clear'
            )
        return allow_insecure

    @field_validator("password")
    @classmethod
    def _of_a_user(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if password is not None and "username" in info.data and info.data["username"] is None:
            raise ValueError("a password without username")
        return password

    @field_validator("user_certificate")
    @classmethod
    def _one_user(cls, pem: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if pem is None:
            return None
        if info.data.get("username") is not None:
            raise ValueError("a user is known by a name or by a certificate, not by both")
        from ganpo_drivers.opcua.user import User  # reads certificates: heavy, and rarely needed

        User.read(pem.get_secret_value())
        return pem


def _not_trusted(home: Home) -> list[str]:
    from ganpo_drivers.opcua import trust  # reads certificates: heavy, and needed where there are some alone

    try:
        if trust.pinned(home) is not None:
            return []
    except StorageError as error:
        return [f"whether its server is trusted cannot be told: {error}"]
    return [f"nobody has trusted its server yet: `ganpo trust {home.connection}`"]
