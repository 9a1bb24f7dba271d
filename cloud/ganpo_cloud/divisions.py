"""Areas and industries of a province, from its folder of files (province/README.md). Dated; another province is another
folder, not other code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

from ganpo_model import tables
from ganpo_model.errors import ConfigError

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
    """All areas and industries. `areas`: rows by id, oldest first."""

    def __init__(self, areas: Iterable[Area], industries: Iterable[Industry]) -> None:
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
    return Province(areas, industries)


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


def _day(row: tables.Row, column: str) -> date | None:
    text = row.cells[column]
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        where = tables.place("areas.csv", row.number, column, text)
        raise ConfigError("no date like 2020-06-01", where=where) from error
