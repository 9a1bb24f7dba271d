"""What a list is: its columns and how each is read, the table that keeps it by its primary key, and its rules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Table

from ganpo_cloud.imports import cells as c
from ganpo_cloud.imports.beside import Beside
from ganpo_cloud.imports.cells import Cells, Reader
from ganpo_cloud.imports.known import Known
from ganpo_model import reference
from ganpo_model.clock import to_ms

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


@dataclass(frozen=True, eq=False)
class Kind:
    """One list. `head`: its columns in order; `own`: how it reads those that it reads otherwise; `stored`: those that
    the table calls otherwise; `optional`: what a list may leave out. What the table does not have is checked only.

    `rule` looks at a row as a whole, and may add to its values; `beside` at all rows as they would stand; `late` says
    why a row may not be new any more, or not be another than it was before. `once`: columns whose values one list says
    once only, where that is less than the key. `named`: other lists name its rows, and none is taken back. `touched`
    marks what has to be worked out again, where anything has.
    """

    table: Table
    head: str
    touched: Callable[[Connection, Sequence[Values], date], None] | None = None
    rule: Callable[[Cells, Values], None] | None = None
    own: dict[str, Reader] = field(default_factory=dict)
    stored: Mapping[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    late: Callable[[Values, Values | None, Known], str] | None = None
    beside: Beside | None = None
    once: str = ""
    named: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(self.head.split())

    def read(self, row: Cells, *, ruled: bool = True) -> Values:
        """The row of `table` that a row of the list comes to; what is wrong stands in the row. `ruled`: so does that it
        breaks a rule."""
        values = {stored: read(row, name) for name, stored, read in self._readers}
        if "recorded_at" in self.table.columns:
            values["recorded_at"] = to_ms(row.known.now)
        if self.rule is not None:
            self.rule(row if ruled else Cells(row.cells, row.known, {}), values)
        return {name: values[name] for name in self._stored}

    def key(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """What makes a row the same as another."""
        return tuple([values[name] for name in self._key])

    @cached_property
    def _key(self) -> list[str]:
        return [column.name for column in self.table.primary_key]

    @cached_property
    def _readers(self) -> list[tuple[str, str, Reader]]:
        readers = READERS | self.own
        return [(name, self.stored.get(name, name), readers[name]) for name in self.columns]

    @cached_property
    def _stored(self) -> list[str]:
        return [column.name for column in self.table.columns]
