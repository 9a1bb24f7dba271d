"""`cloud.toml`: what the operator writes. Environment over file: GANPO_CLOUD_BROKER__URL and the like."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ganpo_model.errors import ConfigError

DEFAULT_FILE = Path("/etc/ganpo/cloud.toml")
SECRETS = Path("/etc/ganpo/secrets")
_PREFIX = "GANPO_CLOUD_"


class Section(BaseModel):
    """A table of the file: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _to_a_port(url: str) -> str:
    try:
        parts = urlsplit(url)
        complete = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ValueError(f"names no host and port: {error}") from error
    if not complete:
        raise ValueError("names no host and port")
    return url


Url = Annotated[str, AfterValidator(_to_a_port)]


class BrokerSettings(Section):
    """Where gateways send to."""

    url: Url = Field(
        default="mqtt://127.0.0.1:1883",
        pattern=r"^mqtts?://[^\s/@]+$",
        description="mqtt://HOST:PORT or mqtts://HOST:PORT",
    )
    root: str = Field(
        default="ganpo/v1",
        pattern=r"^[^\s+#]+$",
        description="topic below which everything lies, without + and #",
    )
    client_id: str = Field(
        default="ganpo-collector",
        pattern=r"^[a-z0-9-]{1,40}$",
        description="MQTT client id: a-z, 0-9 and -, at most 40",
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

    url: str = Field(
        default="sqlite:////var/lib/ganpo-cloud/cloud.db",
        pattern=r"^(sqlite:///.+|postgresql://[^\s:@/]+@[^\s/@]+/[^\s/?]+)$",
        description="sqlite:///FILE, four slashes before an absolute path; or postgresql://USER@HOST[:PORT]/NAME",
    )
    password_file: str | None = Field(
        default=None, description="file in the secrets directory, for PostgreSQL"
    )
    password: SecretStr | None = Field(default=None, exclude=True, description="set from password_file")

    @field_validator("url")
    @classmethod
    def _to_a_server(cls, url: str) -> str:
        return url if url.startswith("sqlite:") else _to_a_port(url)

    @property
    def file(self) -> Path | None:
        """The file of SQLite, absolute; None: it is PostgreSQL."""
        path = self.url.removeprefix("sqlite:///")
        return None if path == self.url else Path(path).absolute()


class HttpSettings(Section):
    """Page and API."""

    allow_unauthenticated: bool = Field(default=False, description="needed for any address but loopback")
    listen: str = Field(default="127.0.0.1:8700", pattern=r"^.+:\d{1,5}$", description="ADDRESS:PORT")
    health: str = Field(
        default="127.0.0.1:0",
        pattern=r"^.+:\d{1,5}$",
        description="ADDRESS:PORT of /health and /metrics without the pages; port 0: any free one",
    )

    @field_validator("listen", "health")
    @classmethod
    def _reachable(cls, listen: str, info: ValidationInfo) -> str:
        host, _, port = listen.rpartition(":")
        if not 0 <= int(port) < 65_536:
            raise ValueError("a port is at most 65535")
        loopback = host.strip("[]") in ("127.0.0.1", "::1", "localhost")
        if not loopback and not info.data.get("allow_unauthenticated"):
            raise ValueError(
                "there are no accounts yet: anybody who reaches this address reads everything; "
                "say allow_unauthenticated = true if that is meant"
            )
        return listen

    @property
    def inlet(self) -> tuple[str, int] | None:
        """Where `/health` is, as far as that stands here."""
        host, _, port = self.health.rpartition(":")
        return (host.strip("[]"), int(port)) if int(port) else None


class ProjectionSettings(Section):
    """The time-series store, InfluxDB v2 write API."""

    url: Url = Field(pattern=r"^https?://[^\s@]+$", description="http://HOST:PORT or https://HOST:PORT")
    token_file: str | None = Field(default=None, description="file in the secrets directory")
    token: SecretStr | None = Field(default=None, exclude=True, description="set from token_file")
    bucket: str = Field(default="ganpo", description="bucket")
    org: str = Field(default="ganpo", description="organisation")


class ProvinceSettings(Section):
    """Whose numbers these are."""

    folder: Path | None = Field(
        default=None, description="folder of areas.csv and industries.csv; absent: Jiangxi's"
    )


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
    province: ProvinceSettings = Field(default=ProvinceSettings(), description="whose numbers these are")

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
    "province": ProvinceSettings,
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, or every error that was found."""

    settings: CloudSettings | None
    errors: tuple[ConfigError, ...]
    chosen: bool = True
    """Whether a file or the environment says which database it is; else it is the default one."""


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Loaded:
    """Read `cloud.toml`: the path given, else $GANPO_CLOUD_CONFIG, else /etc/ganpo/cloud.toml if it is there."""
    given = path or (Path(environ["GANPO_CLOUD_CONFIG"]) if environ.get("GANPO_CLOUD_CONFIG") else None)
    file = given or DEFAULT_FILE
    document: dict[str, Any] = {}
    chosen = True
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if given is not None:
            return Loaded(None, (ConfigError("no such file", where=str(file)),))
        chosen = _name_of("database", "url") in environ
    except (OSError, UnicodeDecodeError) as error:
        return Loaded(None, (ConfigError(f"cannot be read: {error}", where=str(file)),))
    except tomllib.TOMLDecodeError as error:
        return Loaded(None, (ConfigError(f"not TOML: {error}", where=str(file)),))
    errors = _unknown_names(environ) + _no_tables(document, str(file)) + _own_secrets(document, str(file))
    secrets = Path(environ.get("CREDENTIALS_DIRECTORY") or SECRETS)
    errors += _resolve_secrets(document, environ, secrets, str(file))
    try:
        settings = CloudSettings(**document)
    except ValidationError as error:
        found = [_explained(item, str(file), environ) for item in error.errors(include_url=False)]
        errors += [one for one in found if one is not None]
        return Loaded(None, tuple(errors))
    return Loaded(None if errors else settings, tuple(errors), chosen)


_FROM_FILE = {
    ("broker", "password"): "password_file",
    ("broker", "ca_path"): "ca_file",
    ("database", "password"): "password_file",
    ("projection", "token"): "token_file",
}
"""What is never written itself: the key beside it names a file in the secrets directory."""


def _names() -> set[str]:
    names = {"GANPO_CLOUD_CONFIG", "GANPO_CLOUD_FORMAT"}
    for section, model in _SECTIONS.items():
        keys = [key for key in model.model_fields if (section, key) not in _FROM_FILE]
        names |= {_name_of(section, key) for key in keys}
    return names


def _name_of(section: str, key: str) -> str:
    return f"{_PREFIX}{section}__{key}".upper()


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


def _no_tables(document: dict[str, Any], file: str) -> list[ConfigError]:
    """A section that is none, taken out, so that the environment does not hide it."""
    wrong = [name for name in _SECTIONS if not isinstance(document.get(name, {}), dict)]
    return [
        ConfigError("is a table", where=f"{file}: {name} = {document.pop(name)!r}", hint=f"write [{name}]")
        for name in wrong
    ]


def _own_secrets(document: dict[str, Any], file: str) -> list[ConfigError]:
    """A secret that stands in the file itself is refused, and taken out, so that nothing shows it."""
    errors = []
    for (section, key), instead in _FROM_FILE.items():
        table = document.get(section)
        if isinstance(table, dict) and table.pop(key, None) is not None:
            errors.append(
                ConfigError(
                    "is never written into this file", where=f"{file}: {section}.{key}", hint=f"use {instead}"
                )
            )
    return errors


def _resolve_secrets(
    document: dict[str, Any], environ: Mapping[str, str], secrets: Path, file: str
) -> list[ConfigError]:
    errors = []
    for (section, target), key in _FROM_FILE.items():
        told = environ.get(_name_of(section, key))
        name = told or document.get(section, {}).get(key)
        if not isinstance(name, str):
            continue
        path = secrets / name
        try:
            content = path.read_bytes()
        except OSError as error:
            where = _name_of(section, key) if told else f"{file}: {section}.{key}"
            hint = f"make it: install -m 600 /dev/stdin {path}"
            errors.append(
                ConfigError(f"cannot be read: {error.strerror}", where=f"{where} = {name}", hint=hint)
            )
        else:
            secret = path if target == "ca_path" else content.decode(errors="replace").strip()
            document.setdefault(section, {})[target] = secret
    return errors


def _explained(item: Any, file: str, environ: Mapping[str, str]) -> ConfigError | None:
    """One finding of pydantic, for people; None where the environment's own check has told it."""
    keys = [str(key) for key in item["loc"]]
    fields = _SECTIONS[keys[0]].model_fields if len(keys) == 2 else CloudSettings.model_fields
    name = _name_of(*keys) if len(keys) == 2 else f"{_PREFIX}{keys[0]}".upper()
    where = name if name in environ else f"{file}: {'.'.join(keys)}"
    what = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        if name in environ:
            return None
        near = difflib.get_close_matches(keys[-1], fields, 1)
        return ConfigError("no such key", where=where, hint=f"did you mean {near[0]}?" if near else "")
    if item["type"] == "missing":
        return ConfigError(f"is missing: {fields[keys[-1]].description}", where=where)
    if item["type"] == "string_pattern_mismatch":
        what = f"expected {fields[keys[-1]].description}"
    shown = re.sub(r"//.*@", "//...@", str(item["input"]))  # a password that somebody put into an address
    return ConfigError(what, where=f"{where} = {shown}")
