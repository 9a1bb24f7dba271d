"""What stands under `[connections.NAME]` of an OPC UA server."""

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from ganpo_drivers.api import ConnectionSettings

DEFAULT_PORT = 4840
_LATER = {
    f"{policy}{mode}"
    for policy in ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss")
    for mode in ("", ",Sign", ",SignAndEncrypt")
}


class OpcUaSettings(ConnectionSettings):
    """One session on one OPC UA server."""

    url: str = Field(description="opc.tcp://HOST[:4840][/PATH], without user or password")
    security: Literal["None"] = Field(description='"None": nothing is signed or encrypted')
    allow_insecure: bool = Field(
        default=False,
        validate_default=True,
        description='has to be true for security "None": values and password travel in the clear',
    )
    username: str | None = Field(
        default=None, min_length=1, description="user name; without it the session is anonymous"
    )
    password: SecretStr | None = Field(
        default=None,
        validate_default=True,
        description="the user's password; write password_file, a file in the secrets directory",
    )
    timeout_s: float = Field(
        default=4, gt=0, le=60, description="seconds within which every single request has to be answered"
    )
    accept_uncertain: bool = Field(
        default=False,
        description="take values of status Uncertain; otherwise they are a fault of their point",
    )

    @field_validator("url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
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
    def _known_security(cls, security: object) -> object:
        if isinstance(security, str) and security in _LATER:
            raise ValueError('not in this version (only "None", with allow_insecure = true)')
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
