"""How to reach a Modbus device: `[connections.NAME]` with `driver = "modbus"`."""

import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from ganpo_drivers.api import ConnectionSettings
from ganpo_drivers.modbus.addressing import Addressing

DEFAULT_PORT = 502
_ENDPOINT = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?(:[0-9]{1,5})?")


class ModbusSettings(ConnectionSettings):
    """Modbus over TCP, several units through one connection."""

    url: str = Field(description="tcp://HOST[:502]")
    addressing: Addressing = Field(description="of the point list: stated, never guessed")
    timeout_s: float = Field(
        default=1.0, gt=0, le=30, description="how long a unit may take to answer, in seconds"
    )
    max_gap: int = Field(
        default=16, ge=0, le=125, description="unused registers read along to save a request"
    )
    max_registers: int = Field(default=125, ge=2, le=125, description="registers asked for in one request")
    max_bits: int = Field(default=2000, ge=1, le=2000, description="coils or discrete inputs in one request")

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme in ("tls", "rtu", "rtu+tcp"):
            raise ValueError(f"{parts.scheme}:// is not in this version (tcp://HOST[:502])")
        if parts.scheme != "tcp" or _ENDPOINT.fullmatch(parts.netloc) is None or parts.path or parts.query:
            raise ValueError("not tcp://HOST[:502]")
        if not 1 <= int(parts.netloc.partition(":")[2] or DEFAULT_PORT) <= 65535:
            raise ValueError("a port is a number from 1 to 65535")
        return url

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = urlsplit(self.url).netloc.partition(":")
        return host, int(port or DEFAULT_PORT)

    def columns(self) -> dict[str, Any]:
        """The addressing of the point list."""
        return {"addressing": self.addressing}
