"""Energy and water: what an enterprise took of each carrier in a month, from boundary meters and statements; and the
sums by place, industry and month (metrics.md section 5)."""

from collections import defaultdict, namedtuple
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province.divisions import OTHER, Province
from ganpo_cloud.province.places import Key, add, roll_up
from ganpo_cloud.province.within import Only
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import QUANTITIES, area_carrier, balance, ledger
from ganpo_model.energy import EXPORT, SIGNS

COVERED = Fraction(9, 10)
"""So much of a period has to be measured or stated before a carrier counts as covered."""
LARGEST = 2**63 - 1
"""What a database holds."""
_ROLES = ", ".join(f"'{role}'" for role in SIGNS)
_SIGN = f"""CASE WHEN c.signal = '{EXPORT}' THEN CASE WHEN s.role = 'boundary_in' THEN -1 ELSE 0 END
  WHEN s.role IN ('boundary_in', 'generation') THEN 1 WHEN s.role = 'boundary_out' THEN -1 ELSE 0 END"""
# One row of a meter: the days on which all its registers are whole are bits, the first of the month is bit 1.
_METERED = f"""
SELECT enterprise, area, carrier, subject, sum(used), sum(spread), sum(opened),
  sum(CASE WHEN whole = 1 THEN CAST(1 AS BIGINT) << CAST(substr(CAST(day AS TEXT), 9, 2) AS INTEGER) ELSE 0 END)
FROM (
  SELECT c.enterprise, s.area, c.carrier, c.subject, c.day, sum(({_SIGN}) * c.millionths) AS used,
    max(c.spread_ms) AS spread, sum(c.open) AS opened, min(CASE WHEN c.covered THEN 1 ELSE 0 END) AS whole
  FROM consumption c JOIN ledger s ON s.enterprise = c.enterprise AND s.asset_no = c.subject
    AND s.since <= c.day AND (s.until IS NULL OR s.until > c.day)
  WHERE c.day >= ? AND c.day <= ? AND ({_SIGN}) <> 0
  GROUP BY c.enterprise, s.area, c.carrier, c.subject, c.day) AS daily
GROUP BY enterprise, area, carrier, subject"""
_METERS = f"""
SELECT enterprise, carrier, asset_no, since, until FROM ledger
WHERE kind = 'meter' AND status = 'in_use' AND role IN ({_ROLES}) AND since <= ? AND (until IS NULL OR until > ?)"""


_NOTHING: Mapping[str, int | None] = dict.fromkeys(QUANTITIES) | {"spread_ms": 0, "open": 0}
"""What is said of a carrier at a place before anybody says anything."""
_COUNTED = {"enterprises": 0, "declared": 0, "covered": 0}


@dataclass(slots=True)
class Carrier:
    """A carrier of an enterprise in a month: by place, and how many days of the month somebody vouches for."""

    places: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(lambda: dict(_NOTHING)))
    covered_days: int = 0
    declared: bool = False


Month = dict[tuple[str, str], Carrier]
"""By enterprise and carrier."""
_Sums = dict[tuple[str, ...], dict[str, Any]]
"""By area, industry, month and carrier."""
_Summed = namedtuple("_Summed", [column.name for column in area_carrier.columns])  # type: ignore[misc]
"""A row of `area_carrier` that is not stored."""


def recompute(connection: Connection, province: Province, month: str, today: date) -> None:
    """Work out a month again: `balance` of every enterprise, then `area_carrier`."""
    first, last = periods.span(month)
    days = ended(first, last, today)
    at_home = defaultdict(lambda: (province.whole, OTHER), homes(connection, min(last, today)))
    found = _metered(connection, first, min(last, today))
    metered = set(found)
    for row in connection.execute(select(registry.statement).where(registry.statement.c.month == month)):
        key = row.enterprise, row.carrier
        meters_stand = days > 0 and found[key].covered_days >= COVERED * days
        whole = row.part == "whole"
        _state(found[key], at_home[row.enterprise][0], row.millionths, whole=whole, meters_stand=meters_stand)
        if whole or key not in metered:
            found[key].covered_days = (last - first).days + 1
    declared = registry.declared_carrier
    for row in connection.execute(select(declared).where(declared.c.year == first.year)):
        carrier = found[row.enterprise, row.carrier]
        carrier.declared = True
        if not carrier.places:
            carrier.places[at_home[row.enterprise][0]] = dict(_NOTHING)
    rows: list[sql.Row] = []
    sums: _Sums = {}
    for (code, name), of in found.items():
        industry = at_home[code][1]
        for area, place in of.places.items():
            values = (*map(_kept, place.values()), of.covered_days, of.declared)
            rows.append((code, area, month, name, industry, *values))
        _add(province, sums, (month, name), industry, of, days)
    sql.replace(connection, balance, rows, month=month)
    summed = ((*key, *map(_kept, row.values())) for key, row in sums.items())
    sql.replace(connection, area_carrier, summed, month=month)


def _add(province: Province, sums: _Sums, at: tuple[str, str], industry: str, of: Carrier, days: int) -> None:
    """Add a carrier of an enterprise to the sums of a month and carrier: quantities count where they were taken, and an
    enterprise once at each place above one of its own."""
    own = roll_up(province, (((area, industry), place) for area, place in of.places.items()), _NOTHING)
    covered = of.declared and days > 0 and of.covered_days >= COVERED * days
    for place, values in own.items():
        counted = (values["millionths"] is not None, of.declared, covered)
        row = sums.setdefault((*place, *at), {**_NOTHING, **_COUNTED})
        add(row, values | dict(zip(_COUNTED, counted, strict=True)))


def of_places(
    connection: Connection,
    province: Province,
    keys: Collection[Key],
    months: tuple[str, str],
    only: Only | None = None,
    today: date = date.max,
) -> Iterator[Any]:
    """The rows of `area_carrier` of places in industries, of months from the first to the last, by month and carrier;
    `only`: what they come to for those that a tag marks, as of `today`."""
    t = area_carrier.c
    if only is None:
        here = t.area.in_({area for area, _ in keys}) & t.industry.in_({industry for _, industry in keys})
        query = select(area_carrier).where(here & t.month.between(*months)).order_by(t.month, t.carrier)
        yield from (row for row in connection.execute(query) if (row.area, row.industry) in keys)
        return
    sums: _Sums = {}
    mine = balance.c.month.between(*months) & only.holds(balance.c)
    order = (balance.c.month, balance.c.carrier, balance.c.enterprise)
    rows = connection.execute(select(balance).where(mine).order_by(*order)).mappings()
    for (month, name, _), own in groupby(rows, lambda row: tuple(row[column.name] for column in order)):
        of, industry = Carrier(), ""
        for row in own:
            of.places[row["area"]] = {column: row[column] for column in _NOTHING}
            of.covered_days, of.declared, industry = row["covered_days"], row["declared"], row["industry"]
        _add(province, sums, (month, name), industry, of, ended(*periods.span(month), today))
    for key, values in sums.items():
        if key[:2] in keys:
            yield _Summed(*key, *values.values())


def _metered(connection: Connection, first: date, last: date) -> Month:
    """What boundary meters say. A day is covered where one stands, and all that stand have a quantity of all of it."""
    found: Month = defaultdict(Carrier)
    whole: dict[tuple[str, str, str], int] = defaultdict(int)
    span = first.isoformat(), last.isoformat()
    for code, area, carrier, meter, used, spread, opened, bits in sql.rows(connection, _METERED, span):
        place, taken = found[code, carrier].places[area], None if used is None else int(used)
        add(place, {"metered": taken, "millionths": taken, "open": int(opened)})
        place["spread_ms"] = max(place["spread_ms"], int(spread))
        whole[code, carrier, meter] |= int(bits)
    stand: dict[tuple[str, str], int] = defaultdict(int)
    missing: dict[tuple[str, str], int] = defaultdict(int)
    for code, carrier, meter, since, until in sql.rows(connection, _METERS, span[::-1]):
        begin = max(sql.day_given(since), first)
        end = min(sql.day_given(until), last + timedelta(days=1)) if until else last + timedelta(days=1)
        bits = (1 << end.day if end <= last else 1 << last.day + 1) - (1 << begin.day)
        stand[code, carrier] |= bits
        missing[code, carrier] |= bits & ~whole[code, carrier, meter]
    for key, bits in stand.items():
        found[key].covered_days = (bits & ~missing[key]).bit_count()
    return found


def _state(of: Carrier, home: str, quantity: int, *, whole: bool, meters_stand: bool) -> None:
    """Set a statement beside the meters: one of the whole counts where they do not stand, and then alone; one of what
    is unmetered is added to them."""
    metered = [place["metered"] for place in of.places.values() if place["metered"] is not None]
    place = of.places[home]
    place["stated"] = quantity
    if whole and metered:
        place["difference"] = quantity - sum(metered)
    if whole and meters_stand:
        return
    if whole:
        for other in of.places.values():
            other["millionths"] = None
    place["by_statement"] = quantity
    add(place, {"millionths": quantity})


def homes(connection: Connection, day: date) -> dict[str, tuple[str, str]]:
    """Home and industry of every enterprise on a day; what was known later holds for before."""
    mine = (ledger.c.kind == "enterprise") & (ledger.c.since <= day)
    rows = connection.execute(
        select(ledger.c.enterprise, ledger.c.area, ledger.c.industry).where(mine).order_by(ledger.c.since)
    )
    return {row.enterprise: (row.area, row.industry) for row in rows}


def ended(first: date, last: date, today: date) -> int:
    """How many days of a period are over."""
    return max(min((last - first).days + 1, (today - first).days), 0)


def _kept(value: int | None) -> int | None:
    """A sum as it can be stored; one of more than 64 bits is nothing that anybody took."""
    return value if value is not None and abs(value) <= LARGEST else None
