"""How the fields of what is answered are described, in whichever wing it is found, and types that stand in several."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Generic, TypeVar, dataclass_transform

from pydantic import Field, PlainSerializer

from ganpo_cloud.store.counted_tables import NOWHERE
from ganpo_model.clock import from_ms, iso

T = TypeVar("T")


def said(
    description: str,
    *examples: Any,
    name: str | None = None,
    adds: bool = False,
    among: str = "",
    scale: int = 1,
    rate: bool = True,
    told: str = "",
) -> Any:
    """What a field says, and what it may look like; `name`: in answers, where Python has that word for itself.

    In files for people: `adds`: it is summed up over the rows; `among`: the field that it is counted among, of which it
    is shown in percent; `scale`: how many of it are one of its unit, which programs are told; `rate`: a `Ratio` is
    shown in percent; `told`: the field that says it in a language: `told(t)`.
    """
    parts = {1: "", 10: "in tenths: ", 10**6: "in millionths: "}[scale]
    about = {
        "description": parts + description,
        "examples": list(examples) or None,
        "serialization_alias": name,
    }
    shown = {"said": description, "adds": adds, "among": among, "scale": scale, "rate": rate, "told": told}
    return field(metadata=about | shown)


def unsaid(**more: Any) -> Any:
    """A field that is known here and not answered; `more`: of a dataclass's field."""
    return field(metadata={"exclude": True}, **more)


@dataclass_transform(frozen_default=True, field_specifiers=(said, unsaid))
def answer(kind: type[T]) -> type[T]:
    """A frozen dataclass whose fields are `said`: it is the JSON, the columns of files, and what pages get."""
    return dataclass(frozen=True, slots=True)(kind)


Instant = Annotated[int, PlainSerializer(lambda ms: iso(from_ms(ms)), str)]
"""Ms since 1970; ISO 8601 in UTC with milliseconds where it travels."""
Code = Annotated[str, Field(description="unified social credit code", examples=["91360000625912173B"])]
AssetNo = Annotated[str, Field(description="the plant's own number", examples=["SB-0141"])]
AreaId = Annotated[str, Field(description="id of the area", examples=["360000"])]
InIndustry = Annotated[
    str | None, Field(description="id of the industry; null: all", examples=["NONFERROUS"])
]
Month = Annotated[str, Field(description="the month", examples=["2026-11"])]
Unit = Annotated[str, Field(description="of the quantity", examples=["kWh"])]


@answer
class Ratio:
    """A count over its denominator; percentages are made at display."""

    numerator: int | None = said("how many; null: nobody knows", 39)
    denominator: int | None = said("of how many; null: a plain count", 60)


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A page of a long list. `rows`: of a long page an iterator, read while it is taken; `total`: rows of all pages."""

    rows: Iterable[T]
    total: int


def read(rows: Iterable[Any], made: Callable[[Any], T]) -> Iterable[T]:
    """What is made of rows: a list of a list, and of what is read while it is taken the same."""
    return [made(row) for row in rows] if isinstance(rows, Sequence) else map(made, rows)


def filled(kind: type[T], source: Any, **other: Any) -> T:
    """An answer with the attributes of the same name; `other`: those that are made, not copied."""
    names, copied = _copied(kind, tuple(other))  # type: ignore[arg-type]
    return kind(**dict(zip(names, copied(source), strict=True)), **other)


@cache
def _copied(kind: Any, other: tuple[str, ...]) -> tuple[Sequence[str], Callable[[Any], Sequence[Any]]]:
    names = [field.name for field in fields(kind) if field.name not in other]
    return names, (
        attrgetter(*names) if len(names) > 1 else lambda source: [getattr(source, n) for n in names]
    )


def somewhere(area: str) -> str | None:
    """The area of a row; None where nobody said."""
    return None if area == NOWHERE else area
