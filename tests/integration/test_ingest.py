"""The collector's transaction: every frame is applied or quarantined with its reason, and then acknowledged."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from ganpo_cloud import ingest as ingest_module
from ganpo_cloud import quarantine as quarantine_module
from ganpo_cloud import registry
from ganpo_cloud.apply import Batch
from ganpo_cloud.database import Database
from ganpo_cloud.ingest import Committed, ingest, retry
from ganpo_cloud.streams import of_gateway
from ganpo_cloud.tables import dirty, frame, quarantine, reading, states
from ganpo_model.errors import StorageError
from ganpo_model.facts import Event, EventKind, Reading, States
from ganpo_model.frame import MAX_PACKED, MAX_UNPACKED, pack
from ganpo_model.states import State

NOW = datetime(2026, 11, 25, 2, 15, tzinfo=UTC)
GATEWAY = "gw-test-0001"
ENTERPRISE = "91360000625912173B"
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
REGISTER = "DB-1/energy_import#0123abcd"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/cloud.db")
    registry.add(database, GATEWAY, ENTERPRISE, "plant-1")
    yield database
    database.close()


def of(seq: int, raw: int = 1000) -> bytes:
    return pack(STREAM, seq, [Reading("reading", REGISTER, NOW - timedelta(seconds=60 - seq), raw + seq)])


def body(**changes: Any) -> bytes:
    """A frame as JSON with something wrong."""
    fact = {"type": "reading", "register": REGISTER, "at": "2026-11-25T02:00:00.000Z", "raw": 5}
    fact |= changes.pop("fact", {})
    whole = {"v": 1, "stream": STREAM, "seq": 7, "facts": [fact]} | changes
    return gzip.compress(json.dumps(whole).encode(), mtime=0)


def inventory(subject: str, zone: str = "Asia/Shanghai") -> dict[str, Any]:
    about = {"signal": "energy_import", "carrier": "electricity", "unit": "kWh", "num": 1, "den": 100}
    limits = {"modulus": None, "max_rate": 80_000, "resets": False}
    return {
        "type": "inventory",
        "at": "2026-11-25T02:00:00.000Z",
        "site": {"id": "plant-1", "name": "Plant", "timezone": zone, "slot_ms": 900_000},
        "calendar": {"shifts": [], "exceptions": []},
        "equipment": [],
        "meters": [],
        "registers": [{"id": REGISTER, "subject": subject} | about | limits],
    }


def count(database: Database, table: Any) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_frame_is_stored_with_its_facts_and_what_it_touches_is_dirty(database: Database) -> None:
    slot = States("states", "SB-1", NOW - timedelta(hours=11), NOW, ((0, State.IDLE), (5000, State.HELD)))
    done = ingest(database, [(GATEWAY, of(1)), (GATEWAY, pack(STREAM, 2, [slot]))], NOW)
    assert done == [Committed(GATEWAY, STREAM, 1), Committed(GATEWAY, STREAM, 2)]
    assert count(database, reading) == 1
    with database.read() as connection:
        rows = connection.execute(select(dirty.c.subject, dirty.c.day)).all()
        assert connection.execute(select(states.c.runs)).scalar_one() == '[[0,"IDLE"],[5000,"HELD"]]'
    # 02:15 UTC is 10:15 in Shanghai; eleven hours before that it was yesterday
    assert {(s, str(d)) for s, d in rows} == {
        ("DB-1", "2026-11-25"),
        ("SB-1", "2026-11-24"),
        ("SB-1", "2026-11-25"),
    }
    database.close()


def test_a_frame_that_came_before_is_answered_and_changes_nothing(database: Database) -> None:
    for _ in range(3):
        assert (
            ingest(database, [(GATEWAY, of(1)), (GATEWAY, of(1))], NOW) == [Committed(GATEWAY, STREAM, 1)] * 2
        )
    assert count(database, reading) == 1
    assert count(database, frame) == 1
    database.close()


BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "not gzip": (lambda: b"hello, is this the broker?", "schema", "not gzip"),
    "not JSON": (lambda: gzip.compress(b"{'v': 1}", mtime=0), "schema", "Invalid JSON"),
    "cut short": (lambda: of(7)[:-9], "schema", "cut short"),
    "something follows": (lambda: of(7) + b"x", "schema", "something follows"),
    "too large": (lambda: random.Random(1).randbytes(MAX_PACKED + 1), "limits", "at most"),
    "a bomb": (lambda: gzip.compress(bytes(MAX_UNPACKED + 1), mtime=0), "limits", "unpacks to more than"),
    "unknown version": (lambda: body(v=2), "version", "version 2"),
    "unknown type": (lambda: body(fact={"type": "sum"}), "type", "'sum'"),
    "unknown key": (lambda: body(extra=1), "schema", "extra"),
    "no facts": (lambda: body(facts=[]), "schema", "at least one"),
    "time in 1970": (lambda: body(fact={"at": "1970-01-01T00:00:00.000Z"}), "time", "400 days"),
    "time in 2099": (lambda: body(fact={"at": "2099-01-01T00:00:00.000Z"}), "time", "5 min ahead"),
    "naive time": (lambda: body(fact={"at": "2026-11-25T02:00:00.000"}), "time", "not UTC"),
    "local time": (lambda: body(fact={"at": "2026-11-25T10:00:00.000+08:00"}), "time", "not UTC"),
    "microseconds": (
        lambda: body(fact={"at": "2026-11-25T02:00:00.000001Z"}),
        "time",
        "more than milliseconds",
    ),
    "a number as time": (lambda: body(fact={"at": 1764000000}), "schema", "datetime"),
    "NUL in a name": (
        lambda: body(fact={"register": "DB\x001/energy_import#0123abcd"}),
        "schema",
        "no register id",
    ),
    "raw 2^80": (lambda: body(fact={"raw": 2**80}), "limits", "2^63"),
    "raw below 0": (lambda: body(fact={"raw": -1}), "limits", "2^63"),
    "raw a float": (lambda: body(fact={"raw": 5.0}), "schema", "integer"),
    "raw a bool": (lambda: body(fact={"raw": True}), "schema", "integer"),
    "raw a text": (lambda: body(fact={"raw": "5"}), "schema", "integer"),
    "seq 0": (lambda: body(seq=0), "schema", "seq 0"),
    "seq 2^80": (lambda: body(seq=2**80), "schema", "seq"),
    "no ULID": (lambda: body(stream="abc"), "schema", "'abc'"),
    "runs that fall": (
        lambda: body(
            facts=[
                {
                    "type": "states",
                    "subject": "SB-1",
                    "start": "2026-11-25T02:00:00.000Z",
                    "end": "2026-11-25T02:10:00.000Z",
                    "runs": [[0, "IDLE"], [9, "HELD"], [5, "IDLE"]],
                }
            ]
        ),
        "schema",
        "they begin at 0, rise",
    ),
    "a register of another subject": (
        lambda: body(facts=[inventory("DB-2")]),
        "schema",
        "is no register of 'DB-2'",
    ),
    "no time zone": (lambda: body(facts=[inventory("DB-1", "Mars/Olympus")]), "schema", "is no time zone"),
    "an unknown state": (
        lambda: body(
            facts=[
                {
                    "type": "states",
                    "subject": "SB-1",
                    "start": "2026-11-25T02:00:00.000Z",
                    "end": "2026-11-25T02:10:00.000Z",
                    "runs": [[0, "RUNNING"]],
                }
            ]
        ),
        "schema",
        "PRODUCING",
    ),
    "NUL in an event": (
        lambda: body(
            facts=[
                {
                    "type": "event",
                    "at": "2026-11-25T02:00:00.000Z",
                    "kind": "link_down",
                    "subject": "SB-1",
                    "data": {"reason": "a\x00b"},
                }
            ]
        ),
        "schema",
        "control character",
    ),
    "2^80 in an event": (
        lambda: body(
            facts=[
                {
                    "type": "event",
                    "at": "2026-11-25T02:00:00.000Z",
                    "kind": "link_up",
                    "subject": "SB-1",
                    "data": {"value": 2**80},
                }
            ]
        ),
        "limits",
        "64 bits",
    ),
    "deep nesting": (
        lambda: gzip.compress(
            b'{"v":1,"stream":"%s","seq":7,"facts":%s}' % (STREAM.encode(), b"[" * 9000 + b"]" * 9000),
            mtime=0,
        ),
        "schema",
        "",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_frame_among_forty_nine_good_ones_is_quarantined_with_its_reason_and_blocks_none(
    database: Database, case: str
) -> None:
    make, reason, told = BAD[case]
    batch = [(GATEWAY, of(seq)) for seq in range(10, 59)]
    batch.insert(25, (GATEWAY, make()))
    done = ingest(database, batch, NOW)
    assert {c.seq for c in done} >= set(range(10, 59))
    assert count(database, reading) == 49
    with database.read() as connection:
        row = connection.execute(select(quarantine)).one()
    print(f"{case}: {row.reason}: {row.detail}")
    assert row.reason == reason
    assert told in row.detail
    assert row.bytes == make()
    # a frame that can still be named is acknowledged, so that its gateway does not send it for ever
    assert (7 in {c.seq for c in done}) == (row.seq == 7)
    database.close()


def test_frames_of_an_unknown_gateway_wait_and_are_applied_once_it_is_registered(database: Database) -> None:
    stranger = "gw-stranger-01"
    assert ingest(database, [(stranger, of(1)), (stranger, of(2)), (GATEWAY, of(3))], NOW) == [
        Committed(GATEWAY, STREAM, 3),
        Committed(stranger, STREAM, 1),
        Committed(stranger, STREAM, 2),
    ]
    assert count(database, reading) == 1
    registry.add(database, stranger, ENTERPRISE, "plant-2")
    assert retry(database, NOW + timedelta(days=500), stranger) == 2
    assert count(database, reading) == 3
    assert count(database, quarantine) == 0
    assert retry(database, NOW) == 0
    database.close()


def test_the_quarantine_of_an_unknown_gateway_holds_a_thousand_frames_and_then_gives_no_answer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_module, "STRANGER_FRAMES", 5)
    stranger = "gw-stranger-01"
    done = ingest(database, [(stranger, of(seq)) for seq in range(1, 9)], NOW)
    assert [c.seq for c in done] == [1, 2, 3, 4, 5]
    assert ingest(database, [(stranger, of(3))], NOW) == [Committed(stranger, STREAM, 3)], (
        "it is there already"
    )
    assert count(database, quarantine) == 5
    database.close()


def test_the_quarantine_of_a_registered_gateway_drops_its_oldest_and_counts_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_module, "REGISTERED_BYTES", 3 * len(body(v=2)) + 10)
    for seq in range(1, 7):
        ingest(database, [(GATEWAY, body(v=2, seq=seq))], NOW)
    with database.read() as connection:
        kept = [row.seq for row in connection.execute(select(quarantine.c.seq).order_by(quarantine.c.id))]
        dropped = connection.execute(text("SELECT value FROM counter")).scalar_one()
    assert kept == [4, 5, 6]
    assert dropped == 3
    database.close()


def test_a_bug_of_ours_costs_only_the_frame_that_meets_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Batch._add

    def tripping(self: Batch, *arguments: Any) -> None:
        if getattr(arguments[-1], "raw", 0) == 1003:
            raise ZeroDivisionError("ours")
        whole(self, *arguments)

    monkeypatch.setattr(Batch, "_add", tripping)
    done = ingest(database, [(GATEWAY, of(seq)) for seq in range(1, 6)], NOW)
    assert {c.seq for c in done} == {1, 2, 3, 4, 5}
    assert count(database, reading) == 4
    with database.read() as connection:
        row = connection.execute(select(quarantine)).one()
    assert (row.reason, row.detail, row.seq) == ("bug", "ZeroDivisionError: ours", 3)
    assert any(record.exc_info for record in caplog.records)
    monkeypatch.undo()
    assert retry(database, NOW) == 1
    assert count(database, reading) == 5
    database.close()


def test_every_issued_number_is_stored_lost_or_missing_and_stored_wins(database: Database) -> None:
    ingest(database, [(GATEWAY, of(seq)) for seq in (1, 2, 5)], NOW)
    with database.read() as connection:
        (found,) = of_gateway(connection, GATEWAY)
    assert (found.issued, found.stored, found.lost, found.missing) == (5, 3, 0, 2)
    other = STREAM[:-1] + "P"
    loss = Event("event", NOW, EventKind.LOSS, None, {"stream": STREAM, "seqs": [[2, 3], [3, 3]]})
    begun = Event("event", NOW, EventKind.BEGUN, None, {"previous": STREAM, "last_seq": 9})
    ingest(database, [(GATEWAY, pack(other, 1, [begun])), (GATEWAY, pack(other, 2, [loss]))], NOW)
    with database.read() as connection:
        new, old = of_gateway(connection, GATEWAY)
    assert (old.issued, old.stored, old.lost, old.missing) == (9, 3, 1, 5)
    assert (new.issued, new.stored, new.lost, new.missing) == (2, 2, 0, 0)
    ingest(database, [(GATEWAY, of(3))], NOW)
    with database.read() as connection:
        old = of_gateway(connection, GATEWAY)[1]
    assert (old.stored, old.lost, old.missing) == (4, 0, 5)
    database.close()


def test_a_number_with_two_contents_or_in_quarantine_is_stored_once_and_a_lost_stream_is_shown(
    database: Database,
) -> None:
    gone = STREAM[:-1] + "A"
    loss = Event("event", NOW, EventKind.LOSS, None, {"stream": gone, "seqs": [[1, 4]]})
    frames = [of(1), of(1, raw=7), body(seq=1, v=2), body(seq=3, v=2), pack(STREAM, 4, [loss])]
    assert len(ingest(database, [(GATEWAY, packed) for packed in frames], NOW)) == 5
    with database.read() as connection:
        here, other = of_gateway(connection, GATEWAY)
    assert (here.issued, here.stored, here.lost, here.missing) == (4, 3, 0, 1)
    assert (other.stream, other.issued, other.stored, other.lost, other.missing) == (gone, 4, 0, 4, 0)
    database.close()


def test_of_a_frame_that_is_too_large_for_ever_only_the_beginning_is_kept(database: Database) -> None:
    ingest(database, [(GATEWAY, random.Random(1).randbytes(10 * MAX_PACKED))], NOW)
    with database.read() as connection:
        row = connection.execute(select(quarantine)).one()
    assert (row.reason, len(row.bytes), row.size) == ("limits", MAX_PACKED + 1, MAX_PACKED + 1)
    assert retry(database, NOW) == 0
    database.close()


@pytest.mark.parametrize("version", [0, 2])
def test_a_database_of_another_version_is_refused_with_the_reason_and_left_alone(
    tmp_path: Path, version: int
) -> None:
    path = tmp_path / "cloud.db"
    database = Database(f"sqlite:///{path}")
    with database.write() as connection:
        connection.execute(text(f"UPDATE schema SET version = {version}"))
    database.close()
    before = path.read_bytes()
    with pytest.raises(StorageError) as told:
        Database(f"sqlite:///{path}")
    print(told.value)
    assert f"schema {version}, this version knows 1" in str(told.value)
    assert str(path) in str(told.value)
    assert path.read_bytes() == before
    assert ingest_module.log.name == "ganpo_cloud.ingest"
