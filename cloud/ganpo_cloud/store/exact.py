"""Sums of millionths that are exact however large: whole units and the rest are added up apart, for SQLite adds up to
64 bits and no further."""

from typing import Any

from sqlalchemy import ColumnElement, func

from ganpo_model.units import MILLION


def summed(of: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The columns of a sum; `millionths` reads them."""
    return func.sum(of // MILLION).label("whole"), func.sum(of % MILLION).label("rest")


def millionths(row: Any) -> int:
    """What such a sum comes to, of nothing 0."""
    return int(row.whole or 0) * MILLION + int(row.rest or 0)
