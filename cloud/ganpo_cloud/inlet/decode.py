"""Strict reading of a frame: by its JSON Schema, and what that lets through is checked here (uplink.md).

Raises FrameError with the reason under which the quarantine files it: schema, limits, version, type, time.
"""

import json
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from ganpo_cloud.inlet import observations
from ganpo_cloud.inlet.observations import Ran, Read, Window, body_of, check_subject, is_register, ran, read
from ganpo_model import bounds
from ganpo_model.clock import to_ms
from ganpo_model.commissioning import MAX_TEXT, Commissioned
from ganpo_model.errors import FrameError
from ganpo_model.facts import (
    ASSET_NO,
    MAX_PARTS,
    MAX_RAW,
    MAX_UPDATE_MS,
    EquipmentItem,
    Event,
    EventKind,
    Fact,
    Inventory,
    MeterItem,
    Reading,
    States,
)
from ganpo_model.frame import STREAM, VERSION, unpack

OLDEST = timedelta(days=400)
AHEAD = timedelta(minutes=5)
MAX_SEQ = 2**53

Observed = Read | Ran | Inventory | Event
"""A fact within its bounds."""
_STREAM = re.compile(STREAM)
_POINT = re.compile(ASSET_NO + r"/[a-z0-9_]{1,64}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass(frozen=True, slots=True)
class FrameBody:
    """What stands in a frame."""

    v: int
    stream: str
    seq: int
    facts: tuple[Annotated[Fact, Field(discriminator="type")], ...]


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass(frozen=True, slots=True)
class _Evidence:
    """The data of an event that people read as it came."""

    data: Commissioned


class Frame(NamedTuple):
    """A frame that may be applied."""

    stream: str
    seq: int
    facts: tuple[Observed, ...]


_adapter: TypeAdapter[FrameBody] = TypeAdapter(FrameBody)
_evidence: TypeAdapter[_Evidence] = TypeAdapter(_Evidence)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of what a frame unpacks to."""
    return _adapter.json_schema()


def decode(packed: bytes, now: datetime) -> Frame:
    """The frame of these bytes, every fact of it within its bounds and within [now - 400 days, now + 5 min]."""
    raw = unpack(packed)
    window = Window(to_ms(now - OLDEST), to_ms(now + AHEAD), to_ms(now))
    body = body_of(raw) or _explained(raw)
    if body.v != VERSION:
        raise FrameError(f"version {body.v}; this collector knows {VERSION}", reason="version")
    if not _STREAM.fullmatch(body.stream) or not 0 < body.seq < MAX_SEQ:
        raise FrameError(f"stream {body.stream!r}, seq {body.seq}: not a ULID and a number from 1")
    if not body.facts or len({type(fact) for fact in body.facts}) != 1:
        raise FrameError("a frame holds facts of one type, at least one")
    checked = _CHECKED[type(body.facts[0])]
    facts = tuple([checked(place, fact, window) for place, fact in enumerate(body.facts)])
    return Frame(body.stream, body.seq, facts)


def name_of(packed: bytes) -> tuple[str, int]:
    """Stream and number of a frame that is refused, so that it can be acknowledged all the same; empty and 0 where
    nobody can read them."""
    try:
        body = json.loads(unpack(packed))
        stream, seq = body["stream"], body["seq"]
    except (FrameError, ValueError, KeyError, TypeError, RecursionError):
        return "", 0
    named = (
        isinstance(stream, str) and isinstance(seq, int) and _STREAM.fullmatch(stream) and 0 < seq < MAX_SEQ
    )
    return (stream, seq) if named else ("", 0)


def _explained(raw: bytes) -> FrameBody:
    """The frame of any kind, or what is wrong with it."""
    try:
        return _adapter.validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "frame"
        reason = "type" if first["type"].startswith("union_tag") else "schema"
        if where == "v":
            reason = "version"
        raise FrameError(f"{where}: {first['msg']}", reason=reason) from error


def _event(place: int, fact: Event, window: Window) -> Event:
    window.ms(place, fact.at)
    where = f"facts[{place}]"
    if fact.subject is not None:
        check_subject(fact.subject, where)
    _plain(fact.data, f"{where}.data")
    if fact.kind is EventKind.COMMISSIONED:
        _commissioned(fact, where)
    return fact


def _commissioned(fact: Event, where: str) -> None:
    """What people read as evidence is whole, and of the subject that it names."""
    try:
        told = _evidence.validate_json(json.dumps({"data": fact.data})).data
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise FrameError(f"{where}.{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if not _POINT.fullmatch(told.point) or told.point.partition("/")[0] != fact.subject:
        raise FrameError(f"{where}.data.point: {told.point[:80]!r} is no point of {fact.subject}")
    if told.register is not None and (
        not is_register(told.register) or told.register.partition("#")[0] != told.point
    ):
        raise FrameError(f"{where}.data.register: {told.register[:80]!r} is no register of {told.point}")
    texts = (told.displayed, told.read, told.unit or "", told.by)
    if max(map(len, texts)) > MAX_TEXT or not 0 <= (told.raw or 0) < MAX_RAW:
        what = f"{where}.data: texts of at most {MAX_TEXT} signs, and raw within 0 ... 2^63 - 1"
        raise FrameError(what, reason="limits")


def _inventory(place: int, fact: Inventory, window: Window) -> Inventory:
    window.ms(place, fact.at)
    where = f"facts[{place}]"
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
        check_subject(item.asset_no, where)
        if (why := bounds.day_wrong(item.since)) is not None:
            raise FrameError(f"{where}: {item.asset_no}: since: {why}", reason="limits")
    carriers = {meter.carrier for meter in fact.meters} | {register.carrier for register in fact.registers}
    for carrier in carriers:
        if (why := bounds.carrier_wrong(carrier)) is not None:
            raise FrameError(f"{where}: {why}", reason="limits")
    for register in fact.registers:
        if not is_register(register.id):
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
    _plain(asdict(fact), where)
    return fact


def _plain(value: object, where: str, depth: int = 0) -> None:
    """JSON of a few levels, numbers that a database holds, text of at most 1,000 without control characters."""
    if depth > 6:
        raise FrameError(f"{where}: nested too deep", reason="limits")
    if isinstance(value, dict):
        for key, item in value.items():
            _plain(key, where, depth)
            _plain(item, where, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _plain(item, where, depth + 1)
    elif isinstance(value, str):
        if _CONTROL.search(value) or len(value) > 1000:
            raise FrameError(f"{where}: text with a control character, or of more than 1,000: {value[:40]!r}")
    elif isinstance(value, int) and not -MAX_RAW <= value < MAX_RAW:
        raise FrameError(f"{where}: {value} does not fit 64 bits", reason="limits")


_CHECKED: dict[type, Callable[[int, Any, Window], Observed]] = {
    **dict.fromkeys((observations.Reading, Reading), read),
    **dict.fromkeys((observations.States, States), ran),
    Inventory: _inventory,
    Event: _event,
}
"""What looks at a fact of each type, in either form, and gives it within its bounds, or raises FrameError."""
