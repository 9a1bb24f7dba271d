"""The scalars of `agent.toml`: `[gateway]`, `[uplink]`. Environment names: GANPO_GATEWAY__ID and the like."""

import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from ganpo_drivers import Home

_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")


class Section(BaseModel):
    """A table of the file: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class GatewaySettings(Section):
    """Who this gateway is and where it keeps its data."""

    id: str = Field(pattern=r"^[a-z0-9-]{8,40}$", description="MQTT client id, user name and topic level")
    state_dir: Path = Field(description="folder of outbox.db, and of the certificates of drivers")
    http: str = Field(
        default="127.0.0.1:8780", description="listen address of the page, /api/v1, /health and /metrics"
    )
    socket: Path | None = Field(
        default=None,
        description="Unix socket for commands; else agent.sock in /run/ganpo (systemd) or in state_dir",
    )
    http_password_file: str | None = Field(
        default=None,
        description="file in the secrets directory: who reads at `http` gives it; required beyond loopback",
    )
    http_password: SecretStr | None = Field(
        default=None, exclude=True, description="set from http_password_file, never written"
    )
    http_cert_file: str | None = Field(
        default=None, description="file in the secrets directory: certificate for https, PEM"
    )
    http_cert_path: Path | None = Field(default=None, exclude=True, description="set from http_cert_file")
    http_key_file: str | None = Field(
        default=None, description="file in the secrets directory: its private key, else in http_cert_file"
    )
    http_key_path: Path | None = Field(default=None, exclude=True, description="set from http_key_file")
    outbox_mib: int = Field(default=256, ge=1, le=65536, description="hard size of outbox.db in MiB")

    def home(self, driver: str, connection: str) -> Home:
        """Where a connection of a driver (its id) keeps what outlives the process."""
        return Home(self.id, connection, self.state_dir / driver)

    @property
    def is_exposed(self) -> bool:
        """Others than this machine reach `http`, as far as its text says."""
        host = self.http.rpartition(":")[0].strip("[]")
        try:
            return not ip_address(host).is_loopback
        except ValueError:
            return host != "localhost"

    @property
    def is_legible(self) -> bool:
        """Others can read on the wire what is asked and answered there."""
        return self.is_exposed and self.http_cert_path is None

    @property
    def http_certificate(self) -> tuple[Path, Path] | None:
        """The files of certificate and private key; None: plain HTTP."""
        cert = self.http_cert_path
        return None if cert is None else (cert, self.http_key_path or cert)

    @field_validator("http")
    @classmethod
    def _listens(cls, http: str) -> str:
        match = _LISTEN.fullmatch(http)
        if match is None or int(match[2]) > 65535:
            raise ValueError("no address to listen at (127.0.0.1:8780)")
        return http


class UplinkSettings(Section):
    """How facts travel to the collector."""

    broker: str = Field(description="mqtt://HOST[:1883] or mqtts://HOST[:8883]")
    root: str = Field(
        default="ganpo/v1", pattern=r"^[^\s+#]+$", description="topic below which everything lies"
    )
    password_file: str | None = Field(default=None, description="file in the secrets directory")
    password: SecretStr | None = Field(
        default=None, exclude=True, description="set from password_file, never written"
    )
    ca_file: str | None = Field(
        default=None, description="file in the secrets directory: who signs the broker"
    )
    ca_path: Path | None = Field(default=None, exclude=True, description="set from ca_file, never written")
    repeat_s: float = Field(
        default=30,
        gt=0,
        allow_inf_nan=False,
        description="seconds after which an unanswered frame is sent again",
    )
    live_s: float = Field(
        default=60, ge=1, allow_inf_nan=False, description="seconds between two running pictures"
    )
    back_off_max_s: float = Field(
        default=60,
        ge=1,
        allow_inf_nan=False,
        description="longest pause between two attempts to connect, in seconds",
    )

    @field_validator("broker")
    @classmethod
    def _reachable(cls, broker: str) -> str:
        try:
            parts = urlsplit(broker)
            port = parts.port
        except ValueError:  # a port beyond 65535, or signs that look like others
            raise ValueError("not mqtt://HOST[:1883] or mqtts://HOST[:8883]") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError(
                "no user or password belongs here: the user is gateway.id, the password a password_file"
            )
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path or parts.query:
            raise ValueError("not mqtt://HOST[:1883] or mqtts://HOST[:8883]")
        if re.search(r"\s", broker) or port == 0:
            raise ValueError("not mqtt://HOST[:1883] or mqtts://HOST[:8883]")
        return broker
