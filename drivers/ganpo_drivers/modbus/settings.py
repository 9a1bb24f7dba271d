"""How to reach a Modbus device: `[connections.NAME]` with `driver = "modbus"`."""

from typing import Any, Literal

from pydantic import Field, field_validator

from ganpo_drivers.api import ConnectionSettings

Addressing = Literal["0-based", "1-based", "4xxxxx"]


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
    max_registers: int = Field(default=125, ge=1, le=125, description="registers asked for in one request")
    max_bits: int = Field(default=2000, ge=1, le=2000, description="coils or discrete inputs in one request")

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        scheme, separator, rest = url.partition("://")
        if scheme in ("tls", "rtu", "rtu+tcp"):
            raise ValueError(f"{scheme}:// is not in this version (tcp://HOST[:502])")
        host, _, port = rest.partition(":")
        if scheme != "tcp" or not separator or not host or (port and not port.isdigit()):
            raise ValueError("not tcp://HOST[:502]")
        return url

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.url.removeprefix("tcp://").partition(":")
        return host, int(port or 502)

    def columns(self) -> dict[str, Any]:
        """The addressing of the point list."""
        return {"addressing": self.addressing}
