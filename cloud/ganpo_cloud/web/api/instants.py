"""Instants in the parameters of a request."""

from datetime import UTC, datetime

from ganpo_cloud.web.api.problems import Refused

_PLUS = "in a URL + is written %2B"


def instant(text: str, where: str) -> datetime:
    """The instant of a parameter `where`. Raises Refused."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        title = "not an instant like 2026-11-25T10:00:00+08:00"
        raise Refused(422, "instant", title, where, _PLUS) from error
    if found.tzinfo is None or not 2000 < found.year < 2100:
        title = "an instant has a time zone and lies between 2001 and 2099"
        raise Refused(422, "instant", title, where, _PLUS)
    return found.astimezone(UTC)
