"""What can still be read of a damaged outbox: its bytes are searched for frames, whatever SQLite makes of them.

A frame names its stream and number and carries its own checksum, so it proves itself wherever it lies: in a page that
no table leads to any more, in a log that SQLite drops, behind a head that is gone.
"""

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ganpo_agent.keeping.pages import PAGE, Log, Raw
from ganpo_model.errors import FrameError
from ganpo_model.frame import MAX_PACKED, STREAM, unpack

_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
_BLOCK = 1 << 20
_LEAST_LOCAL = 400
"""A row that goes on in other pages has at least 489 bytes in its first, of which some 50 are not the frame's."""
_BODY = re.compile(rb'\{"v":1,"stream":"(%s)","seq":(\d+),"facts":\[\{"type":"(\w+)"' % STREAM.encode())
_TIME = re.compile(rb'"(?:at|end)":"(\d{4}-[0-9T:.-]+Z)"')
_STREAM = re.compile(rb"(?=(%s))" % STREAM.encode())
_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}

Frame = tuple[str, int, str, bytes]
Reader = Callable[[int], bytes]


@dataclass
class Salvage:
    """`frames` reads; what else it comes across stands here afterwards.

    `tops`: the last number of each stream that a frame, a `begun` or two rows agree on; `runs`: the open slots by
    stream; `newest`: the latest time of any fact, ISO, or empty.
    """

    file: Raw
    log: Log
    tops: dict[str, int] = field(default_factory=dict)
    runs: dict[str, bytes] = field(default_factory=dict)
    newest: str = ""
    _once: set[tuple[str, int]] = field(default_factory=set)
    _runs_end: dict[str, str] = field(default_factory=dict)

    def frames(self) -> Iterator[Frame]:
        """(stream, seq, kind, bytes) of every frame whose gzip opens; many twice, and the first is right.

        What a failed commit left has a number that was given again: it lies behind what SQLite would read.
        """
        for raw, begin, end in (
            (self.file, 0, self.file.size),
            (self.log, 0, self.log.whole),
            (self.log, self.log.whole, self.log.size),
        ):
            for at in range(begin, end, _BLOCK):
                size = min(_BLOCK, end - at)
                block = raw.read(at, size + PAGE)
                self._numbers(block, size)
                yield from self._in_block(raw, at, block, size)

    def _in_block(self, raw: Raw, begin: int, block: bytes, size: int) -> Iterator[Frame]:
        here = block.find(_GZIP, 0, size + len(_GZIP) - 1)
        while here >= 0:
            at = begin + here
            page = block[here : here + raw.end_of_page(at) - at]
            if (found := self._whole(raw, at, page, block[here : here + PAGE])) is not None:
                yield from self._told(*found)
            here = block.find(_GZIP, here + 1, size + len(_GZIP) - 1)

    def _whole(self, raw: Raw, at: int, page: bytes, rest: bytes) -> tuple[bytes, bytes] | None:
        """The frame that begins at `at`, packed and unpacked: within its page, or going on in others."""
        if (found := _opened(rest)) is not None:
            return found
        pages = max(self.file.size // PAGE, self.log.pages())
        readers: tuple[Reader, ...] = (
            lambda n: (raw is self.log and self.log.as_of(at, n)) or self.file.page(n),
            lambda n: self.log.newest(n) or self.file.page(n),
        )
        # The number of the next page stands right behind the part in this one; where, a damaged row does not say.
        for end in range(_LEAST_LOCAL, len(page) - 3):
            if page[end] == 0 and 1 < (number := int.from_bytes(page[end : end + 4])) <= pages:
                for reader in readers:
                    if (found := _opened(page[:end] + _chain(number, reader))) is not None:
                        return found
        return None

    def _told(self, packed: bytes, raw: bytes) -> Iterator[Frame]:
        head = _BODY.match(raw)
        if head is None:
            return
        stream, seq, kind = head[1].decode(), int(head[2]), head[3].decode()
        end = max((time.decode() for time in _TIME.findall(raw)), default="")
        self.newest = max(self.newest, end)
        if seq == 0:
            if end >= self._runs_end.get(stream, ""):
                self.runs[stream], self._runs_end[stream] = packed, end
            return
        self._top(stream, seq)
        if kind == "event" and seq == 1:
            begun = json.loads(raw)["facts"][0]["data"]
            if begun.get("previous") is not None:
                self._top(begun["previous"], begun["last_seq"])
        yield stream, seq, kind, packed

    def _numbers(self, block: bytes, size: int) -> None:
        """What rows say whose frame is gone. One alone may be damaged itself: every number stands in several."""
        for stream, seq in _rows(block, size):
            if seq > self.tops.get(stream, 0):
                if (stream, seq) in self._once:
                    self._top(stream, seq)
                self._once.add((stream, seq))

    def _top(self, stream: str, seq: int) -> None:
        self.tops[stream] = max(seq, self.tops.get(stream, 0))


def foreign(log: Log, issued: Mapping[str, int]) -> bool:
    """Whether the log is another gateway's: no row in it is of a stream of which numbers were given here."""
    blocks = (log.read(at, _BLOCK + PAGE) for at in range(0, log.size, _BLOCK))
    streams = {stream for block in blocks for stream, _ in _rows(block, _BLOCK)}
    return bool(streams and issued) and streams.isdisjoint(issued)


def _rows(block: bytes, size: int) -> Iterator[tuple[str, int]]:
    """(stream, seq) of every row of tables and indexes that begins in the first `size` bytes.

    A row is the length of its head, the types of its columns, and their content. All ours begin with the stream, a text
    of 26 bytes (type 65 = A), and the number; in the table `open` an empty column stands before them.
    """
    for found in _STREAM.finditer(block, 0, size):
        for length in range(4, 9):
            types = block[max(found.start() - length, 0) : found.start()]
            first = 2 if types[1:2] == b"\0" else 1
            if (
                types[:1] == bytes([length])
                and types[first : first + 1] == b"A"
                and types[first + 1] in _SIZES
            ):
                wide, at = _SIZES[types[first + 1]], found.start() + len(found[1])
                yield (
                    found[1].decode(),
                    int.from_bytes(block[at : at + wide]) if wide else types[first + 1] - 8,
                )


def _opened(packed: bytes) -> tuple[bytes, bytes] | None:
    """A frame and its JSON, where the bytes begin with a whole one."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        # Most that is no frame breaks within the first bytes; `unpack` has the bounds.
        inflater.decompress(packed, 1 << 22)
        if not inflater.eof:
            return None
        packed = packed[: len(packed) - len(inflater.unused_data)]
        return packed, unpack(packed)
    except (zlib.error, FrameError):
        return None


def _chain(number: int, reader: Reader) -> bytes:
    """The content of overflow pages, from `number` to the last."""
    parts: list[bytes] = []
    while number > 0 and len(parts) * PAGE <= MAX_PACKED:
        page = reader(number)
        if len(page) < PAGE:
            break
        number = int.from_bytes(page[:4])
        parts.append(page[4:])
    return b"".join(parts)
