"""The outbox' file and its log as they lie on the disk, whatever SQLite makes of them.

Layout: SQLite's "Database File Format", sections 1.6 (cells and their overflow) and 4 (the write-ahead log).
"""

import os
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PAGE = 4096
_SECTOR = 512
_LOG_HEAD = 32
_FRAME_HEAD = 24
_FRAME = _FRAME_HEAD + PAGE
_MAGIC = 0x377F0682


class Raw:
    """A file that may be read anywhere; a file that is not there is empty. `head`: bytes before the first page,
    `step`: from page to page. Raises OSError where it may not be opened."""

    head, step = 0, PAGE

    def __init__(self, path: Path) -> None:
        self._fd: int | None = None
        self.size = 0
        with suppress(FileNotFoundError):
            self._fd = os.open(path, os.O_RDONLY)
            self.size = os.fstat(self._fd).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _where: TracebackType | None
    ) -> None:
        if self._fd is not None:
            os.close(self._fd)

    def read(self, at: int, size: int) -> bytes:
        """Bytes from `at` on, fewer at the end. What the disk does not give, a bad sector, is zeros."""
        if self._fd is None:
            return b""
        try:
            return os.pread(self._fd, size, at)
        except OSError:
            if size <= _SECTOR:
                return bytes(size)
            half = size // 2
            return self.read(at, half) + self.read(at + half, size - half)

    def end_of_page(self, at: int) -> int:
        """Where the page ends in which the byte `at` lies."""
        return self.head + ((at - self.head) // self.step + 1) * self.step

    def page(self, number: int) -> bytes:
        """A page of the file, counted from 1."""
        return self.read((number - 1) * PAGE, PAGE)


class Log(Raw):
    """The write-ahead log, every frame of it looked at.

    `whole`: bytes up to the last commit that all checksums prove; SQLite reads no further. `torn`: a commit stands
    behind it, so that SQLite would drop what was promised. `cut`: the last commit is wrong in its last frame, of which
    a process that is killed may have written the head alone: SQLite drops it, rightly if nobody was promised it.
    """

    head, step = _LOG_HEAD, _FRAME

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.whole = 0
        self.torn = self.cut = False
        self._versions: dict[int, list[int]] = {}
        self._commits: list[int] = []
        header = self.read(0, _LOG_HEAD).ljust(_LOG_HEAD, b"\0")
        magic, _, size, _, *salts, first, second = struct.unpack(">8I", header)
        order = ">" if magic & 1 else "<"
        sums = _sums(order, header[:24], 0, 0)
        sound = magic | 1 == _MAGIC | 1 and size == PAGE and sums == (first, second)
        pending: list[tuple[int, int]] = []
        wrong = None if sound else -1
        for n, (frame, number, commit, *these, first, second) in enumerate(self._frames()):
            if n == 0 and not sound:
                salts = these
            if wrong is None:
                sums = _sums(order, frame[:8] + frame[_FRAME_HEAD:], *sums)
                wrong = None if these == salts and sums == (first, second) else n
            # What an earlier round of the log left behind has other salts; one flipped bit changes only one of them.
            if salts[0] not in these[:1] and salts[1] not in these[1:]:
                continue
            pending.append((number, n))
            if commit:
                self._commits.append(n)
                for page, version in pending:
                    self._versions.setdefault(page, []).append(version)
                pending.clear()
                self.torn, self.cut = wrong is not None and wrong != n, wrong == n
                self.whole = self.whole if wrong is not None else _LOG_HEAD + (n + 1) * _FRAME

    def as_of(self, at: int, number: int) -> bytes:
        """A page as the transaction saw it that wrote the byte `at`; empty where the log does not have it."""
        written = (at - _LOG_HEAD) // _FRAME
        commit = bisect_left(self._commits, written)
        last = self._commits[commit] if commit < len(self._commits) else written
        versions = self._versions.get(number, [])
        before = bisect_right(versions, last)
        return self._content(versions[before - 1]) if before else b""

    def newest(self, number: int) -> bytes:
        """A page as it was committed last; empty where the log does not have it."""
        return self._content(self._versions[number][-1]) if number in self._versions else b""

    def pages(self) -> int:
        """The largest number of a page."""
        return max(self._versions, default=0)

    def _frames(self) -> Iterator[tuple[bytes, int, int, int, int, int, int]]:
        for at in range(_LOG_HEAD, self.size - _FRAME + 1, _FRAME):
            frame = self.read(at, _FRAME)
            yield frame, *struct.unpack(">6I", frame[:_FRAME_HEAD])

    def _content(self, n: int) -> bytes:
        return self.read(_LOG_HEAD + n * _FRAME + _FRAME_HEAD, PAGE)


def sync(path: Path) -> None:
    """A file, or the names in a folder, to the disk itself."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sums(order: str, data: bytes, first: int, second: int) -> tuple[int, int]:
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for a, b in zip(words[::2], words[1::2], strict=True):
        first = (first + a + second) & 0xFFFFFFFF
        second = (second + b + first) & 0xFFFFFFFF
    return first, second
