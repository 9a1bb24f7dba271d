"""`load`: from `agent.toml` to the plant, with every mistake in one pass."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import SecretStr, ValidationError

from ganpo_config.bind import Link
from ganpo_config.calendar import calendar
from ganpo_config.document import PREFIX, Document, environment_names
from ganpo_config.explain import explained
from ganpo_config.plant import BoundConnection, Plant
from ganpo_config.profiles import load_profiles
from ganpo_config.subjects import Subjects
from ganpo_drivers import registry
from ganpo_model.errors import ConfigError
from ganpo_model.facts import SiteItem

DEFAULT_FILE = Path("/etc/ganpo/agent.toml")
SECRETS = Path("/etc/ganpo/secrets")
_FOREIGN = ("GANPO_CONFIG", "GANPO_SHARED", "GANPO_CLOUD_", "GANPO_DEMO_")
_ARRAYS = ("equipment", "meters", "points")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The plant, or every error; warnings stop nothing."""

    plant: Plant | None
    errors: tuple[ConfigError, ...]
    warnings: tuple[str, ...] = ()


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Loaded:
    """Read the file given, else $GANPO_CONFIG, else /etc/ganpo/agent.toml. Never raises for what a person wrote."""
    file = path or Path(environ.get("GANPO_CONFIG") or DEFAULT_FILE)
    try:
        raw = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        hint = "give one with --config or $GANPO_CONFIG; docs/gateway.md has one to begin with"
        return Loaded(None, (ConfigError("no such file", where=str(file), hint=hint),))
    except (OSError, UnicodeDecodeError) as error:
        return Loaded(None, (ConfigError(f"cannot be read: {error}", where=str(file)),))
    except tomllib.TOMLDecodeError as error:
        return Loaded(None, (ConfigError(f"not TOML: {error}", where=file.name),))
    return _Loader(file, raw, environ).load()


def _unknown_names(environ: Mapping[str, str]) -> list[ConfigError]:
    known = environment_names()
    errors = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(_FOREIGN) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = (
                f"did you mean {near[0]}?"
                if near
                else "the environment sets [gateway], [uplink] and [site] only"
            )
            errors.append(ConfigError("no such setting", where=name, hint=hint))
    return errors


class _Loader:
    """One pass over one file."""

    def __init__(self, file: Path, raw: dict[str, Any], environ: Mapping[str, str]) -> None:
        self._file, self._raw, self._environ = file, raw, environ
        self._name = file.name
        self._secrets = Path(environ.get("CREDENTIALS_DIRECTORY") or SECRETS)
        self._errors: list[ConfigError] = []

    def load(self) -> Loaded:
        self._errors += _unknown_names(self._environ)
        if "lists" in self._raw:
            hint = "write [[equipment]], [[meters]] and [[points]] inline"
            self._error("lists", "not in this version", hint)
            self._raw.pop("lists")
        self._refuse_subtables()
        self._secret("uplink", "password_file", "password")
        self._secret("uplink", "ca_file", "ca_path")
        document = self._document()
        links = self._links()
        if document is None:
            return Loaded(None, tuple(self._errors))
        profiles, wrong = load_profiles(self._file.parent / "profiles")
        self._errors += wrong
        days, wrong = calendar(document.site, self._name)
        self._errors += wrong
        site = self._site(document)
        names = set(document.connections)
        subjects = Subjects(document, profiles, links, names, self._name)
        subjects.bind()
        self._errors += subjects.errors
        warnings = tuple(subjects.warnings)
        if self._errors or site is None:
            return Loaded(None, tuple(self._errors), warnings)
        connections = tuple(
            BoundConnection(
                link.name, link.driver_id, link.driver, link.settings, tuple(subjects.points[name])
            )
            for name, link in links.items()
        )
        plant = Plant(
            document.gateway,
            document.uplink,
            site,
            days,
            connections,
            tuple(subjects.machines),
            tuple(subjects.equipment),
            tuple(subjects.meters),
            tuple(subjects.notes),
        )
        return Loaded(plant, (), warnings)

    def _error(self, path: str, what: str, hint: str = "") -> None:
        self._errors.append(ConfigError(what, where=f"{self._name}: {path}", hint=hint))

    def _refuse_subtables(self) -> None:
        """`[[equipment]]` then `[equipment.x]`: a later key would silently land in the last element."""
        for array in _ARRAYS:
            rows = self._raw.get(array)
            for number, row in enumerate(rows if isinstance(rows, list) else ()):
                for key, value in list(row.items()) if isinstance(row, dict) else ():
                    if isinstance(value, dict):
                        self._error(
                            f"{array}[{number}].{key}",
                            f"an element of [[{array}]] has no table below it",
                            "a row holds text; move the table, or write key = value",
                        )
                        del row[key]

    def _secret(self, table: str, key: str, target: str) -> None:
        section = self._raw.get(table)
        name = self._environ.get(f"{PREFIX}{table}__{key}".upper())
        if name is None and isinstance(section, dict):
            name = section.get(key)
        if not isinstance(name, str):
            return
        value = self._read_secret(f"{table}.{key}", name)
        if value is not None and isinstance(section, dict):
            section[target] = self._secrets / name if target == "ca_path" else SecretStr(value)

    def _read_secret(self, path: str, name: str) -> str | None:
        file = self._secrets / name
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not text"
            self._error(f"{path} = {name}", f"{why}", f"make it: sudo install -m 600 /dev/stdin {file}")
            return None

    def _document(self) -> Document | None:
        before = dict(os.environ)
        try:
            _only(self._environ)
            return Document(**self._raw)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                self._errors.append(self._explained(item))
            return None
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _explained(self, item: Any) -> ConfigError:
        if len(item["loc"]) == 2:
            variable = f"{PREFIX}{item['loc'][0]}__{item['loc'][1]}".upper()
            if variable in self._environ:
                told = explained(item, variable, Document)
                return ConfigError(told.what, where=f"{variable} = {item['input']!r}", hint=told.hint)
        return explained(item, self._name, Document)

    def _links(self) -> dict[str, Link]:
        """The connections whose settings are good, by name."""
        found = {}
        tables = self._raw.get("connections")
        for name, table in tables.items() if isinstance(tables, dict) else ():
            path = f"connections.{name}"
            if not isinstance(table, dict):
                continue
            driver_id = table.get("driver")
            if not isinstance(driver_id, str):
                self._error(
                    f"{path}.driver", "is missing: the id of a driver", "`ganpo driver list` shows them"
                )
                continue
            try:
                driver = registry.load(driver_id)
            except ConfigError as error:
                self._error(f"{path}.driver = {driver_id}", error.what, error.hint)
                continue
            values = dict(table)
            if isinstance(secret := values.pop("password_file", None), str):
                if "password" not in driver.connection_type.model_fields:
                    self._error(f"{path}.password_file", f"driver {driver_id} has no password")
                elif (password := self._read_secret(f"{path}.password_file", secret)) is not None:
                    values["password"] = SecretStr(password)
            elif "password" in values:
                self._error(
                    f"{path}.password",
                    "a password never stands here",
                    "password_file = NAME of a secret file",
                )
                values.pop("password")
            try:
                found[name] = Link(name, driver_id, driver, driver.connection_type(**values))
            except ValidationError as error:
                for item in error.errors(include_url=False):
                    self._errors.append(explained(item, self._name, driver.connection_type, f"{path}."))
        return found

    def _site(self, document: Document) -> SiteItem | None:
        site = document.site
        try:
            ZoneInfo(site.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._error(f"site.timezone = {site.timezone}", "no time zone", "an IANA name: Asia/Shanghai")
            return None
        number = site.slot.removesuffix("min").removesuffix("s")
        unit = site.slot[len(number) :]
        if (
            not number.isdigit()
            or unit not in ("s", "min")
            or not 1 <= int(number) * (60 if unit == "min" else 1) <= 3600
        ):
            self._error(f"site.slot = {site.slot}", "not 1s ... 60min", "15min is right for a plant")
            return None
        slot_ms = int(number) * (60_000 if unit == "min" else 1000)
        return SiteItem(site.id, site.name, site.timezone, slot_ms)


def _only(environ: Mapping[str, str]) -> None:
    """Let pydantic-settings see the environment it was given: scalars of ours and nothing else."""
    known = environment_names()
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update({name: value for name, value in environ.items() if name in known})
