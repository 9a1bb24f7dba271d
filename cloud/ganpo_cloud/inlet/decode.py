"""Strict reading of a frame: pydantic decodes, and what it lets through is checked here (uplink.md).

Raises FrameError with the reason under which the quarantine files it: schema, limits, version, type, time.
"""

import json
import re
import zoneinfo
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from ganpo_model import bounds
from ganpo_model.errors import FrameError
from ganpo_model.facts import (
    ASSET_NO,
    MAX_PARTS,
    MAX_RAW,
    MAX_RUNS,
    MAX_STATES_MS,
    MAX_UPDATE_MS,
    REGISTER,
    EquipmentItem,
    Event,
    Fact,
    Inventory,
    MeterItem,
    Reading,
    States,
)
from ganpo_model.frame import STREAM, VERSION, crc32_of, unpack

OLDEST = timedelta(days=400)
AHEAD = timedelta(minutes=5)
MAX_SEQ = 2**53

_Span = tuple[datetime, datetime]
"""The oldest and the newest instant that a fact may tell."""
_ZERO = timedelta(0)
_STREAM = re.compile(STREAM)
_ASSET = re.compile(ASSET_NO)
_REGISTER = re.compile(REGISTER)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass(frozen=True, slots=True)
class FrameBody:
    """What stands in a frame."""

    v: int
    stream: str
    seq: int
    facts: tuple[Annotated[Fact, Field(discriminator="type")], ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that may be applied."""

    stream: str
    seq: int
    crc32: int
    facts: tuple[Fact, ...]


_adapter: TypeAdapter[FrameBody] = TypeAdapter(FrameBody)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of what a frame unpacks to."""
    return _adapter.json_schema()


def decode(packed: bytes, now: datetime) -> Frame:
    """The frame of these bytes, every fact of it within its bounds and within [now - 400 days, now + 5 min]."""
    raw = unpack(packed)
    try:
        body = _adapter.validate_json(raw)
    except ValidationError as error:
        raise _explained(error) from error
    if body.v != VERSION:
        raise FrameError(f"version {body.v}; this collector knows {VERSION}", reason="version")
    if not _STREAM.fullmatch(body.stream) or not 0 < body.seq < MAX_SEQ:
        raise FrameError(f"stream {body.stream!r}, seq {body.seq}: not a ULID and a number from 1")
    if not body.facts or len({fact.type for fact in body.facts}) != 1:
        raise FrameError("a frame holds facts of one type, at least one")
    span = (now - OLDEST, now + AHEAD)
    for place, fact in enumerate(body.facts):
        _check(fact, f"facts[{place}]", span)
    return Frame(body.stream, body.seq, crc32_of(packed), body.facts)


def name_of(packed: bytes) -> tuple[str, int] | None:
    """Stream and number of a frame that may be refused otherwise, so that it can be acknowledged all the same."""
    try:
        body = json.loads(unpack(packed))
        stream, seq = body["stream"], body["seq"]
    except (FrameError, ValueError, KeyError, TypeError, RecursionError):
        return None
    named = (
        isinstance(stream, str) and isinstance(seq, int) and _STREAM.fullmatch(stream) and 0 < seq < MAX_SEQ
    )
    return (stream, seq) if named else None


def _explained(error: ValidationError) -> FrameError:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "frame"
    reason = "type" if first["type"].startswith("union_tag") else "schema"
    if where == "v":
        reason = "version"
    return FrameError(f"{where}: {first['msg']}", reason=reason)


def _check(fact: Fact, where: str, span: _Span) -> None:
    if isinstance(fact, Reading):
        _time(fact.at, where, span)
        if not _REGISTER.fullmatch(fact.register):
            raise FrameError(f"{where}.register: {fact.register[:80]!r} is no register id")
        if not 0 <= fact.raw < MAX_RAW:
            raise FrameError(f"{where}.raw: {fact.raw} is not within 0 ... 2^63 - 1", reason="limits")
    elif isinstance(fact, States):
        _check_states(fact, where, span)
    elif isinstance(fact, Inventory):
        _time(fact.at, where, span)
        _check_inventory(fact, where)
    else:
        _check_event(fact, where, span)


def _check_states(fact: States, where: str, span: _Span) -> None:
    _subject(fact.subject, where)
    _time(fact.start, where, span)
    _time(fact.end, where, span)
    length = (fact.end - fact.start) // timedelta(milliseconds=1)
    offsets = [offset for offset, _ in fact.runs]
    if not 0 < len(offsets) <= MAX_RUNS or not 0 < length <= MAX_STATES_MS:
        raise FrameError(f"{where}: 1 to {MAX_RUNS} runs in more than 0 and at most 24 h", reason="limits")
    rising = all(a < b for a, b in pairwise(offsets))
    if offsets[0] != 0 or not rising or offsets[-1] >= length:
        raise FrameError(f"{where}.runs: they begin at 0, rise, and end before the slot does")


def _check_inventory(fact: Inventory, where: str) -> None:
    _text(fact, where)
    if fact.part is not None and not 1 <= fact.part[0] <= fact.part[1] <= MAX_PARTS:
        raise FrameError(
            f"{where}.part: {list(fact.part)}: [i, n], i from 1 to n, n at most {MAX_PARTS}", reason="limits"
        )
    try:
        zoneinfo.ZoneInfo(fact.site.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FrameError(f"{where}.site.timezone: {fact.site.timezone[:80]!r} is no time zone") from error
    if (why := bounds.calendar_wrong(fact.calendar)) is not None:
        raise FrameError(f"{where}.calendar: {why}", reason="limits")
    named: tuple[EquipmentItem | MeterItem, ...] = (*fact.equipment, *fact.meters)
    for item in named:
        _subject(item.asset_no, where)
        if (why := bounds.day_wrong(item.since)) is not None:
            raise FrameError(f"{where}: {item.asset_no}: since: {why}", reason="limits")
    carriers = {meter.carrier for meter in fact.meters} | {register.carrier for register in fact.registers}
    for carrier in carriers:
        if (why := bounds.carrier_wrong(carrier)) is not None:
            raise FrameError(f"{where}: {why}", reason="limits")
    for register in fact.registers:
        if not _REGISTER.fullmatch(register.id):
            raise FrameError(f"{where}: {register.id[:80]!r} is no register id")
        if register.id.partition("/")[0] != register.subject:
            raise FrameError(f"{where}: {register.id[:80]!r} is no register of {register.subject[:80]!r}")
        found = bounds.register_wrong(register.num, register.den, register.max_rate, register.modulus)
        if found is not None:
            raise FrameError(f"{where}: {register.id}: {found[0]}: {found[1]}", reason="limits")
        if register.update_ms is not None and not 0 < register.update_ms <= MAX_UPDATE_MS:
            raise FrameError(f"{where}: update_ms of {register.id} is 1 ms to 7 days", reason="limits")
        if register.resets and register.modulus is not None:
            raise FrameError(f"{where}: {register.id} has a modulus and resets: they exclude each other")


def _check_event(fact: Event, where: str, span: _Span) -> None:
    _time(fact.at, where, span)
    if fact.subject is not None:
        _subject(fact.subject, where)
    _plain(fact.data, where)


def _time(instant: datetime, where: str, span: _Span) -> None:
    if instant.tzinfo is None or instant.utcoffset() != _ZERO:
        raise FrameError(f"{where}: {instant.isoformat()} is not UTC with Z", reason="time")
    if not span[0] <= instant <= span[1]:
        now = span[1] - AHEAD
        raise FrameError(
            f"{where}: {instant.isoformat()} lies more than 400 days back or 5 min ahead of {now.isoformat()}",
            reason="time",
        )
    if instant.microsecond % 1000:
        raise FrameError(f"{where}: {instant.isoformat()} has more than milliseconds", reason="time")


def _subject(asset_no: str, where: str) -> None:
    if not _ASSET.fullmatch(asset_no):
        raise FrameError(f"{where}: {asset_no[:80]!r} is no asset_no")


def _text(value: object, where: str) -> None:
    """No control character in any text of a structure."""
    if isinstance(value, str):
        if _CONTROL.search(value) or len(value) > 1000:
            raise FrameError(f"{where}: text with a control character, or of more than 1,000: {value[:40]!r}")
    elif isinstance(value, tuple):
        for item in value:
            _text(item, where)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            _text(getattr(value, name), where)


def _plain(value: object, where: str, depth: int = 0) -> None:
    """What an event carries: JSON of a few levels, numbers that a database holds, text without control characters."""
    if depth > 6:
        raise FrameError(f"{where}.data: nested too deep", reason="limits")
    if isinstance(value, dict):
        for key, item in value.items():
            _plain(key, where, depth)
            _plain(item, where, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _plain(item, where, depth + 1)
    elif isinstance(value, str):
        _text(value, f"{where}.data")
    elif isinstance(value, int) and not -MAX_RAW <= value < MAX_RAW:
        raise FrameError(f"{where}.data: {value} does not fit 64 bits", reason="limits")
