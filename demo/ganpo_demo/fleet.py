"""A province by seed: 200 invented enterprises with 600 devices over all cities and industries, and their days.

The same seed and last day always come to the same facts; the days of one machine do not depend on another's.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ganpo_cloud.divisions import OTHER, Province
from ganpo_model import credit_code
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
    ShiftItem,
    SiteItem,
    States,
)
from ganpo_model.states import State

ENTERPRISES = 200
DEVICES = 600
MONTHS = 13
ZONE = ZoneInfo("Asia/Shanghai")
_DAY = timedelta(days=1)
_HOUR_MS = 3_600_000
_SHIFTS = {
    "one": (ShiftItem("day", "mon-sat", "08:00", "18:00", ("12:00-13:00",)),),
    "two": (
        ShiftItem("early", "mon-sat", "06:00", "14:00", ("10:00-10:30",)),
        ShiftItem("late", "mon-sat", "14:00", "22:00", ("18:00-18:30",)),
    ),
    "three": (
        ShiftItem("early", "mon-sun", "07:00", "15:00", ()),
        ShiftItem("late", "mon-sun", "15:00", "23:00", ()),
        ShiftItem("night", "mon-sun", "23:00", "07:00", ()),
    ),
}
_HOURS = {"one": (8, 18), "two": (6, 22), "three": (0, 24)}
_WORDS = {
    "NONFERROUS": ("铜材", "copper", "3251", 40_000),
    "PETROCHEM": ("化工", "chemicals", "2614", 60_000),
    "STEEL": ("钢构", "steel", "3130", 90_000),
    "BUILDMAT": ("建材", "building materials", "3011", 30_000),
    "TEXTILE": ("纺织", "textiles", "1711", 12_000),
    "FOOD": ("食品", "food", "1310", 8_000),
    "FURNITURE": ("家具", "furniture", "2110", 4_000),
    "SHIP": ("船舶", "ships", "3731", 20_000),
}
"""Name in Chinese and English, a class of GB/T 4754, kWh of a planned day."""
_MACHINES = ("立式加工中心", "数控车床", "拉拔机", "冷轧机", "冲床", "包装线", "锯床", "普通车床")


@dataclass(frozen=True, slots=True)
class Tool:
    """One machine. `nc`: 0 no, 1 claimed, 2 checked, 3 its controller shows it; `until`: it was seen no more."""

    asset_no: str
    name: str
    main: bool
    nc: int
    nc_since: date
    intelligent: bool
    connected: bool
    by_power: bool
    busy: float


@dataclass(frozen=True, slots=True)
class Gauge:
    """One meter and what it counts on a planned day, in counts of `1/den` unit."""

    asset_no: str
    carrier: str
    signal: str
    unit: str
    den: int
    daily: float

    @property
    def register(self) -> str:
        """The id of its register."""
        return f"{self.asset_no}/{self.signal}#0f1ee700"


@dataclass(slots=True, eq=False)
class Firm:
    """One enterprise. `since`: its gateway sends from this day on, None: it has none; `until`: to this one."""

    number: int
    code: str
    name: str
    county: str
    industry: str
    gbt4754: str
    above_scale: bool
    gateway: str
    pattern: str
    since: date | None
    until: date
    holes: float
    tools: list[Tool] = field(default_factory=list)
    gauges: list[Gauge] = field(default_factory=list)
    coal: bool = False

    def watched(self) -> list[Tool]:
        """The machines that its gateway sees."""
        return [tool for tool in self.tools if tool.connected and self.since is not None]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything of a seed. `first`, `last`: the days that there are."""

    seed: int
    first: date
    last: date
    firms: tuple[Firm, ...]


def fleet(
    seed: int,
    last: date,
    province: Province,
    months: int = MONTHS,
    enterprises: int = ENTERPRISES,
    devices: int = DEVICES,
) -> Fleet:
    """The province of a seed, whose days end with `last`."""
    rng = random.Random(seed)
    begin = (last.replace(day=1) - timedelta(days=1)).replace(day=1)
    for _ in range(months - 2):
        begin = (begin - _DAY).replace(day=1)
    counties = [
        area for area, rows in province.areas.items() if rows[-1].kind == "county" and rows[-1].until is None
    ]
    by_city: dict[str, list[str]] = {}
    for county in counties:
        by_city.setdefault(province.above(county)[1], []).append(county)
    weights = {city: 1 + rng.random() * 3 for city in by_city}
    leaning = {city: rng.uniform(-0.18, 0.16) for city in by_city}
    industries = [industry for industry in province.industries if industry != OTHER]
    firms = []
    for n in range(enterprises):
        # Every city has one at least, and every industry.
        city = list(by_city)[n] if n < len(by_city) else rng.choices(list(by_city), list(weights.values()))[0]
        industry = industries[n % len(industries)] if n < 16 else rng.choice(industries)
        firms.append(_firm(n, rng, rng.choice(by_city[city]), industry, begin, last, leaning[city]))
    sizes = [1] * enterprises
    while sum(sizes) < devices:
        sizes[min(int(rng.expovariate(3 / enterprises)), enterprises - 1)] += 1
    rng.shuffle(sizes)
    for firm, size in zip(firms, sizes, strict=True):
        firm.tools = [
            _tool(rng, m, firm, leaning[province.above(firm.county)[1]], begin, last) for m in range(size)
        ]
    return Fleet(seed, begin, last, tuple(firms))


def _firm(
    n: int, rng: random.Random, county: str, industry: str, begin: date, last: date, leaning: float
) -> Firm:
    zh, en, gbt4754, kwh = _WORDS[industry]
    days = (last - begin).days
    since: date | None = None
    if rng.random() < 0.76 + leaning:
        since = begin if rng.random() < 0.45 else begin + timedelta(days=int(days * rng.random()))
        since = min(since, last - timedelta(days=12))
    until = last
    if since is not None and rng.random() < 0.1:
        until = max(last - timedelta(days=rng.choice([25, 40, 100, 130])), since + timedelta(days=3))
    code = credit_code.completed(f"91{county}DEM{n + 1:05d}")
    firm = Firm(
        n,
        code,
        f"演示{zh}{n + 1:03d} Demo {en} {n + 1:03d}",
        county,
        industry,
        gbt4754,
        rng.random() < 0.85,
        f"gw-fleet-{n + 1:04d}",
        rng.choice(list(_SHIFTS)),
        since,
        until,
        rng.choice([0.0, 0.01, 0.02, 0.2]),
    )
    firm.gauges = [Gauge("DB-0101", "electricity", "energy_import", "kWh", 100, kwh * rng.uniform(50, 150))]
    if rng.random() < 0.6:
        firm.gauges.append(
            Gauge("SB-W-01", "water_fresh", "volume_total", "m3", 100, rng.uniform(2_000, 90_000))
        )
    if rng.random() < 0.3:
        firm.gauges.append(
            Gauge("RQ-0101", "natural_gas", "volume_total", "m3", 100, rng.uniform(5_000, 400_000))
        )
    firm.coal = industry in ("BUILDMAT", "STEEL") and rng.random() < 0.6
    return firm


def _tool(rng: random.Random, m: int, firm: Firm, leaning: float, begin: date, last: date) -> Tool:
    modern = rng.random() < 0.66 + leaning
    connected = firm.since is not None and (modern or rng.random() < 0.3)
    level = 0
    if modern:
        level = 3 if connected and rng.random() < 0.7 else rng.choice([1, 2, 2])
    spread = (last - begin).days
    since = begin - timedelta(days=400)
    if rng.random() < 0.28:
        since = begin + timedelta(days=int(spread * rng.random()))
    return Tool(
        f"SB-{m + 1:04d}",
        rng.choice(_MACHINES[:4] if modern else _MACHINES[4:]),
        rng.random() < 0.82,
        level,
        since,
        modern and rng.random() < 0.3,
        connected,
        connected and level == 0,
        rng.uniform(0.45, 0.85),
    )


def inventory(firm: Firm, at: datetime) -> Inventory:
    """What the gateway of an enterprise says that it observes."""
    equipment = tuple(
        EquipmentItem(
            tool.asset_no,
            tool.name,
            "machine_by_power" if tool.by_power else "machine_tool_opcua_40501",
            (State.PRODUCING, State.IDLE, State.OFF, State.UNKNOWN) if tool.by_power else tuple(State),
            () if tool.by_power else ("numerical_control",),
            (),
            "in_use",
            None,
            None,
        )
        for tool in firm.watched()
    )
    meters = tuple(
        MeterItem(g.asset_no, g.asset_no, g.carrier, "boundary_in", None, None) for g in firm.gauges
    )
    registers = tuple(
        RegisterItem(
            g.register, g.asset_no, g.signal, g.carrier, g.unit, 1, g.den, None, int(g.daily), resets=False
        )
        for g in firm.gauges
    )
    site = SiteItem("plant-1", "Plant", str(ZONE), 900_000)
    return Inventory(
        "inventory", at, site, CalendarItem(_SHIFTS[firm.pattern], ()), equipment, meters, registers
    )


def facts(of: Fleet, firm: Firm, first: date, last: date) -> Iterator[Fact]:
    """What the gateway of an enterprise observes from one day to another, both included."""
    if firm.since is None:
        return
    days = list(_days(max(first, firm.since), min(last, firm.until)))
    for tool in firm.watched():
        if days and days[0] == firm.since:
            data = {"point": f"{tool.asset_no}/state", "value": "Active", "driver": "demo"}
            proves = ["numerical_control"] if tool.nc == 3 else []
            at = midnight(firm.since) + timedelta(hours=9)
            yield Event("event", at, EventKind.LINK_UP, tool.asset_no, data | {"proves": proves})
        for day in days:
            yield states(of.seed, firm, tool, day)
    for gauge in firm.gauges:
        yield from _readings(of, firm, gauge, days)


def states(seed: int, firm: Firm, tool: Tool, day: date) -> States:
    """The local day of one machine."""
    rng = random.Random(f"{seed} {firm.number} {tool.asset_no} {day}")
    begin, end = _HOURS[firm.pattern]
    runs: list[tuple[int, State]] = []

    def add(at: float, state: State) -> None:
        ms = min(max(int(at * _HOUR_MS), 0), 24 * _HOUR_MS - 1)
        if runs and ms <= runs[-1][0]:
            runs[-1] = (runs[-1][0], state)
        elif not runs or runs[-1][1] is not state:
            runs.append((ms, state))

    add(0, State.OFF if begin else State.PRODUCING)
    if day.weekday() == 6 and firm.pattern != "three":
        return States("states", tool.asset_no, midnight(day), midnight(day + _DAY), tuple(runs))
    at = begin + rng.random() * 0.4
    while at < end:
        add(at, State.PRODUCING)
        at += rng.uniform(0.8, 4.0) * tool.busy * 1.6
        rest = (
            State.IDLE
            if tool.by_power
            else rng.choices((State.IDLE, State.SETUP, State.HELD, State.FAULT), (5, 3, 2, 1))[0]
        )
        if at < end:
            add(at, rest)
            at += rng.uniform(0.2, 1.4) * (1.4 - tool.busy)
    if end < 24:
        add(end, State.OFF)
    if rng.random() < firm.holes:
        hole = rng.uniform(begin, end - 2)
        runs = [run for run in runs if run[0] < hole * _HOUR_MS]
        add(hole, State.UNKNOWN)
    return States("states", tool.asset_no, midnight(day), midnight(day + _DAY), tuple(runs))


def between(seed: int, firm: Firm, tool: Tool, begin: datetime, end: datetime) -> Iterator[States]:
    """What is seen of one machine within a stretch of at most a day, local day by local day."""
    for day in _days(begin.astimezone(ZONE).date(), end.astimezone(ZONE).date()):
        whole = states(seed, firm, tool, day)
        start, stop = max(begin, whole.start), min(end, whole.end)
        first, last = (int((at - whole.start) / timedelta(milliseconds=1)) for at in (start, stop))
        if first >= last:
            continue
        before = [run for run in whole.runs if run[0] <= first][-1]
        runs = [(0, before[1]), *((at - first, state) for at, state in whole.runs if first < at < last)]
        yield States("states", tool.asset_no, whole.start + timedelta(milliseconds=first), stop, tuple(runs))


def _readings(of: Fleet, firm: Firm, gauge: Gauge, days: list[date]) -> Iterator[Reading]:
    """One reading at each midnight; where the link was away there is none, and the total goes on."""
    if not days or firm.since is None:
        return
    totals = _totals(of.seed, firm.number, gauge, firm.pattern, firm.holes, firm.since, of.last + _DAY)
    for day in [*days, days[-1] + _DAY]:
        total, away = totals[(day - firm.since).days]
        if not away:
            yield Reading("reading", gauge.register, midnight(day), total)


@lru_cache(maxsize=1000)
def _totals(
    seed: int, number: int, gauge: Gauge, pattern: str, holes: float, first: date, last: date
) -> list[tuple[int, bool]]:
    """Where a register stands at each midnight, and whether nobody saw it."""
    rng = random.Random(f"{seed} {number} {gauge.asset_no}")
    total = 1_000_000
    found = []
    for day in _days(first, last):
        away = rng.random() < holes / 3 and day not in (first, last)
        found.append((total, away))
        off = day.weekday() == 6 and pattern != "three"
        total += int(gauge.daily * (0.15 if off else rng.uniform(0.7, 1.2)))
    return found


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def midnight(day: date) -> datetime:
    """The begin of a local day."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)
