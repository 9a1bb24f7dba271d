"""What the gateways of the invented province see: facts day by day, by seed; the days of one machine do not depend on
another's."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

from ganpo_demo.fleet import SHIFTS, ZONE, Firm, Fleet, Gauge, Tool, days_between, midnight
from ganpo_demo.fleet_products import process_meters
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
from ganpo_model.states import State

_DAY = timedelta(days=1)
_HOUR_MS = 3_600_000
_HOURS = {"one": (8, 18), "two": (6, 22), "three": (0, 24)}


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
    processes = process_meters(firm)
    meters = [MeterItem(g.asset_no, g.asset_no, g.carrier, "boundary_in", None, None) for g in firm.gauges]
    main = firm.gauges[0].asset_no
    meters += (MeterItem(g.asset_no, g.asset_no, g.carrier, "process", main, None) for g in processes)
    registers = tuple(
        RegisterItem(
            g.register, g.asset_no, g.signal, g.carrier, g.unit, 1, g.den, None, int(g.daily), resets=False
        )
        for g in (*firm.gauges, *processes)
    )
    site = SiteItem("plant-1", "Plant", str(ZONE), 900_000)
    return Inventory(
        "inventory", at, site, CalendarItem(SHIFTS[firm.pattern], ()), equipment, tuple(meters), registers
    )


def facts(of: Fleet, firm: Firm, first: date, last: date) -> Iterator[Fact]:
    """What the gateway of an enterprise observes from one day to another, both included."""
    if firm.since is None:
        return
    days = list(days_between(max(first, firm.since), min(last, firm.until)))
    for tool in firm.watched():
        if days and days[0] == firm.since:
            data = {"point": f"{tool.asset_no}/state", "value": "Active", "driver": "demo"}
            proves = ["numerical_control"] if tool.nc == 3 else []
            at = midnight(firm.since) + timedelta(hours=9)
            yield Event("event", at, EventKind.LINK_UP, tool.asset_no, data | {"proves": proves})
        for day in days:
            yield states(of.seed, firm, tool, day)
    for gauge in (*firm.gauges, *process_meters(firm)):
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
    for day in days_between(begin.astimezone(ZONE).date(), end.astimezone(ZONE).date()):
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
    for day in days_between(first, last):
        away = rng.random() < holes / 3 and day not in (first, last)
        found.append((total, away))
        off = day.weekday() == 6 and pattern != "three"
        total += int(gauge.daily * (0.15 if off else rng.uniform(0.7, 1.2)))
    return found
