"""The cells of one row, read as what they have to be."""

import re
import zoneinfo
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import cache

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.localdays import DEFAULT_ZONE, local
from ganpo_model import credit_code, reference, tables
from ganpo_model.clock import to_ms
from ganpo_model.facts import ASSET_NO
from ganpo_model.reference import Carrier

_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)
_YEARS = range(2000, 2100)
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@cache
def _zones() -> set[str]:
    return zoneinfo.available_timezones()


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one cell."""

    column: str
    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What rows may refer to. `sites` and `equipment`: (enterprise, id); `zones`: of equipment that gateways name;
    `bases`: the price basis of each year's value added, of which the first row that says so decides."""

    province: Province
    now: datetime
    enterprises: Collection[str]
    sites: Collection[tuple[str, str]]
    equipment: Collection[tuple[str, str]]
    zones: Mapping[tuple[str, str], str]
    bases: dict[int, str]

    @property
    def today(self) -> date:
        """The province's date."""
        return local(to_ms(self.now)).date()


class Cells:
    """One row. What is wrong with it is collected in `errors`, one per cell, and something of the right type is given
    in its place: the row is then refused."""

    def __init__(self, cells: Mapping[str, str], known: Known) -> None:
        self._cells = cells
        self.known = known
        self.errors: list[Wrong] = []

    def wrong(self, column: str, what: str, hint: str = "") -> None:
        """A cell is wrong; told once."""
        if column not in {error.column for error in self.errors}:
            self.errors.append(Wrong(column, what, hint))

    def raw(self, column: str) -> str:
        """The cell as it stands."""
        return self._cells[column]

    def text(self, column: str, *, longest: int = 200, empty: bool = False) -> str:
        """A text for people, without signs that turn the direction of writing."""
        text = self._cells[column]
        if not text and not empty:
            self.wrong(column, "is missing")
        elif len(text) > longest:
            self.wrong(column, f"{len(text)} characters: at most {longest}")
        elif not text.isprintable() or _BIDI.search(text):
            self.wrong(column, "has control characters in it, or signs that turn the direction of writing")
        return text

    def choice(self, column: str, allowed: Collection[str]) -> str:
        """One of these words."""
        text = self._cells[column]
        if text not in allowed:
            self.wrong(column, f"none of {', '.join(word or '(nothing)' for word in allowed)}")
        return text

    def matching(self, column: str, pattern: str, meant: str) -> str:
        """A text of this form; `meant` says it for people."""
        text = self._cells[column]
        if re.fullmatch(pattern, text, re.ASCII) is None:
            self.wrong(column, meant if text else f"is missing: {meant}")
        return text

    def yes(self, column: str) -> bool:
        """yes or no."""
        return self.choice(column, ("yes", "no")) == "yes"

    def day(self, column: str) -> date:
        """A date: 2025-03-01 or 2025/3/1."""
        match = _DATE.fullmatch(self._cells[column])
        try:
            found = date(*map(int, match.groups())) if match is not None else None
        except ValueError:
            self.wrong(column, "no day of the calendar")
            return self.known.today
        if found is None:
            self.wrong(column, "no date like 2025-03-01")
        elif not date(1900, 1, 1) <= found < date(2100, 1, 1):
            self.wrong(column, "a date lies between 1900 and 2099")
        return found or self.known.today

    def day_or_none(self, column: str) -> date | None:
        """A date, or nothing."""
        return self.day(column) if self._cells[column] else None

    def instant(self, column: str) -> int:
        """An instant in ms: 2026-11-25 08:00 as the clocks of the site show it, or with a time zone."""
        try:
            found = datetime.fromisoformat(self._cells[column])
        except ValueError:
            self.wrong(column, "no time like 2026-11-25 08:00")
            return 0
        if found.tzinfo is None:
            key = (self._cells["enterprise"], self._cells["asset_no"])
            found = found.replace(tzinfo=zoneinfo.ZoneInfo(self.known.zones.get(key, DEFAULT_ZONE)))
        if not 2000 <= found.year < 2100:
            self.wrong(column, "a time lies between 2000 and 2099")
            return 0
        return to_ms(found.astimezone(UTC))

    def year(self, column: str) -> int:
        """A year that has begun."""
        text = self._cells[column]
        if not (text.isascii() and text.isdigit() and int(text[:5]) in _YEARS):
            self.wrong(column, "no year like 2025")
            return 0
        if int(text) > self.known.today.year:
            self.wrong(column, f"lies in the future (today is {self.known.today})")
        return int(text)

    def month(self, column: str) -> str:
        """A month that has begun: 2025-03."""
        text = self._cells[column]
        match = _MONTH.fullmatch(text)
        if match is None or not 1 <= int(match[2]) <= 12 or int(match[1]) not in _YEARS:
            self.wrong(column, "no month like 2025-03")
        elif text > f"{self.known.today:%Y-%m}":
            self.wrong(column, f"lies in the future (today is {self.known.today})")
        return text

    def number(self, column: str, *, of: int = 1) -> int:
        """A decimal number from 0, exactly, in parts of which `of` make one."""
        text = self._cells[column]
        if _DECIMAL.fullmatch(text) is None:
            self.wrong(column, "no number like 1234.5" if text else "is missing: a number like 1234.5")
            return 0
        value = Fraction(text) * of
        if value < 0:
            self.wrong(column, "is negative")
        elif value.denominator != 1:
            self.wrong(column, "is a part of one" if of == 1 else f"has more places than are kept (1/{of:,})")
        elif value >= 2**63:
            self.wrong(column, "is larger than anything that can be kept")
        return value.numerator

    def decimal_or_none(self, column: str) -> str | None:
        """A decimal text as it stands, or nothing."""
        text = self._cells[column]
        if text and _DECIMAL.fullmatch(text) is None:
            self.wrong(column, "no number like 60")
        return text or None

    def price_basis(self, year: int) -> str:
        """The prices that an amount is in; within a year they are the same everywhere."""
        text = self.text("price_basis", longest=40)
        basis = self.known.bases.setdefault(year, text)
        if text and basis != text:
            hint = "a file that names every enterprise of the year may change it"
            self.wrong(
                "price_basis", f"{year} is in prices of {basis}: amounts of two bases do not add up", hint
            )
        return text

    def credit_code(self, column: str) -> str:
        """The code of an enterprise, with its check characters."""
        text = self._cells[column]
        if (why := credit_code.wrong(text)) is not None:
            self.wrong(column, why)
        return text

    def enterprise(self) -> str:
        """The code of an enterprise that is in the registry."""
        text = self.credit_code("enterprise")
        if text not in self.known.enterprises:
            self.wrong("enterprise", "is not in the registry", "ganpo-cloud import enterprises FILE.csv")
        return text

    def site(self, enterprise: str) -> str:
        """The id of a site of the enterprise."""
        text = self._cells["site"]
        if (enterprise, text) not in self.known.sites:
            self.wrong("site", "no site of this enterprise", "ganpo-cloud import sites FILE.csv")
        return text

    def asset_no(self) -> str:
        """A plant's own number."""
        text = self._cells["asset_no"]
        if tables.numbered(text):
            self.wrong("asset_no", tables.NUMBERED, tables.AS_TEXT)
        return self.matching("asset_no", ASSET_NO, "1 to 64 characters without space, comma, / and #")

    def equipment(self, enterprise: str) -> str:
        """The number of equipment that is in the ledger of the enterprise."""
        text = self.asset_no()
        if (enterprise, text) not in self.known.equipment:
            self.wrong("asset_no", "no equipment of this enterprise", "ganpo-cloud import equipment FILE.csv")
        return text

    def area(self, day: date) -> str:
        """The id of an area as of a day."""
        text = self._cells["area"]
        if self.known.province.area(text, day) is None:
            self.wrong("area", self.known.province.why_not(text, day))
        return text

    def county(self, day: date) -> str:
        """The id of a county as of a day."""
        text = self.area(day)
        found = self.known.province.area(text, day)
        if found is not None and found.kind != "county":
            self.wrong("area", f"is a {found.kind}: name the county")
        return text

    def industry(self) -> str:
        """The id of an industry."""
        return self.choice("industry", tuple(self.known.province.industries))

    def timezone(self) -> str:
        """An IANA time zone."""
        text = self._cells["timezone"]
        if text not in _zones():
            self.wrong("timezone", "no time zone (an IANA name: Asia/Shanghai)")
        return text

    def carrier(self) -> Carrier | None:
        """What is measured."""
        return reference.carriers().get(self.choice("carrier", tuple(reference.carriers())))
