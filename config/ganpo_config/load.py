"""`load`: from `agent.toml` to the plant, with every mistake in one pass."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from ganpo_config import environment, http_access
from ganpo_config.calendar import calendar
from ganpo_config.connections import links
from ganpo_config.document import Document, SiteTable
from ganpo_config.environment import GatewayPart, SitePart, UplinkPart
from ganpo_config.exact import NumberError, duration
from ganpo_config.explain import explain, said
from ganpo_config.files import MAIN, PROFILES, Files
from ganpo_config.findings import Findings, nearest, shown
from ganpo_config.lists import Lists
from ganpo_config.plant import BoundConnection, Plant
from ganpo_config.profiles import Profiles
from ganpo_config.rows import read_rows
from ganpo_config.secret_files import SecretFiles
from ganpo_config.settings import GatewaySettings, UplinkSettings
from ganpo_config.subjects import subjects
from ganpo_model.clock import HOUR_MS
from ganpo_model.errors import ConfigError, unread
from ganpo_model.facts import SiteItem
from ganpo_model.tables import Opener, Row

DEFAULT_FILE = Path("/etc/ganpo/agent.toml")
_PartT = TypeVar("_PartT", GatewayPart, UplinkPart, SitePart)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The plant, or every error; warnings stop nothing. `notes`: what `check` tells of what is right, a line each.
    `files`: what was read, by its names in the configuration (`files.py`)."""

    plant: Plant | None
    errors: tuple[ConfigError, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def file_of(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The file given, else $GANPO_CONFIG, else /etc/ganpo/agent.toml."""
    return path or Path(environ.get("GANPO_CONFIG") or DEFAULT_FILE)


def load(
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    opener: Opener | None = None,
    instead: Mapping[str, Sequence[Row]] = MappingProxyType({}),
) -> Loaded:
    """Read the file of `file_of`. Never raises for what a person wrote.

    `opener`: opens lists that are workbooks (`ganpo_service.workbooks.sheets`); without one they are an error.
    `instead`: rows of a list as it would stand, in place of those of its file.
    """
    file = file_of(path, environ)
    findings, files = Findings(file.name), Files(file)
    raw = _read(files, file)
    if isinstance(raw, ConfigError):
        return Loaded(None, (raw,))
    findings.text = files.texts[MAIN].decode("utf-8-sig")
    findings.errors += environment.unknown_names(environ)
    lists = Lists(raw, files, findings, opener, instead)
    plant = _plant(files, raw, environ, findings, lists)
    texts: Mapping[str, bytes] = {}
    with suppress(OSError):  # what of a profile cannot be read is told
        texts = files.whole()
    errors = tuple(findings.errors)
    return Loaded(None if errors else plant, errors, tuple(findings.warnings), tuple(findings.notes), texts)


def _read(files: Files, file: Path) -> dict[str, Any] | ConfigError:
    """What stands in a file, or what is wrong with all of it."""
    try:
        return tomllib.loads(files.main().decode("utf-8-sig"))
    except FileNotFoundError as error:
        hint = "give one with --config or $GANPO_CONFIG; docs/gateway.md has one to begin with"
        return ConfigError(unread(error), where=str(file), hint=hint)
    except OSError as error:
        hint = "--config names the file itself; the service has to be allowed to read it"
        return ConfigError(unread(error), where=str(file), hint=hint)
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte {error.start})"
        return ConfigError(what, where=str(file), hint="save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        hint = 'texts stand in straight quotes, numbers have a point, true and false are small: key = "text"'
        return ConfigError(f"not TOML: {error}", where=file.name, hint=hint)
    except RecursionError:
        return ConfigError("not TOML: nested too deeply", where=file.name)


def _plant(
    files: Files,
    raw: dict[str, Any],
    environ: Mapping[str, str],
    findings: Findings,
    lists: Lists,
) -> Plant | None:
    _top_level(raw, findings)
    secrets = SecretFiles(environ, findings)
    gateway = _gateway(raw, environ, secrets, findings)
    uplink = _uplink(raw, environ, secrets, findings)
    part = _section(SitePart, "site", raw, environ, findings)
    site = _site(part.site, findings) if part is not None else None
    days = calendar(part.site, findings) if part is not None else None
    found = links(raw.get("connections", {}), gateway, secrets, findings)
    profiles = Profiles(files.folder / PROFILES)
    findings.errors += profiles.errors
    bound = subjects(read_rows(raw, lists, findings), profiles, found, findings)
    if findings.errors or gateway is None or uplink is None or site is None or days is None:
        return None
    connections = tuple(
        BoundConnection(link.name, link.driver_id, link.driver, link.settings, bound.points.on(link.name))
        for link in found.good.values()
    )
    return Plant(
        gateway,
        uplink,
        site,
        days,
        connections,
        tuple(bound.machines),
        tuple(bound.equipment),
        tuple(bound.meters),
        tuple(bound.transformers),
    )


def _top_level(raw: dict[str, Any], findings: Findings) -> None:
    for key in raw:
        if key not in Document.model_fields:
            findings.error(key, "no such key", nearest(key, Document.model_fields))
    if "format" not in raw:
        findings.error("format", "is missing (of this file; always 1)", "format = 1")
    elif raw["format"] != 1 or isinstance(raw["format"], bool):
        findings.error("format", "not a format this version reads (1)", value=raw["format"])


def _section(
    part: type[_PartT], name: str, raw: Mapping[str, Any], environ: Mapping[str, str], findings: Findings
) -> _PartT | None:
    """One section, environment over file; None: an error was found."""
    try:
        return part(**environment.merged(part, name, raw, environ))
    except ValidationError as error:
        for item in error.errors(include_url=False):
            loc = item["loc"]
            variable = environment.variable(*map(str, loc)) if len(loc) == 2 else ""
            if variable in environ:
                where = variable + shown(str(loc[1]), item["input"])
                findings.errors.append(ConfigError(said(item, loc, part), where=where))
            else:
                explain([item], findings, part)
        return None


def _gateway(
    raw: Mapping[str, Any], environ: Mapping[str, str], secrets: SecretFiles, findings: Findings
) -> GatewaySettings | None:
    part, files = _with_files(GatewayPart, "gateway", raw, environ, secrets, findings)
    if part is None:
        return None
    gateway = part.gateway.model_copy(update=files)
    http_access.look_at(gateway, secrets, findings)
    return gateway


def _uplink(
    raw: Mapping[str, Any], environ: Mapping[str, str], secrets: SecretFiles, findings: Findings
) -> UplinkSettings | None:
    part, files = _with_files(UplinkPart, "uplink", raw, environ, secrets, findings)
    return None if part is None else part.uplink.model_copy(update=files)


def _with_files(
    part: type[_PartT],
    name: str,
    raw: Mapping[str, Any],
    environ: Mapping[str, str],
    secrets: SecretFiles,
    findings: Findings,
) -> tuple[_PartT | None, dict[str, Any]]:
    """A section, and what its `_file` keys stand for: secrets, and the `_path` of what is read where it is used."""
    model = environment.SECTIONS[name]
    table = environment.merged(part, name, raw, environ).get(name)
    found: dict[str, Any] = {}
    if isinstance(table, dict):
        clean = dict(table)
        found = secrets.take(clean, model, name)
        for stem in [key.removesuffix("_path") for key in model.model_fields if key.endswith("_path")]:
            if clean.pop(f"{stem}_path", None) is not None:
                findings.error(f"{name}.{stem}_path", "no such key", f"did you mean {stem}_file?")
            if clean.get(f"{stem}_file") is not None:
                found[f"{stem}_path"] = secrets.file(clean[f"{stem}_file"], f"{name}.{stem}_file")
        raw = {name: clean}
    return _section(part, name, raw, environ, findings), found


def _site(site: SiteTable, findings: Findings) -> SiteItem | None:
    before = len(findings.errors)
    try:
        ZoneInfo(site.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        findings.error("site.timezone", "no time zone (an IANA name: Asia/Shanghai)", value=site.timezone)
    slot_ms = _slot_ms(site.slot)
    if slot_ms is None:
        findings.error("site.slot", "not 1s ... 60min (15min is right for a plant)", value=site.slot)
    if slot_ms is None or len(findings.errors) > before:
        return None
    return SiteItem(site.id, site.name, site.timezone, slot_ms)


def _slot_ms(text: str) -> int | None:
    try:
        slot_ms = duration(text)
    except NumberError:
        return None
    return slot_ms if 1000 <= slot_ms <= HOUR_MS else None
