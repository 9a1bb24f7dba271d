"""An outbox as a power cut leaves it, and what may happen to its files: `KINDS`."""

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from ganpo_agent.keeping.outbox import Outbox
from ganpo_model.facts import Event, EventKind, Reading, States
from ganpo_model.frame import crc32_of, unpack
from ganpo_model.states import State

START = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
PAGE = 4096
_LOG_FRAME = 24 + PAGE
_JOURNAL = bytes.fromhex("d9d505f920a163d7")
Key = tuple[str, int]


@dataclass(frozen=True)
class Given:
    """What an outbox was given: every frame that was promised, which of them are stored, and its last stream."""

    folder: Path
    promised: dict[Key, bytes]
    stored: frozenset[Key]
    stream: str


@dataclass(frozen=True)
class Found:
    """What is waiting at a later start, and which numbers are declared lost."""

    waiting: dict[Key, bytes]
    lost: frozenset[Key]


def fill(folder: Path, seed: int, frames: int = 120, *, closed: bool = False) -> Given:
    """Three runs of frames of 200 bytes to 60 kB, some acknowledged; then the power goes with the last in the log,
    or the outbox is `closed` and has none."""
    rng = random.Random(seed)
    state = folder / "live"
    now = START
    stored: set[Key] = set()
    for run in range(3):
        box = Outbox(state, 64)
        box.open()
        box.begin(now, rng)
        for n in range(frames // 3):
            now += timedelta(seconds=20)
            size = rng.choices((0, 300, 3000, 9000, 60000), (40, 30, 20, 9, 1))[0]
            text = rng.randbytes(size // 2).hex()
            kind = rng.choice(("reading", "states", "event"))
            if kind == "reading":
                box.append(
                    [
                        Reading("reading", f"DB-{n}/energy_import#0123abcd", now, raw)
                        for raw in range(rng.choice((1, 30)))
                    ],
                    now,
                )
            elif kind == "states":
                box.append(
                    [States("states", f"SB-{n}{text}", now, now + timedelta(seconds=5), ((0, State.IDLE),))],
                    now,
                )
            else:
                box.append([Event("event", now, EventKind.SUSPECT, None, {"n": n, "text": text})], now)
            if rng.random() < 0.3 and box.seq > 3:
                first = rng.randrange(1, box.seq - 1)
                box.acknowledge(box.stream, [(first, first + 1)], now)
                stored |= {(box.stream, first), (box.stream, first + 1)}
            if n % 8 == 3 and (run < 2 or n < frames // 6):
                box.keep_open(
                    [States("states", "SB-1", now, now + timedelta(seconds=n + 1), ((0, State.IDLE),))]
                )
        if run < 2 or closed:
            box.close()
    with sqlite3.connect(box.path) as db:
        promised = {
            (stream, seq): packed
            for stream, seq, packed in db.execute("SELECT stream, seq, bytes FROM frame")
        }
    db.close()
    shutil.copytree(state, folder / "state")
    box.close()
    shutil.rmtree(state)
    return Given(folder / "state", promised, frozenset(stored), box.stream)


def found(folder: Path) -> Found:
    """Start once more, and read everything that waits."""
    box = Outbox(folder, 64)
    box.open()
    box.begin(START + timedelta(days=1), random.Random(3))
    waiting = {row.key: row.packed for row in box.waiting(100_000)}
    box.close()
    lost: set[Key] = set()
    for packed in waiting.values():
        for fact in json.loads(unpack(packed))["facts"]:
            if fact.get("kind") == "loss":
                lost |= {
                    (fact["data"]["stream"], n) for a, b in fact["data"]["seqs"] for n in range(a, b + 1)
                }
    return Found(waiting, frozenset(lost))


def judge(folder: Path, given: Given) -> tuple[int, int]:
    """Start on what is left: frames that wait again, and numbers declared lost. Fails where a number is neither, nor
    stored, where a frame whose bytes stand somewhere is not sent, and where the next start finds anything else."""
    whole = b"".join(file.read_bytes() for file in folder.iterdir())
    now = found(folder)
    for key, packed in given.promised.items():
        assert key in now.waiting or key in now.lost or key in given.stored, key
        assert now.waiting.get(key, packed) == packed
        assert packed not in whole or key in now.waiting or key in given.stored
    made = {key for key in now.waiting if key not in given.promised}
    assert all(stream >= given.stream for stream, _ in made), "nothing of another gateway's"
    assert now.lost <= set(given.promised), "no number is declared that was never given"
    again = found(folder)
    assert set(now.waiting) <= set(again.waiting), "what was taken over is whole"
    assert again.lost == now.lost
    lost = now.lost - given.stored - set(now.waiting)
    return len(set(now.waiting) & set(given.promised)), len(lost)


def killed(folder: Path, modules: set[str], line: int) -> bool:
    """Start in a child that ends by SIGKILL at the n-th line it executes in these modules; whether it came so far."""
    if (child := os.fork()) == 0:
        count = 0

        def trace(frame: FrameType, event: str, _arg: Any) -> Any:
            nonlocal count
            if Path(frame.f_code.co_filename).name not in modules:
                return None
            count += event == "line"
            if count >= line:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace

        try:
            box = Outbox(folder, 64)
            sys.settrace(trace)
            box.open()
            box.begin(START + timedelta(hours=20), random.Random(2))
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def appended_until_killed(folder: Path, rng: random.Random) -> dict[Key, int]:
    """A run that appends and dies by SIGKILL within 60 ms of its first frame: what it promised, with checksums."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            box = Outbox(folder, 64)
            box.open()
            box.begin(datetime.now(UTC), rng)
            while True:
                text = rng.randbytes(rng.choice((10, 100, 1000, 9000))).hex()
                row = box.append([Event("event", START, EventKind.SUSPECT, None, {"text": text})], START)
                os.write(writer, f"{row.stream} {row.seq} {crc32_of(row.packed)}\n".encode())
                if row.seq % 5 == 0:
                    runs = ((0, State.IDLE),)
                    box.keep_open([States("states", text[:20], START, START + timedelta(seconds=1), runs)])
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as lines:
        first = lines.readline()
        time.sleep(rng.uniform(0, 0.06))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "it ended by itself"
        said = [line.split() for line in (first, *lines)]
    return {(stream, int(seq)): int(crc32) for stream, seq, crc32 in said}


def _edit(
    name: str, change: Callable[[bytearray, random.Random], None]
) -> Callable[[Path, random.Random], None]:
    def damage(folder: Path, rng: random.Random) -> None:
        image = bytearray((folder / name).read_bytes())
        change(image, rng)
        (folder / name).write_bytes(image)

    return damage


def _flip(image: bytearray, rng: random.Random) -> None:
    image[rng.randrange(len(image))] ^= 1 << rng.randrange(8)


def _cut(share: float) -> Callable[[bytearray, random.Random], None]:
    def change(image: bytearray, _rng: random.Random) -> None:
        del image[int(len(image) * share) :]

    return change


def _take_out(size: int) -> Callable[[bytearray, random.Random], None]:
    def change(image: bytearray, rng: random.Random) -> None:
        at = rng.randrange(PAGE, len(image) - size, PAGE if size % PAGE == 0 else 1)
        del image[at : at + size]

    return change


def _over(
    size: int, fill_with: Callable[[random.Random, int], bytes], at: int | None = None
) -> Callable[[bytearray, random.Random], None]:
    def change(image: bytearray, rng: random.Random) -> None:
        begin = rng.randrange(PAGE, len(image) - size) if at is None else at
        image[begin : begin + size] = fill_with(rng, size)

    return change


def _zeros(_rng: random.Random, size: int) -> bytes:
    return bytes(size)


def _garbage(rng: random.Random, size: int) -> bytes:
    return rng.randbytes(size)


def _pages_of_type(*types: int) -> Callable[[bytearray, random.Random], None]:
    def change(image: bytearray, rng: random.Random) -> None:
        for at in range(PAGE, len(image), PAGE):
            if image[at] in types:
                image[at : at + 64] = rng.randbytes(64)

    return change


def _schema(image: bytearray, _rng: random.Random) -> None:
    at = image.index(b"CREATE TABLE frame")
    image[at : at + 12] = b"CREATE TOBLE"


def _swap(image: bytearray, rng: random.Random) -> None:
    for _ in range(5):
        a, b = (rng.randrange(1, len(image) // PAGE) * PAGE for _ in range(2))
        image[a : a + PAGE], image[b : b + PAGE] = image[b : b + PAGE], image[a : a + PAGE]


def _commit_cut(image: bytearray, rng: random.Random) -> None:
    commits = [at for at in range(32, len(image), _LOG_FRAME) if image[at + 4 : at + 8] != bytes(4)]
    del image[commits[rng.randrange(len(commits) // 2)] + _LOG_FRAME :]


def _log_sum(image: bytearray, rng: random.Random) -> None:
    frames = (len(image) - 32) // _LOG_FRAME
    image[32 + rng.randrange(frames // 3, frames) * _LOG_FRAME + 16] ^= 0x55


def _open_stream(image: bytearray, _rng: random.Random) -> None:
    """The row `open` as it was written last: the only record whose first column is empty."""
    newest = list(re.finditer(rb"\x00A[\x01\x02].{1,2}(01[0-9A-Z]{24})", image, re.DOTALL))[-1]
    image[newest.end() - 5] ^= 1


def _foreign(folder: Path, rng: random.Random) -> None:
    given = fill(folder / "other", rng.randrange(1000), 30)
    shutil.copy(given.folder / "outbox.db-wal", folder / "outbox.db-wal")
    shutil.rmtree(folder / "other")


def _older_log(folder: Path, rng: random.Random) -> None:
    """The log as it was before it was taken into the file, cut where a transaction ends."""
    log = (folder / "outbox.db-wal").read_bytes()
    sqlite3.connect(folder / "outbox.db").execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
    image = bytearray(log)
    _commit_cut(image, rng)
    (folder / "outbox.db-wal").write_bytes(image)


def _gone(name: str) -> Callable[[Path, random.Random], None]:
    return lambda folder, _rng: (folder / name).unlink()


def _written_over(folder: Path, rng: random.Random) -> None:
    (folder / "outbox.db").write_bytes(rng.randbytes(200_000))


def _more(image: bytearray, rng: random.Random) -> None:
    image += rng.randbytes(50_000)


def _block_twice(image: bytearray, rng: random.Random) -> None:
    a, b = (rng.randrange(1, len(image) // PAGE - 16) * PAGE for _ in range(2))
    image[a : a + 16 * PAGE] = image[b : b + 16 * PAGE]


def _journal(folder: Path, _rng: random.Random) -> None:
    """What a kill left while SQLite changed the head from one kind of journal to the other."""
    file = folder / "outbox.db"
    image = bytearray(file.read_bytes())
    image[18:20] = b"\1\1"
    file.write_bytes(image)
    page, nonce = bytes(image[:PAGE]), 7
    head = struct.pack(">8sIIIII", _JOURNAL, 1, nonce, len(image) // PAGE, 512, PAGE).ljust(512, b"\0")
    total = (nonce + sum(page[at] for at in range(PAGE - 200, 0, -200))) & 0xFFFFFFFF
    (folder / "outbox.db-journal").write_bytes(head + struct.pack(">I", 1) + page + struct.pack(">I", total))


FILE, LOG = "outbox.db", "outbox.db-wal"
KINDS: dict[str, Callable[[Path, random.Random], None]] = {
    "a flipped bit in the file": _edit(FILE, _flip),
    "a flipped bit in the log": _edit(LOG, _flip),
    "the file cut at 90 %": _edit(FILE, _cut(0.9)),
    "the file cut at 50 %": _edit(FILE, _cut(0.5)),
    "the file empty": _edit(FILE, _cut(0)),
    "five pages taken out": _edit(FILE, _take_out(5 * PAGE)),
    "a thousand bytes taken out": _edit(FILE, _take_out(1000)),
    "the first page zeroed": _edit(FILE, _over(PAGE, _zeros, 0)),
    "another page size in the head": _edit(FILE, _over(2, lambda _r, _n: b"\x02\x00", 16)),
    "40 kB zeroed": _edit(FILE, _over(40_000, _zeros)),
    "40 kB of noise": _edit(FILE, _over(40_000, _garbage)),
    "inner pages damaged": _edit(FILE, _pages_of_type(2, 5)),
    "leaves of the indexes damaged": _edit(FILE, _pages_of_type(10)),
    "heads of the table's leaves damaged": _edit(FILE, _pages_of_type(13)),
    "the schema damaged": _edit(FILE, _schema),
    "pages in each other's place": _edit(FILE, _swap),
    "a block in another's place": _edit(FILE, _block_twice),
    "noise behind the file": _edit(FILE, _more),
    "the file written over": _written_over,
    "the file gone": _gone(FILE),
    "the log gone": _gone(LOG),
    "the log cut at 50 %": _edit(LOG, _cut(0.5)),
    "the log cut between transactions": _edit(LOG, _commit_cut),
    "the log of another file": _foreign,
    "a log that is older than the file": _older_log,
    "the log's head zeroed": _edit(LOG, _over(32, _zeros, 0)),
    "a wrong checksum within the log": _edit(LOG, _log_sum),
    "10 kB of the log zeroed": _edit(LOG, _over(10_000, _zeros)),
    "the end of the log zeroed": _edit(
        LOG, lambda image, _r: _over(9000, _zeros, len(image) - 9000)(image, _r)
    ),
    "the log's open row names another stream": _edit(LOG, _open_stream),
    "the number beside it damaged": _edit("outbox.db.issued", _flip),
    "a rollback journal beside it": _journal,
}
