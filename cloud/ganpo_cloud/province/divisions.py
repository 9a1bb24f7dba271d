"""Areas and industries of a province, from its folder of files (province/README.md). Dated; another province is another
folder, not other code."""

import csv
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import date
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

from ganpo_cloud.store.described import answer, said, unsaid
from ganpo_model import reference, tables
from ganpo_model.energy import Coefficient, Coefficients
from ganpo_model.errors import ConfigError, unread
from ganpo_model.facts import ExceptionItem
from ganpo_model.shifts import WEEKDAYS, dates

Kind = Literal["province", "city", "county"]
KINDS: tuple[Kind, ...] = ("province", "city", "county")
OTHER = "OTHER"
LIGHTS = (Fraction(95, 100), Fraction(1))
T = TypeVar("T")


@answer
class Area:
    """One area as it is called on a day."""

    id: str = said("stays through changes of name and code", "360100")
    parent: str | None = said("the area it lies in", "360000")
    kind: Kind = said("what it is", "city")
    code: str = said("its code in the national table on that day", "360100")
    name_zh: str = said("name in Chinese", "南昌市")
    name_en: str = said("name in English", "Nanchang")
    since: date | None = unsaid()
    until: date | None = unsaid()
    """From when to when (exclusive) it is called so; None is open."""

    def holds(self, day: date) -> bool:
        """Whether it is called so on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


@answer
class Industry:
    """One industry."""

    id: str = said("id of the industry", "NONFERROUS")
    name_zh: str = said("name in Chinese", "有色")
    name_en: str = said("name in English", "Nonferrous metals")
    classes: tuple[str, ...] = unsaid()
    """The beginnings of the GB/T 4754 classes that belong to it."""


@answer
class Aim:
    """One row of the plan, in its own words."""

    id: str = said("id of the row of the plan", "T01")
    section: str = said("where it stands in the plan", "1.3 目标/融合")
    quote_zh: str = said("what the plan says", "主要生产装备数控化率达到60%以上")
    name_en: str = said("the same in short, in English", "Numerical-control rate of main equipment")
    comparator: str = said("how the plan compares; empty: it has no number", ">=")
    value: str = said("the plan's own number; empty: it has none", "60")
    unit_zh: str = said("of that number, in Chinese", "%")
    unit_en: str = said("of that number, in English", "%")
    until: str = said("year, years, or yearly; empty: the plan does not say", "2020")
    why_zh: str = said("why an equipment monitor does not say it, in Chinese; empty: it does", "")
    why_en: str = said("the same in English", "")


class Province:
    """All areas and industries. `areas`: rows by id, oldest first. `holidays`: days that are off, or worked, everywhere
    unless a site says otherwise. `tiles`: column and row of cities in the grid of tiles. `plan`: its rows in order.
    `lights`: from which part of a limit on it is near, and from which above; `folder`: its own, None: ours."""

    def __init__(
        self,
        areas: Iterable[Area],
        industries: Iterable[Industry],
        coefficients: Iterable[Coefficient] = (),
        holidays: Iterable[ExceptionItem] = (),
        tiles: Iterable[tuple[str, tuple[int, int]]] = (),
        plan: Iterable[Aim] = (),
    ) -> None:
        self.plan = tuple(plan)
        self.lights = LIGHTS
        self.folder: Path | None = None
        self.tiles: Mapping[str, tuple[int, int]] = dict(tiles)
        self.coefficients = Coefficients(coefficients)
        self.holidays = tuple(holidays)
        self.areas: dict[str, list[Area]] = {}
        for area in areas:
            self.areas.setdefault(area.id, []).append(area)
        self.industries: Mapping[str, Industry] = {industry.id: industry for industry in industries}

    @property
    def checksum(self) -> int:
        """Another number where the files say something else by which is counted."""
        by = (self.areas, self.industries, [*self.coefficients.rows], self.holidays)
        return zlib.crc32(repr(by).encode())

    @property
    def whole(self) -> str:
        """The id of the province itself: the area that lies in no other."""
        return next(area for area, rows in self.areas.items() if rows[-1].parent is None)

    def area(self, number: str, day: date) -> Area | None:
        """The area of this id on a day; None where there is none then."""
        return next((area for area in self.areas.get(number, ()) if area.holds(day)), None)

    def why_not(self, number: str, day: date) -> str:
        """What to tell somebody who names an area that does not exist on a day."""
        for rows in self.areas.values():
            for area in rows:
                if area.code == number and area.id != number:
                    return f"{number} was {area.name_zh} until {area.until}: now {area.id} {rows[-1].name_zh}"
        if number in self.areas:
            area = self.areas[number][-1]
            if area.until is not None and area.until <= day:
                return f"{area.name_zh} was abolished on {area.until}"
            return f"{area.name_zh} begins on {self.areas[number][0].since}"
        called = {rows[-1].id: (rows[-1].name_zh, rows[-1].name_en) for rows in self.areas.values()}
        if named := _called(number, called):
            return named
        return "no such area (the id of a county, a city or the province: 360121)"

    def no_industry(self, number: str) -> str:
        """What to tell somebody who names an industry that there is not."""
        called = {of.id: (of.name_zh, of.name_en) for of in self.industries.values()}
        return _called(number, called) or f"none of {', '.join(self.industries)}"

    def parts(self, parent: str, day: date) -> list[str]:
        """The areas next below one on a day."""
        return [
            number
            for number, rows in self.areas.items()
            if any(area.parent == parent and area.holds(day) for area in rows)
        ]

    def within(self, area: str, kind: Kind, day: date) -> list[str]:
        """The areas of a kind in an area on a day, itself among them."""
        return [
            number
            for number in self.areas
            if area in self.above(number) and (found := self.area(number, day)) and found.kind == kind
        ]

    def industry_of(self, gbt4754: str) -> str:
        """The industry to which a class belongs: the longest beginning decides."""
        beginnings = {
            begin: industry.id for industry in self.industries.values() for begin in industry.classes
        }
        fitting = [begin for begin in beginnings if gbt4754.startswith(begin)]
        return beginnings[max(fitting, key=len)] if fitting else OTHER

    def above(self, number: str) -> list[str]:
        """The area and everything above it, itself first: what its counts are added to."""
        found = [number]
        while (rows := self.areas.get(found[-1])) and (parent := rows[-1].parent) and parent not in found:
            found.append(parent)
        return found


def load(folder: Path | None = None, lights: tuple[Fraction, Fraction] = LIGHTS) -> Province:
    """The province in a folder, or ours. Raises ConfigError with file, row and column."""
    ours = files("ganpo_cloud").joinpath("province")
    read = [_read(folder or ours, ours, name, *of) for name, of in _FILES.items()]
    found = Province(*[*read, [*_plan(folder or ours, ours)]])
    found.lights, found.folder = lights, folder
    return found


def _called(name: str, called: Mapping[str, tuple[str, str]]) -> str:
    """That somebody says a name where an id belongs; empty: nothing is called so."""
    found = [number for number, names in called.items() if name in names]
    return f"is a name: its id is {' or '.join(found)}" if found else ""


class _Wrong(ValueError):
    """A cell that says nothing: its column, and what stands in such a cell."""


def _read(
    folder: Any, ours: Any, name: str, columns: tuple[str, ...], made: Callable[[Mapping[str, str]], Any]
) -> list[Any]:
    """What is made of the rows of a file; of ours, where the folder lacks one that is the same in every province."""
    file = folder.joinpath(name)
    if name not in _OWN and not file.is_file():
        file = ours.joinpath(name)
    try:
        found = tables.read(file.read_bytes(), name, columns, columns)
    except OSError as error:
        raise ConfigError(unread(error), where=str(file)) from error
    if found.errors:
        raise found.errors[0]
    rows = []
    for row in found.rows:
        try:
            rows.append(made(row.cells))
        except _Wrong as wrong:
            column, what = wrong.args
            raise ConfigError(what, where=row.place(column)) from wrong
    return rows


def _cell(cells: Mapping[str, str], column: str, made: Callable[[str], T], what: str) -> T:
    try:
        return made(cells[column])
    except (ValueError, ZeroDivisionError, KeyError) as error:
        raise _Wrong(column, what) from error


def _day(cells: Mapping[str, str], column: str) -> date | None:
    return _cell(cells, column, date.fromisoformat, "no date like 2020-06-01") if cells[column] else None


def _area(cells: Mapping[str, str]) -> Area:
    kind = KINDS[_cell(cells, "kind", [*map(str, KINDS)].index, f"none of {', '.join(KINDS)}")]
    names = (kind, cells["code"], cells["name_zh"], cells["name_en"])
    return Area(cells["id"], cells["parent"] or None, *names, _day(cells, "from"), _day(cells, "to"))


def _industry(cells: Mapping[str, str]) -> Industry:
    return Industry(cells["id"], cells["name_zh"], cells["name_en"], tuple(cells["classes"].split()))


def _coefficient(cells: Mapping[str, str]) -> Coefficient:
    _cell(cells, "carrier", reference.carriers().__getitem__, "no such carrier")
    kgce = _cell(cells, "kgce", Fraction, "no number like 0.1229 (kgce per unit of the carrier)")
    return Coefficient(cells["carrier"], _day(cells, "since") or date.min, kgce, cells["source"])


def _holiday(cells: Mapping[str, str]) -> ExceptionItem:
    found, plan = dates(cells["dates"]), cells["plan"]
    if found is None:
        raise _Wrong("dates", "no date, nor first..last in order (2027-02-05..2027-02-11)")
    if plan != "off" and plan.removeprefix("like ") not in WEEKDAYS:
        raise _Wrong("plan", "off, or like and a weekday (like mon)")
    return ExceptionItem(*found, plan, cells["why"])


def _tile(cells: Mapping[str, str]) -> tuple[str, tuple[int, int]]:
    what, numbers = "column and row are numbers from 1 to 12", [str(n) for n in range(1, 13)]
    column, row = (_cell(cells, name, numbers.index, what) + 1 for name in ("column", "row"))
    return cells["area"], (column, row)


def _plan(folder: Any, ours: Any) -> Iterator[Aim]:
    """The rows of the plan: read as they are written, for their texts are shown and a list's signs are made plain."""
    file = folder.joinpath("plan.csv") if folder.joinpath("plan.csv").is_file() else ours.joinpath("plan.csv")
    columns = [field.name for field in fields(Aim)]
    read = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""))
    if read.fieldnames != columns:
        raise ConfigError(f"its first row is {','.join(columns)}", where=str(file))
    for number, row in enumerate(read, start=2):
        if None in row or None in row.values():
            raise ConfigError("has too few or too many cells", where=f"{file} row {number}")
        yield Aim(**row)


_OWN = ("areas.csv", "industries.csv")
_FILES: Mapping[str, tuple[tuple[str, ...], Callable[[Mapping[str, str]], Any]]] = {
    "areas.csv": (("id", "parent", "kind", "code", "name_zh", "name_en", "from", "to"), _area),
    "industries.csv": (("id", "name_zh", "name_en", "classes"), _industry),
    "coefficients.csv": (("carrier", "since", "kgce", "source"), _coefficient),
    "holidays.csv": (("dates", "plan", "why", "source"), _holiday),
    "tiles.csv": (("area", "column", "row"), _tile),
}
"""By name, in the order of what makes a province: its columns, and what is made of a row."""
