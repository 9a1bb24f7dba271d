"""The cells of one row, read as what they have to be.

A reader takes the row and a column, and gives what stands there as the right type. What is wrong it says to the row: it
is refused, and something of the right type stands for it.
"""

import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from ganpo_cloud.imports.known import Known
from ganpo_cloud.province.plan import asked_for
from ganpo_cloud.store.localdays import DEFAULT_ZONE
from ganpo_model import credit_code as codes
from ganpo_model import reference, tables
from ganpo_model.clock import to_ms
from ganpo_model.facts import ASSET_NO

_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)
NODE, NODE_MEANT = r"[^\x00-\x20,/#]{1,64}", "1 to 64 characters without space, comma, / and #"
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Cells:
    """One row. `wrongs`: what is wrong with it and a hint, by column: one of each."""

    cells: Mapping[str, str]
    known: Known
    wrongs: dict[str, tuple[str, str]]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def wrong(self, column: str, what: str, hint: str = "") -> None:
        """A cell is wrong; told once."""
        self.wrongs.setdefault(column, (what, hint))

    @property
    def since(self) -> date:
        """The day that names and codes of the row are of."""
        return _day(self.cells.get("since", "")) or self.known.today


Reader = Callable[[Cells, str], Any]


def same(wrong: Callable[[Cells, str], str | None], hint: str = "") -> Reader:
    """A reader of what stands as it is; `wrong` says of row and cell what is wrong with it."""

    def read(row: Cells, column: str) -> str:
        if what := wrong(row, row[column]):
            row.wrong(column, what, hint)
        return row[column]

    return read


def every(*readers: Reader) -> Reader:
    """What the last one reads, if none of them has anything against it."""
    return lambda row, column: [read(row, column) for read in readers][-1]


def or_nothing(read: Reader, nothing: Any = None) -> Reader:
    """A cell that may be empty."""
    return lambda row, column: read(row, column) if row[column] else nothing


def one_of(*allowed: str) -> Reader:
    """One of these words."""
    return same(lambda _, cell: _none_of(cell, allowed))


def _none_of(cell: str, allowed: Iterable[str]) -> str | None:
    return None if cell in allowed else f"none of {', '.join(allowed)}"


def matching(pattern: str, meant: str) -> Reader:
    """A text of this form; `meant` says it for people."""
    form = re.compile(pattern, re.ASCII)
    return same(lambda _, cell: None if form.fullmatch(cell) else meant if cell else f"is missing: {meant}")


def text(longest: int = 200) -> Reader:
    """A text for people, without signs that turn the direction of writing."""

    def wrong(_row: Cells, cell: str) -> str | None:
        if not cell:
            return "is missing"
        if len(cell) > longest:
            return f"{len(cell)} characters: at most {longest}"
        if not cell.isprintable() or _BIDI.search(cell):
            return "has control characters in it, or signs that turn the direction of writing"
        return None

    return same(wrong)


def yes(row: Cells, column: str) -> bool:
    """yes or no."""
    return bool(one_of("yes", "no")(row, column) == "yes")


def day(row: Cells, column: str) -> date:
    """A date: 2025-03-01 or 2025/3/1."""
    found = _day(row[column])
    if found is None:
        row.wrong(
            column, "no day of the calendar" if _DATE.fullmatch(row[column]) else "no date like 2025-03-01"
        )
    elif not date(1900, 1, 1) <= found < date(2100, 1, 1):
        row.wrong(column, "a date lies between 1900 and 2099")
    return found or row.known.today


@lru_cache(4096)
def _day(cell: str) -> date | None:
    match = _DATE.fullmatch(cell)
    try:
        return date(*map(int, match.groups())) if match is not None else None
    except ValueError:
        return None


def begun(row: Cells, column: str) -> date:
    """A date that has come."""
    found = day(row, column)
    if found > row.known.today:
        row.wrong(column, f"lies in the future (today is {row.known.today})", "import it once it is so")
    return found


def instant(row: Cells, column: str) -> int:
    """An instant in ms: 2026-11-25 08:00 as the clocks of the site show it, or with a time zone."""
    try:
        found = datetime.fromisoformat(row[column])
    except ValueError:
        row.wrong(column, "no time like 2026-11-25 08:00")
        return 0
    if found.tzinfo is None:
        zone = row.known.zones.get((row["enterprise"], row["asset_no"]), DEFAULT_ZONE)
        found = found.replace(tzinfo=zoneinfo.ZoneInfo(zone))
    if not 2000 <= found.year < 2100:
        row.wrong(column, "a time lies between 2000 and 2099")
        return 0
    return to_ms(found.astimezone(UTC))


def _begun(form: str, now: str, like: str) -> Reader:
    """A period that has begun, written so that the order of texts is that of times."""

    def wrong(row: Cells, cell: str) -> str | None:
        if re.fullmatch(form, cell, re.ASCII) is None:
            return like
        return (
            f"lies in the future (today is {row.known.today})" if cell > f"{row.known.today:{now}}" else None
        )

    return same(wrong)


month = _begun(r"20\d\d-(0[1-9]|1[0-2])", "%Y-%m", "no month like 2025-03")
_year = _begun(r"20\d\d", "%Y", "no year like 2025")


def year(row: Cells, column: str) -> int:
    """A year that has begun."""
    _year(row, column)
    return 0 if column in row.wrongs else int(row[column])


def year_planned(row: Cells, column: str) -> int:
    """A year that has begun, or the next: what is planned for it is known before."""
    coming = str(row.known.today.year + 1)
    return int(coming) if row[column] == coming else year(row, column)


def number(of: int = 1) -> Reader:
    """A decimal number from 0, exactly, in parts of which `of` make one."""

    def read(row: Cells, column: str) -> int:
        if _DECIMAL.fullmatch(row[column]) is None:
            row.wrong(column, "no number like 1234.5" if row[column] else "is missing: a number like 1234.5")
            return 0
        value = Fraction(row[column]) * of
        if value < 0:
            row.wrong(column, "is negative")
        elif value.denominator != 1:
            row.wrong(column, "is a part of one" if of == 1 else f"has more places than are kept (1/{of:,})")
        elif value >= 2**63:
            row.wrong(column, "is larger than anything that can be kept")
        return value.numerator

    return read


def above_0(read: Reader) -> Reader:
    """A number that is not 0, nor less."""

    def found(row: Cells, column: str) -> Any:
        value = read(row, column)
        if column not in row.wrongs and Fraction(value) <= 0:
            row.wrong(column, "is negative" if Fraction(value) < 0 else "is 0: leave the row out")
        return value

    return found


decimal = same(lambda _, cell: None if _DECIMAL.fullmatch(cell) else "no number like 60")
"""A decimal text as it stands."""
_wrong_code = lru_cache(16_384)(codes.wrong)
"""The same enterprises stand in many rows."""
credit_code = same(lambda _, cell: _wrong_code(cell))
"""The code of an enterprise, with its check characters."""
enterprise = every(
    credit_code,
    same(
        lambda row, cell: None if cell in row.known.enterprises else "is not in the registry",
        "ganpo-cloud import enterprises FILE.csv",
    ),
)
"""The code of an enterprise that is in the registry."""
site = same(
    lambda row, cell: None if (row["enterprise"], cell) in row.known.sites else "no site of this enterprise",
    "ganpo-cloud import sites FILE.csv",
)
"""The id of a site of the row's enterprise."""
asset_no = every(
    same(lambda _, cell: tables.NUMBERED if tables.numbered(cell) else None, tables.AS_TEXT),
    matching(ASSET_NO, "1 to 64 characters without space, comma, / and #"),
)
"""A plant's own number."""
equipment = every(
    asset_no,
    same(
        lambda row, cell: (
            None if (row["enterprise"], cell) in row.known.equipment else "no equipment of this enterprise"
        ),
        "ganpo-cloud import equipment FILE.csv",
    ),
)
"""The number of equipment that is in the ledger of the row's enterprise."""
product = same(
    lambda row, cell: None if cell in row.known.products else "no product of the list",
    "ganpo-cloud import products FILE.csv",
)
"""The id of a product."""
node = every(
    matching(NODE, NODE_MEANT),
    same(
        lambda row, cell: (
            None if (row["enterprise"], cell) in row.known.nodes else "no node of this enterprise"
        ),
        "ganpo-cloud import nodes FILE.csv",
    ),
)
"""A node of the tree of the row's enterprise."""
industry = same(
    lambda row, cell: None if cell in row.known.province.industries else row.known.province.no_industry(cell)
)
"""The id of an industry."""
aim = same(lambda row, cell: _none_of(cell, sorted(asked_for(row.known.province))))
"""A row of the plan, or a number of one that has several: what a target may be entered for."""
carrier = one_of(*reference.carriers())
"""What is measured."""


def area(row: Cells, column: str) -> str:
    """The id of an area as of the row's day."""
    if row.known.province.area(row[column], row.since) is None:
        row.wrong(column, row.known.province.why_not(row[column], row.since))
    return row[column]


def county(row: Cells, column: str) -> str:
    """The id of a county."""
    found = row.known.province.area(area(row, column), row.since)
    if found is not None and found.kind != "county":
        row.wrong(column, f"is a {found.kind}: name the county")
    return row[column]


def unit(row: Cells, column: str) -> str:
    """The unit of the row's carrier."""
    about = reference.carriers().get(row["carrier"])
    return str(one_of(about.unit)(row, column)) if about is not None else row[column]


@cache
def _zones() -> set[str]:
    return zoneinfo.available_timezones()


timezone = same(lambda _, cell: None if cell in _zones() else "no time zone (an IANA name: Asia/Shanghai)")
"""An IANA time zone."""
