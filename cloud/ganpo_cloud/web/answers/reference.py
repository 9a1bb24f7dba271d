"""What numbers mean, and which areas and industries there are."""

from typing import Literal

from sqlalchemy import Connection

from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.store.described import answer, filled, said
from ganpo_cloud.web.asking import Asked, Dated, Question


@answer
class Definition:
    """What a number means."""

    id: str = said("stable word for programs", "nc_rate_main")
    word: str = said("for people, in English", "CNC coverage")
    text: str = said("what is counted, and among what", "N(intelligent and in service)")
    unit: str = said("of what it comes to", "%")
    source: str = said("who says so", "the province's plan of 2018; the formula is ours")
    target: str | None = said("of the plan's table", "T01")


@answer
class Area:
    """One area as it is called on a day."""

    id: str = said("stays through changes of name and code", "360100")
    parent: str | None = said("the area it lies in", "360000")
    kind: Literal["province", "city", "county"] = said("what it is", "city")
    code: str = said("the number of the national table then", "360100")
    name_zh: str = said("in Chinese", "南昌市")
    name_en: str = said("in English", "Nanchang")


@answer
class Industry:
    """One industry."""

    id: str = said("of the province's file", "NONFERROUS")
    name_zh: str = said("in Chinese", "有色")
    name_en: str = said("in English", "Nonferrous metals")


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
