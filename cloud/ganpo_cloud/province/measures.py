"""Measures of devices, read off their declarations in `ganpo_model.coverage`: as SQL over the ledger, and of rows."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true

from ganpo_cloud.store.counted_tables import ledger
from ganpo_model.coverage import MEASURES, Condition, Unit

UNIT = tuple(field.name for field in fields(Unit))
"""The columns of the ledger that say what a device counts for: those of a unit."""


def counts(measure: str, s: Any = ledger.c) -> ColumnElement[bool]:
    """Whether a measure counts a row of the ledger; a test holds this and `Measure.counts` equal."""
    return all_hold(MEASURES[measure].of, s)


def all_hold(conditions: Iterable[Condition], s: Any = ledger.c) -> ColumnElement[bool]:
    """Whether a row of the ledger meets all of them."""
    return and_(true(), *(_holds(condition, s) for condition in conditions))


def on(day: date | ColumnElement[date], s: Any = ledger.c) -> ColumnElement[bool]:
    """Whether a row of the ledger holds on a day."""
    return and_(s.since <= day, or_(s.until.is_(None), s.until > day))


def held(day: date | ColumnElement[date], c: Any) -> ColumnElement[bool]:
    """Whether a row of the registry from `first` to `last`, both included, is in force on a day."""
    return and_(c.first <= day, or_(c.last.is_(None), c.last >= day))


def unit_of(row: Any) -> Unit:
    """A row of the ledger as it is counted."""
    return Unit(*(getattr(row, name) for name in UNIT))


@lru_cache(maxsize=4096)
def counted(unit: tuple[Any, ...]) -> tuple[str, ...]:
    """The measures that count a device of which the ledger says so: it says the same of many."""
    return tuple(name for name, measure in MEASURES.items() if measure.counts(Unit(*unit)))


def _holds(condition: Condition, s: Any) -> ColumnElement[bool]:
    column, values = s[condition.field], [value for value in condition.among if value is not None]
    return or_(column.is_(None) if None in condition.among else false(), column.in_(values))
