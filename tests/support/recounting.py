"""The numbers of the invented province, counted by hand from what its gateways saw and its lists say: plain loops over
machines, days and minutes, nothing of the collector's."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

from ganpo_cloud.province.divisions import Province
from ganpo_demo import fleet as invented
from ganpo_demo import fleet_facts
from ganpo_demo.fleet import Firm, Fleet, Tool
from ganpo_demo.fleet_lists import lists

DAY = timedelta(days=1)
HOURS: dict[str, list[tuple[float, float]]] = {
    "one": [(8, 12), (13, 18)],
    "two": [(6, 10), (10.5, 18), (18.5, 22)],
    "three": [(0, 24)],
}
PBT = ("PRODUCING", "SETUP", "HELD", "FAULT", "IDLE", "OFF", "MAINTENANCE")


@dataclass(eq=False)
class Recount:
    """Counts one province again, as of the end of days."""

    fleet: Fleet
    province: Province
    today: date

    def __post_init__(self) -> None:
        self.lists = {
            kind: list(csv.DictReader(io.StringIO(raw.decode())))
            for kind, raw in lists(self.fleet, self.province)
        }

    def overview(self, area: str, industry: str | None, day: date) -> dict[str, list[Any]]:
        """Metric to [declared, checked, proven, denominator]."""
        firms = [f for f in self.fleet.firms if industry in (None, f.industry) and self.within(f, area)]
        devices = [(f, t) for f in firms for t in f.tools]
        here = [(f, t) for f, t in devices if not self.retired(f, t, day)]
        main = [(f, t) for f, t in here if t.main]
        digital = [(f, t) for f, t in here if self.level(f, t, day, controller=False)]
        cloud = [(f, t) for f, t in here if self.cloud(f, t, day) and not self.gone(f, day)]
        networked = [(f, t) for f, t in here if self.networked(f, t, day) and not self.gone(f, day)]
        onboarded = {f.code for f, t in cloud}
        ever = {f.code for f, t in devices if self.cloud(f, t, day)}
        found: dict[str, list[Any]] = {
            "nc_rate_main": [*self.levels(main, day, controller=True), len(main)],
            "intelligent_count": [sum(t.intelligent and t.nc_since <= day for _, t in here)] * 2 + [0, None],
            "enterprise_onboarded": [len(onboarded)] * 3 + [None],
            "enterprise_onboarded_ever": [len(ever)] * 3 + [None],
            "equipment_onboarded": [len(cloud)] * 3 + [None],
            "equipment_onboarded_ever": [sum(self.cloud(f, t, day) for f, t in devices)] * 3 + [None],
            "equip_digital_rate": [*self.levels(here, day, controller=False), len(here)],
            "equip_network_rate": [len(networked)] * 3 + [len(here)],
            "digital_equip_network_rate": [sum(pair in digital for pair in networked)] * 3 + [len(digital)],
            "equip_cloud_rate": [len(cloud)] * 3 + [len(here)],
            "equip_active_rate": [sum(self.active(f, t, day) for f, t in cloud)] * 3 + [len(cloud)],
        }
        times = [0, 0, 0, 0]
        for f, t in devices:
            for of in days(day.replace(day=1), day):
                if self.networked(f, t, f.since or day) and not self.retired(f, t, of):
                    planned, known, producing = self.seen(f, t, of)
                    times[0], times[1] = times[0] + planned, times[1] + known
                    if planned and 10 * known >= 6 * planned:
                        times[2], times[3] = times[2] + producing, times[3] + known
        found["availability"] = [times[2]] * 3 + [times[3]]
        found["completeness"] = [times[1]] * 3 + [times[0]]
        return found

    def within(self, firm: Firm, area: str) -> bool:
        return area in self.province.above(firm.county)

    def retired(self, firm: Firm, tool: Tool, day: date) -> bool:
        """Retired, or banned: neither counts."""
        if firm.number % 17 == 3 and tool is firm.tools[-1] and day >= firm.until:
            return True
        return any(
            (row["enterprise"], row["asset_no"]) == (firm.code, tool.asset_no) and row["since"] <= f"{day}"
            for row in self.lists["banned"]
        )

    def level(self, firm: Firm, tool: Tool, day: date, *, controller: bool) -> int:
        """How well it is known that a machine is numerically controlled (or digital, which no controller shows)."""
        if controller and tool.nc == 3 and self.networked(firm, tool, day):
            return 3
        if tool.nc and tool.nc_since <= day:
            return 1 if tool.nc == 1 else 2
        return 0

    def levels(self, pairs: Iterable[tuple[Firm, Tool]], day: date, *, controller: bool) -> list[int]:
        found = [self.level(f, t, day, controller=controller) for f, t in pairs]
        return [sum(level >= least for level in found) for least in (1, 2, 3)]

    def networked(self, firm: Firm, tool: Tool, day: date) -> bool:
        return firm.since is not None and tool.connected and day >= firm.since

    def cloud(self, firm: Firm, tool: Tool, day: date) -> bool:
        """The first day's frame is committed five minutes after it is over."""
        return firm.since is not None and tool.connected and day > firm.since

    def gone(self, firm: Firm, day: date) -> bool:
        return (day - firm.until).days >= 90

    def active(self, firm: Firm, tool: Tool, day: date) -> bool:
        watched = [
            (of, self.seen(firm, tool, of)) for of in days(day - 179 * DAY, day) if self.rows(firm, of)
        ]
        planned = [(of, known, whole) for of, (whole, known, _) in watched if whole]
        window = [item for item in planned if (day - item[0]).days < 30]
        if len(window) < 5:
            window = planned[-5:]
        good = sum(2 * known >= whole for _, known, whole in window)
        return len(window) >= 5 and 10 * good >= 9 * len(window)

    def rows(self, firm: Firm, day: date) -> bool:
        """A day of a machine is looked at from the first on which its gateway names it."""
        return firm.since is not None and firm.since <= day <= self.today

    @cache  # noqa: B019 - as long as the test
    def planned(self, pattern: str, day: date) -> tuple[tuple[int, int], ...]:
        """Planned minutes of a production day; of the night shift those after midnight belong to it."""
        off = False
        weekday = day.weekday()
        for item in self.province.holidays:
            if item.first <= day <= item.last:
                off, weekday = item.plan == "off", weekday if item.plan == "off" else 0
                break
        if off or (weekday == 6 and pattern != "three"):
            return ()
        if pattern == "three":
            return ((7 * 60, 31 * 60),)
        return tuple((int(a * 60), int(b * 60)) for a, b in HOURS[pattern])

    @cache  # noqa: B019 - as long as the test
    def seen(self, firm: Any, tool: Tool, day: date) -> tuple[int, int, int]:
        """Planned, known and producing ms of a production day, counted ms by ms of its runs."""
        if not self.rows(firm, day):
            return 0, 0, 0
        limit = (self.today - day).days * 24 * 60 if day < self.today else 0
        stretches = [(a * 60_000, b * 60_000) for a, b in self.planned(firm.pattern, day) if day < self.today]
        whole = sum(b - a for a, b in stretches)
        known = producing = 0
        for offset in (0, 1):
            of = day + offset * DAY
            if not (firm.since <= of <= min(firm.until, self.fleet.last)):
                continue
            runs = fleet_facts.states(self.fleet.seed, firm, tool, of).runs
            ends = [at for at, _ in runs[1:]] + [24 * 3_600_000]
            for (at, state), end in zip(runs, ends, strict=True):
                shift = offset * 24 * 3_600_000
                both = sum(max(min(b, end + shift) - max(a, at + shift), 0) for a, b in stretches)
                known += both * (state in PBT)
                producing += both * (state == "PRODUCING")
        assert limit >= 0
        return whole, known, producing

    def energy(self, area: str, industry: str | None, first: date, last: date) -> tuple[Fraction, Fraction]:
        """tce and m3 of fresh water over days, from registers as they stood at midnights, and statements."""
        tce = water = Fraction(0)
        for firm in self.fleet.firms:
            if industry not in (None, firm.industry) or not self.within(firm, area):
                continue
            for gauge in firm.gauges:
                counts = self.used(firm, gauge.register, first, last)
                if gauge.carrier == "water_fresh":
                    water += Fraction(counts, gauge.den)
                else:
                    tce += Fraction(counts, gauge.den) * self.kgce(gauge.carrier) / 1000
        codes = {f.code for f in self.fleet.firms if industry in (None, f.industry) and self.within(f, area)}
        for row in self.lists["statements"]:
            if row["enterprise"] in codes and f"{first:%Y-%m}" <= row["month"] <= f"{last:%Y-%m}":
                if row["carrier"] == "water_fresh":
                    water += Fraction(row["quantity"])
                tce += Fraction(row["quantity"]) * self.kgce(row["carrier"]) / 1000
        return tce, water

    def used(self, firm: Firm, register: str, first: date, last: date) -> int:
        """How far a register went between two midnights; between readings further apart in even steps, rounded down."""
        if firm.since is None:
            return 0
        readings = self.readings(firm)[register]
        return self.stood(readings, last + DAY) - self.stood(readings, max(first, firm.since))

    @cache  # noqa: B019 - as long as the test
    def readings(self, firm: Any) -> dict[str, list[tuple[datetime, int]]]:
        found: dict[str, list[tuple[datetime, int]]] = {}
        for fact in fleet_facts.facts(self.fleet, firm, self.fleet.first, self.fleet.last):
            if fact.type == "reading":
                found.setdefault(fact.register, []).append((fact.at, fact.raw))
        return found

    def stood(self, readings: list[tuple[datetime, int]], day: date) -> int:
        at = invented.midnight(day)
        before = [reading for reading in readings if reading[0] <= at]
        after = [reading for reading in readings if reading[0] > at]
        if not before:
            return readings[0][1]
        if not after or before[-1][0] == at:
            return before[-1][1]
        (a, low), (b, high) = before[-1], after[0]
        return low + (high - low) * int((at - a) / DAY) // int((b - a) / DAY)

    def arrived(
        self, area: str, industry: str | None, first: date, last: date
    ) -> dict[str, tuple[date, int]]:
        """Enterprises whose first device came into the cloud on one of these days: by code which day, and how many of
        its devices came then."""
        return {
            f.code: (f.since + DAY, len(f.watched()))
            for f in self.fleet.firms
            if f.since is not None and f.watched() and first <= f.since + DAY <= last
            if industry in (None, f.industry) and self.within(f, area)
        }

    def silent(self, area: str, industry: str | None, day: date) -> dict[str, date]:
        """Enterprises of which nothing was seen for 14 days, seven of them planned, and not yet for 90: by code the day
        on which they were seen last."""
        found = {}
        for f in self.fleet.firms:
            there = [t for t in f.watched() if not self.retired(f, t, day)]
            planned = sum(bool(self.planned(f.pattern, of)) for of in days(f.until + DAY, day))
            if not there or industry not in (None, f.industry) or not self.within(f, area):
                continue
            if 14 <= (day - f.until).days < 90 and planned >= 7:
                found[f.code] = f.until
        return found

    def taken(self, carrier: str, area: str, industry: str | None, month: str) -> dict[str, Fraction | None]:
        """By code what enterprises took of a carrier in a month, by registers as they stood at midnights; None where
        there is a statement of it: which of both counts is said elsewhere."""
        first = date.fromisoformat(f"{month}-01")
        last = (first + 31 * DAY).replace(day=1) - DAY
        stated = self.lists["statements"]
        told = {row["enterprise"] for row in stated if (row["month"], row["carrier"]) == (month, carrier)}
        return {
            f.code: None if f.code in told else Fraction(self.used(f, gauge.register, first, last), gauge.den)
            for f in self.fleet.firms
            for gauge in f.gauges
            if gauge.carrier == carrier and f.since is not None and f.since <= last
            if industry in (None, f.industry) and self.within(f, area)
        }

    def kgce(self, carrier: str) -> Fraction:
        found = self.province.coefficients.at(carrier, self.today)
        return found.kgce if found is not None else Fraction(0)


def days(first: date, last: date) -> list[date]:
    """Every day, both ends included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def plan_rows(
    listed: dict[str, list[dict[str, str]]], province: Province, asked: dict[str, str]
) -> dict[str, tuple[int | None, int | None]]:
    """Numbers of the plan by what is measured: numerator and denominator, from the lists alone."""
    day, area, industry = (
        asked.get("as_of", "2026-11-28"),
        asked.get("area", province.whole),
        asked.get("industry"),
    )
    homes = {row["code"]: row for row in listed["enterprises"]}
    here = [
        (row["enterprise"], row["asset_no"])
        for row in listed["equipment"]
        if row["since"] <= day
        and area in province.above(homes[row["enterprise"]]["area"])
        and industry in (None, homes[row["enterprise"]]["industry"])
    ]

    def flagged(flag: str, *evidence: str) -> set[tuple[str, str]]:
        rows = [row for row in listed["flags"] if row["flag"] == flag and row["since"] <= day]
        return {(row["enterprise"], row["asset_no"]) for row in rows if row["evidence"] in evidence}

    main = [device for device in here if device in flagged("main", "claimed", "document")]
    controlled = [device for device in main if device in flagged("numerical_control", "document")]
    intelligent = [device for device in here if device in flagged("intelligent", "document")]
    found: dict[str, tuple[int | None, int | None]] = {
        "nc_rate_main": (len(controlled), len(main)),
        "intelligent_count": (len(intelligent), None),
    }
    firms = {code for code, row in homes.items() if area in province.above(row["area"])}
    firms = {code for code in firms if industry in (None, homes[code]["industry"])}
    for tag in {row["tag"] for row in listed["tags"]}:
        held = [
            row for row in listed["tags"] if row["tag"] == tag and row["from"] <= day <= (row["to"] or "9999")
        ]
        marked = len({row["enterprise"] for row in held} & firms)
        if tag.startswith(("pilot", "green_park")):
            if industry is not None:
                continue
            marked = sum(area in province.above(row["area"]) for row in held)
        above = sum(homes[code]["above_scale"] == "yes" for code in firms)
        found[tag] = (marked, above if tag == "technical_upgrade" else None)
    for kind in ("data_centre", "business_systems"):
        said: dict[str, str] = {}
        for row in sorted(listed["cloud_moves"], key=lambda row: row["since"]):
            if row["kind"] == kind and row["since"] <= day and row["enterprise"] in firms:
                said[row["enterprise"]] = row["value"]
        found[f"move_{kind}"] = (list(said.values()).count("yes"), None)
    return found


Lists = dict[str, list[dict[str, str]]]
GRADES = ("national", "provincial", "city", "county")


def holds(row: dict[str, str], day: date) -> bool:
    """A row from one day to another, both included; without an end for ever."""
    return row["from"] <= f"{day}" and (not row["to"] or f"{day}" <= row["to"])


def standing_nodes(listed: Lists, day: date) -> dict[tuple[str, str], tuple[dict[str, str], str]]:
    """The nodes of a day by enterprise and node, each with its highest grade, or `named`."""
    found = {}
    for row in sorted(listed["nodes"], key=lambda row: row["from"]):
        if holds(row, day):
            found[row["enterprise"], row["node"]] = row
    graded = {}
    for key, row in found.items():
        grades = [
            paper["grade"]
            for paper in listed["accreditations"]
            if (paper["enterprise"], paper["node"], paper["kind"]) == (*key, row["kind"])
            and holds(paper, day)
        ]
        graded[key] = (row, min(grades, key=GRADES.index) if grades else "named")
    return graded


def node_counts(
    listed: Lists, province: Province, area: str, industry: str | None, day: date
) -> dict[tuple[str, str], int]:
    """How many nodes of a place there are, by kind and grade."""
    industries = {row["code"]: row["industry"] for row in listed["enterprises"]}
    sites = {(row["enterprise"], row["site"]): row["area"] for row in listed["sites"]}
    found: dict[tuple[str, str], int] = {}
    for (code, _), (row, grade) in standing_nodes(listed, day).items():
        if area in province.above(sites[code, row["site"]]) and industry in (None, industries[code]):
            found[row["kind"], grade] = found.get((row["kind"], grade), 0) + 1
    return found


def equipment_below(listed: Lists, code: str, node: str, day: date) -> set[str]:
    """The machines of a node and of everything that hangs on it."""
    inside, grows = {node}, True
    while grows:
        more = {
            name
            for (of, name), (row, _) in standing_nodes(listed, day).items()
            if of == code and row["parent"] in inside
        }
        grows = not more <= inside
        inside |= more
    return {
        row["asset_no"]
        for row in listed["node_equipment"]
        if row["enterprise"] == code and row["node"] in inside and holds(row, day)
    }


def marks(listed: Lists, province: Province, tag: str, code: str, day: date) -> bool:
    """Whether a tag marks what an enterprise has at its home on a day."""
    home = home_of(listed, code, day)
    return any(
        row["enterprise"] == code
        or (
            not row["enterprise"]
            and row["area"] in province.above(home["area"])
            and row["industry"] in ("", home["industry"])
        )
        for row in listed["tags"]
        if row["tag"] == tag and holds(row, day)
    )


def home_of(listed: Lists, code: str, day: date) -> dict[str, str]:
    """What the registry says of an enterprise on a day."""
    rows = [row for row in listed["enterprises"] if row["code"] == code and row["since"] <= f"{day}"]
    return max(rows, key=lambda row: row["since"])


def tagged(
    listed: Lists, province: Province, area: str, industry: str | None, day: date
) -> dict[str, tuple[int, int | None]]:
    """How many enterprises and areas of a place have each tag, declare a move, or rose above scale."""
    found: dict[str, int] = {}
    above = 0

    def count(name: str, of: bool = True) -> None:
        found[name] = found.get(name, 0) + of

    for code in {row["code"] for row in listed["enterprises"] if row["since"] <= f"{day}"}:
        home = home_of(listed, code, day)
        if area not in province.above(home["area"]) or industry not in (None, home["industry"]):
            continue
        above += home["above_scale"] == "yes"
        mine = {row["tag"] for row in listed["tags"] if row["enterprise"] == code and holds(row, day)}
        for tag in mine:
            count(tag, tag != "technical_upgrade" or home["above_scale"] == "yes")
        for kind in ("data_centre", "business_systems"):
            said = [
                row
                for row in listed["cloud_moves"]
                if (row["enterprise"], row["kind"]) == (code, kind) and row["since"] <= f"{day}"
            ]
            if said and max(said, key=lambda row: row["since"])["value"] == "yes":
                count(f"move_{kind}")
        dated = sorted(
            (row["since"], row["above_scale"])
            for row in listed["enterprises"]
            if row["code"] == code and row["since"] <= f"{day}"
        )
        rose = first = False
        for n, (since, scale) in enumerate(dated):
            if scale == "yes" and "2018" <= since < "2021":
                rose |= n > 0 and dated[n - 1][1] == "no"
                first |= n == 0
        count("newly_above_scale", rose)
        count("newly_left", rose and home["above_scale"] == "no")
        count("first_listed", first and not rose)
    places = {
        (row["tag"], row["area"], row["industry"])
        for row in listed["tags"]
        if not row["enterprise"] and holds(row, day)
    }
    for tag, place, of in places:
        if area in province.above(place) and industry in (None, of):
            count(tag)
    told: dict[str, tuple[int, int | None]] = {name: (number, None) for name, number in found.items()}
    return told | {"technical_upgrade": (found.get("technical_upgrade", 0), above)}


class Bills:
    """What is known of enterprises of whose energy lists alone say anything: a bill of a month is all of it."""

    def __init__(self, listed: Lists, province: Province) -> None:
        self._listed, self._province = listed, province
        self._bills = {
            (row["enterprise"], row["carrier"], row["month"]): Fraction(row["quantity"])
            for row in listed["statements"]
        }

    def took(self, code: str, carrier: str, month: str) -> tuple[Fraction | None, int]:
        """Of a carrier in a month in its unit, and on how many days somebody vouches for it."""
        bill = self._bills.get((code, carrier, month))
        return bill, 0 if bill is None else days_of(month)

    def metered(self, code: str, meter: str, month: str) -> tuple[str, Fraction, int] | None:
        """What a process meter measures, how much in a month, and on how many days; None: there is none."""
        return None

    def works(self, code: str, day: date) -> bool:
        """Whether a day is planned; where nobody said when it works every day is."""
        shifts = [row for row in self._listed.get("calendars", ()) if row["enterprise"] == code]
        holiday = next((item for item in self._province.holidays if item.first <= day <= item.last), None)
        if not shifts or (holiday is not None and holiday.plan != "off"):
            return True
        return holiday is None and day.weekday() < 5


def tce_of(
    seen: Any, province: Province, code: str, months: Iterable[str], carriers: Iterable[str]
) -> Fraction | None:
    """What an enterprise took of carriers over months, in tce; None where nobody knows anything."""
    every = [(carrier, seen.took(code, carrier, month)[0]) for carrier in carriers for month in months]
    found = [amount * kgce_of(province, carrier) for carrier, amount in every if amount is not None]
    return sum(found, Fraction(0)) / 1000 if found else None


def kgce_of(province: Province, carrier: str) -> Fraction:
    """Of a unit of a carrier, which never changed."""
    return next((c.kgce for c in province.coefficients.rows if c.carrier == carrier), Fraction(0))


def energies(province: Province) -> list[str]:
    """The carriers that are energy."""
    return sorted({c.carrier for c in province.coefficients.rows})


def declared(listed: Lists, code: str, year: int, carriers: Iterable[str]) -> list[str]:
    """What an enterprise declares in a year, of some carriers."""
    rows = [row for row in listed["carriers"] if row["enterprise"] == code and int(row["year"]) == year]
    return sorted({row["carrier"] for row in rows} & {*carriers})


def months_of(year: int, first: int, last: int) -> list[str]:
    """Months of a year from one number to another."""
    return [f"{year}-{n:02d}" for n in range(first, last + 1)]


@dataclass
class Dual:
    """Dual control of a place at the end of a month. Amounts in tce and CNY; `ways`: enterprises by how their rest of
    the year is told; `covered`, `valued`: months of declared carriers, and enterprises, of which enough is known."""

    used: Fraction = Fraction(0)
    whole: Fraction | None = Fraction(0)
    last_year: Fraction = Fraction(0)
    lost: Fraction = Fraction(0)
    ways: dict[str, int] | Any = None
    added_tce: Fraction = Fraction(0)
    added_cny: Fraction = Fraction(0)
    year_tce: Fraction = Fraction(0)
    year_cny: Fraction = Fraction(0)
    covered: int = 0
    months: int = 0
    valued: int = 0
    enterprises: int = 0

    @property
    def intensity(self) -> Fraction | None:
        """To date."""
        return 10000 * self.added_tce / self.added_cny if self.added_cny else None

    @property
    def intensity_of_the_year(self) -> Fraction | None:
        """Projected."""
        return 10000 * self.year_tce / self.year_cny if self.year_cny and self.whole is not None else None


def dual(
    listed: Lists,
    province: Province,
    month: str,
    area: str,
    industry: str | None = None,
    seen: Any = None,
    only: str | None = None,
) -> Dual:
    """Dual control of a place, or of an enterprise (`only`): what was used, what the year comes to, and both over the
    value added of the same enterprises. `seen`: who says what they took, and when they work."""
    seen = seen or Bills(listed, province)
    year, number = int(month[:4]), int(month[5:])
    ends = date(year, number, days_of(month))
    energy, found = energies(province), Dual(ways={"last_year": 0, "linear": 0, "none": 0})

    def tce(code: str, of_year: int, first: int, last: int) -> Fraction | None:
        return tce_of(seen, province, code, months_of(of_year, first, last), energy)

    def covered(code: str, of_year: int, last: int) -> bool:
        carriers = declared(listed, code, of_year, energy)
        months = months_of(of_year, 1, last)
        until = sum(map(days_of, months))
        known = [sum(seen.took(code, carrier, of)[1] for of in months) for carrier in carriers]
        return bool(carriers) and all(10 * some >= 9 * until for some in known)

    def value(code: str, of_year: int, through: str) -> Fraction | None:
        rows = [r for r in listed["value_added"] if (r["enterprise"], int(r["year"])) == (code, of_year)]
        amounts = [Fraction(r["amount_cny"]) for r in rows if (r["through"] or f"{of_year}-12") == through]
        return amounts[-1] if amounts else None

    every = [date(year, 1, 1) + n * DAY for n in range(366) if (date(year, 1, 1) + n * DAY).year == year]
    for code in sorted({row["code"] for row in listed["enterprises"]}):
        begun = min(row["since"] for row in listed["enterprises"] if row["code"] == code)
        home = home_of(listed, code, max(ends, date.fromisoformat(begun)))
        if only is not None and code != only:
            continue
        if area not in province.above(home["area"]) or industry not in (None, home["industry"]):
            continue
        carriers = declared(listed, code, year, energy)
        found.enterprises += bool(carriers)
        for of in months_of(year, 1, number):
            days = [seen.took(code, carrier, of)[1] for carrier in carriers]
            found.months += len(days)
            found.covered += sum(10 * some >= 9 * days_of(of) for some in days)
        planned = [day for day in every if seen.works(code, day)]
        gone = [day for day in planned if day.month <= number]
        now, same, rest = tce(code, year, 1, number), tce(code, year - 1, 1, number), Fraction(0)
        if number < 12:
            rest = tce(code, year - 1, number + 1, 12) or Fraction(0)
        if (now, same) == (None, None) and not rest and not carriers:
            continue
        found.last_year += (same or 0) + rest
        found.used += now or 0
        assert found.whole is not None
        if now is None or len(gone) < 30:
            found.ways["none"] += 1
            found.whole += now or 0
            found.lost += (same or 0) + rest
            expected = None
        elif same and covered(code, year, number) and covered(code, year - 1, 12):
            found.ways["last_year"] += 1
            expected = now + rest * now / same
        else:
            found.ways["linear"] += 1
            expected = now * len(planned) / len(gone)
        found.whole += expected or 0
        told = [
            row["through"] or f"{year}-12"
            for row in listed["value_added"]
            if row["enterprise"] == code and int(row["year"]) == year
        ]
        if not (told := [through for through in told if through <= month]):
            continue
        until = max(told)
        so_far, before = value(code, year, until), value(code, year - 1, f"{year - 1}{until[4:]}")
        year_before, taken = value(code, year - 1, f"{year - 1}-12"), tce(code, year, 1, int(until[5:]))
        if not so_far or taken is None or not covered(code, year, int(until[5:])):
            continue
        found.valued += 1
        found.added_tce += taken
        found.added_cny += so_far
        part = len([day for day in planned if day.month <= int(until[5:])])
        cny: Fraction | None = None
        if before and year_before:
            cny = so_far + (year_before - before) * so_far / before
        elif part >= 30:
            cny = so_far * len(planned) / part
        if expected and cny:
            found.year_tce += expected
            found.year_cny += cny
    if 10 * found.lost > found.last_year or not found.ways["last_year"] + found.ways["linear"]:
        found.whole = None
    return found


def ran_though_banned(
    listed: Iterable[str], facts: Iterable[Any], standby: dict[str, int]
) -> list[tuple[str, int, int, int | None]]:
    """When what rows of the list `banned` name ran: (register, from, to, counts), by looking at each run and each
    neighbouring pair of readings. `standby`: of each register so many counts an hour."""

    def ms(at: datetime) -> int:
        return round(at.timestamp() * 1000)

    found: list[tuple[str, int, int, int | None]] = []
    for row in listed:
        _, asset_no, _, since, _, meter, _, _ = row.split(",")
        first = ms(datetime.fromisoformat(f"{since}T00:00:00+08:00"))
        every = [fact for fact in facts if fact.type == "states" and fact.subject == asset_no]
        for fact in sorted(every, key=lambda fact: fact.start):
            ends = [at for at, _ in fact.runs[1:]] + [ms(fact.end) - ms(fact.start)]
            for (at, state), end in zip(fact.runs, ends, strict=True):
                begin, until = max(ms(fact.start) + at, first), ms(fact.start) + end
                if state in ("PRODUCING", "SETUP") and until > first:
                    if found and found[-1][0] == "" and found[-1][2] == begin:
                        begin = found.pop()[1]
                    found.append(("", begin, until, None))
        for register in (number for number in standby if number.startswith(f"{meter}/")):
            readings = sorted(
                (ms(f.at), f.raw) for f in facts if f.type == "reading" and f.register == register
            )
            for (at, low), (until, high) in pairwise(readings):
                if at >= first and (high - low) * 3_600_000 > standby[register] * (until - at):
                    before = 0
                    if found and found[-1][0] == register and found[-1][2] == at:
                        _, at, _, before = found.pop()  # type: ignore[assignment]
                    found.append((register, at, until, high - low + before))
    return found


def leaders(
    listed: Lists,
    province: Province,
    asked: dict[str, str],
    months: list[str],
    seen: Any,
) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By enterprise and product: kind, rank, quarter, millionths of tce (m3) and of its gap; or the reason why not.
    `months`: the last twelve; `seen`: who says what enterprises and their process meters took."""
    months = [month for month in months if asked.get("from", "") <= month <= asked.get("to", "9")]
    water = asked.get("medium") == "water"
    media = ["water_fresh"] if water else energies(province)
    found: dict[tuple[str, str], tuple[Any, ...]] = {}
    comparable: dict[tuple[str, str], list[tuple[Fraction, Fraction, str]]] = {}
    every = sum(map(days_of, months))

    def worth(carrier: str, amount: Fraction | None) -> Fraction:
        return (amount or Fraction(0)) * (1 if water else kgce_of(province, carrier) / 1000)

    for code in sorted({row["code"] for row in listed["enterprises"]}):
        firm = max(
            (row for row in listed["enterprises"] if row["code"] == code), key=lambda row: row["since"]
        )
        if asked.get("area", province.whole) not in province.above(firm["area"]):
            continue
        if asked.get("industry", firm["industry"]) != firm["industry"]:
            continue
        rows = [row for row in listed["outputs"] if row["enterprise"] == code and row["month"] in months]
        made = {row["product"] for row in rows if Fraction(row["quantity"])}
        years = {int(month[:4]) for month in months}
        carriers = {carrier for of in years for carrier in declared(listed, code, of, media)}
        covered = bool(carriers) and all(
            10 * sum(seen.took(code, carrier, month)[1] for month in months) >= 9 * every
            for carrier in carriers
        )
        for product in sorted({row["product"] for row in rows}):
            mine = [row for row in rows if row["product"] == product]
            named = [(row["month"], meter) for row in mine for meter in row["meters"].split()]
            read = {of: seen.metered(code, of[1], of[0]) for of in named}
            read = {of: told for of, told in read.items() if told is not None and told[0] in media}
            kind, whole = "whole", covered
            taken = sum((worth(c, seen.took(code, c, m)[0]) for c in media for m in months), Fraction(0))
            if read:
                kind, taken = "metered", sum((worth(c, of) for c, of, _ in read.values()), Fraction(0))
                known = [
                    min(days for (of, _), (_, _, days) in read.items() if of == month)
                    for month in {of for of, _ in read}
                ]
                whole = covered and 10 * sum(known) >= 9 * every
            enough = 10 if len(months) == 12 else len(months)
            if asked.get("scale") and firm["above_scale"] == "no":
                reason = "scale"
            elif sum(Fraction(row["quantity"]) > 0 for row in mine) < enough:
                reason = "months"
            elif kind == "whole" and len(made) > 1:
                reason = "several_products"
            elif not whole:
                reason = "coverage"
            else:
                output = sum((Fraction(row["quantity"]) for row in mine), Fraction(0))
                comparable.setdefault((product, kind), []).append((taken, output, code))
                continue
            found[code, product] = (None, None, None, None, None, reason)
    for (product, kind), some in comparable.items():
        values = sorted(tce / output for tce, output, _ in some)
        for tce, output, code in some:
            millionths = int(tce * 10**6)
            if len(some) < 5:
                found[code, product] = (kind, None, None, millionths, None, None)
                continue
            own = tce / output
            quartiles = [values[-(-len(values) * quarter // 4) - 1] for quarter in (1, 2, 3)]
            gap = own - quartiles[1] if own > quartiles[1] else Fraction(0)
            rank, quarter = values.index(own) + 1, 1 + sum(own > value for value in quartiles)
            found[code, product] = (kind, rank, quarter, millionths, int(gap * output * 10**6), None)
    return found


def capacity_uses(
    listed: Lists, province: Province, asked: dict[str, str]
) -> dict[tuple[str, str], tuple[Fraction, Fraction]]:
    """By enterprise and product what it made in the year of the month that was over last, until its end, and the
    capacity of the same months."""
    day = date.fromisoformat(asked.get("as_of", "2026-11-28"))
    day = day if (day + DAY).day == 1 else day.replace(day=1) - DAY
    found = {}
    for capacity in listed["capacities"]:
        code, product = capacity["enterprise"], capacity["product"]
        home = home_of(listed, code, day)
        if asked.get("area", province.whole) not in province.above(home["area"]):
            continue
        if asked.get("industry", home["industry"]) != home["industry"] or int(capacity["year"]) != day.year:
            continue
        made = [
            Fraction(row["quantity"])
            for row in listed["outputs"]
            if (row["enterprise"], row["product"]) == (code, product)
            and f"{day.year}-01" <= row["month"] <= f"{day:%Y-%m}"
        ]
        if made:
            able = Fraction(capacity["quantity"]) * len(made) / 12
            found[code, product] = (sum(made, Fraction(0)), able)
    return found


def days_of(month: str) -> int:
    """How many days a month has."""
    first = date.fromisoformat(f"{month}-01")
    return ((first + 31 * DAY).replace(day=1) - first).days


def points(value: Fraction | None, most: int, full: int, zero: int) -> int:
    """Tenths of a point between two numbers, by trying every tenth."""
    if value is None:
        return 0
    share = (value - zero) / (full - zero)
    return max(
        tenths for tenths in range(10 * most + 1) if tenths == 0 or Fraction(tenths, 10 * most) <= share
    )
