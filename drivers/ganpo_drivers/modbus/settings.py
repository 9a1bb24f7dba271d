"""How to reach a Modbus device: `[connections.NAME]` with `driver = "modbus"`."""

import ssl
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from ganpo_drivers.api import Caution, ConnectionSettings
from ganpo_drivers.lines import SerialSettings, device_of, endpoint_of
from ganpo_drivers.lines.settings import cautions_of, converter_of, real_device
from ganpo_drivers.modbus.addressing import Addressing

DEFAULT_PORT = 502
TLS_PORT = 802
TIMEOUT_S = {"tcp": 1.0, "tls": 1.0, "rtu": 0.5, "rtu+tcp": 1.0}
"""By the scheme of the URL: all that are read."""
_FORMS = "tcp://HOST[:502], tls://HOST[:802], rtu:///dev/NAME or rtu+tcp://HOST:PORT"
_OF_THE_PORT = ("parity", "data_bits", "stop_bits", "rs485")


class ModbusSettings(SerialSettings, ConnectionSettings):
    """Modbus over TCP, TLS or a serial line, several units through one connection."""

    url: str = Field(description=_FORMS)
    addressing: Addressing = Field(description="of the point list: stated, never guessed")
    timeout_s: float | None = Field(
        default=None,
        gt=0,
        le=30,
        allow_inf_nan=False,
        description="seconds a unit may take to begin its answer; 1, on a serial port 0.5",
    )
    max_gap: int = Field(
        default=16, ge=0, le=125, description="unused registers read along to save a request"
    )
    max_registers: int = Field(default=125, ge=2, le=125, description="registers asked for in one request")
    max_bits: int = Field(default=2000, ge=1, le=2000, description="coils or discrete inputs in one request")
    ca: SecretStr | None = Field(
        default=None,
        description="who signs the device's certificate (tls); write ca_file, a file in the secrets directory",
    )

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        scheme = url.partition("://")[0]
        if scheme == "ascii" or scheme.startswith("ascii+"):
            raise ValueError("Modbus ASCII is not read: set the device to RTU, then rtu:///dev/NAME")
        if scheme not in TIMEOUT_S:
            raise ValueError("not tcp://HOST[:502], tls://HOST[:802], rtu:///dev/NAME or rtu+tcp://HOST:PORT")
        if scheme == "rtu":
            device_of(url)
        else:
            endpoint_of(url, {"tcp": DEFAULT_PORT, "tls": TLS_PORT}.get(scheme))
        return url

    @field_validator("ca")
    @classmethod
    def _certificate(cls, ca: SecretStr | None) -> SecretStr | None:
        if ca is not None:
            try:
                ssl.create_default_context(cadata=ca.get_secret_value())
            except ssl.SSLError as error:
                raise ValueError("its file holds no certificate (PEM)") from error
        return ca

    @model_validator(mode="after")
    def _together(self) -> Self:
        scheme = self.scheme
        if scheme == "rtu" and self.data_bits == 7:
            raise ValueError("data_bits = 7 is Modbus ASCII, which is not read: set the device to RTU")
        given = self.model_fields_set
        foreign = [name for name in _OF_THE_PORT if name in given and scheme != "rtu"]
        foreign += ["baud"] if "baud" in given and scheme in ("tcp", "tls") else []
        foreign += ["ca_file"] if "ca" in given and scheme != "tls" else []
        if foreign:
            raise ValueError(f"{', '.join(foreign)}: not with {scheme}://")
        return self

    @property
    def scheme(self) -> str:
        """tcp, tls, rtu or rtu+tcp."""
        return urlsplit(self.url).scheme

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port, where it is not a serial port."""
        return endpoint_of(self.url, TLS_PORT if self.scheme == "tls" else DEFAULT_PORT)

    @property
    def patience_s(self) -> float:
        """How long a unit may take to begin its answer, in seconds."""
        return TIMEOUT_S[self.scheme] if self.timeout_s is None else self.timeout_s

    @property
    def line(self) -> str:
        """Of RTU framing: the port, or the converter's."""
        if self.scheme == "rtu":
            return real_device(device_of(self.url))
        return converter_of(*self.endpoint) if self.scheme == "rtu+tcp" else ""

    @property
    def characters(self) -> str:
        """Of a serial port; a converter has its own."""
        return self.spelt if self.scheme == "rtu" else ""

    def cautions(self) -> Sequence[Caution]:
        """A serial port that is named by its number."""
        return cautions_of(device_of(self.url)) if self.scheme == "rtu" else ()

    def columns(self) -> dict[str, Any]:
        """The addressing of the point list, what one request may ask for, and whether there may be no line behind."""
        return {
            "addressing": self.addressing,
            "max_registers": self.max_registers,
            "alone": self.scheme in ("tcp", "tls"),
        }
