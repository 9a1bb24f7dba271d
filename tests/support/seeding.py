"""A collector's database filled through the real ingest: machines in every state, a hole, an open step."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ganpo_cloud.days import days
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet import lives
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.store.database import Database
from ganpo_model.clock import iso
from ganpo_model.facts import (
    CalendarItem,
    EquipmentItem,
    Event,
    EventKind,
    Fact,
    Inventory,
    MeterItem,
    Reading,
    RegisterItem,
    SiteItem,
    States,
)
from ganpo_model.frame import pack
from ganpo_model.states import State
from support import databases

ENTERPRISE = "91360000625912173B"
ONLINE, SILENT, STRANGER = "gw-press-0001", "gw-water-0002", "gw-new-0003"
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
MIDNIGHT = datetime(2026, 11, 24, 16, tzinfo=UTC)
"""In Shanghai the day begins."""
AGE = timedelta(hours=14, minutes=42)
"""How old the day is when somebody looks."""
NOW = MIDNIGHT + AGE
MAIN, EXCHANGED = "DB-0101/energy_import#1f3a9c02", "SB-W-01/water_volume#77aa01bc"
MINUTE = timedelta(minutes=1)
SILENCE = timedelta(hours=3)
"""For so long nobody heard of the silent gateway."""


class TestClock:
    """Stands still until it is set."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def utc(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def trusted(self) -> bool:
        return True


@dataclass
class Plant:
    """Feeds one database, a frame per call, from the gateways it names."""

    database: Database
    midnight: datetime = MIDNIGHT
    seqs: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = self.midnight + AGE

    def send(self, gateway: str, facts: Sequence[Fact]) -> None:
        """One frame."""
        self.seqs[gateway] = self.seqs.get(gateway, 0) + 1
        now = self.now - SILENCE if gateway == SILENT else self.now
        assert ingest(self.database, [(gateway, pack(STREAM, self.seqs[gateway], facts))], now)

    def readings(self, gateway: str, register: str, values: Iterable[tuple[datetime, int]]) -> None:
        """Readings of one register, as many frames as they need."""
        facts = [Reading("reading", register, at, raw) for at, raw in values]
        for first in range(0, len(facts), 200):
            self.send(gateway, facts[first : first + 200])

    def say(self, gateway: str, at: datetime, **body: Any) -> None:
        """What a gateway says of itself."""
        whole = {"v": 1, "session": STREAM, "interval_s": 60, "stream": STREAM} | body
        assert lives.hear(self.database, [(gateway, json.dumps(whole).encode())], at)

    def settle(self) -> None:
        """Until no day is dirty."""
        while days.recompute(self.database, self.now):
            pass


def machine(asset_no: str, name: str, profile: str | None = "machine_tool_opcua_40501") -> EquipmentItem:
    """A machine of the ledger."""
    return EquipmentItem(asset_no, name, profile, tuple(State), (), ("main",), "in_use", None, None)


def inventory(
    at: datetime,
    equipment: Sequence[EquipmentItem],
    meters: Sequence[MeterItem],
    registers: Sequence[RegisterItem],
) -> Inventory:
    """What a gateway observes."""
    site = SiteItem("plant-1", "一车间", "Asia/Shanghai", 900_000)
    return Inventory(
        "inventory",
        at,
        site,
        CalendarItem((), ()),
        tuple(equipment),
        tuple(meters),
        tuple(registers),
    )


def empty(folder: Path) -> Database:
    """A collector that nobody speaks to yet."""
    return databases.database(folder)


NOW_STATES = {
    "CJ-01": State.PRODUCING,
    "CJ-03": State.SETUP,
    "CJ-04": State.FAULT,
    "LB-02": State.IDLE,
    "TH-01": State.MAINTENANCE,
    "KY-01": State.OFF,
    "ZJ-02": State.HELD,
}
NAMES = {
    "CJ-01": "数控车床1号",
    "CJ-03": "立式加工中心",
    "CJ-04": "立式加工中心<b>",
    "LB-02": "拉拔机2号",
    "TH-01": "光亮退火炉",
    "KY-01": "螺杆空压机",
    "ZJ-02": "冷轧机2号",
}


def plant(folder: Path, midnight: datetime = MIDNIGHT) -> Plant:
    """A whole plant at 14:42 of its day: one gateway online, one silent for three hours, one not registered."""
    fill = _filling(midnight)
    database = databases.filled(folder, fill)
    return Plant(database, midnight, dict(_SENT[fill]))


_SENT: dict[Callable[[Database], None], dict[str, int]] = {}
"""How many frames of each gateway are in what one fills."""


@cache
def _filling(midnight: datetime) -> Callable[[Database], None]:
    """The same for the same day: `databases.filled` knows it again."""

    def fill(database: Database) -> None:
        seeded = Plant(database, midnight)
        _fill(seeded)
        _SENT[fill] = seeded.seqs

    return fill


def _fill(seeded: Plant) -> None:
    for gateway in (ONLINE, SILENT):
        registry.add(seeded.database, gateway, ENTERPRISE, "plant-1")
    _describe(seeded)
    _run(seeded)
    _measure(seeded)
    seeded.send(STRANGER, [Reading("reading", MAIN, seeded.now - MINUTE, 1)])
    seeded.send(
        ONLINE,
        [Event("event", seeded.now - MINUTE, EventKind.SUSPECT, None, {"register": MAIN, "pairs": 61})],
    )
    sent = seeded.seqs[ONLINE] + 1
    lost = {"stream": STREAM, "seqs": [[sent + 1, sent + 2]]}
    seeded.send(ONLINE, [Event("event", seeded.now, EventKind.LOSS, None, lost)])
    since = {asset_no: iso(seeded.now - (n + 1) * 7 * MINUTE) for n, asset_no in enumerate(NOW_STATES)}
    seeded.say(
        ONLINE,
        seeded.now - timedelta(seconds=8),
        issued=sent + 5,
        waiting=1,
        connections={
            "cnc-cell": {"state": "up", "since": iso(seeded.now), "error": None},
            "plc-lb01": {
                "state": "waiting",
                "since": iso(seeded.now),
                "error": "10.12.4.31:502: no answer in 3 s; is the unit id right?",
            },
        },
        subjects={n: {"state": NOW_STATES[n], "since": since[n]} for n in NOW_STATES},
    )
    seeded.say(SILENT, seeded.now - SILENCE, subjects={"LB-01": {"state": "PRODUCING", "since": None}})
    seeded.settle()


def _describe(seeded: Plant) -> None:
    electricity = MeterItem("DB-0101", "总电表", "electricity", "boundary_in", None, None)
    water = MeterItem("SB-W-01", "新水总表(脉冲)", "water_fresh", "boundary_in", None, None)
    gas = MeterItem("QB-01", "天然气总表", "natural_gas", "boundary_in", None, None)
    kwh = RegisterItem(
        MAIN, "DB-0101", "energy_import", "electricity", "kWh", 1, 100, None, 60_000, resets=False
    )
    m3 = RegisterItem(
        EXCHANGED, "SB-W-01", "water_volume", "water_fresh", "m3", 1, 100, None, 4_000, resets=False
    )
    machines = [machine(number, name) for number, name in NAMES.items()]
    machines.append(machine("JC-01", "金属带锯床", None))
    seeded.send(ONLINE, [inventory(seeded.midnight, machines, [electricity, gas], [kwh])])
    seeded.send(SILENT, [inventory(seeded.midnight, [machine("LB-01", "拉拔机1号")], [water], [m3])])


def _run(seeded: Plant) -> None:
    """States until the last full slot, an hour of nobody looking among them."""
    order = list(State)[:7]
    for number, asset_no in enumerate([*NOW_STATES, "LB-01"]):
        gateway = SILENT if asset_no == "LB-01" else ONLINE
        slots = []
        for slot in range(58 if gateway == ONLINE else 46):
            start = seeded.midnight + slot * 15 * MINUTE
            if 20 <= slot < 24:
                continue
            pick = order[(slot // 3 + number) % 7] if slot % 3 == 0 else State.PRODUCING
            runs: tuple[tuple[int, State], ...] = ((0, pick), (400_000, State.PRODUCING))
            if slot == 30:
                runs = ((0, State.PRODUCING), (300_000, State.FAULT), (302_000, State.PRODUCING))
            slots.append(States("states", asset_no, start, start + 15 * MINUTE, runs))
        for first in range(0, len(slots), 20):
            seeded.send(gateway, slots[first : first + 20])


def _measure(seeded: Plant) -> None:
    """150 kWh an hour with a hole from 05:00 to 06:40; water whose register fell from 48,216 to 102 at 10:20."""
    minutes = [m for m in range(0, 882, 5) if not 300 < m < 400]
    seeded.readings(ONLINE, MAIN, ((seeded.midnight + m * MINUTE, 4_820_300 + m * 250) for m in minutes))
    fell = [(seeded.midnight + m * MINUTE, (48_216 if m < 620 else 102) + m // 2) for m in range(0, 680, 10)]
    seeded.readings(SILENT, EXCHANGED, fell)
