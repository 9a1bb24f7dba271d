"""Readings and states: nearly everything that comes, so they have a decoder of their own, and stand as they are stored.

What it takes is a frame by the printed JSON Schema; what it does not take is left to the one that explains.
"""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
from pydantic import TypeAdapter, ValidationError

from ganpo_cloud.store.runs import packed
from ganpo_model import facts
from ganpo_model.clock import from_ms, iso, to_ms
from ganpo_model.errors import FrameError
from ganpo_model.facts import ASSET_NO, MAX_RAW, MAX_RUNS, MAX_STATES_MS, REGISTER
from ganpo_model.states import State

_ASSET = re.compile(ASSET_NO)
_REGISTER = re.compile(REGISTER)
_KNOWN = 65_536
"""Names and instants that are known to be good; one that is forgotten is looked at again."""
_INSTANT: TypeAdapter[datetime] = TypeAdapter(datetime)
if TYPE_CHECKING:
    _State = str
else:  # as text: members of an enumeration are slow to look up
    _State = Literal[tuple(state.value for state in State)]


class Read(NamedTuple):
    """A register stood at `raw` at `at` (ms)."""

    register: str
    at: int
    raw: int


class Ran(NamedTuple):
    """The runs of a subject from `at` to `end` (ms), packed."""

    subject: str
    at: int
    end: int
    runs: bytes


class Window(NamedTuple):
    """The oldest and the newest instant that a fact may tell, in ms, and what the time is."""

    oldest: int
    newest: int
    now: int

    def ms(self, place: int, instant: str | datetime) -> int:
        """An instant in ms. Raises FrameError where it is none of UTC in whole milliseconds, or lies outside."""
        try:
            at = _written(instant) if isinstance(instant, str) else _ms(instant)
        except FrameError as error:
            raise FrameError(f"facts[{place}]: {error}", reason=error.reason) from None
        if not self.oldest <= at <= self.newest:
            when, now = iso(from_ms(at)), iso(from_ms(self.now))
            what = f"facts[{place}]: {when} lies more than 400 days back or 5 min ahead of {now}"
            raise FrameError(what, reason="time")
        return at


class Reading(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, tag="reading"):
    """A `ganpo_model.facts.Reading` as it is decoded."""

    register: str
    at: str
    raw: int


class States(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, tag="states"):
    """The same of `ganpo_model.facts.States`."""

    subject: str
    start: str
    end: str
    runs: tuple[tuple[int, _State], ...]


class Body(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A frame of readings and states."""

    v: int
    stream: str
    seq: int
    facts: tuple[Reading | States, ...]


_DECODER = msgspec.json.Decoder(Body)


def body_of(raw: bytes) -> Body | None:
    """The frame of this JSON; None where it is of another kind, or none at all."""
    try:
        return _DECODER.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None


def read(place: int, fact: Reading | facts.Reading, window: Window) -> Read:
    """A reading within its bounds."""
    at = window.ms(place, fact.at)
    if not is_register(fact.register):
        raise FrameError(f"facts[{place}].register: {fact.register[:80]!r} is no register id")
    if not 0 <= fact.raw < MAX_RAW:
        raise FrameError(f"facts[{place}].raw: {fact.raw} is not within 0 ... 2^63 - 1", reason="limits")
    return Read(fact.register, at, fact.raw)


def ran(place: int, fact: States | facts.States, window: Window) -> Ran:
    """The runs of a slot within their bounds."""
    check_subject(fact.subject, f"facts[{place}]")
    start, end, runs = window.ms(place, fact.start), window.ms(place, fact.end), fact.runs
    length = end - start
    if not 0 < len(runs) <= MAX_RUNS or not 0 < length <= MAX_STATES_MS:
        what = f"facts[{place}]: 1 to {MAX_RUNS} runs in more than 0 and at most 24 h"
        raise FrameError(what, reason="limits")
    before = -1
    for offset, _ in runs:
        if offset <= before:
            break
        before = offset
    else:
        if runs[0][0] == 0 and before < length:
            return Ran(fact.subject, start, end, packed(runs))
    raise FrameError(f"facts[{place}].runs: they begin at 0, rise, and end before the slot does")


def check_subject(asset_no: str, where: str) -> None:
    """Raises FrameError where it is no number of a subject."""
    if not _is_asset(asset_no):
        raise FrameError(f"{where}: {asset_no[:80]!r} is no asset_no")


@lru_cache(_KNOWN)
def _is_asset(text: str) -> bool:
    return _ASSET.fullmatch(text) is not None


@lru_cache(_KNOWN)
def is_register(text: str) -> bool:
    """Whether it is the id of a register."""
    return _REGISTER.fullmatch(text) is not None


@lru_cache(_KNOWN)
def _written(text: str) -> int:
    try:
        return _ms(_INSTANT.validate_strings(text, strict=True))
    except ValidationError as error:
        raise FrameError(f"{text[:80]!r}: {error.errors()[0]['msg']}") from None


def _ms(instant: datetime) -> int:
    if instant.utcoffset() != timedelta(0):
        raise FrameError(f"{instant.isoformat()} is not UTC with Z", reason="time")
    if instant.microsecond % 1000:
        raise FrameError(f"{instant.isoformat()} has more than milliseconds", reason="time")
    return to_ms(instant)
