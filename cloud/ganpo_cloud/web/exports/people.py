"""A table for people, in their language: words for columns and values, names beside codes, a percentage beside
numerator and denominator, quantities in their unit, and what adds up known as such."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import Enum
from fractions import Fraction
from functools import partial
from operator import attrgetter, methodcaller
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from sqlalchemy import Connection

from ganpo_cloud.province import lists
from ganpo_cloud.province.definitions import DEFINITIONS, Definition
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.plan import EVERY
from ganpo_cloud.store.described import Instant, Ratio
from ganpo_cloud.web import i18n
from ganpo_cloud.web.exports.heads import HEADS, LISTED, NAMED, OF_KIND, OURS, VALUES, WORDED
from ganpo_cloud.web.pages import numbers
from ganpo_model.coverage import LEVELS, MEASURES, percent
from ganpo_service.pages import spoken

Look = Literal["text", "count", "amount", "rate", "date"]
Read = Callable[[Sequence[Any]], Sequence[Any]]
"""Of some rows what stands in a column."""
_ITEMS = {*LEVELS, "number", "published", "revised"}
"""Ratios that are the row's own number, in its unit; others are counts, or say how many are one."""
_DEFINITIONS = {of.id: of for of in EVERY}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as people read it. `name`: as programs know it, empty where they have none; `read`: texts, ints, floats
    that are not whole, dates or None of rows; `adds`: it is summed up; `of`: of a rate what it is made of."""

    name: str
    head: str
    look: Look
    read: Read
    adds: bool = False
    of: tuple[str, str] | None = None
    about: str = ""


class Names:
    """What codes are called on a day, in a language; enterprises are looked up for the rows that are written."""

    def __init__(self, connection: Connection, province: Province, day: date, lang: str) -> None:
        self.lang, self.t = lang, i18n.translator(lang)
        self._connection, self._province, self._day = connection, province, day
        self._enterprises: Mapping[str, str] = {}

    def look_up(self, codes: set[str]) -> None:
        """Know these enterprises, and no others any more."""
        self._enterprises = lists.names(self._connection, codes, self._day)

    def of(self, kind: str, code: Any) -> str | None:
        """The name of a code; None where nobody knows."""
        if kind in ("area", "city"):
            return self.area(code)
        if kind == "industry":
            return self.industry(code)
        if kind == "enterprise":
            return self._enterprises.get(code)
        if kind == "carrier":
            return numbers.carrier(code, self.lang)
        return self.t(DEFINITIONS[code].word) if code in DEFINITIONS else None

    def area(self, code: str) -> str:
        """The name of an area."""
        rows = self._province.areas.get(code)
        if rows is None:
            return self.t("place unknown")
        found = self._province.area(code, self._day) or rows[-1]
        return found.name_zh if self.lang == "zh" else found.name_en

    def industry(self, code: str) -> str:
        """The name of an industry."""
        found = self._province.industries.get(code)
        return code if found is None else found.name_zh if self.lang == "zh" else found.name_en


class Table:
    """The columns of a kind of row, and rows as what stands in them."""

    def __init__(self, kind: Any, names: Names) -> None:
        self._names, self._kind = names, kind.__name__
        self.within: list[Table] = []
        """Those that stand in one cell of it."""
        self.columns = [*self._of(kind, "", list)]
        self._enterprises = any(column.name == "enterprise" for column in self.columns)

    def cells(self, rows: Sequence[Any]) -> list[Sequence[Any]]:
        """What stands in each column of some rows."""
        if self._enterprises:
            self._names.look_up({row.enterprise for row in rows})
        return [column.read(rows) for column in self.columns]

    def told(self, row: Any) -> str:
        """A row in one cell: what is known of it, each behind its head."""
        known = ((column, column.read([row])[0]) for column in self.columns)
        is_, between = ("：", "，") if self._names.lang == "zh" else (": ", ", ")
        return between.join(
            f"{column.head}{is_}{_shown(column.look, value)}"
            for column, value in known
            if value not in (None, "")
        )

    def _of(
        self, kind: Any, name: str, read: Read, about: Mapping[str, Any] | None = None
    ) -> Iterator[Column]:
        """The columns of a type, and of what stands in it."""
        about = about or {}
        parts = get_args(kind)
        if NoneType in parts:
            (kind,) = (part for part in parts if part is not NoneType)
            yield from self._of(kind, name, read, about)
        elif kind == Instant:
            yield self._column(name, "text", _each(read, spoken.minute), about)
        elif get_origin(kind) is Annotated:
            yield from self._of(parts[0], name, read, about)
        elif get_origin(kind) is dict and get_origin(parts[0]) is Literal:
            for key in get_args(parts[0]):
                yield from self._of(parts[1], f"{name}.{key}", _each(read, methodcaller("get", key)), about)
        elif kind is Ratio:
            yield from self._ratio(name, read, about)
        elif is_dataclass(kind):
            for field in fields(kind):
                if not field.metadata.get("exclude"):
                    called = field.metadata.get("serialization_alias") or field.name
                    named = f"{name}.{called}".lstrip(".")
                    if said := field.metadata.get("told"):
                        words = _each(_each(read, attrgetter(said)), methodcaller("told", self._names.t))
                        yield self._column(named, "text", words, field.metadata)
                    else:
                        inner = _each(read, attrgetter(field.name))
                        yield from self._of(field.type, named, inner, field.metadata)
        else:
            yield from self._plain(kind, name, read, about)

    def _plain(self, kind: Any, name: str, read: Read, about: Mapping[str, Any]) -> Iterator[Column]:
        last = name.rpartition(".")[2]
        if kind is bool:
            words = {True: self._names.t("yes"), False: self._names.t("no")}
            yield self._column(name, "text", _once(read, words.__getitem__), about)
        elif kind is int and about.get("scale", 1) != 1:
            yield self._column(name, "amount", _each(read, partial(_scaled, about["scale"])), about)
        elif kind is int:
            yield self._column(name, "count", read, about)
            if among := about.get("among"):
                rate = _rates(read, lambda rows: [getattr(row, among) for row in rows])
                yield Column("", f"{self._named(name)} (%)", "rate", rate, of=(name, among))
        elif kind is date:
            yield self._column(name, "date", read, about)
        elif get_origin(kind) in (None, Literal):
            known = VALUES.get(WORDED.get(name, name.partition(".")[0]), {})
            told = partial(self._ours if last in OURS else self._worded, known)
            as_it_is = kind is str and last not in ("comparator", "status", "until", "verdict", *OURS)
            yield self._column(name, "text", read if as_it_is else _once(read, told), about)
            if last in NAMED:
                head = self._head(name.rpartition(".")[0], self._names.t(NAMED[last]))
                named = partial(self._names.of, last)
                yield Column("", head, "text", (_each if last == "enterprise" else _once)(read, named))
        else:
            yield self._column(name, "text", _each(read, self._several(kind, last)), about)

    def _several(self, kind: Any, name: str) -> Callable[[Any], str]:
        """How what is no single value is told in one cell; `name`: the last word of the column."""
        of, lang = get_args(kind)[0], self._names.lang
        if is_dataclass(of):
            table, between = Table(of, self._names), "；" if lang == "zh" else "; "
            self.within.append(table)
            return lambda rows: between.join(map(table.told, rows))
        if get_origin(kind) is dict:
            return lambda found: numbers.names((f"{key}: {value}" for key, value in found.items()), lang)
        if name in LISTED:
            return lambda codes: numbers.names((self._names.of(LISTED[name], of) or of for of in codes), lang)
        return lambda texts: numbers.names(texts, lang)

    def _ratio(self, name: str, read: Read, about: Mapping[str, Any]) -> Iterator[Column]:
        """Numerator, denominator and percentage; of a quantity or an intensity in their unit, without one. What is no
        rate is the number that both come to."""
        if not about.get("rate", True):
            yield self._column(name, "amount", _each(read, partial(_number, about["scale"])), about)
            return
        above, below = (_each(read, attrgetter(part)) for part in ("numerator", "denominator"))
        item = name in _ITEMS
        shown = _in_unit if item else partial(_each, of=partial(_scaled, about["scale"]))
        yield self._column(f"{name}.numerator", "count", shown(above), about)
        yield self._column(f"{name}.denominator", "count", shown(below), {})
        yield Column("", f"{self._named(name)} (%)", "rate", _rates(above, below, item=item))

    def _column(self, name: str, look: Look, read: Read, about: Mapping[str, Any]) -> Column:
        adds = look in ("count", "amount") and bool(about.get("adds"))
        return Column(name, self._named(name), look, read, adds, about=about.get("said", ""))

    def _named(self, name: str) -> str:
        """The head of a column: of each part of its name the word."""
        *above, last = name.split(".")
        word = OF_KIND.get((self._kind, name)) or HEADS.get(last, last)
        if above == ["counted"]:
            word = MEASURES[last].word
        return self._head(".".join(above), self._names.t(word))

    def _head(self, above: str, word: str) -> str:
        heads = (OF_KIND.get((self._kind, part)) or HEADS.get(part) for part in above.split("."))
        words = [self._names.t(head) for head in heads if head]
        return " · ".join([*words, word])

    def _worded(self, words: Mapping[str, str], value: Any) -> str:
        """A value as people say it."""
        if isinstance(value, Enum):
            value = value.name.lower() if isinstance(value, int) else value.value
        return self._names.t(words[value]) if value in words else str(value)

    def _ours(self, words: Mapping[str, str], value: str) -> str:
        """A text of ours in the language of the sheet."""
        return self._names.t(words.get(value, value)) if value else value


class _Known(dict[Any, Any]):
    """What a function gives of a value, worked out once; None of None."""

    def __init__(self, of: Callable[[Any], Any]) -> None:
        super().__init__({None: None})
        self._of = of

    def __missing__(self, key: Any) -> Any:
        found = self[key] = self._of(key)
        return found


def _once(read: Read, of: Callable[[Any], Any]) -> Read:
    """What a function gives of few values that come again and again."""
    known = _Known(of)
    return lambda rows: [*map(known.__getitem__, read(rows))]


def _shown(look: Look, value: Any) -> str:
    """A value within a text."""
    if look == "rate":
        return f"{value:.1%}"
    return f"{value:,}" if look in ("count", "amount") else f"{value}"


def _definition(row: Any) -> Definition | None:
    """What a row's own number means."""
    names = (getattr(row, name, None) for name in ("measure", "metric", "id"))
    return _DEFINITIONS.get(next(filter(None, names), ""))


def _each(read: Read, of: Callable[[Any], Any]) -> Read:
    """What a function gives of every value but None."""
    return lambda rows: [None if value is None else of(value) for value in read(rows)]


def _in_unit(read: Read) -> Read:
    """Counts as they are; what belongs to a quantity or an intensity in millionths, in ones."""

    def in_unit(rows: Sequence[Any]) -> list[Any]:
        of = map(_definition, rows)
        return [
            value
            if item is None or item.kind in ("rate", "count") or value is None
            else _scaled(10**6, value)
            for item, value in zip(of, read(rows), strict=True)
        ]

    return in_unit


def _rates(above: Read, below: Read, *, item: bool = False) -> Read:
    """Percentages as pages round them; `item`: of the row's own number, against its target, and none of what has
    another unit."""

    def rate(row: Any, n: int | None, of: int | None) -> float | int | None:
        told = _definition(row) if item else None
        if n is None or not of or (told is not None and told.unit != "%"):
            return None
        target = getattr(row, "target", None) if item else None
        goal = target.goal if target is not None else None
        return _whole(float(Fraction(percent(n, of, goal)) / 100))

    return lambda rows: [rate(*of) for of in zip(rows, above(rows), below(rows), strict=True)]


def _number(scale: int, of: Ratio) -> float | int | None:
    """What a numerator comes to, of which `scale` are one, or which stands over a denominator."""
    if of.numerator is None or of.denominator == 0:
        return None
    return _whole(float(Fraction(of.numerator, of.denominator or scale)))


def _scaled(scale: int, value: int) -> float | int:
    return value if scale == 1 else _whole(value / scale)


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() else value
