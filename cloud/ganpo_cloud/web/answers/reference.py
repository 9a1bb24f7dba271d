"""What numbers mean, and which areas and industries there are."""

from dataclasses import dataclass
from typing import Annotated, Literal

from sqlalchemy import Connection

from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.web.answers.fields import filled, said
from ganpo_cloud.web.asking import Asked, Dated, Question


@dataclass(frozen=True, slots=True)
class Definition:
    """What a number means."""

    id: Annotated[str, said("stable word for programs", "nc_rate_main")]
    word: Annotated[str, said("for people, in English", "CNC coverage")]
    text: Annotated[
        str,
        said(
            "what is counted, and among what",
            "N(main and numerical_control and in service) / N(main and in service)",
        ),
    ]
    unit: Annotated[str, said("of what it comes to", "%")]
    source: Annotated[str, said("who says so", "the province's plan of 2018; the formula is ours")]
    target: Annotated[str | None, said("of the plan's table", "T01")]


@dataclass(frozen=True, slots=True)
class Area:
    """One area as it is called on a day."""

    id: Annotated[str, said("stays through changes of name and code", "360100")]
    parent: Annotated[str | None, said("the area it lies in", "360000")]
    kind: Annotated[Literal["province", "city", "county"], said("what it is", "city")]
    code: Annotated[str, said("the number of the national table then", "360100")]
    name_zh: Annotated[str, said("in Chinese", "南昌市")]
    name_en: Annotated[str, said("in English", "Nanchang")]


@dataclass(frozen=True, slots=True)
class Industry:
    """One industry."""

    id: Annotated[str, said("of the province's file", "NONFERROUS")]
    name_zh: Annotated[str, said("in Chinese", "有色")]
    name_en: Annotated[str, said("in English", "Nonferrous metals")]


def definitions(_connection: Connection, _question: Question, _asked: Asked) -> list[Definition]:
    """What every number means."""
    return [filled(Definition, item) for item in DEFINITIONS.values()]


def areas(_connection: Connection, question: Question, _asked: Dated) -> list[Area]:
    """The areas that exist on a day."""
    rows = (area for named in question.province.areas.values() for area in named)
    return [filled(Area, area) for area in rows if area.holds(question.day)]


def industries(_connection: Connection, question: Question, _asked: Asked) -> list[Industry]:
    """The industries."""
    return [filled(Industry, item) for item in question.province.industries.values()]
