"""The frame: what travels (uplink.md). Packing and safe unpacking; the collector checks the schema."""

import gzip
import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from ganpo_model.clock import iso
from ganpo_model.errors import FrameError
from ganpo_model.facts import Fact

VERSION = 1
MAX_PACKED = 256 * 1024
MAX_UNPACKED = 2 * 1024 * 1024
STREAM = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_stream(now_ms: int, newest: str | None, rng: random.Random) -> str:
    """A ULID for a run of the agent that began at `now_ms`, above `newest` so that streams sort by time."""
    value = (now_ms << 80) | rng.getrandbits(80)
    if newest is not None and (floor := _ulid_value(newest)) >= value:
        value = floor + 1
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def stream_ms(stream: str) -> int:
    """When the stream began, in ms since 1970."""
    return _ulid_value(stream) >> 80


def _ulid_value(text: str) -> int:
    value = 0
    for char in text:
        value = value << 5 | _CROCKFORD.index(char)
    return value


def pack(stream: str, seq: int, facts: Sequence[Fact], largest: int = MAX_PACKED) -> bytes:
    """The bytes of a frame: gzip (mtime 0, one member) of compact JSON.

    Raises FrameError (`limits`) where the frame would be larger than `largest`, or than a collector takes.
    """
    body = {"v": VERSION, "stream": stream, "seq": seq, "facts": facts}
    text = json.dumps(body, default=_plain, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    raw = text.encode()
    packed = gzip.compress(raw, compresslevel=6, mtime=0)
    if len(raw) > MAX_UNPACKED or len(packed) > largest:
        raise FrameError(
            f"{len(raw)} bytes, {len(packed)} packed: a frame holds {MAX_UNPACKED} and {largest}",
            reason="limits",
        )
    return packed


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} does not travel")


def unpack(packed: bytes) -> bytes:
    """The JSON bytes of a frame, never more than 2 MiB of them.

    Raises FrameError: `limits` (too large, a bomb), `schema` (not gzip, cut short, something follows).
    """
    if len(packed) > MAX_PACKED:
        raise FrameError(f"{len(packed)} bytes: a frame has at most {MAX_PACKED}", reason="limits")
    inflater = zlib.decompressobj(wbits=31)
    try:
        raw = inflater.decompress(packed, MAX_UNPACKED + 1)
    except zlib.error as error:
        raise FrameError(f"not gzip, or damaged: {error}") from error
    if len(raw) > MAX_UNPACKED:
        raise FrameError(f"unpacks to more than {MAX_UNPACKED} bytes", reason="limits")
    if not inflater.eof:
        raise FrameError("the gzip member is cut short")
    if inflater.unused_data:
        raise FrameError("something follows the gzip member")
    return raw


def crc32_of(packed: bytes) -> int:
    """The CRC-32 of the content, read from the gzip trailer: with stream and seq it names the frame."""
    return int.from_bytes(packed[-8:-4], "little")


def renumber(packed: bytes, seq: int) -> bytes:
    """The same frame with another number. Raises FrameError as `unpack` does."""
    body = json.loads(unpack(packed))
    body["seq"] = seq
    text = json.dumps(body, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)
