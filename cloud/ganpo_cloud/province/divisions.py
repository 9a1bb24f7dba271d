"""Areas and industries of a province, from its folder of files (province/README.md). Dated; another province is another
folder, not other code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

from ganpo_model import reference, tables
from ganpo_model.energy import Coefficient, Coefficients
from ganpo_model.errors import ConfigError
from ganpo_model.facts import ExceptionItem
from ganpo_model.shifts import WEEKDAYS, dates

COEFFICIENTS = ("carrier", "since", "kgce", "source")
TILES = ("area", "column", "row")
HOLIDAYS = ("dates", "plan", "why", "source")
AREAS = ("id", "parent", "kind", "code", "name_zh", "name_en", "from", "to")
INDUSTRIES = ("id", "name_zh", "name_en", "classes")
KINDS = ("province", "city", "county")
OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Area:
    """One area as it is called from `since` to `until` (exclusive); None is open."""

    id: str
    parent: str | None
    kind: str
    code: str
    name_zh: str
    name_en: str
    since: date | None
    until: date | None

    def holds(self, day: date) -> bool:
        """Whether it is called so on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Industry:
    """One industry. `classes`: the beginnings of the GB/T 4754 classes that belong to it."""

    id: str
    name_zh: str
    name_en: str
    classes: tuple[str, ...]


class Province:
    """All areas and industries. `areas`: rows by id, oldest first. `holidays`: days that are off, or worked, everywhere
    unless a site says otherwise. `tiles`: column and row of cities in the grid of tiles."""

    def __init__(
        self,
        areas: Iterable[Area],
        industries: Iterable[Industry],
        coefficients: Iterable[Coefficient] = (),
        holidays: Iterable[ExceptionItem] = (),
        tiles: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self.tiles: Mapping[str, tuple[int, int]] = tiles or {}
        self.coefficients = Coefficients(coefficients)
        self.holidays = tuple(holidays)
        self.areas: dict[str, list[Area]] = {}
        for area in areas:
            self.areas.setdefault(area.id, []).append(area)
        self.industries: Mapping[str, Industry] = {industry.id: industry for industry in industries}

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
        return "no such area (the id of a county, a city or the province: 360121)"

    def parts(self, parent: str, day: date) -> list[str]:
        """The areas next below one on a day."""
        return [
            number
            for number, rows in self.areas.items()
            if any(area.parent == parent and area.holds(day) for area in rows)
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


def load(folder: Path | None = None) -> Province:
    """The province in a folder, or ours. Raises ConfigError with file, row and column."""
    ours = files("ganpo_cloud").joinpath("province")
    where = ours if folder is None else folder
    areas = [_area(row) for row in _rows(where, "areas.csv", AREAS)]
    industries = [
        Industry(
            row.cells["id"], row.cells["name_zh"], row.cells["name_en"], tuple(row.cells["classes"].split())
        )
        for row in _rows(where, "industries.csv", INDUSTRIES)
    ]
    return Province(
        areas,
        industries,
        [
            _coefficient(row)
            for row in _rows(_having(where, "coefficients.csv"), "coefficients.csv", COEFFICIENTS)
        ],
        [_holiday(row) for row in _rows(_having(where, "holidays.csv"), "holidays.csv", HOLIDAYS)],
        dict(_tile(row) for row in _rows(_having(where, "tiles.csv"), "tiles.csv", TILES)),
    )


def _tile(row: tables.Row) -> tuple[str, tuple[int, int]]:
    column, line = row.cells["column"], row.cells["row"]
    if not (column.isdecimal() and line.isdecimal() and 0 < int(column) <= 12 and 0 < int(line) <= 12):
        where = tables.place("tiles.csv", row.number, "column", f"{column},{line}")
        raise ConfigError("column and row are numbers from 1 to 12", where=where)
    return row.cells["area"], (int(column), int(line))


def _coefficient(row: tables.Row) -> Coefficient:
    carrier, text = row.cells["carrier"], row.cells["kgce"]
    if carrier not in reference.carriers():
        raise ConfigError(
            "no such carrier", where=tables.place("coefficients.csv", row.number, "carrier", carrier)
        )
    since = _day(row, "since", "coefficients.csv")
    try:
        return Coefficient(carrier, since or date.min, Fraction(text), row.cells["source"])
    except ValueError as error:
        where = tables.place("coefficients.csv", row.number, "kgce", text)
        raise ConfigError("no number like 0.1229 (kgce per unit of the carrier)", where=where) from error


def _holiday(row: tables.Row) -> ExceptionItem:
    found, plan = dates(row.cells["dates"]), row.cells["plan"]
    if found is None:
        where = tables.place("holidays.csv", row.number, "dates", row.cells["dates"])
        raise ConfigError("no date, nor first..last in order (2027-02-05..2027-02-11)", where=where)
    if plan != "off" and plan.removeprefix("like ") not in WEEKDAYS:
        where = tables.place("holidays.csv", row.number, "plan", plan)
        raise ConfigError("off, or like and a weekday (like mon)", where=where)
    return ExceptionItem(*found, plan, row.cells["why"])


def _having(folder: Any, name: str) -> Any:
    """The folder, or ours where it lacks a file that is the same in every province."""
    return folder if folder.joinpath(name).is_file() else files("ganpo_cloud").joinpath("province")


def _rows(folder: object, name: str, columns: tuple[str, ...]) -> tuple[tables.Row, ...]:
    file = folder.joinpath(name)  # type: ignore[attr-defined]
    try:
        found = tables.read(file.read_bytes(), name, columns, columns)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(file)) from error
    if found.errors:
        raise found.errors[0]
    return found.rows


def _area(row: tables.Row) -> Area:
    cells = row.cells
    if cells["kind"] not in KINDS:
        where = tables.place("areas.csv", row.number, "kind", cells["kind"])
        raise ConfigError(f"none of {', '.join(KINDS)}", where=where)
    return Area(
        cells["id"],
        cells["parent"] or None,
        cells["kind"],
        cells["code"],
        cells["name_zh"],
        cells["name_en"],
        _day(row, "from"),
        _day(row, "to"),
    )


def _day(row: tables.Row, column: str, name: str = "areas.csv") -> date | None:
    text = row.cells[column]
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        where = tables.place(name, row.number, column, text)
        raise ConfigError("no date like 2020-06-01", where=where) from error
