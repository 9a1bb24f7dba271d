"""What connections over byte lines have in common: the settings of a serial port, and what a URL says."""

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from ganpo_drivers.api import Caution

_ENDPOINT = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?(:[0-9]{1,5})?")
_DEVICE = re.compile(r"/[A-Za-z0-9._:+,@/-]{1,200}")
_UNSTABLE = re.compile(r"/dev/tty(USB|ACM)\d+")


class SerialSettings(BaseModel):
    """How the characters on a serial line look."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    baud: int = Field(default=9600, ge=50, le=4_000_000, description="bits a second on the serial line")
    parity: Literal["none", "even", "odd"] = Field(
        default="none", description="none, even or odd, as at the devices"
    )
    data_bits: Literal[7, 8] = Field(default=8, description="of a character: 7 or 8")
    stop_bits: Literal[1, 2] = Field(default=1, description="after a character: 1 or 2")
    rs485: bool = Field(
        default=False,
        description="let the kernel switch the direction of an RS-485 port; adapters do it themselves",
    )

    @property
    def spelt(self) -> str:
        """As manuals have it: 9600 8E1."""
        return f"{self.baud} {self.data_bits}{self.parity[0].upper()}{self.stop_bits}"

    @property
    def character_s(self) -> float:
        """How long one character takes, in seconds: start bit, data, parity, stop bits."""
        return (1 + self.data_bits + (self.parity != "none") + self.stop_bits) / self.baud


def device_of(url: str) -> str:
    """The device file of SCHEME:///dev/NAME. Raises ValueError."""
    parts = urlsplit(url)
    if parts.netloc or parts.query or parts.fragment or _DEVICE.fullmatch(parts.path) is None:
        raise ValueError(f"not {parts.scheme}:///dev/NAME, the device file behind three strokes")
    return parts.path


def endpoint_of(url: str, default_port: int | None = None) -> tuple[str, int]:
    """Host and port of SCHEME://HOST:PORT. Raises ValueError."""
    scheme = url.partition("://")[0]
    shape = f"{scheme}://HOST:PORT" if default_port is None else f"{scheme}://HOST[:{default_port}]"
    try:
        parts = urlsplit(url)
    except ValueError:  # signs that look like others: a full-width colon
        raise ValueError(f"not {shape}") from None
    if parts.path or parts.query or parts.fragment or _ENDPOINT.fullmatch(parts.netloc) is None:
        raise ValueError(f"not {shape}")
    host, _, port = parts.netloc.partition(":")
    if not port and default_port is None:
        raise ValueError(f"the port is missing: {shape}")
    if not 1 <= int(port or default_port or 0) <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return host, int(port or default_port or 0)


def real_device(device: str) -> str:
    """The device file behind a link of it: what two connections may not share."""
    return str(Path(device).resolve())


def converter_of(host: str, port: int) -> str:
    """The converter at this address, by one name: what two connections may not share."""
    return f"{host.lower().rstrip('.')}:{port}"


def cautions_of(device: str) -> list[Caution]:
    """What `check` says of a device file that need not be the same one after the next start."""
    if _UNSTABLE.fullmatch(device) is None:
        return []
    links = Path("/dev/serial/by-id")
    stable = (
        [str(link) for link in links.glob("*") if str(link.resolve()) == device] if links.is_dir() else []
    )
    named = stable[0] if stable else "its name in /dev/serial/by-id"
    return [Caution("url", f"{device} may be another adapter after the next start: write {named}")]
