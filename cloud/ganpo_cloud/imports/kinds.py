"""What can be imported: each list as data: its columns and how each is read, the table that keeps it by its primary
key, what has to be worked out again, and the rules of a whole row (formats.md, Lists)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from ganpo_cloud.days import periods
from ganpo_cloud.imports import cells as c
from ganpo_cloud.imports.cells import Cells, Reader
from ganpo_cloud.store import marks
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.marks import EVER, key, mark
from ganpo_cloud.store.tables import subject
from ganpo_model import reference, shifts
from ganpo_model.clock import to_ms
from ganpo_model.facts import SITE

STATUS = ("in_use", "idle", "under_repair", "sealed", "not_commissioned", "leased_out", "retired")
NODE_KINDS = ("factory", "workshop", "line", "cell")
GRADES = ("national", "provincial", "city", "county")
"""Of an accreditation, the highest first."""
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
    "part": c.or_nothing(c.one_of("whole", "unmetered"), "whole"),
    "code": c.credit_code,
    "id": c.aim,
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


@dataclass(frozen=True, slots=True)
class Kind:
    """One list. `head`: its columns in order; `own`: how it reads those that it reads otherwise; `stored`: those that
    the table calls otherwise; `optional`: what a list may leave out. What the table does not have is checked only.

    `rule` looks at a row as a whole, and may add to its values; `late` says why a row may not be new any more; `clash`
    why a row cannot stand beside another of its site. `touched` marks what has to be worked out again, where anything
    has to.
    """

    table: Table
    head: str
    touched: Callable[[Connection, Sequence[Values], date], None] | None = None
    rule: Callable[[Cells, Values], None] | None = None
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
        if "recorded_at" in self.table.columns:
            values["recorded_at"] = to_ms(row.known.now)
        if self.rule is not None:
            self.rule(row, values)
        return {column.name: values[column.name] for column in self.table.columns}


def _industry(row: Cells, cell: str) -> str | None:
    belongs = row.known.province.industry_of(row["gbt4754"])
    what = f"class {row['gbt4754']} belongs to {belongs}: an enterprise counts in one industry"
    return what if cell != belongs else None


def _value_added(row: Cells, values: Values) -> None:
    """Within a year all amounts are in the same prices."""
    year, basis = values["year"], values["price_basis"]
    if year and basis and basis != (first := row.known.bases.setdefault(year, basis)):
        what = f"{year} is in prices of {first}: amounts of two bases do not add up"
        row.wrong("price_basis", what, "a file that names every enterprise of the year may change it")


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
    for column, _, what in shifts.wrong(values["start"], values["end"], breaks):
        row.wrong(column or "to", what)
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


def _begun(values: Values, now: datetime) -> str:
    begun = values["start"] <= to_ms(now)
    return "has begun: planned downtime is recorded before it begins" if begun else ""


def _ledgers(connection: Connection, rows: Sequence[Values], _today: date) -> None:
    mark(connection, marks.Kind.LEDGER, ((row.get("code") or row["enterprise"], EVER) for row in rows))


def _machines(connection: Connection, rows: Sequence[Values], _today: date) -> None:
    """What was planned of every machine of the enterprises."""
    mine = subject.c.enterprise.in_({row["enterprise"] for row in rows})
    query = select(subject.c.enterprise, subject.c.asset_no).where(mine)
    mark(connection, marks.Kind.SUBJECT, ((key(*of), EVER) for of in connection.execute(query).all()))


def _sums(connection: Connection, rows: Sequence[Values], today: date) -> None:
    """The sums of the months, of a year all of them."""
    named = {row["month"] for row in rows if "month" in row}
    named |= {f"{row['year']}-{month:02d}" for row in rows if "year" in row for month in range(1, 13)}
    counted = named & set(periods.months(today, periods.MONTHS))
    mark(connection, marks.Kind.SUMS, (("", min(periods.span(month)[1], today)) for month in counted))


_PARENT = c.or_nothing(
    c.every(
        c.credit_code, c.same(lambda row, cell: "is the enterprise itself" if cell == row["code"] else None)
    )
)
_PROOF = c.every(
    c.same(lambda row, cell: "is missing" if row["evidence"] == "document" and not cell else None),
    c.or_nothing(c.text(), ""),
)
_PERIOD = {"from": "start", "to": "end"}
_DAYS = {"from": "first", "to": "last"}
_SPAN: dict[str, Reader] = {"from": c.day, "to": c.or_nothing(c.day)}
_NODE = c.matching(r"[^\x00-\x20,/#]{1,64}", "1 to 64 characters without space, comma, / and #")
_WORD = c.matching(r"[a-z][a-z0-9_]{0,39}", "1 to 40 of a-z, 0-9 and _")
KINDS: Mapping[str, Kind] = {
    "enterprises": Kind(
        registry.enterprise,
        "code name parent area industry gbt4754 above_scale since",
        _ledgers,
        own={"area": c.county, "industry": c.same(_industry), "parent": _PARENT},
    ),
    "sites": Kind(
        registry.site,
        "enterprise site name area timezone",
        _ledgers,
        own={"site": c.matching(SITE, "1 to 40 of a-z, 0-9 and -"), "area": c.county},
    ),
    "equipment": Kind(
        registry.equipment,
        "enterprise site asset_no name status since",
        _ledgers,
        own={"asset_no": c.asset_no},
    ),
    "flags": Kind(
        registry.flag,
        "enterprise asset_no flag value evidence document by since",
        _ledgers,
        own={"value": c.yes, "document": _PROOF},
    ),
    "population": Kind(registry.population, "area industry year count source"),
    "value_added": Kind(
        registry.value_added,
        "enterprise year amount_cny price_basis source through",
        _sums,
        _value_added,
        own={"through": c.or_nothing(c.month, "")},
        stored={"amount_cny": "fen"},
        optional=("through",),
    ),
    "statements": Kind(
        registry.statement,
        "enterprise month carrier quantity unit document by part",
        _sums,
        stored={"quantity": "millionths"},
        optional=("part",),
    ),
    "carriers": Kind(registry.declared_carrier, "enterprise year carrier", _sums),
    "targets": Kind(
        registry.target,
        "id area industry comparator value deadline baseline_value baseline_date document by",
        rule=_target,
        own={
            "industry": c.or_nothing(c.industry, ""),
            "value": c.or_nothing(c.decimal),
            "by": c.or_nothing(c.text(), ""),
        },
        optional=("by",),
    ),
    "calendars": Kind(
        registry.calendar,
        "enterprise site valid_from valid_to shift days from to breaks",
        _machines,
        _calendar,
        stored=_PERIOD,
    ),
    "exceptions": Kind(
        registry.calendar_exception,
        "enterprise site dates plan why",
        _machines,
        _exception,
        clash=_same_day,
    ),
    "downtime": Kind(
        registry.downtime,
        "enterprise asset_no from to why",
        _machines,
        _downtime,
        own={"from": c.instant, "to": c.instant},
        stored=_PERIOD,
        late=_begun,
    ),
    "nodes": Kind(
        registry.node,
        "enterprise site node parent kind name from to",
        own=_SPAN | {"node": _NODE, "parent": c.or_nothing(_NODE, ""), "kind": c.one_of(*NODE_KINDS)},
        stored=_DAYS,
    ),
    "node_equipment": Kind(
        registry.node_equipment,
        "enterprise node asset_no from to",
        own=_SPAN | {"node": _NODE},
        stored=_DAYS,
    ),
    "accreditations": Kind(
        registry.accreditation,
        "enterprise node kind grade document by from to",
        own=_SPAN | {"node": _NODE, "kind": c.one_of(*NODE_KINDS), "grade": c.one_of(*GRADES)},
        stored=_DAYS,
    ),
    "limits": Kind(
        registry.limit,
        "area industry enterprise year kind value price_basis document by",
        own={
            "area": c.or_nothing(c.area, ""),
            "industry": c.or_nothing(c.industry, ""),
            "enterprise": c.or_nothing(c.enterprise, ""),
            "kind": c.one_of("total_tce", "intensity"),
            "value": c.decimal,
            "price_basis": c.or_nothing(c.text(40), ""),
        },
    ),
    "products": Kind(
        registry.product,
        "product zh en unit industry",
        own={"product": _WORD, "unit": c.text(20), "zh": c.text(40), "en": c.text(80)},
    ),
    "outputs": Kind(
        registry.output,
        "enterprise month product quantity unit meters document by",
        own={"product": _WORD, "unit": c.text(20), "meters": c.or_nothing(c.text(), "")},
        stored={"quantity": "millionths"},
        optional=("meters",),
    ),
    "capacities": Kind(
        registry.capacity,
        "enterprise product year quantity document by",
        own={"product": _WORD},
        stored={"quantity": "millionths"},
    ),
    "cloud_moves": Kind(
        registry.cloud_move,
        "enterprise kind value document by since",
        own={"kind": c.one_of("data_centre", "business_systems"), "value": c.yes},
    ),
    "tags": Kind(
        registry.tag,
        "tag enterprise area industry from to document by",
        own=_SPAN
        | {
            "tag": c.one_of(*reference.tags()),
            "enterprise": c.or_nothing(c.enterprise, ""),
            "area": c.or_nothing(c.area, ""),
            "industry": c.or_nothing(c.industry, ""),
        },
        stored=_DAYS,
    ),
    "banned": Kind(
        registry.banned,
        "enterprise asset_no kind since document meter standby_kw by",
        own={
            "kind": c.one_of("outdated", "forbidden"),
            "meter": c.or_nothing(c.asset_no, ""),
            "standby_kw": c.or_nothing(c.decimal, ""),
        },
        optional=("meter", "standby_kw"),
    ),
}
