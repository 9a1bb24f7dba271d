"""What gateways say of themselves is merged by subject and session (uplink.md, live)."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.event import listen, remove

from ganpo_agent.uplink.picture import Picture
from ganpo_cloud.days import observed
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet import lives
from ganpo_cloud.inlet.gateways import known_gateways
from ganpo_cloud.inlet.refusals import Refused
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.tables import live_item
from ganpo_model.frame import MAX_PACKED
from ganpo_model.states import State
from support import databases
from support.province import CODES, NOW, Plant, inventory

GATEWAY = "gw-test-0001"
NUMBERS = [f"SB-{n:04}" for n in range(300)]


@pytest.fixture
def plant(tmp_path: Path, each_database: str) -> Iterator[Plant]:
    plant = Plant(databases.database(tmp_path))
    registry.add(plant.database, GATEWAY, CODES[0], "plant-1")
    yield plant
    plant.database.close()


def say(database: Database, session: str, *, packed: bool = False, **body: Any) -> list[str]:
    whole = {"v": 1, "session": session, "interval_s": 60, "trusted": True} | body
    payload = json.dumps(whole).encode()
    return lives.hear(database, [(GATEWAY, gzip.compress(payload) if packed else payload)], NOW)


def states(database: Database) -> dict[str, str]:
    """The state of each machine now; what is unknown is left out."""
    with database.read() as connection:
        found = observed.subjects(connection, NOW + timedelta(seconds=1), CODES[0])
    return {view.asset_no: str(view.state) for view in found if view.state is not State.UNKNOWN}


def connections(database: Database) -> dict[str, Any]:
    with database.read() as connection:
        (view,) = known_gateways(connection, NOW)
    return {name: item["state"] for name, item in view.connections.items()}


def item(state: str) -> dict[str, Any]:
    return {"state": state, "since": "2026-11-28T01:00:00.000Z", "error": None}


def test_what_is_told_bit_by_bit_stands_together_and_a_new_session_begins_with_nothing(plant: Plant) -> None:
    plant.send(GATEWAY, [inventory("SB-1", "SB-2", "SB-3")])
    database = plant.database
    say(database, "S1", subjects={"SB-1": item("IDLE")}, connections={"bus": item("up")})
    say(
        database,
        "S1",
        subjects={"SB-2": item("PRODUCING")},
        connections={"cnc": item("opening")},
        packed=True,
    )
    say(database, "S1", subjects={"SB-1": item("HELD")})
    assert states(database) == {"SB-1": "HELD", "SB-2": "PRODUCING"}, "SB-3 was not heard of: unknown"
    assert connections(database) == {"bus": "up", "cnc": "opening"}
    say(database, "S2", subjects={"SB-2": item("FAULT")})
    assert states(database) == {"SB-2": "FAULT"}
    assert connections(database) == {}
    say(database, "S1", subjects={"SB-3": item("IDLE")})
    say(database, "S2", subjects={})
    assert states(database) == {"SB-2": "FAULT"}, "a late word of the session before takes nothing away"
    say(database, "S3", subjects={"SB-3": item("OFF")})
    with database.read() as connection:
        assert set(connection.execute(select(live_item.c.session)).scalars()) == {"S2", "S3"}


def test_three_hundred_subjects_are_shown_with_as_many_questions_as_three(plant: Plant) -> None:
    def asked() -> int:
        number = 0

        def count(*_: object) -> None:
            nonlocal number
            number += 1

        with plant.database.read() as connection:
            listen(connection.engine, "before_cursor_execute", count)
            observed.subjects(connection, NOW)
            remove(connection.engine, "before_cursor_execute", count)
        return number

    plant.send(GATEWAY, [inventory(*NUMBERS[:3])])
    few = asked()
    plant.send(GATEWAY, [replace(inventory(*NUMBERS), at=NOW + timedelta(seconds=1))])
    assert asked() == few <= 5


def test_nothing_is_shown_of_a_gateway_that_does_not_know_the_time(plant: Plant) -> None:
    plant.send(GATEWAY, [inventory("SB-1")])
    say(plant.database, "S1", subjects={"SB-1": item("IDLE")})
    assert states(plant.database) == {"SB-1": "IDLE"}
    say(plant.database, "S1", trusted=False)
    assert states(plant.database) == {}
    say(plant.database, "S1")
    assert states(plant.database) == {"SB-1": "IDLE"}


def test_one_that_was_lost_heals_within_ten(plant: Plant) -> None:
    plant.send(GATEWAY, [inventory(*NUMBERS)])
    seen = {number: item("IDLE") for number in NUMBERS}
    picture = Picture(lambda: {"connections": {}, "subjects": seen})
    head = {"v": 1, "session": "S1", "interval_s": 60, "trusted": True}

    def told(*, lost: bool = False) -> None:
        payload = picture.next(head)
        if not lost:
            assert lives.hear(plant.database, [(GATEWAY, payload)], NOW) == [GATEWAY]
        picture.answered()

    picture.begin()
    told()
    while picture.rest:
        told()
    assert len(states(plant.database)) == 300
    seen |= {number: item("PRODUCING") for number in NUMBERS[::50]}
    told(lost=True)
    assert set(states(plant.database).values()) == {"IDLE"}
    for _ in range(10):
        told()
    assert [n for n, state in states(plant.database).items() if state == "PRODUCING"] == NUMBERS[::50]


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"{" + b" " * MAX_PACKED, f"a `live` of more than {MAX_PACKED} bytes"),
        (b"\x1f\x8b and so on", "not gzip, or damaged"),
        (
            b'{"v":1,"session":"S1","subjects":[]}',
            "a `live` of 36 bytes: subjects: Input should be an object",
        ),
        (gzip.compress(b'{"v":2,"session":"S1"}', mtime=0), "v: Input should be less than or equal to 1"),
    ],
)
def test_what_is_no_live_is_told_with_its_size_and_reason(plant: Plant, payload: bytes, why: str) -> None:
    refused: list[Refused] = []
    assert lives.hear(plant.database, [(GATEWAY, payload)], NOW, refused.append) == []
    assert why in str(refused[0].error)


def test_names_that_no_database_holds_are_left_out(plant: Plant) -> None:
    names = {"a\x00b": item("IDLE"), "x" * 300: item("IDLE"), "bus": item("up"), "n": 7}
    assert say(plant.database, "S1", connections=names) == [GATEWAY]
    assert connections(plant.database) == {"bus": "up"}
