"""Readings and states as they are stored: nearly everything that comes, so they have a decoder of their own.

What it takes is a frame by the printed JSON Schema; what it does not take is left to the one that explains.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec

from ganpo_cloud.store.runs import packed
from ganpo_model.clock import from_ms, iso, to_ms
from ganpo_model.errors import FrameError
from ganpo_model.facts import ASSET_NO, MAX_RAW, MAX_RUNS, MAX_STATES_MS, REGISTER

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
"""The only form that our gateways send."""
_ASSET = re.compile(ASSET_NO)
_REGISTER = re.compile(REGISTER)
_NAMES = 65_536
"""Names that are known to be good; one that is forgotten is looked at again."""


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


class Odd(Exception):
    """A fact is told in a form that our gateways do not use."""


class Window(NamedTuple):
    """The oldest and the newest instant that a fact may tell, in ms, and what the time is."""

    oldest: int
    newest: int
    now: int

    def check(self, place: int, at: int) -> None:
        """Raises FrameError where an instant lies outside."""
        if not self.oldest <= at <= self.newest:
            when, now = iso(from_ms(at)), iso(from_ms(self.now))
            what = f"facts[{place}]: {when} lies more than 400 days back or 5 min ahead of {now}"
            raise FrameError(what, reason="time")


class _Reading(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, tag="reading"):
    register: str
    at: str
    raw: int

    def checked(self, place: int, window: Window) -> Read:
        return read(place, window, self.register, _ms(self.at), self.raw)


class _States(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, tag="states"):
    subject: str
    start: str
    end: str
    runs: tuple[tuple[int, str], ...]

    def checked(self, place: int, window: Window) -> Ran:
        return ran(place, window, self.subject, _ms(self.start), _ms(self.end), self.runs)


class Body(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A frame of readings and states. `checked` of a fact raises Odd, or FrameError where it is out of bounds."""

    v: int
    stream: str
    seq: int
    facts: tuple[_Reading | _States, ...]


_DECODER = msgspec.json.Decoder(Body)


def body_of(raw: bytes) -> Body:
    """The frame of this JSON. Raises Odd where it is of another kind, or none at all."""
    try:
        return _DECODER.decode(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Odd from error


def read(place: int, window: Window, register: str, at: int, raw: int) -> Read:
    """A reading within its bounds."""
    window.check(place, at)
    if not is_register(register):
        raise FrameError(f"facts[{place}].register: {register[:80]!r} is no register id")
    if not 0 <= raw < MAX_RAW:
        raise FrameError(f"facts[{place}].raw: {raw} is not within 0 ... 2^63 - 1", reason="limits")
    return Read(register, at, raw)


def ran(
    place: int, window: Window, subject: str, start: int, end: int, runs: Sequence[tuple[int, str]]
) -> Ran:
    """The runs of a slot within their bounds. Raises Odd where a state is none."""
    if not _is_asset(subject):
        check_subject(subject, f"facts[{place}]")
    window.check(place, start)
    window.check(place, end)
    length = end - start
    if not 0 < len(runs) <= MAX_RUNS or not 0 < length <= MAX_STATES_MS:
        raise FrameError(
            f"facts[{place}]: 1 to {MAX_RUNS} runs in more than 0 and at most 24 h", reason="limits"
        )
    before = -1
    for offset, _ in runs:
        if offset <= before:
            break
        before = offset
    else:
        if runs[0][0] == 0 and before < length:
            try:
                return Ran(subject, start, end, packed(runs))
            except KeyError as error:
                raise Odd from error
    raise FrameError(f"facts[{place}].runs: they begin at 0, rise, and end before the slot does")


def check_subject(asset_no: str, where: str) -> None:
    """Raises FrameError where it is no number of a subject."""
    if not _is_asset(asset_no):
        raise FrameError(f"{where}: {asset_no[:80]!r} is no asset_no")


@lru_cache(_NAMES)
def _is_asset(text: str) -> bool:
    return _ASSET.fullmatch(text) is not None


@lru_cache(_NAMES)
def is_register(text: str) -> bool:
    """Whether it is the id of a register."""
    return _REGISTER.fullmatch(text) is not None


@lru_cache(_NAMES)
def _ms(text: str) -> int:
    """An instant as our gateways write it. Raises Odd."""
    try:
        if _INSTANT.fullmatch(text):
            return to_ms(datetime.fromisoformat(text))
    except ValueError as error:
        raise Odd from error
    raise Odd
