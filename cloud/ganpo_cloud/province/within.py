"""Which part of the province is looked at: a place, an industry, and what a tag marks, as conditions over any table
that has `enterprise`, `area` and `industry`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_

from ganpo_cloud.province.divisions import Province


def below(province: Province, area: str) -> list[str]:
    """An area and everything that lies in it."""
    return [number for number in province.areas if area in province.above(number)]


def within(province: Province, area: str, industry: str | None, c: Any) -> Iterable[ColumnElement[bool]]:
    """The conditions of a place and an industry (None: of any)."""
    if area != province.whole:
        yield c.area.in_(below(province, area))
    if industry:
        yield c.industry == industry


@dataclass(frozen=True, slots=True)
class Only:
    """What a tag marks on a day: the enterprises of `codes`, and what lies in an area and counts in an industry (empty:
    in any) of `places`. It filters and never partitions."""

    province: Province
    tag: str
    codes: Select[tuple[str]]
    places: tuple[tuple[str, str], ...]

    def holds(self, c: Any) -> ColumnElement[bool]:
        """Whether it marks a row."""
        places = (and_(*within(self.province, area, of, c)) for area, of in self.places)
        return or_(false(), c.enterprise.in_(self.codes), *places)
