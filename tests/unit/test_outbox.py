"""The outbox: nothing that was promised is lost, whatever happens to the file (I4, I6, I13)."""

import errno
import json
import os
import random
import shutil
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ganpo_agent.keeping import issued, takeover
from ganpo_agent.keeping.outbox import Outbox
from ganpo_agent.keeping.outbox_file import log_of
from ganpo_agent.keeping.pages import Log
from ganpo_model.errors import StorageError
from ganpo_model.facts import Event, EventKind, Reading, States
from ganpo_model.frame import unpack
from ganpo_model.states import State

NOW = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)


def reading(raw: int) -> Reading:
    return Reading("reading", "DB-1/energy_import#0123abcd", NOW, raw)


def noise(raw: int, size: int) -> list[Event]:
    """A fact that does not compress."""
    text = random.Random(raw).randbytes(size // 2).hex()
    return [Event("event", NOW, EventKind.SUSPECT, None, {"n": raw, "text": text})]


def states(raw: int, size: int = 0) -> States:
    return States(
        "states", f"SB-{random.Random(raw).randbytes(size // 2 or 4).hex()}", NOW, NOW, ((0, State.IDLE),)
    )


def body(packed: bytes) -> dict[str, object]:
    return json.loads(unpack(packed))  # type: ignore[no-any-return]


def losses(box: Outbox) -> list[dict[str, object]]:
    facts = [body(row.packed)["facts"] for row in box.waiting(10_000)]
    return [f["data"] for group in facts for f in group if f.get("kind") == "loss"]  # type: ignore[attr-defined]


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    box = Outbox(tmp_path, 8)
    box.open()
    box.begin(NOW, random.Random(1))
    return box


def test_the_first_fact_of_a_stream_is_begun_and_numbers_follow(outbox: Outbox) -> None:
    rows = [outbox.append([reading(n)], NOW) for n in range(3)]
    waiting = outbox.waiting(10)
    assert [row.seq for row in waiting] == [1, 2, 3, 4]
    assert waiting[1:] == rows
    first = body(waiting[0].packed)
    assert first["facts"] == [
        {
            "type": "event",
            "at": "2026-11-25T01:00:00.000Z",
            "kind": "begun",
            "subject": None,
            "data": {"previous": None, "last_seq": None},
        }
    ]
    outbox.close()


def test_acknowledged_frames_are_not_sent_again_and_go_after_a_week(outbox: Outbox) -> None:
    outbox.append([reading(1)], NOW)
    outbox.acknowledge(outbox.stream, [(1, 1)], NOW)
    assert [row.seq for row in outbox.waiting(10)] == [2]
    assert outbox.counts() == (1, (outbox.stream, 2))
    outbox.acknowledge(outbox.stream, [(2, 2)], NOW + timedelta(days=8))
    db = sqlite3.connect(outbox.path)
    assert db.execute("SELECT seq FROM frame").fetchall() == [(2,)]
    db.close()
    outbox.close()


def test_a_new_process_continues_with_a_later_stream_and_names_the_one_before(
    tmp_path: Path, outbox: Outbox
) -> None:
    outbox.append([reading(1)], NOW)
    open_runs = States(
        "states", "SB-1", NOW, NOW + timedelta(seconds=9), ((0, State.IDLE), (5000, State.HELD))
    )
    outbox.keep_open([open_runs])
    outbox.close()
    again = Outbox(tmp_path, 8)
    again.open()
    again.begin(NOW - timedelta(days=400), random.Random(2))
    rows = again.waiting(10)
    assert [(row.stream, row.seq, row.kind) for row in rows] == [
        (outbox.stream, 1, "event"),
        (outbox.stream, 2, "reading"),
        (outbox.stream, 3, "states"),
        (again.stream, 1, "event"),
    ]
    assert again.stream > outbox.stream
    assert body(rows[2].packed)["seq"] == 3
    assert body(rows[2].packed)["facts"][0]["runs"] == [[0, "IDLE"], [5000, "HELD"]]  # type: ignore[index]
    assert body(rows[3].packed)["facts"][0]["data"] == {"previous": outbox.stream, "last_seq": 3}  # type: ignore[index]
    again.close()


def test_a_full_outbox_drops_acknowledged_frames_first_and_then_states_and_declares_the_loss(
    tmp_path: Path,
) -> None:
    box = Outbox(tmp_path, 1)
    box.open()
    box.begin(NOW, random.Random(1))
    kept = [box.append([reading(n)], NOW).key for n in range(20)]
    acked = [box.append(noise(n, 40_000), NOW).key for n in range(3)]
    box.acknowledge(box.stream, [(acked[0][1], acked[-1][1])], NOW)
    issued = [box.append([states(n, 20_000)], NOW).key for n in range(120)]
    rows = box.waiting(1000)
    here = {row.key for row in rows}
    lost: set[tuple[str, int]] = set()
    for row in rows:
        for fact in body(row.packed)["facts"]:  # type: ignore[attr-defined]
            if fact.get("kind") == "loss":
                lost |= {
                    (fact["data"]["stream"], n) for a, b in fact["data"]["seqs"] for n in range(a, b + 1)
                }
    assert lost
    assert lost < set(issued), "only states were dropped"
    assert not lost & here
    assert set(kept) <= here
    assert lost | here | set(acked) >= {(box.stream, n) for n in range(1, box.seq + 1)}, (
        "every number is accounted for"
    )
    assert box.dropped == len(lost)
    assert box.path.stat().st_size <= 1024 * 1024
    box.close()


def test_a_frame_whose_bytes_rot_while_running_is_declared_lost_and_holds_nothing_up(outbox: Outbox) -> None:
    for n in range(5):
        outbox.append([reading(n)], NOW)
    db = sqlite3.connect(outbox.path)
    packed = bytearray(db.execute("SELECT bytes FROM frame WHERE seq = 3").fetchone()[0])
    packed[15] ^= 4
    db.execute("UPDATE frame SET bytes = ? WHERE seq = 3", (bytes(packed),))
    db.commit()
    db.close()
    assert [row.seq for row in outbox.waiting(10)] == [1, 2, 4, 5, 6, 7], "7 declares 3"
    outbox.append([reading(9)], NOW)
    assert losses(outbox) == [{"stream": outbox.stream, "seqs": [[3, 3]]}]
    outbox.close()


def test_what_was_kept_with_the_open_slots_stands_in_the_file_and_the_log_stays_short(
    tmp_path: Path, outbox: Outbox
) -> None:
    longest = 0
    for n in range(300):
        outbox.append([reading(n)], NOW)
        if n % 10 == 9:
            with Log(log_of(outbox.path)) as log:
                longest = max(longest, log.whole)
    assert 0 < longest < 1.1 * 1024 * 1024
    outbox.keep_open([states(1)])
    (tmp_path / "copy").mkdir()
    shutil.copy(outbox.path, tmp_path / "copy")
    copy = Outbox(tmp_path / "copy", 8)
    copy.open()
    assert copy.counts()[0] == 301
    copy.close()
    outbox.close()


def test_small_frames_that_share_their_pages_make_room_too(tmp_path: Path) -> None:
    box = Outbox(tmp_path, 1)
    box.open()
    box.begin(NOW, random.Random(1))
    for n in range(3000):
        box.append([reading(n)] if n % 3 else [states(n, 200)], NOW)
    here = {row.key for row in box.waiting(10_000)}
    assert box.dropped > 0
    assert len(here) + box.dropped == box.seq
    assert box.path.stat().st_size <= 1024 * 1024
    box.close()


def test_damage_under_a_running_outbox_costs_what_was_hit_and_its_numbers_go_on(tmp_path: Path) -> None:
    box = Outbox(tmp_path, 64)
    box.open()
    box.begin(NOW, random.Random(1))
    for n in range(400):
        box.append(noise(n, 9000), NOW)
    box.keep_open([])
    size = box.path.stat().st_size
    with box.path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(random.Random(1).randbytes(5 * 4096))
    here = {row.seq for row in box.waiting(1000)}
    (lost,) = losses(box)
    gone = {n for first, last in lost["seqs"] for n in range(first, last + 1)}  # type: ignore[attr-defined]
    assert 0 < len(gone) < 20
    assert not gone & here
    assert gone | here == set(range(1, 403)), "402 declares"
    assert box.append([reading(1)], NOW).seq == 403
    box.close()


def test_a_folder_that_goes_away_under_a_running_outbox_is_made_again_and_what_was_in_it_is_declared(
    outbox: Outbox,
) -> None:
    for raw in range(3):
        outbox.append([reading(raw)], NOW)
    shutil.rmtree(outbox.path.parent)
    row = outbox.append([reading(3)], NOW)
    assert losses(outbox) == [{"stream": outbox.stream, "seqs": [[1, 4]]}]
    assert row.seq == 6
    assert outbox.path.exists()
    shutil.rmtree(outbox.path.parent)
    outbox.path.parent.write_text("no folder")
    with pytest.raises(StorageError, match="cannot be written"):
        outbox.append([reading(4)], NOW)
    outbox.path.parent.unlink()
    assert outbox.append([reading(4)], NOW).seq == 8


def test_a_sector_that_the_disk_does_not_give_costs_the_frames_in_it(
    tmp_path: Path, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(60):
        outbox.append(noise(n, 2000), NOW)
    outbox.close()
    read, bad = os.pread, outbox.path.stat().st_size // 2 // 512 * 512

    def refused(fd: int, size: int, at: int) -> bytes:
        if at < bad + 512 and bad < at + size:
            raise OSError(errno.EIO, "Input/output error")
        return read(fd, size, at)

    monkeypatch.setattr(os, "pread", refused)
    taken = takeover.take_over(outbox.path, issued.read(outbox.path))
    assert 58 <= taken.saved <= 60
    assert taken.saved + taken.lost == 61


def test_a_full_outbox_can_be_begun_again(tmp_path: Path) -> None:
    box = Outbox(tmp_path, 1)
    box.open()
    box.begin(NOW, random.Random(1))
    while not box.dropped:
        box.append(noise(box.seq, 3000), NOW)
    packed = box.waiting(1)[0].packed
    box.close()
    # Whatever was free is taken: in the last page of each tree, too.
    db = sqlite3.connect(box.path, isolation_level=None)
    db.execute("PRAGMA max_page_count = 256")
    with suppress(sqlite3.OperationalError):
        for n in range(10_000):
            db.execute(
                "INSERT INTO frame VALUES (?, ?, 'event', ?, NULL)", (box.stream, box.seq + n + 1, packed)
            )
    db.execute("UPDATE open SET seq = (SELECT max(seq) FROM frame)")
    db.close()
    (tmp_path / "outbox.db.issued").unlink()
    again = Outbox(tmp_path, 1)
    again.open()
    again.begin(NOW, random.Random(2))
    assert again.dropped > 0
    assert again.stream > box.stream
    assert losses(again)
    again.append([reading(1)], NOW)
    again.close()


def test_a_folder_that_cannot_be_made_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written") as told:
        Outbox(tmp_path / "file" / "below", 8).open()
    assert str(tmp_path) in str(told.value)
    assert "free space" in str(told.value)
