"""The collector's transaction: every frame is applied or quarantined with its reason, and then acknowledged."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text

from ganpo_cloud.imports import registry
from ganpo_cloud.inlet import apply
from ganpo_cloud.inlet import quarantine as quarantine_module
from ganpo_cloud.inlet.came import Came
from ganpo_cloud.inlet.ingest import ingest, retry
from ganpo_cloud.inlet.streams import Stream, of_gateways
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.runs import unpacked
from ganpo_cloud.store.tables import dirty, frame, quarantine, quarantine_total, reading, states
from ganpo_model.clock import to_ms
from ganpo_model.facts import Event, EventKind, States
from ganpo_model.frame import MAX_PACKED, pack
from ganpo_model.states import State
from support import databases
from support.bad.frames import ENTERPRISE, GATEWAY, NOW, STREAM, body, of


@pytest.fixture
def database(tmp_path: Path, each_database: str) -> Iterator[Database]:
    database = databases.database(tmp_path)
    registry.add(database, GATEWAY, ENTERPRISE, "plant-1")
    yield database
    database.close()


def streams(connection: Connection) -> list[Stream]:
    return of_gateways(connection, [GATEWAY], {}, to_ms(NOW))[GATEWAY].streams


def taken(database: Database, *batch: tuple[str, bytes]) -> list[tuple[str, int, str]]:
    """Gateway, number and reason of what is committed."""
    return [(one.gateway, one.seq, one.reason) for one in ingest(database, batch, NOW)]


def count(database: Database, table: Any) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_frame_is_stored_with_its_facts_and_what_it_touches_is_dirty(database: Database) -> None:
    slot = States("states", "SB-1", NOW - timedelta(hours=11), NOW, ((0, State.IDLE), (5000, State.HELD)))
    done = taken(database, (GATEWAY, of(1)), (GATEWAY, pack(STREAM, 2, [slot])))
    assert done == [(GATEWAY, 1, ""), (GATEWAY, 2, "")]
    assert count(database, reading) == 1
    with database.read() as connection:
        rows = connection.execute(select(dirty.c.key, dirty.c.day)).all()
        assert unpacked(connection.execute(select(states.c.runs)).scalar_one()) == [
            (0, State.IDLE),
            (5000, State.HELD),
        ]
    # 02:15 UTC is 10:15 in Shanghai; eleven hours before that it was yesterday
    assert {(s, str(d)) for s, d in rows} == {
        (f"{ENTERPRISE}/DB-1", "2026-11-25"),
        (f"{ENTERPRISE}/SB-1", "2026-11-24"),
        (f"{ENTERPRISE}/SB-1", "2026-11-25"),
    }
    database.close()


def test_a_frame_that_came_before_is_answered_and_changes_nothing(database: Database) -> None:
    for _ in range(3):
        assert taken(database, (GATEWAY, of(1)), (GATEWAY, of(1))) == [(GATEWAY, 1, "")] * 2
    assert count(database, reading) == 1
    assert count(database, frame) == 1
    database.close()


def test_frames_of_an_unknown_gateway_wait_and_are_applied_once_it_is_registered(database: Database) -> None:
    stranger = "gw-stranger-01"
    assert taken(database, (stranger, of(1)), (stranger, of(2)), (GATEWAY, of(3))) == [
        (stranger, 1, "gateway"),
        (stranger, 2, "gateway"),
        (GATEWAY, 3, ""),
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
    assert taken(database, (stranger, of(3))) == [(stranger, 3, "gateway")], "it is there already"
    assert count(database, quarantine) == 5
    database.close()


def test_all_unknown_gateways_together_have_a_bound_and_one_that_is_dropped_makes_room(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_module, "STRANGERS_FRAMES", 5)
    ingest(database, [(GATEWAY, body(v=2, seq=seq)) for seq in range(20, 40)], NOW)
    batch = [(f"gw-invented-{seq}", of(seq)) for seq in range(1, 9)]
    assert [c.seq for c in ingest(database, batch, NOW)] == [1, 2, 3, 4, 5]
    assert [c.seq for c in ingest(database, batch, NOW)] == [1, 2, 3, 4, 5]
    with database.write() as connection:
        assert quarantine_module.drop(connection, "gw-invented-2") == 1
    registry.add(database, "gw-invented-1", ENTERPRISE, "plant-2")
    assert [c.seq for c in ingest(database, batch, NOW)] == [1, 2, 3, 4, 5, 6], "registered ones do not count"
    monkeypatch.setattr(quarantine_module, "STRANGERS_FRAMES", 100)
    monkeypatch.setattr(quarantine_module, "STRANGERS_BYTES", 8 * len(of(1)))
    assert len(ingest(database, batch, NOW)) == 8
    more = [("gw-another-01", of(seq)) for seq in range(1, 9)]
    assert len(ingest(database, more, NOW)) < 8, "nor may their bytes"
    database.close()


def test_what_the_quarantine_holds_is_counted_whatever_comes_and_goes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_module, "REGISTERED_BYTES", 20 * len(body(v=2, seq=10)))
    rng = random.Random(1)
    stranger = "gw-stranger-01"
    for _ in range(30):
        batch = [
            (
                rng.choice((GATEWAY, stranger)),
                rng.choice((of, lambda seq: body(v=2, seq=seq)))(rng.randint(1, 40)),
            )
            for _ in range(5)
        ]
        ingest(database, batch, NOW)
        if rng.random() < 0.1:
            with database.write() as connection:
                quarantine_module.drop(connection, stranger)
    registry.add(database, stranger, ENTERPRISE, "plant-2")
    retry(database, NOW)
    each = (quarantine.c.gateway, func.count(), func.sum(quarantine.c.size))
    with database.read() as connection:
        held = connection.execute(select(*each).group_by(quarantine.c.gateway)).all()
        told = connection.execute(select(quarantine_total)).all()
    assert len(held) == 2
    assert {tuple(row) for row in held} == {tuple(row) for row in told}
    database.close()


def test_a_number_of_hundreds_of_digits_is_told_by_its_first_and_how_many_there_are(
    database: Database,
) -> None:
    long = Event("event", NOW, EventKind.LINK_UP, "SB-1", {"n": 7 * 10**399})
    assert ingest(database, [(GATEWAY, pack(STREAM, 1, [long]))], NOW)
    with database.read() as connection:
        detail = connection.execute(select(quarantine.c.detail)).scalar_one()
    assert "7" + 19 * "0" + "... (400 digits)" in detail
    assert len(detail) < 120


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
    whole = apply._Batch.add

    def tripping(self: apply._Batch, number: int, came: Came) -> None:
        if any(getattr(fact, "raw", 0) == 1003 for fact in came.facts):
            raise ZeroDivisionError("ours")
        whole(self, number, came)

    monkeypatch.setattr(apply._Batch, "add", tripping)
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
        (found,) = streams(connection)
    assert (found.issued, found.stored, found.lost, found.missing) == (5, 3, 0, 2)
    other = STREAM[:-1] + "P"
    loss = Event("event", NOW, EventKind.LOSS, None, {"stream": STREAM, "seqs": [[2, 3], [3, 3]]})
    begun = Event("event", NOW, EventKind.BEGUN, None, {"previous": STREAM, "last_seq": 9})
    ingest(database, [(GATEWAY, pack(other, 1, [begun])), (GATEWAY, pack(other, 2, [loss]))], NOW)
    with database.read() as connection:
        new, old = streams(connection)
    assert (old.issued, old.stored, old.lost, old.missing) == (9, 3, 1, 5)
    assert (new.issued, new.stored, new.lost, new.missing) == (2, 2, 0, 0)
    ingest(database, [(GATEWAY, of(3))], NOW)
    with database.read() as connection:
        old = streams(connection)[1]
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
        here, other = streams(connection)
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
