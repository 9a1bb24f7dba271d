"""How to reach meters that share a line: `serial:///dev/NAME`, or `tcp://HOST:PORT` of a converter before the line."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator

from ganpo_drivers.api import Caution, ConnectionSettings
from ganpo_drivers.lines import ByteLine, SerialLine, SerialSettings, TcpLine, device_of, endpoint_of
from ganpo_drivers.lines.settings import cautions_of, converter_of, real_device

SLOWEST_BAUD = 1200
"""What a line behind a converter is taken for: its speed is set there, and not known here."""


class ReadoutSettings(ConnectionSettings, SerialSettings):
    """A line with meters of one protocol. The settings of a serial port stand for it alone; standards say 2400 8E1."""

    url: str = Field(description="serial:///dev/serial/by-id/NAME, or tcp://HOST:PORT of a converter")
    baud: int = Field(default=2400, ge=50, le=4_000_000, description="bits a second on the serial line")
    parity: Literal["none", "even", "odd"] = Field(
        default="even", description="none, even or odd, as at the meters"
    )
    timeout_s: float = Field(
        default=1.0,
        gt=0,
        le=30,
        description="seconds until a meter begins to answer; its characters come on top",
    )
    wake_up: int = Field(default=4, ge=0, le=16, description="bytes FE before each request")

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        if url.startswith("serial:"):
            device_of(url)
        elif url.startswith("tcp:"):
            endpoint_of(url)
        else:
            raise ValueError("not serial:///dev/NAME or tcp://HOST:PORT")
        return url

    @property
    def line(self) -> str:
        """The port, by its real name; of a converter its address: behind it is one line too."""
        return real_device(device_of(self.url)) if self._serial else converter_of(*endpoint_of(self.url))

    @property
    def characters(self) -> str:
        """Of a serial port; a converter has its own."""
        return self.spelt if self._serial else ""

    def cautions(self) -> Sequence[Caution]:
        """A device file that need not be the same one after the next start."""
        return cautions_of(device_of(self.url)) if self._serial else ()

    def new_line(self) -> ByteLine:
        """A line to be opened."""
        if self._serial:
            return SerialLine(self.url, device_of(self.url), self)
        return TcpLine(self.url, *endpoint_of(self.url), self.timeout_s)

    def answer_s(self, characters: int) -> float:
        """How long an answer to a request may take, both of so many characters together, in seconds."""
        return self.timeout_s + self.characters_s(characters)

    def characters_s(self, characters: int) -> float:
        """How long so many characters take, in seconds."""
        return characters * (self.character_s if self._serial else 11 / SLOWEST_BAUD)

    @property
    def speed(self) -> str:
        """At what `characters_s` is reckoned, for a person."""
        return (
            f"{self.baud} baud" if self._serial else f"the line behind the converter has {SLOWEST_BAUD} baud"
        )

    @property
    def _serial(self) -> bool:
        return self.url.startswith("serial:")
