"""A province by seed: 200 invented enterprises with 600 devices over all cities and industries.

The same seed and last day always come to the same province.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ganpo_cloud.province.divisions import OTHER, Province
from ganpo_model import credit_code
from ganpo_model.facts import ShiftItem

ENTERPRISES = 200
DEVICES = 600
MONTHS = 13
ZONE = ZoneInfo("Asia/Shanghai")
_DAY = timedelta(days=1)
SHIFTS = {
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
    """One machine. `nc`: 0 no, 1 claimed, 2 checked, 3 its controller shows it, all from `nc_since` on."""

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
        rng.choice(list(SHIFTS)),
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


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day, both ends included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def midnight(day: date) -> datetime:
    """The begin of a local day."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)
