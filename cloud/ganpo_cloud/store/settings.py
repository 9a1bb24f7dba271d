"""`cloud.toml`: what the operator writes. Environment over file: GANPO_CLOUD_BROKER__URL and the like."""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
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

from ganpo_model.errors import ConfigError, unread
from ganpo_model.meant import meant

DEFAULT_FILE = Path("/etc/ganpo/cloud.toml")
SECRETS = Path("/etc/ganpo/secrets")
_PREFIX = "GANPO_CLOUD_"
_FILE = f"{_PREFIX}CONFIG"


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


def _secret(named_by: str) -> Any:
    """What is never written itself: `named_by` is the key of the name of its file in the secrets directory."""
    return Field(default=None, exclude=True, json_schema_extra={"named_by": named_by})


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
    password: SecretStr | None = _secret("password_file")
    ca_file: str | None = Field(
        default=None, description="file in the secrets directory: who signs the broker"
    )
    ca_path: Path | None = _secret("ca_file")
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
    password: SecretStr | None = _secret("password_file")

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
    token: SecretStr | None = _secret("token_file")
    bucket: str = Field(default="ganpo", description="bucket")
    org: str = Field(default="ganpo", description="organisation")


class ProvinceSettings(Section):
    """Whose numbers these are."""

    folder: Path | None = Field(
        default=None, description="folder of areas.csv and industries.csv; absent: Jiangxi's"
    )
    limit_near: Decimal = Field(
        default=Decimal("0.95"), gt=0, le=1, description="dual control: yellow beyond so much of a limit"
    )
    limit_above: Decimal = Field(
        default=Decimal(1), ge=1, le=2, description="dual control: red beyond so much"
    )


class CloudSettings(Section):
    """All of `cloud.toml`."""

    format: Literal[1] = Field(default=1, description="of this file; always 1")
    broker: BrokerSettings = Field(default=BrokerSettings(), description="where gateways send to")
    database: DatabaseSettings = Field(default=DatabaseSettings(), description="where facts are stored")
    http: HttpSettings = Field(default=HttpSettings(), description="page and API")
    projection: ProjectionSettings | None = Field(default=None, description="time-series store; absent: none")
    province: ProvinceSettings = Field(default=ProvinceSettings(), description="whose numbers these are")


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
    given = path or (Path(named) if (named := environ.get(_FILE)) else None)
    file = given or DEFAULT_FILE
    document: dict[str, Any] = {}
    chosen = True
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if given is not None:
            return Loaded(None, (ConfigError("no such file", where=str(file)),))
        chosen = _variable("database", "url") in environ
    except (OSError, UnicodeDecodeError) as error:
        return Loaded(None, (ConfigError(f"cannot be read: {error}", where=str(file)),))
    except tomllib.TOMLDecodeError as error:
        return Loaded(None, (ConfigError(f"not TOML: {error}", where=str(file)),))
    errors = [*_unknown_variables(environ), *_complete(document, str(file), environ)]
    settings: CloudSettings | None = None
    try:
        settings = CloudSettings(**document)
    except ValidationError as error:
        errors += [_explained(item, str(file), environ) for item in error.errors(include_url=False)]
    return Loaded(None if errors else settings, tuple(errors), chosen)


def _variable(*keys: str) -> str:
    return (_PREFIX + "__".join(keys)).upper()


def _place(file: str, environ: Mapping[str, str], *keys: str) -> str:
    """Where it stands: in a variable, else in the file."""
    name = _variable(*keys)
    return name if name in environ else f"{file}: {'.'.join(keys)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = meant(name, known)
    return f"did you mean {near}?" if near else ""


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[ConfigError]:
    known = {_FILE} | {
        _variable(section, key)
        for section, model in _SECTIONS.items()
        for key, field in model.model_fields.items()
        if not field.exclude
    }
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in known:
            yield ConfigError("no such setting", where=name, hint=_nearest(name, known))


def _complete(document: dict[str, Any], file: str, environ: Mapping[str, str]) -> Iterator[ConfigError]:
    """Put in what the environment says, and secrets from their files. What must not stand there is taken out, so that
    nothing shows it."""
    secrets = Path(environ.get("CREDENTIALS_DIRECTORY") or SECRETS)
    for section, model in _SECTIONS.items():
        table = document.get(section, {})
        if not isinstance(table, dict):
            where = f"{file}: {section} = {document.pop(section)!r}"
            yield ConfigError("is a table", where=where, hint=f"write [{section}]")
            table = {}
        for key, field in model.model_fields.items():
            if not isinstance(about := field.json_schema_extra, dict):
                if (variable := _variable(section, key)) in environ:
                    table[key] = environ[variable]
                continue
            named_by = str(about["named_by"])
            if table.pop(key, None) is not None:
                where = f"{file}: {section}.{key}"
                yield ConfigError("is never written into this file", where=where, hint=f"use {named_by}")
            if isinstance(name := table.get(named_by), str):
                try:
                    path = _laid_down(secrets, name)
                    content = path.read_bytes().decode(errors="replace").strip()
                    table[key] = path if key == "ca_path" else content
                except OSError as error:
                    where = f"{_place(file, environ, section, named_by)} = {name}"
                    hint = f"make it: install -m 600 /dev/stdin {secrets / name}"
                    if isinstance(error, PermissionError):
                        hint = "the same with sudo"
                    yield ConfigError(unread(error), where=where, hint=hint)
        if table:
            document[section] = table


def _laid_down(folder: Path, name: str) -> Path:
    """Where the unit loads the whole folder, systemd lays `NAME` down as `secrets_NAME`."""
    loaded = folder / f"secrets_{name}"
    return loaded if loaded.exists() else folder / name


def _explained(item: Any, file: str, environ: Mapping[str, str]) -> ConfigError:
    """One finding of pydantic, for people."""
    keys = [str(key) for key in item["loc"]]
    fields = _SECTIONS[keys[0]].model_fields if len(keys) == 2 else CloudSettings.model_fields
    where = _place(file, environ, *keys)
    what = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        return ConfigError("no such key", where=where, hint=_nearest(keys[-1], fields))
    if item["type"] == "missing":
        return ConfigError(f"is missing: {fields[keys[-1]].description}", where=where)
    if item["type"] == "string_pattern_mismatch":
        what = f"expected {fields[keys[-1]].description}"
    shown = re.sub(r"//.*@", "//...@", str(item["input"]))  # a password that somebody put into an address
    return ConfigError(what, where=f"{where} = {shown}")
