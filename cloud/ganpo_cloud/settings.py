"""`cloud.toml`: what the operator writes. Environment over file: GANPO_CLOUD_BROKER__URL and the like."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ganpo_model.errors import ConfigError

DEFAULT_FILE = Path("/etc/ganpo/cloud.toml")
SECRETS = Path("/etc/ganpo/secrets")
_PREFIX = "GANPO_CLOUD_"


class Section(BaseModel):
    """A table of the file: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BrokerSettings(Section):
    """Where gateways send to."""

    url: str = Field(
        default="mqtt://127.0.0.1:1883", pattern=r"^mqtts?://[^\s/]+$", description="mqtt:// or mqtts://"
    )
    root: str = Field(
        default="ganpo/v1", pattern=r"^[^\s+#]+$", description="topic below which everything lies"
    )
    client_id: str = Field(
        default="ganpo-collector", pattern=r"^[a-z0-9-]{1,40}$", description="MQTT client id"
    )
    user: str | None = Field(default=None, description="user name at the broker")
    password_file: str | None = Field(default=None, description="file in the secrets directory")
    password: SecretStr | None = Field(default=None, exclude=True, description="set from password_file")
    ca_file: str | None = Field(
        default=None, description="file in the secrets directory: who signs the broker"
    )
    ca_path: Path | None = Field(default=None, exclude=True, description="set from ca_file")
    back_off_max_s: float = Field(
        default=60, ge=1, description="longest pause between two attempts to connect"
    )


class DatabaseSettings(Section):
    """Where facts are stored."""

    url: str = Field(default="sqlite:////var/lib/ganpo-cloud/cloud.db", description="sqlite:///FILE")


class HttpSettings(Section):
    """Page and API."""

    listen: str = Field(default="127.0.0.1:8700", pattern=r"^.+:\d{1,5}$", description="address and port")
    allow_unauthenticated: bool = Field(default=False, description="needed for any address but loopback")

    @model_validator(mode="after")
    def _loopback(self) -> "HttpSettings":
        host = self.listen.rpartition(":")[0].strip("[]")
        if host not in ("127.0.0.1", "::1", "localhost") and not self.allow_unauthenticated:
            raise ValueError(
                "there are no accounts yet: anybody who reaches this address reads everything; "
                "say allow_unauthenticated = true if that is meant"
            )
        return self


class ProjectionSettings(Section):
    """The time-series store, InfluxDB v2 write API."""

    url: str = Field(pattern=r"^https?://\S+$", description="address of the store")
    token_file: str | None = Field(default=None, description="file in the secrets directory")
    token: SecretStr | None = Field(default=None, exclude=True, description="set from token_file")
    bucket: str = Field(default="ganpo", description="bucket")
    org: str = Field(default="ganpo", description="organisation")


class CloudSettings(BaseSettings):
    """All of `cloud.toml`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    format: Literal[1] = Field(default=1, description="of this file; always 1")
    broker: BrokerSettings = Field(default=BrokerSettings(), description="where gateways send to")
    database: DatabaseSettings = Field(default=DatabaseSettings(), description="where facts are stored")
    http: HttpSettings = Field(default=HttpSettings(), description="page and API")
    projection: ProjectionSettings | None = Field(default=None, description="time-series store; absent: none")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file; nothing else."""
        return env_settings, init_settings


_SECTIONS: dict[str, type[Section]] = {
    "broker": BrokerSettings,
    "database": DatabaseSettings,
    "http": HttpSettings,
    "projection": ProjectionSettings,
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, or every error that was found."""

    settings: CloudSettings | None
    errors: tuple[ConfigError, ...]


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Loaded:
    """Read `cloud.toml`: the path given, else $GANPO_CLOUD_CONFIG, else /etc/ganpo/cloud.toml if it is there."""
    given = path or (Path(environ["GANPO_CLOUD_CONFIG"]) if environ.get("GANPO_CLOUD_CONFIG") else None)
    file = given or DEFAULT_FILE
    document: dict[str, Any] = {}
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if given is not None:
            return Loaded(None, (ConfigError("no such file", where=str(file)),))
    except (OSError, UnicodeDecodeError) as error:
        return Loaded(None, (ConfigError(f"cannot be read: {error}", where=str(file)),))
    except tomllib.TOMLDecodeError as error:
        return Loaded(None, (ConfigError(f"not TOML: {error}", where=str(file)),))
    errors = _unknown_names(environ)
    secrets = Path(environ.get("CREDENTIALS_DIRECTORY") or SECRETS)
    errors += _resolve_secrets(document, environ, secrets, str(file))
    try:
        settings = CloudSettings(**document)
    except ValidationError as error:
        errors += [_explained(item, str(file), document) for item in error.errors(include_url=False)]
        return Loaded(None, tuple(errors))
    return Loaded(None if errors else settings, tuple(errors))


def _names() -> set[str]:
    names = {"GANPO_CLOUD_CONFIG", "GANPO_CLOUD_FORMAT"}
    for section, model in _SECTIONS.items():
        names |= {f"{_PREFIX}{section}__{field}".upper() for field in model.model_fields}
    return names


def _unknown_names(environ: Mapping[str, str]) -> list[ConfigError]:
    known = _names()
    errors = []
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            errors.append(
                ConfigError("no such setting", where=name, hint=f"did you mean {near[0]}?" if near else "")
            )
    return errors


def _resolve_secrets(
    document: dict[str, Any], environ: Mapping[str, str], secrets: Path, file: str
) -> list[ConfigError]:
    errors = []
    for section, key, target, is_path in (
        ("broker", "password_file", "password", False),
        ("broker", "ca_file", "ca_path", True),
        ("projection", "token_file", "token", False),
    ):
        table = document.get(section, {})
        name = environ.get(f"{_PREFIX}{section}__{key}".upper()) or (
            table.get(key) if isinstance(table, dict) else None
        )
        if not isinstance(name, str):
            continue
        path = secrets / name
        try:
            value: Any = path if is_path else path.read_text(encoding="utf-8").strip()
            if is_path:
                path.read_bytes()
        except OSError as error:
            hint = f"make it: install -m 600 /dev/stdin {path}"
            errors.append(
                ConfigError(
                    f"cannot be read: {error.strerror}", where=f"{file}: {section}.{key} = {name}", hint=hint
                )
            )
        else:
            document.setdefault(section, {})[target] = value
    return errors


def _explained(item: Any, file: str, document: dict[str, Any]) -> ConfigError:
    path = ".".join(map(str, item["loc"]))
    value = (
        ""
        if item["type"] in ("missing", "extra_forbidden") or "password" in path
        else f" = {item['input']!r}"
    )
    what = item["msg"].removeprefix("Value error, ")
    hint = ""
    if item["type"] == "extra_forbidden":
        known = _SECTIONS[item["loc"][0]].model_fields if len(item["loc"]) > 1 else CloudSettings.model_fields
        near = difflib.get_close_matches(str(item["loc"][-1]), known, 1)
        what, hint = "no such key", f"did you mean {near[0]}?" if near else ""
    return ConfigError(what, where=f"{file}: {path}{value}", hint=hint)
