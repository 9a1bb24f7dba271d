"""Why is it not counted? Broken installations, each told with what closes it, in both languages."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ganpo_cloud.days import ended
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet import lives
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.province.why import why
from ganpo_cloud.web import i18n
from ganpo_model.facts import (
    CalendarItem,
    Event,
    EventKind,
    ExceptionItem,
    MeterItem,
    Reading,
    RegisterItem,
    States,
)
from ganpo_model.states import State
from ganpo_service import words
from support import databases
from support.province import CODES, NOW, Plant, enterprise, inventory, link_up

pytestmark = pytest.mark.usefixtures("each_database")
CODE, OTHER = CODES[:2]
GATEWAY = "gw-test-0001"
HEARD = '{{"v":1,"session":"S1","interval_s":60,"trusted":{},"connections":{{}},"subjects":{{}}}}'


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.database(tmp_path))
    yield plant
    plant.database.close()


def installed(plant: Plant) -> None:
    """Everything as it should be: registered, heard, checked, proven."""
    plant.take("enterprises", enterprise(CODE))
    registry.add(plant.database, GATEWAY, CODE, "plant-1")
    lives.hear(plant.database, [(GATEWAY, HEARD.format("true").encode())], NOW)
    plant.send(GATEWAY, [inventory("SB-1", flags=("main", "numerical_control"))])
    plant.send(GATEWAY, [link_up("SB-1", NOW, "numerical_control")])


def nothing(_plant: Plant) -> None:
    """Nobody did anything."""


def no_gateway(plant: Plant) -> None:
    plant.take("enterprises", enterprise(CODE))


def never_heard(plant: Plant) -> None:
    no_gateway(plant)
    registry.add(plant.database, GATEWAY, CODE, "plant-1")


def offline(plant: Plant) -> None:
    installed(plant)
    lives.hear(plant.database, [(GATEWAY, b'{"v":1,"session":"S1","offline":true}')], NOW)


def clock(plant: Plant) -> None:
    never_heard(plant)
    lives.hear(plant.database, [(GATEWAY, HEARD.format("false").encode())], NOW)


def quarantined(plant: Plant) -> None:
    installed(plant)
    ingest(plant.database, [(GATEWAY, b"no gzip at all")], NOW)


def clock_off(plant: Plant) -> None:
    installed(plant)
    said = HEARD.format("true").replace("{", '{"clock_off_ms":-10800000,', 1)
    lives.hear(plant.database, [(GATEWAY, said.encode())], NOW)


def time_wrong(plant: Plant) -> None:
    """Two frames for one reason, one for another."""
    quarantined(plant)
    for minutes in (6, 180):
        plant.send(GATEWAY, [link_up("SB-1", NOW + timedelta(minutes=minutes))])


def elsewhere(plant: Plant) -> None:
    plant.take("enterprises", enterprise(CODE), enterprise(OTHER))
    registry.add(plant.database, GATEWAY, OTHER, "plant-1")
    plant.send(GATEWAY, [inventory("SB-1")])


def retired(plant: Plant) -> None:
    installed(plant)
    plant.take("sites", f"{CODE},plant-1,P,360681,Asia/Shanghai")
    plant.take("equipment", f"{CODE},plant-1,SB-1,X,retired,2026-11-01")


def flags_missing(plant: Plant) -> None:
    never_heard(plant)
    plant.send(GATEWAY, [inventory("SB-1")])


def only_claimed(plant: Plant) -> None:
    never_heard(plant)
    plant.send(GATEWAY, [inventory("SB-1", flags=("main", "numerical_control"))])


def unreachable(plant: Plant) -> None:
    installed(plant)
    down = Event("event", NOW + timedelta(minutes=1), EventKind.LINK_DOWN, "SB-1", {"reason": "no answer"})
    plant.send(GATEWAY, [down])


def ledger_only(plant: Plant) -> None:
    installed(plant)
    plant.take("sites", f"{CODE},plant-1,P,360681,Asia/Shanghai")
    plant.take("equipment", f"{CODE},plant-1,SB-2,Old lathe,in_use,2009-06-01")


def point_faulty(plant: Plant) -> None:
    installed(plant)
    runs = ((0, State.PRODUCING), (600_000, State.UNKNOWN))
    quarter = timedelta(minutes=15)
    plant.send(GATEWAY, [States("states", "SB-1", NOW - quarter, NOW, runs)])


METER = MeterItem("DB-1", "Meter", "electricity", "boundary_in", None, None)
COUNTED = "DB-1/energy_import#0123abcd"


def metered(plant: Plant, *ages_min: int) -> None:
    """A meter, read so many minutes ago."""
    installed(plant)
    register = RegisterItem(
        COUNTED, "DB-1", "energy_import", "electricity", "kWh", 1, 100, None, 80_000, resets=False
    )
    told = inventory("SB-1", flags=("main", "numerical_control"), at=NOW - timedelta(hours=2))
    plant.send(GATEWAY, [replace(told, meters=(METER,), registers=(register,), at=NOW)])
    up = link_up("DB-1", NOW - timedelta(hours=1))
    plant.send(GATEWAY, [up])
    for n, age in enumerate(sorted(ages_min, reverse=True)):
        plant.send(GATEWAY, [Reading("reading", COUNTED, NOW - timedelta(minutes=age), 1000 + n)])
    plant.settle()


def meter_read(plant: Plant) -> None:
    metered(plant, 40, 25, 10)


def meter_stale(plant: Plant) -> None:
    metered(plant, 55, 40)


def meter_never_read(plant: Plant) -> None:
    installed(plant)
    plant.send(GATEWAY, [replace(inventory("SB-1"), meters=(METER,), at=NOW + timedelta(seconds=1))])


def meter_withdrawn(plant: Plant) -> None:
    metered(plant, 25, 10)
    plant.send(GATEWAY, [inventory("SB-1", at=NOW + timedelta(seconds=1))])


def on_holiday(plant: Plant) -> None:
    """Switched off for the holiday, gateway and all."""
    off = ExceptionItem(NOW.date(), NOW.date(), "off", "春节")
    plant.take("enterprises", enterprise(CODE))
    registry.add(plant.database, GATEWAY, CODE, "plant-1")
    before = NOW - timedelta(days=2)
    lives.hear(plant.database, [(GATEWAY, HEARD.format("true").encode())], NOW)
    told = replace(
        inventory("SB-1", flags=("main", "numerical_control"), at=before), calendar=CalendarItem((), (off,))
    )
    plant.send(GATEWAY, [told])
    plant.send(GATEWAY, [link_up("SB-1", before, "numerical_control")])


def long_gone(plant: Plant) -> None:
    """Seen for a day, and then nothing for more than 90."""
    plant.take("enterprises", enterprise(CODE))
    registry.add(plant.database, GATEWAY, CODE, "plant-1")
    lives.hear(plant.database, [(GATEWAY, HEARD.format("true").encode())], NOW)
    begin = NOW - timedelta(days=100)
    plant.send(GATEWAY, [inventory("SB-1", flags=("main", "numerical_control"), at=begin)], begin)
    plant.send(GATEWAY, [link_up("SB-1", begin, "numerical_control")], begin)
    runs = ((0, State.PRODUCING),)
    plant.send(GATEWAY, [States("states", "SB-1", begin - timedelta(hours=9), begin, runs)], begin)
    ended.mark_ended(plant.database, NOW)
    plant.settle()


@pytest.mark.parametrize(
    ("broken", "asset_no", "codes"),
    [
        (installed, "SB-1", []),
        (nothing, "SB-1", ["enterprise", "gateway", "unknown"]),
        (no_gateway, "SB-1", ["gateway", "unknown"]),
        (never_heard, "SB-1", ["never", "unknown"]),
        (offline, "SB-1", ["offline"]),
        (clock, "SB-1", ["clock", "unknown"]),
        (quarantined, "SB-1", ["quarantine"]),
        (clock_off, "SB-1", ["clock_off"]),
        (time_wrong, "SB-1", ["quarantine", "quarantine"]),
        (elsewhere, "SB-1", ["gateway", "elsewhere"]),
        (retired, "SB-1", ["status"]),
        (flags_missing, "SB-1", ["offline", "main", "nc", "silent"]),
        (only_claimed, "SB-1", ["offline", "claimed", "silent"]),
        (point_faulty, "SB-1", ["point"]),
        (on_holiday, "SB-1", ["holiday"]),
        (long_gone, "SB-1", ["gone"]),
        (meter_read, "DB-1", []),
        (meter_stale, "DB-1", ["reading"]),
        (meter_never_read, "DB-1", ["silent"]),
        (meter_withdrawn, "DB-1", ["withdrawn"]),
        (unreachable, "SB-1", ["device"]),
        (ledger_only, "SB-2", ["main", "nc", "ledger"]),
        (unreachable, None, []),
    ],
)
def test_every_broken_installation_says_what_is_missing(
    plant: Plant, broken: Callable[[Plant], None], asset_no: str | None, codes: list[str]
) -> None:
    broken(plant)
    with plant.database.read() as connection:
        found = why(connection, CODE, asset_no, NOW)
    assert [reason.code for reason in found] == codes
    for reason in found:
        for lang in words.LANGUAGES:
            told = reason.told(i18n.translator(lang))
            print(f"{broken.__name__}: {told}; {reason.command}")
            assert told
        assert reason.command


def test_what_the_ledger_says_of_a_device_that_does_not_count_is_said_in_the_language_of_the_reader(
    plant: Plant,
) -> None:
    retired(plant)
    with plant.database.read() as connection:
        (found,) = why(connection, CODE, "SB-1", NOW)
    assert found.told(i18n.translator("en")) == "it does not count: retired"
    assert found.told(i18n.translator("zh")) == "不计入：退役"


def test_frames_that_are_refused_for_their_time_stand_beside_those_for_other_reasons(plant: Plant) -> None:
    time_wrong(plant)
    with plant.database.read() as connection:
        found = [reason.details for reason in why(connection, CODE, None, NOW)]
    assert [(details["n"], details["reason"].partition(":")[0]) for details in found] == [
        ("2", "time"),
        ("1", "schema"),
    ]
