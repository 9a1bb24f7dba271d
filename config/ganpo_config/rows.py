"""The rows of `[[equipment]]`, `[[meters]]`, `[[points]]`: each judged by itself, so that no mistake hides another."""

import contextlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from ganpo_config.document import EquipmentRow, MeterRow, PointRow, Row
from ganpo_config.explain import explain
from ganpo_config.findings import Findings
from ganpo_config.lists import Cells, Lists
from ganpo_config.names import Names

RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True, slots=True)
class Placed(Generic[RowT]):
    """A row that can be checked further, and its key path: `meters[0]`.

    `sound`: all its cells are good; those that are not were found and left out.
    """

    path: str
    row: RowT
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file; points are taken out of it. `numbers`: of equipment and meters, also of a row that cannot be
    read."""

    equipment: tuple[Placed[EquipmentRow], ...]
    meters: tuple[Placed[MeterRow], ...]
    points: deque[Placed[PointRow]]
    numbers: Names
    _pointed: Names
    """Numbers of which a row of points could not be read; not whole: nor can it be said of which."""

    def subjects(self) -> tuple[Placed[EquipmentRow] | Placed[MeterRow], ...]:
        """Equipment, then meters."""
        return (*self.equipment, *self.meters)

    def points_known(self, number: str) -> bool:
        """Whether every row of points that may be of this subject could be read."""
        return self._pointed.lack(number)


def read_rows(raw: Mapping[str, Any], lists: Lists, findings: Findings) -> Rows:
    """Check every row, those of the lists too, and take it out of `raw`; what cannot be read is found and left out. An
    asset_no that stands twice is told with both places."""
    equipment = _table(raw, lists, "equipment", EquipmentRow, findings)
    meters = _table(raw, lists, "meters", MeterRow, findings)
    points = _table(raw, lists, "points", PointRow, findings)
    bad = {*equipment.bad, *meters.bad}
    numbers = Names(
        bad.union((p.row.asset_no for p in equipment.good), (p.row.asset_no for p in meters.good)),
        equipment.whole and meters.whole,
    )
    rows = Rows(
        tuple(equipment.good),
        tuple(meters.good),
        deque(points.good),
        numbers,
        Names(points.bad, points.whole),
    )
    _unique(rows, findings)
    _look_at_zeros(rows, findings)
    return rows


@dataclass(slots=True)
class _Table(Generic[RowT]):
    """The rows of one kind. `bad`: the numbers of those that cannot be read; not `whole`: and some without a number."""

    good: list[Placed[RowT]] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)
    whole: bool = True


def _table(
    raw: Mapping[str, Any], lists: Lists, name: str, model: type[RowT], findings: Findings
) -> _Table[RowT]:
    table = _Table[RowT]()
    for path, cells in chain(_inline(raw, name, findings), lists.rows(name)):
        if cells is None:
            table.whole = False
            continue
        findings.numbers[path] = str(cells.get("asset_no", "")).strip()
        try:
            table.good.append(Placed(path, model.model_validate(cells)))
        except ValidationError as error:
            found = error.errors(include_url=False)
            explain(found, findings, model, path)
            bad = {item["loc"][0] for item in found}
            rest = {key: cell for key, cell in cells.items() if key not in bad}
            with contextlib.suppress(ValidationError):
                table.good.append(Placed(path, model.model_validate(rest), sound=False))
                continue
            if "asset_no" in cells.keys() - bad:
                table.bad.add(str(cells["asset_no"]).strip())
            else:
                table.whole = False
    return table


def _inline(raw: Mapping[str, Any], name: str, findings: Findings) -> Iterator[tuple[str, Cells | None]]:
    """The rows that stand in the file itself; None for what cannot be read."""
    table = raw.get(name, [])
    if not isinstance(table, list):
        what, hint = f"not a list: its rows begin with [[{name}]]", "two square brackets, once for each row"
        findings.error(name, what, hint)
        yield name, None
        return
    for number in range(len(table)):
        # A thousand rows take megabytes: each is let go once it is read.
        cells, table[number] = table[number], None
        path = f"{name}[{number}]"
        if not isinstance(cells, dict):
            findings.error(path, "not a table")
            yield path, None
            continue
        flat = {key: cell for key, cell in cells.items() if not isinstance(cell, dict)}
        for key in cells.keys() - flat.keys():
            # [[equipment]] then [equipment.x]: a later key would silently land in the last element.
            what = f"an element of [[{name}]] has no table below it"
            hint = f"[{name}.{key}] lands in the last [[{name}]] above it: a row holds key = value alone"
            findings.error(f"{path}.{key}", what, hint)
        yield path, flat


def _unique(rows: Rows, findings: Findings) -> None:
    taken: dict[str, str] = {}
    for placed in rows.subjects():
        number = placed.row.asset_no
        if number in taken:
            there = findings.place(f"{taken[number]}.asset_no")
            what = f"stands in {there} too: numbers are unique, over equipment and meters together"
            hint = "correct one of them, or delete what stands there twice"
            findings.error(f"{placed.path}.asset_no", what, hint, value=number)
        taken.setdefault(number, placed.path)
    points: dict[tuple[str, str], str] = {}
    for point in rows.points:
        key = (point.row.asset_no, point.row.signal)
        if key in points:
            what = f"{key[0]}/{key[1]} stands in {findings.place(points[key])} too: a signal has one point"
            findings.error(point.path, what, "delete one of them")
        points.setdefault(key, point.path)


def _look_at_zeros(rows: Rows, findings: Findings) -> None:
    seen: dict[str, tuple[str, str]] = {}
    for placed in rows.subjects():
        number = placed.row.asset_no
        first, path = seen.setdefault(number.lstrip("0"), (number, placed.path))
        if first != number:
            what = f"{number} and {first} of {path} differ in leading zeros only: did a spreadsheet eat some?"
            findings.warn(f"{placed.path}.asset_no", what)
