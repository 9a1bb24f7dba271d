"""Tags, declarations and what rose above scale: how many, and who with which document."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from sqlalchemy import Connection

from ganpo_cloud.province import lists, plan_sums, tagged
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.store.counted_tables import ALL, NOWHERE
from ganpo_cloud.store.described import AreaId, InIndustry, Instant, Listing, answer, filled, said
from ganpo_cloud.web import marked
from ganpo_cloud.web.asking import Listed, Placed, Question, asks, named
from ganpo_cloud.web.problems import Refused
from ganpo_model import reference


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPlace(Placed):
    """Everything that is tagged or declared at a place, by what it is made of."""

    by: Annotated[
        Literal["area", "industry"], asks("also the parts of the area, or the industries", "area")
    ] = "area"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTag(Listed):
    """What has one tag."""

    number: Annotated[str, named("id of a tag", "green_factory", alias="id", max_length=40)]


@answer
class Count:
    """How many enterprises or areas there are at a place of which people say one thing."""

    area: AreaId
    industry: InIndustry
    measure: str = said("a tag, or what else is declared", "green_factory")
    number: int = said("how many enterprises or areas", 12)
    among: int | None = said("of how many; null: it has no denominator", 166)


@answer
class Mark:
    """What has a tag on the day, as it was entered."""

    tag: str = said("id of the tag", "green_factory")
    enterprise: str | None = said("unified social credit code; null: of an area", "91360000625912173B")
    name: str = said("name of the enterprise; empty: of an area", "江西铜业")
    area: str = said("home of the enterprise, or the area", "360681")
    industry: str | None = said(
        "industry of the enterprise, or the one in which the area has the tag; null: all", "NONFERROUS"
    )
    first: date = said("from this day on", "2025-06-01", name="from")
    last: date | None = said("to this day; null: open", "2028-05-31", name="to")
    document: str = said("document that says so", "赣工信 2025-17")
    by: str = said("who entered it", "李")
    entered: Instant = said("when it was entered", "2026-11-25T02:15:00.000Z")


def tags(connection: Connection, question: Question, asked: ByPlace) -> list[Count]:
    """How many enterprises or areas have each tag, declare a move into a cloud, or rose above scale."""
    of = lists.Filter(question.area, question.industry, question.day)
    found = plan_sums.sums(connection, question.province, tagged, of)
    here = (question.area, question.industry or ALL)
    if asked.by == "industry":
        others = [(question.area, name) for name in question.province.industries]
    else:
        parts = question.province.parts(question.area, question.day)
        parts += [NOWHERE] if question.area == question.province.whole else []
        others = [(part, here[1]) for part in parts]
    every, now = (here, *others), snapshot(connection, question.province, question.past, question.now)
    above = now.rows({area for area, _ in every}, {of for _, of in every})
    return [
        Count(*_place(key), name, number, above[key][tagged.ABOVE_SCALE] if name == tagged.UPGRADE else None)
        for key in every
        for name, number in found.get(key, tagged.NOTHING).items()
    ]


def _place(key: tuple[str, str]) -> tuple[str, str | None]:
    return key[0], key[1] or None


def marks(connection: Connection, question: Question, asked: OfTag) -> Listing[Mark]:
    """Who has a tag, since when, by which document, and who entered it."""
    if asked.number not in reference.tags():
        title = f"no such tag; there are {', '.join(reference.tags())}"
        raise Refused(404, "tag", title, "id", "GET /api/v1/tags")
    of = marked.wanted(connection, question, asked.text)
    query = tagged.marks(question.province, asked.number, of)
    rows, total = lists.page(connection, query, asked.limit, asked.page)
    return Listing([_mark(row) for row in rows], total)


def _mark(row: Any) -> Mark:
    about = {"enterprise": row.enterprise or None, "industry": row.industry or None}
    return filled(Mark, row, entered=row.recorded_at, **about)
