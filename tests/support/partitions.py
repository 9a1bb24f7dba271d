"""A set of frames of several gateways, and a collector that gets it in any partition into transactions, in any order.

What a world holds: gateways of one or two enterprises in any time zones, that share machines and meters or do not;
inventories that differ, correct, rename and withdraw; readings, states and links, some of things that nobody names;
frames that come twice; such that nobody may apply; registrations that come late; declarations and withdrawals.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, select

from ganpo_cloud import computing
from ganpo_cloud.days import days, declarations, ended
from ganpo_cloud.days.declarations import Exchange
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest, retry
from ganpo_cloud.province import totals
from ganpo_cloud.store.columns import metadata
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.tables import declaration, frame
from ganpo_cloud.store.tables import named as numbered
from ganpo_model.errors import ConfigError
from ganpo_model.facts import (
    CalendarItem,
    EquipmentItem,
    Event,
    EventKind,
    ExceptionItem,
    Fact,
    Inventory,
    MeterItem,
    Reading,
    RegisterItem,
    ShiftItem,
    SiteItem,
    States,
)
from ganpo_model.frame import pack
from ganpo_model.states import State
from support.province import CODES, PROVINCE, Plant, enterprise

START = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
DAYS = 4
NOW = START + timedelta(days=DAYS, hours=3)
MINUTE = timedelta(minutes=1)
ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Auckland",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
)
STREAMS = "01HF7YAT00V3RS3DTR98H6BCF"


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway and whose it is."""

    id: str
    enterprise: str
    site: str


@dataclass
class World:
    """Everything that has to come to the same tables: frames as (gateway, bytes), and what people do beside them."""

    gateways: list[Gateway]
    frames: list[tuple[str, bytes]]
    said: list[tuple[str, Exchange, bool]]
    """(enterprise, what is declared, whether it is withdrawn later)"""
    given: list[tuple[str, str, str, date]]
    """(gateway, enterprise, site, since when)"""


@dataclass
class _Site:
    """A gateway in the making."""

    gateway: Gateway
    zone: str
    seq: int = 0
    frames: list[tuple[str, bytes]] = field(default_factory=list)

    def send(self, rng: random.Random, facts: list[Fact]) -> None:
        while facts:
            some = facts[: rng.choice([1, 2, 5, 40])]
            facts = facts[len(some) :]
            self.seq += 1
            stream = STREAMS + rng.choice("NP")
            self.frames.append((self.gateway.id, pack(stream, self.seq, some)))


def world(seed: int) -> World:
    """Invent a world."""
    rng = random.Random(seed)
    codes = list(CODES[: rng.choice([1, 1, 2])])
    gateways = [
        Gateway(f"gw-part-{n:04d}", rng.choice(codes), f"plant-{rng.choice([1, 1, 2])}")
        for n in range(rng.choice([1, 2, 2, 3]))
    ]
    one_zone = rng.choice(ZONES)
    sites = [_Site(gateway, one_zone if rng.random() < 0.6 else rng.choice(ZONES)) for gateway in gateways]
    registers = {
        f"{asset_no}/{signal}#{number:08x}": (asset_no, signal)
        for asset_no, signal, count in (
            ("DB-1", "energy_import", 2),
            ("DB-2", "energy_import", 1),
            ("SB-1", "parts_total", 1),
            ("SB-2", "parts_total", 2),
            ("SB-2", "energy_import", 1),
        )
        for number in range(count)
    }
    for site in sites:
        mine = sorted(rng.sample(sorted(registers), rng.randint(1, len(registers))))
        _describe(rng, site, {number: registers[number] for number in mine})
        for number in mine:
            site.send(rng, list(_read(rng, number)))
        for machine in sorted({registers[number][0] for number in mine} & {"SB-1", "SB-2"}):
            site.send(rng, list(_run(rng, machine)))
            site.send(rng, list(_link(rng, machine)))
        if rng.random() < 0.5:
            site.send(rng, [Reading("reading", mine[0], START - timedelta(days=500), 1)])
    frames = [sent for site in sites for sent in site.frames]
    given = [
        (one.id, rng.choice(CODES[:2]), "plant-1", (START + timedelta(days=rng.randint(0, 3))).date())
        for one in gateways
        for _ in range(rng.choice([0, 0, 0, 1, 2]))
    ]
    return World(gateways, frames, list(_said(rng, sites, sorted(registers))), given)


def _describe(rng: random.Random, site: _Site, registers: dict[str, tuple[str, str]]) -> None:
    """Some inventories, one of which may be older than everything, or come after everything."""
    zone = site.zone
    in_parts: set[datetime] = set()
    times = sorted(rng.sample(range(-60, DAYS * 24 * 60, rng.choice([1, 1, 360])), rng.randint(1, 4)))
    for at in times + (
        times[-1:] if rng.random() < 0.1 else []
    ):  # a copied box tells another at the same instant
        if rng.random() < 0.15:
            zone = rng.choice(ZONES)
        named = {number: about for number, about in registers.items() if rng.random() < 0.85}
        subjects = sorted({asset_no for asset_no, _ in named.values()})
        machines = [
            EquipmentItem(
                asset_no,
                f"{asset_no} {rng.choice('ab')}",
                rng.choice(["machine", None]),
                tuple(State),
                ("numerical_control",),
                rng.choice([(), ("main",), ("main", "numerical_control")]),
                "in_use",
                None,
                None,
            )
            for asset_no in subjects
            if asset_no.startswith("SB")
        ]
        meters = [
            MeterItem(asset_no, asset_no, "electricity", rng.choice(["boundary_in", "sub"]), None, None)
            for asset_no in subjects
            if asset_no.startswith("DB")
        ]
        items = [_register(rng, number, *about) for number, about in named.items()]
        shifts = rng.choice(
            [
                (),
                (ShiftItem("day", "mon-sun", "08:00", "16:00", ("12:00-12:30",)),),
                (ShiftItem("night", "mon-sat", "22:00", "06:00", ()),),
            ]
        )
        off = (ExceptionItem(date(2026, 11, 22), date(2026, 11, 22), "off", "stocktaking"),)
        calendar = CalendarItem(shifts, off if rng.random() < 0.2 else ())
        about_site = SiteItem(site.gateway.site, "Plant", zone, 900_000)
        instant = START + at * MINUTE
        told = Inventory(
            "inventory", instant, about_site, calendar, tuple(machines), tuple(meters), tuple(items)
        )
        # Of two that travel in as many parts at one instant nobody could say whose a part is; no agent sends them.
        divided = rng.random() < 0.3 and instant not in in_parts
        if divided:
            in_parts.add(instant)
        site.send(rng, list(told.parts(2)) if divided else [told])


def _register(rng: random.Random, number: str, asset_no: str, signal: str) -> RegisterItem:
    energy = signal == "energy_import"
    resets = not energy and rng.random() < 0.3
    return RegisterItem(
        number,
        asset_no,
        signal,
        "electricity" if energy and asset_no.startswith("DB") else None,
        "kWh" if energy else "1",
        *((1, 10) if energy else (1, 1)),
        rng.choice([None, None, 65_536]) if not resets else None,
        rng.choice([600, 3600, 3600, 3600]),
        resets,
    )


def _read(rng: random.Random, number: str) -> Iterator[Fact]:
    """A register's life, with holes, falls, spikes and repetitions."""
    at = START + rng.randint(-30, 24 * 60) * MINUTE
    raw = rng.randint(0, 5000)
    while at < NOW - 10 * MINUTE:
        yield Reading("reading", number, at, raw)
        what = rng.random()
        if what < 0.03:
            yield Reading("reading", number, at + timedelta(seconds=5), rng.choice([0, raw + 50_000]))
        elif what < 0.06:
            raw = max(raw - rng.choice([1, 2, 700, 10**6]), 0)
        step = rng.choice([15, 15, 15, 15, 30, 60, 240, 1500])
        at += step * MINUTE
        raw += rng.randint(0, 10 * step)


def _run(rng: random.Random, machine: str) -> Iterator[Fact]:
    """States in slots of a quarter of an hour or longer, with gaps."""
    at = START + rng.randint(-2, 90) * 15 * MINUTE
    while at < NOW - 13 * 60 * MINUTE:
        long = rng.choice([15, 15, 15, 60, 720])
        runs = [(0, rng.choice(list(State)))]
        if rng.random() < 0.7:
            runs.append((rng.randint(1, long * 60_000 - 1), rng.choice(list(State))))
        yield States("states", machine, at, at + long * MINUTE, tuple(runs))
        at += rng.choice([long, long, long, long // 3 * 2, 7 * 60, 30 * 60]) * MINUTE


def _link(rng: random.Random, machine: str) -> Iterator[Fact]:
    for _ in range(rng.randint(0, 3)):
        at = START + rng.randint(0, DAYS * 24 * 60) * MINUTE
        proves = rng.choice([[], ["numerical_control"], ["numerical_control", "digital"]])
        data = {"point": f"{machine}/channel_state", "value": rng.randint(0, 3), "driver": "opcua"}
        yield Event("event", at, EventKind.LINK_UP, machine, data | {"proves": proves})


def _said(
    rng: random.Random, sites: Iterable[_Site], registers: list[str]
) -> Iterator[tuple[str, Exchange, bool]]:
    codes = sorted({site.gateway.enterprise for site in sites})
    taken: set[tuple[str, datetime]] = set()
    for _ in range(rng.randint(0, 3)):
        number = rng.choice(registers)
        at = START + rng.randint(60, DAYS * 24 * 60 - 60) * MINUTE
        final, first = rng.randint(0, 9000), rng.randint(0, 50)
        follows = [other for other in registers if other != number and other[:-1] == number[:-1]]
        new = rng.choice([None, *follows])
        if {(number, at), (new or number, at)} & taken:
            continue
        taken |= {(number, at), (new or number, at)}
        said = Exchange(number, at, final, first, new, rng.random() < 0.5, "exchanged", "a person")
        yield rng.choice(codes), said, rng.random() < 0.3


class Run:
    """A collector that gets a world."""

    def __init__(self, database: Database, of: World) -> None:
        self.database = database
        self._waiting = list(of.said)
        self._said: list[tuple[int, bool]] = []
        self.to_give = list(of.given)
        self._gateways = len(of.gateways)
        self._registered: set[str] = set()
        plant = Plant(database)
        plant.take("enterprises", *(enterprise(code) for code in CODES[:2]), now=NOW)
        sites = [f"{code},plant-{n},P,360681,Asia/Shanghai" for code in CODES[:2] for n in (1, 2)]
        plant.take("sites", *sites, now=NOW)

    def take(self, batch: list[tuple[str, bytes]]) -> None:
        ingest(self.database, batch, NOW)

    def register(self, gateway: Gateway) -> None:
        registry.add(self.database, gateway.id, gateway.enterprise, gateway.site)
        self._registered.add(gateway.id)
        retry(self.database, NOW, gateway.id)

    def give_all(self) -> None:
        """Gateways are given away, each from a day on, once all are registered."""
        if len(self._registered) < self._gateways:
            return
        for gateway, enterprise_, site, since in self.to_give:
            registry.add(self.database, gateway, enterprise_, site, since, NOW)
            retry(self.database, NOW, gateway)
        self.to_give = []

    def declare(self) -> None:
        """What people may say by now: of registers that are described, once it is settled whose they are."""
        if self.to_give:
            return
        waiting = []
        for code, said, back in self._waiting:
            try:
                number = declarations.declare(self.database, code, said, NOW)
            except ConfigError:
                waiting.append((code, said, back))
            else:
                self._said.append((number, back))
        self._waiting = waiting

    def withdraw(self) -> None:
        for number, back in self._said:
            if back:
                declarations.withdraw(self.database, number, "a mistake", "a person", NOW)
        self._said = [(number, False) for number, _ in self._said]

    def compute(self) -> None:
        days.recompute(self.database, NOW, PROVINCE.holidays)

    def settle(self) -> None:
        """What the computing loop comes to."""
        computing.settle(self.database, PROVINCE, NOW)
        ended.mark_ended(self.database, NOW)
        totals.turn_day(self.database, NOW)
        computing.settle(self.database, PROVINCE, NOW)


def delivered(database: Database, of: World, rng: random.Random | None) -> dict[str, list[Any]]:
    """The tables after a world came in some way: by itself one frame at a time in order, with `rng` in any."""
    run = Run(database, of)
    steps: list[Callable[[], object]] = []
    frames = list(of.frames)
    late: list[Gateway] = []
    if rng is None:
        for gateway in of.gateways:
            run.register(gateway)
        run.give_all()
        steps += [lambda one=one: run.take([one]) for one in frames]  # type: ignore[misc]
    else:
        frames += rng.sample(frames, len(frames) // 10)
        if rng.random() < 0.8:
            rng.shuffle(frames)
        for gateway in of.gateways:
            (late.append if rng.random() < 0.3 else run.register)(gateway)
        most = rng.choice([1, 3, 20, 10**6])
        while frames:
            size = rng.randint(1, most)
            steps.append(lambda some=frames[:size]: run.take(some))  # type: ignore[misc]
            frames = frames[size:]
        others: list[Callable[[], object]] = [run.compute, run.settle, run.declare, run.withdraw]
        for _ in range(rng.choice([0, 1, 4, 12])):
            steps.insert(rng.randint(0, len(steps)), rng.choice(others))
        for gateway in late:
            steps.insert(rng.randint(0, len(steps)), lambda one=gateway: run.register(one))  # type: ignore[misc]
        for _ in range(3):
            steps.insert(rng.randint(0, len(steps)), run.give_all)
    for step in steps:
        step()
    run.give_all()
    run.declare()
    run.withdraw()
    run.settle()
    return tables(database)


_LEFT_OUT = {
    "frame": {"id", "committed_at"},
    "reading": {"frame"},
    "proof": {"frame"},
    "onboarding": {"networked_frame", "cloud_frame"},
    "declaration": {"id"},
    "day": {"computed_at"},
    "register_day": {"computed_at", "touches"},
    "quarantine": {"id"},
}
"""Numbers of the database's own, and when it was worked out. Of two frames with one reading either may be named."""


def tables(database: Database) -> dict[str, list[Any]]:
    """Every table with its rows in order, as they would be told: frames by gateway, stream and number."""
    with database.read() as connection:
        names = {
            row.id: f"{row.gateway} {row.stream} {row.seq}" for row in connection.execute(select(frame)).all()
        }
        numbers = {
            row.id: f"{row.enterprise} {row.name}" for row in connection.execute(select(numbered)).all()
        }
        said = {
            row.id: f"{row.enterprise} {row.register} {row.at}"
            for row in connection.execute(select(declaration)).all()
        }

        def told(table: Table) -> list[Any]:
            left_out = _LEFT_OUT.get(table.name, set())
            rows = []
            for row in connection.execute(select(table)).mappings():
                found = {key: value for key, value in row.items() if key not in left_out}
                if str(found.get("name")).endswith(" passes"):  # how often anything was worked out
                    continue
                if table.name == "states":
                    found["subject"] = numbers[found["subject"]]
                if "frame" in found:
                    found["frame"] = names[found["frame"]]
                if table.name == "withdrawal":
                    found["declaration"] = said[found["declaration"]]
                rows.append(found)
            return sorted(rows, key=repr)

        return {table.name: told(table) for table in metadata.sorted_tables if table is not numbered}


def difference(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> list[str]:
    """What two sets of tables do not have in common, for a person to read."""
    lines = []
    for name, rows in one.items():
        lines += [f"{name}: - {row}" for row in rows if row not in other[name]]
        lines += [f"{name}: + {row}" for row in other[name] if row not in rows]
    return lines
