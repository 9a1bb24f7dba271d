"""What may be asked, checked in one place for the API and for pages: what is wrong is refused, with what, where and a
hint."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import Path, Query, Request
from fastapi.params import Param, ParamTypes

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.lists import Order
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds, day_of, last_day
from ganpo_cloud.web.problems import Refused
from ganpo_model import reference
from ganpo_model.clock import from_ms, to_ms

MOST_ROWS = 100_000
TEXT = r"^[^\x00]*$"
_DAY = re.compile(r"20\d\d-\d\d-\d\d", re.ASCII)
MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


def asks(description: str, example: Any, **limits: Any) -> Any:
    """A parameter in the address behind the `?`: what it says, and what it may look like."""
    return Query(description=description, examples=[example], **limits)


def named(
    description: str, example: str, max_length: int = 80, pattern: str = TEXT, alias: str | None = None
) -> Any:
    """A parameter in the path."""
    return Path(
        description=description, examples=[example], max_length=max_length, pattern=pattern, alias=alias
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The parameters of a request, as they came. Their shape is checked by FastAPI, what they name by `question`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated(Asked):
    """As of when."""

    as_of: Annotated[
        str | None, asks("a date: as of its end in Beijing; absent: now", "2026-11-24", max_length=40)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(Dated):
    """Of where, of which industry, as of when."""

    area: Annotated[str | None, asks("id of an area; absent: the province", "360100", max_length=40)] = None
    industry: Annotated[str | None, asks("id of an industry; absent: all", "NONFERROUS", max_length=40)] = (
        None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged(Placed):
    """The same, of everything or only of what a tag marks: asked of what is filtered by tags, and of nothing else."""

    tag: Annotated[
        str | None,
        asks("only what this tag marks on the day; absent: everything", "green_factory", max_length=40),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Tagged):
    """A place as its page shows it."""

    selected: Annotated[str, asks("the part that is marked", "360100", max_length=80)] = ""
    fragment: Annotated[bool, asks("the moving part alone", True)] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Tagged):
    """A long list of a place, a page of it at a time."""

    q: Annotated[str, asks("a part of number or name", "VMC", max_length=80, pattern=TEXT)] = ""
    limit: Annotated[int, asks("so many rows a page at most", 1000, ge=1, le=MOST_ROWS)] = 1000
    page: Annotated[int, asks("which page of them", 1, ge=1, le=10_000)] = 1

    @property
    def text(self) -> str:
        """What is searched for: nothing stored has control characters in it."""
        return "".join(sign for sign in self.q if sign.isprintable()).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfEnterprise(Asked):
    """An enterprise."""

    enterprise: Annotated[str, named("unified social credit code", "91360000625912173B")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfDevice(OfEnterprise):
    """A device of it, or a meter."""

    asset_no: Annotated[str, named("the plant's own number", "SB-0141")]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and found to exist. `past`: as of the end of that day; None: now. `tag`: only what it marks."""

    province: Province
    now: datetime
    area: str
    industry: str | None = None
    past: date | None = None
    tag: str | None = None

    @property
    def today(self) -> date:
        """The date in Beijing."""
        return day_of(to_ms(self.now), DEFAULT_ZONE)

    @property
    def day(self) -> date:
        """The last day of what is asked for."""
        return self.past or self.today

    @property
    def at(self) -> datetime | None:
        """The instant; None: now."""
        return None if self.past is None else from_ms(bounds(self.past, DEFAULT_ZONE)[1])


def question(province: Province, now: datetime, asked: Any) -> Question:
    """What the parameters of a request name; what is absent or empty is at its default.

    Raises Refused: 404 for an area, an industry or a tag that does not exist then, 422 for what is no day or not over.
    """
    past = _past(getattr(asked, "as_of", None) or None, day_of(to_ms(now), DEFAULT_ZONE))
    area = getattr(asked, "area", None) or province.whole
    industry = getattr(asked, "industry", None) or None
    tag = getattr(asked, "tag", None) or None
    found = Question(province, now, area, industry, past, tag)
    if province.area(area, found.day) is None:
        raise Refused(404, "area", province.why_not(area[:40], found.day), "area", "GET /api/v1/areas")
    if industry is not None and industry not in province.industries:
        title = f"no such industry ({province.no_industry(industry[:40])})"
        raise Refused(404, "industry", title, "industry", "GET /api/v1/industries")
    if tag is not None and tag not in reference.tags():
        raise Refused(404, "tag", f"none of {', '.join(reference.tags())}", "tag", "GET /api/v1/tags")
    return found


def names(asks: Any) -> set[str]:
    """What the parameters of a class are called in an address."""
    found = set()
    for field in fields(asks):
        of = next(item for item in field.type.__metadata__ if isinstance(item, Param))  # type: ignore[union-attr]
        found |= {of.alias or field.name} if of.in_ is ParamTypes.query else set()
    return found


def strict(request: Request, known: set[str]) -> None:
    """Raises Refused for a parameter that is not known: without it the question would be another."""
    for name in request.query_params:
        if name not in known:
            takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
            raise Refused(422, "parameter", f"no such parameter; {takes}", name[:40])


def day(text: str, where: str) -> date:
    """The date of a parameter `where`. Raises Refused; of an instant the hint says which date it means."""
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    hint = f"{where}=2026-11-25"
    try:
        at = datetime.fromisoformat(text)
        meant = at.date() if at.tzinfo is None else last_day(to_ms(at), DEFAULT_ZONE)
        hint = f"the date: {where}={meant}"
    except (ValueError, OverflowError):
        pass
    raise Refused(422, "date", "not a date like 2026-11-25 between 2000 and 2099", where, hint)


def sorted_by(columns: Sequence[str]) -> str:
    """How a list says by what it may be sorted."""
    return f"by one of {', '.join(columns)}; with - before it the largest first; absent: by code and number"


def order(text: str, columns: Sequence[str]) -> Order:
    """The order of a list. Raises Refused for a column by which it is not sorted."""
    column = text.removeprefix("-")
    if column and column not in columns:
        raise Refused(422, "sort", f"none of {', '.join(columns)}, nor one of them behind -", "sort")
    return Order(column, text.startswith("-"))


def instant(text: str, where: str) -> datetime:
    """The instant of a parameter `where`. Raises Refused."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - refused below
    if found.tzinfo is None or not 2000 < found.year < 2100:
        title = "not an instant with time zone like 2026-11-25T10:00:00+08:00 between 2001 and 2099"
        raise Refused(422, "instant", title, where, "in a URL + is written %2B")
    return found.astimezone(UTC)


def _past(text: str | None, today: date) -> date | None:
    """The day as of whose end is asked; today is not over: it is now."""
    if text is None or (found := day(text, "as_of")) == today:
        return None
    if found > today:
        raise Refused(422, "date", f"lies in the future (today is {today})", "as_of", "leave it away: now")
    return found
