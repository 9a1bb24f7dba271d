"""What can be imported: the columns of each list, and the row that it comes to (formats.md, Lists)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from ganpo_cloud import registry_tables as registry
from ganpo_cloud.imports.cells import Cells
from ganpo_model import reference

STATUS = ("in_use", "idle", "under_repair", "sealed", "not_commissioned", "leased_out", "retired")
COMPARATORS = (">=", ">", "<=", "<", "=", "increase_vs_baseline")
_SITE = r"[a-z0-9-]{1,40}"
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One list. `read` makes a row's values for `table`; what is wrong stands in the cells."""

    table: Table
    columns: tuple[str, ...]
    read: Callable[[Cells], Values]


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
        "site": cells.matching("site", _SITE, "1 to 40 of a-z, 0-9 and -"),
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
    return {
        "enterprise": cells.enterprise(),
        "year": cells.year("year"),
        "fen": cells.number("amount_cny", of=100),
        "price_basis": cells.text("price_basis", longest=40),
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


KINDS: Mapping[str, Kind] = {
    "enterprises": Kind(
        registry.enterprise,
        ("code", "name", "parent", "area", "industry", "gbt4754", "above_scale", "since"),
        _enterprise,
    ),
    "sites": Kind(registry.site, ("enterprise", "site", "name", "area", "timezone"), _site),
    "equipment": Kind(
        registry.equipment, ("enterprise", "site", "asset_no", "name", "status", "since"), _equipment
    ),
    "flags": Kind(
        registry.flag,
        ("enterprise", "asset_no", "flag", "value", "evidence", "document", "by", "since"),
        _flag,
    ),
    "population": Kind(registry.population, ("area", "industry", "year", "count", "source"), _population),
    "value_added": Kind(
        registry.value_added, ("enterprise", "year", "amount_cny", "price_basis", "source"), _value_added
    ),
    "statements": Kind(
        registry.statement,
        ("enterprise", "month", "carrier", "quantity", "unit", "document", "by"),
        _statement,
    ),
    "carriers": Kind(registry.declared_carrier, ("enterprise", "year", "carrier"), _declared_carrier),
    "targets": Kind(
        registry.target,
        (
            *("id", "area", "industry", "comparator", "value"),
            *("deadline", "baseline_value", "baseline_date", "document"),
        ),
        _target,
    ),
}
