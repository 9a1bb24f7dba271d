"""What numbers mean, and which areas and industries there are."""

from sqlalchemy import Connection

from ganpo_cloud.province.definitions import Definition
from ganpo_cloud.province.divisions import Area, Industry
from ganpo_cloud.province.plan import EVERY
from ganpo_cloud.web.asking import Asked, Dated, Question


def definitions(_connection: Connection, _question: Question, _asked: Asked) -> list[Definition]:
    """What every number means."""
    return list(EVERY)


def areas(_connection: Connection, question: Question, _asked: Dated) -> list[Area]:
    """The areas that exist on a day."""
    rows = (area for named in question.province.areas.values() for area in named)
    return [area for area in rows if area.holds(question.day)]


def industries(_connection: Connection, question: Question, _asked: Asked) -> list[Industry]:
    """The industries."""
    return list(question.province.industries.values())
