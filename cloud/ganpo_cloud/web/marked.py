"""What the tag of a question marks."""

from sqlalchemy import Connection

from ganpo_cloud.province import lists, tagged
from ganpo_cloud.province.within import Only
from ganpo_cloud.web.asking import Question


def only(connection: Connection, question: Question) -> Only | None:
    """On its day; None: everything is asked for."""
    if question.tag is None:
        return None
    return tagged.only(connection, question.province, question.tag, question.day)


def wanted(connection: Connection, question: Question, text: str = "") -> lists.Filter:
    """The rows of a list that are asked for."""
    return lists.Filter(question.area, question.industry, question.day, text, only(connection, question))
