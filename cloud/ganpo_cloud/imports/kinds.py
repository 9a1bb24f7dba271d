"""What can be imported: each list as data: its columns and how each is read, the table that keeps it by its primary
key, what has to be worked out again, and the rules of a whole row (formats.md, Lists)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table

from ganpo_cloud.imports import cells as c
from ganpo_cloud.imports import touching
from ganpo_cloud.imports.cells import Cells, Reader
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.store import registry_tables as registry
from ganpo_model import reference, shifts
from ganpo_model.clock import to_ms
from ganpo_model.facts import SITE

STATUS = ("in_use", "idle", "under_repair", "sealed", "not_commissioned", "leased_out", "retired")
COMPARATORS = (">=", ">", "<=", "<", "=", "increase_vs_baseline")
Values = dict[str, Any]


READERS: dict[str, Reader] = {
    "enterprise": c.enterprise,
    "site": c.site,
    "asset_no": c.equipment,
    "area": c.area,
    "industry": c.industry,
    "carrier": c.carrier,
    "unit": c.unit,
    "year": c.year,
    "month": c.month,
    "since": c.day,
    "count": c.number(),
    "status": c.one_of(*STATUS),
    "flag": c.one_of(*reference.flags()),
    "evidence": c.one_of("claimed", "document"),
    "comparator": c.one_of(*COMPARATORS),
    "above_scale": c.yes,
    "gbt4754": c.matching(r"\d{2,4}", "2 to 4 digits of GB/T 4754"),
    "timezone": c.timezone,
    "price_basis": c.text(40),
    "amount_cny": c.number(100),
    "quantity": c.number(10**6),
    "part": c.one_of("whole", "unmetered", ""),
    "code": c.credit_code,
    "parent": c.or_nothing(c.credit_code),
    "id": c.one_of(*sorted({of.target for of in DEFINITIONS.values() if of.target})),
    "deadline": c.day,
    "baseline_value": c.or_nothing(c.decimal),
    "baseline_date": c.or_nothing(c.day),
    "valid_from": c.day,
    "valid_to": c.or_nothing(c.day),
    "shift": c.text(40),
    **dict.fromkeys(("name", "document", "by", "source", "why"), c.text()),
    **dict.fromkeys(("days", "from", "to", "breaks", "dates", "plan"), c.same(lambda _row, _cell: None)),
}
"""How a column is read, in every list that does not say otherwise."""


def _nothing(_row: Cells, _values: Values) -> None:
    """Cells alone say everything."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One list. `head`: its columns in order; `own`: how it reads those that it reads otherwise; `stored`: those that
    the table calls otherwise; `optional`: what a list may leave out. What the table does not have is checked only.

    `rule` looks at a row as a whole, and may add to its values; `late` says why a row may not be new any more; `clash`
    why a row cannot stand beside another of its site. `touched` marks what has to be worked out again.
    """

    table: Table
    head: str
    touched: Callable[[Connection, Sequence[Values], date], None] = touching.nothing
    rule: Callable[[Cells, Values], None] = _nothing
    own: dict[str, Reader] = field(default_factory=dict)
    stored: Mapping[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    late: Callable[[Values, datetime], str] | None = None
    clash: Callable[[Values, Values], bool] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(self.head.split())

    def read(self, row: Cells) -> Values:
        """The row of `table` that a row of the list comes to; what is wrong stands in the row."""
        readers = READERS | self.own
        values = {self.stored.get(name, name): readers[name](row, name) for name in self.columns}
        self.rule(row, values)
        return {column.name: values[column.name] for column in self.table.columns}


def _enterprise(row: Cells, values: Values) -> None:
    belongs = row.known.province.industry_of(values["gbt4754"])
    if values["industry"] != belongs:
        what = f"class {values['gbt4754']} belongs to {belongs}: an enterprise counts in one industry"
        row.wrong("industry", what)
    if values["parent"] == values["code"]:
        row.wrong("parent", "is the enterprise itself")


def _flag(row: Cells, values: Values) -> None:
    if values["evidence"] == "document" and not values["document"]:
        row.wrong("document", "is missing")


def _value_added(row: Cells, values: Values) -> None:
    """Within a year all amounts are in the same prices."""
    year, basis = values["year"], values["price_basis"]
    if year and basis and basis != (first := row.known.bases.setdefault(year, basis)):
        what = f"{year} is in prices of {first}: amounts of two bases do not add up"
        row.wrong("price_basis", what, "a file that names every enterprise of the year may change it")


def _statement(_row: Cells, values: Values) -> None:
    values["part"] = values["part"] or "whole"


def _target(row: Cells, values: Values) -> None:
    if values["comparator"] == "increase_vs_baseline":
        if values["value"] is not None:
            row.wrong("value", "increase_vs_baseline has no number: leave it empty")
        if (values["baseline_value"] is None) != (values["baseline_date"] is None):
            row.wrong("baseline_date", "a baseline is a value and its date")
    elif values["value"] is None:
        row.wrong("value", "is missing: only increase_vs_baseline has no number")


def _calendar(row: Cells, values: Values) -> None:
    breaks = values["breaks"].replace(";", " ").split()
    values["breaks"] = " ".join(breaks)
    try:
        shifts.weekdays(values["days"])
    except ValueError as error:
        row.wrong("days", str(error))
    for key, _, what in shifts.wrong(values["start"], values["end"], breaks):
        row.wrong(key or "to", what)
    if values["valid_to"] is not None and values["valid_to"] < values["valid_from"]:
        row.wrong("valid_to", "lies before valid_from")


def _exception(row: Cells, values: Values) -> None:
    found, plan = shifts.dates(row["dates"]), values["plan"]
    if found is None:
        row.wrong("dates", "no date, nor first..last in order (2027-02-05..2027-02-11)")
    if plan != "off" and (plan[:5] != "like " or plan[5:] not in shifts.WEEKDAYS):
        row.wrong("plan", "off, or like and a weekday (like mon)")
    values["first"], values["last"] = found or (row.known.today, row.known.today)


def _same_day(one: Values, other: Values) -> bool:
    return bool(one["first"] <= other["last"] and other["first"] <= one["last"])


def _downtime(row: Cells, values: Values) -> None:
    if values["end"] <= values["start"]:
        row.wrong("to", "does not lie after from")
    values["recorded_at"] = to_ms(row.known.now)


def _begun(values: Values, now: datetime) -> str:
    if values["start"] <= to_ms(now):
        return "has begun: planned downtime is recorded before it begins"
    return ""


_PERIOD = {"from": "start", "to": "end"}
KINDS: Mapping[str, Kind] = {
    "enterprises": Kind(
        registry.enterprise,
        "code name parent area industry gbt4754 above_scale since",
        touching.ledgers,
        _enterprise,
        own={"area": c.county},
    ),
    "sites": Kind(
        registry.site,
        "enterprise site name area timezone",
        touching.ledgers,
        own={"site": c.matching(SITE, "1 to 40 of a-z, 0-9 and -"), "area": c.county},
    ),
    "equipment": Kind(
        registry.equipment,
        "enterprise site asset_no name status since",
        touching.ledgers,
        own={"asset_no": c.asset_no},
    ),
    "flags": Kind(
        registry.flag,
        "enterprise asset_no flag value evidence document by since",
        touching.ledgers,
        _flag,
        own={"value": c.yes, "document": c.or_nothing(c.text(), "")},
    ),
    "population": Kind(registry.population, "area industry year count source"),
    "value_added": Kind(
        registry.value_added,
        "enterprise year amount_cny price_basis source",
        touching.sums,
        _value_added,
        stored={"amount_cny": "fen"},
    ),
    "statements": Kind(
        registry.statement,
        "enterprise month carrier quantity unit document by part",
        touching.sums,
        _statement,
        stored={"quantity": "millionths"},
        optional=("part",),
    ),
    "carriers": Kind(registry.declared_carrier, "enterprise year carrier", touching.sums),
    "targets": Kind(
        registry.target,
        "id area industry comparator value deadline baseline_value baseline_date document",
        rule=_target,
        own={"industry": c.or_nothing(c.industry, ""), "value": c.or_nothing(c.decimal)},
    ),
    "calendars": Kind(
        registry.calendar,
        "enterprise site valid_from valid_to shift days from to breaks",
        touching.machines,
        _calendar,
        stored=_PERIOD,
    ),
    "exceptions": Kind(
        registry.calendar_exception,
        "enterprise site dates plan why",
        touching.machines,
        _exception,
        clash=_same_day,
    ),
    "downtime": Kind(
        registry.downtime,
        "enterprise asset_no from to why",
        touching.machines,
        _downtime,
        own={"from": c.instant, "to": c.instant},
        stored=_PERIOD,
        late=_begun,
    ),
}
