"""What can be imported: the columns of each list, and the row that it comes to (formats.md, Lists)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table

from ganpo_cloud.imports import touching
from ganpo_cloud.imports.cells import Cells
from ganpo_cloud.store import registry_tables as registry
from ganpo_model import reference, shifts
from ganpo_model.clock import to_ms
from ganpo_model.facts import SITE

STATUS = ("in_use", "idle", "under_repair", "sealed", "not_commissioned", "leased_out", "retired")
COMPARATORS = (">=", ">", "<=", "<", "=", "increase_vs_baseline")
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One list. `read` makes a row's values for `table`; what is wrong stands in the cells.

    `touched` marks what has to be worked out again; `late` says why a row may not be new any more; `clash` why a row
    cannot stand beside another of its site. `optional`: columns that a list may leave out.
    """

    table: Table
    columns: tuple[str, ...]
    read: Callable[[Cells], Values]
    touched: Callable[[Connection, Sequence[Values], date], None] = touching.nothing
    late: Callable[[Values, datetime], str] | None = None
    clash: Callable[[Values, Values], bool] | None = None
    optional: tuple[str, ...] = ()


def _enterprise(cells: Cells) -> Values:
    since = cells.day("since")
    gbt4754 = cells.matching("gbt4754", r"\d{2,4}", "2 to 4 digits of GB/T 4754")
    industry, belongs = cells.industry(), cells.known.province.industry_of(gbt4754)
    if industry != belongs:
        cells.wrong("industry", f"class {gbt4754} belongs to {belongs}: an enterprise counts in one industry")
    code, parent = cells.credit_code("code"), cells.text("parent", empty=True) or None
    if parent is not None:
        cells.credit_code("parent")
        if parent == code:
            cells.wrong("parent", "is the enterprise itself")
    return {
        "code": code,
        "since": since,
        "name": cells.text("name"),
        "parent": parent,
        "area": cells.county(since),
        "industry": industry,
        "gbt4754": gbt4754,
        "above_scale": cells.yes("above_scale"),
    }


def _site(cells: Cells) -> Values:
    return {
        "enterprise": cells.enterprise(),
        "site": cells.matching("site", SITE, "1 to 40 of a-z, 0-9 and -"),
        "name": cells.text("name"),
        "area": cells.county(cells.known.today),
        "timezone": cells.timezone(),
    }


def _equipment(cells: Cells) -> Values:
    enterprise = cells.enterprise()
    return {
        "enterprise": enterprise,
        "asset_no": cells.asset_no(),
        "since": cells.day("since"),
        "site": cells.site(enterprise),
        "name": cells.text("name"),
        "status": cells.choice("status", STATUS),
    }


def _flag(cells: Cells) -> Values:
    enterprise = cells.enterprise()
    evidence = cells.choice("evidence", ("claimed", "document"))
    return {
        "enterprise": enterprise,
        "asset_no": cells.equipment(enterprise),
        "flag": cells.choice("flag", reference.flags()),
        "evidence": evidence,
        "since": cells.day("since"),
        "value": cells.yes("value"),
        "document": cells.text("document", empty=evidence == "claimed"),
        "by": cells.text("by"),
    }


def _population(cells: Cells) -> Values:
    year = cells.year("year")
    return {
        "area": cells.area(cells.known.today),
        "industry": cells.industry(),
        "year": year,
        "count": cells.number("count"),
        "source": cells.text("source"),
    }


def _value_added(cells: Cells) -> Values:
    year = cells.year("year")
    return {
        "enterprise": cells.enterprise(),
        "year": year,
        "fen": cells.number("amount_cny", of=100),
        "price_basis": cells.price_basis(year),
        "source": cells.text("source"),
    }


def _statement(cells: Cells) -> Values:
    if (carrier := cells.carrier()) is not None:
        cells.choice("unit", (carrier.unit,))
    return {
        "enterprise": cells.enterprise(),
        "month": cells.month("month"),
        "carrier": carrier.id if carrier else "",
        "millionths": cells.number("quantity", of=10**6),
        "document": cells.text("document"),
        "by": cells.text("by"),
        "part": cells.choice("part", ("whole", "unmetered", "")) or "whole",
    }


def _declared_carrier(cells: Cells) -> Values:
    carrier = cells.carrier()
    return {
        "enterprise": cells.enterprise(),
        "year": cells.year("year"),
        "carrier": carrier.id if carrier else "",
    }


def _target(cells: Cells) -> Values:
    comparator = cells.choice("comparator", COMPARATORS)
    value, baseline = cells.decimal_or_none("value"), cells.decimal_or_none("baseline_value")
    since = cells.day_or_none("baseline_date")
    if comparator == "increase_vs_baseline":
        if value is not None:
            cells.wrong("value", "increase_vs_baseline has no number: leave it empty")
        if (baseline is None) != (since is None):
            cells.wrong("baseline_date", "a baseline is a value and its date")
    elif value is None:
        cells.wrong("value", "is missing: only increase_vs_baseline has no number")
    return {
        "id": cells.text("id", longest=40),
        "area": cells.area(cells.known.today),
        "industry": cells.choice("industry", ("", *cells.known.province.industries)),
        "comparator": comparator,
        "value": value,
        "deadline": cells.day("deadline"),
        "baseline_value": baseline,
        "baseline_date": since,
        "document": cells.text("document"),
    }


def _calendar(cells: Cells) -> Values:
    enterprise = cells.enterprise()
    start, end = cells.raw("from"), cells.raw("to")
    breaks = cells.raw("breaks").replace(";", " ").split()
    try:
        shifts.weekdays(cells.raw("days"))
    except ValueError as error:
        cells.wrong("days", str(error))
    for key, _, what in shifts.wrong(start, end, breaks):
        cells.wrong(key or "to", what)
    first, last = cells.day("valid_from"), cells.day_or_none("valid_to")
    if last is not None and last < first:
        cells.wrong("valid_to", "lies before valid_from")
    return {
        "enterprise": enterprise,
        "site": cells.site(enterprise),
        "valid_from": first,
        "valid_to": last,
        "shift": cells.text("shift", longest=40),
        "days": cells.raw("days"),
        "start": start,
        "end": end,
        "breaks": " ".join(breaks),
    }


def _exception(cells: Cells) -> Values:
    enterprise = cells.enterprise()
    found, plan = shifts.dates(cells.raw("dates")), cells.raw("plan")
    if found is None:
        cells.wrong("dates", "no date, nor first..last in order (2027-02-05..2027-02-11)")
    if plan != "off" and (plan[:5] != "like " or plan[5:] not in shifts.WEEKDAYS):
        cells.wrong("plan", "off, or like and a weekday (like mon)")
    first, last = found or (cells.known.today, cells.known.today)
    return {
        "enterprise": enterprise,
        "site": cells.site(enterprise),
        "first": first,
        "last": last,
        "plan": plan,
        "why": cells.text("why"),
    }


def _downtime(cells: Cells) -> Values:
    enterprise = cells.enterprise()
    start, end = cells.instant("from"), cells.instant("to")
    if end <= start:
        cells.wrong("to", "does not lie after from")
    return {
        "enterprise": enterprise,
        "asset_no": cells.equipment(enterprise),
        "start": start,
        "end": end,
        "why": cells.text("why"),
        "recorded_at": to_ms(cells.known.now),
    }


def _begun(values: Values, now: datetime) -> str:
    if values["start"] <= to_ms(now):
        return "has begun: planned downtime is recorded before it begins"
    return ""


def _same_day(one: Values, other: Values) -> bool:
    return bool(one["first"] <= other["last"] and other["first"] <= one["last"])


KINDS: Mapping[str, Kind] = {
    "enterprises": Kind(
        registry.enterprise,
        ("code", "name", "parent", "area", "industry", "gbt4754", "above_scale", "since"),
        _enterprise,
        touching.ledgers,
    ),
    "sites": Kind(registry.site, ("enterprise", "site", "name", "area", "timezone"), _site, touching.ledgers),
    "equipment": Kind(
        registry.equipment,
        ("enterprise", "site", "asset_no", "name", "status", "since"),
        _equipment,
        touching.ledgers,
    ),
    "flags": Kind(
        registry.flag,
        ("enterprise", "asset_no", "flag", "value", "evidence", "document", "by", "since"),
        _flag,
        touching.ledgers,
    ),
    "population": Kind(registry.population, ("area", "industry", "year", "count", "source"), _population),
    "value_added": Kind(
        registry.value_added,
        ("enterprise", "year", "amount_cny", "price_basis", "source"),
        _value_added,
        touching.years,
    ),
    "statements": Kind(
        registry.statement,
        ("enterprise", "month", "carrier", "quantity", "unit", "document", "by", "part"),
        _statement,
        touching.months,
        optional=("part",),
    ),
    "carriers": Kind(
        registry.declared_carrier, ("enterprise", "year", "carrier"), _declared_carrier, touching.years
    ),
    "targets": Kind(
        registry.target,
        (
            *("id", "area", "industry", "comparator", "value"),
            *("deadline", "baseline_value", "baseline_date", "document"),
        ),
        _target,
    ),
    "calendars": Kind(
        registry.calendar,
        ("enterprise", "site", "valid_from", "valid_to", "shift", "days", "from", "to", "breaks"),
        _calendar,
        touching.machines,
    ),
    "exceptions": Kind(
        registry.calendar_exception,
        ("enterprise", "site", "dates", "plan", "why"),
        _exception,
        touching.machines,
        clash=_same_day,
    ),
    "downtime": Kind(
        registry.downtime,
        ("enterprise", "asset_no", "from", "to", "why"),
        _downtime,
        touching.machines,
        late=_begun,
    ),
}
