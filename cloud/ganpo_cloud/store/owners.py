"""Whose a gateway's facts are: its registrations, each from its instant to the next one's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import Connection

from ganpo_cloud.store import sql

_DATED = (
    "SELECT since, enterprise, site FROM gateway WHERE id = ?"
    " UNION ALL SELECT since, enterprise, site FROM gateway_before WHERE id = ? ORDER BY since"
)


@dataclass(frozen=True, slots=True)
class Registration:
    """Whose a gateway is from `since` (ms; 0: ever) on, to the next one's `since`."""

    since: int
    enterprise: str
    site: str


def registrations(connection: Connection, gateways: Iterable[str]) -> dict[str, list[Registration]]:
    """Those of each gateway, oldest first; none where it is not registered."""
    asked = sorted(set(gateways))
    found = sql.each(connection, _DATED, [(gateway, gateway) for gateway in asked])
    return {gateway: [Registration(*row) for row in rows] for gateway, rows in zip(asked, found, strict=True)}


def numbers(connection: Connection) -> frozenset[str]:
    """The ids of all gateways that are registered."""
    return frozenset(number for (number,) in sql.rows(connection, "SELECT id FROM gateway", ()))


def owner(of: Sequence[Registration], at: int) -> str | None:
    """Whose a fact of this instant is; None before the first registration."""
    return next((one.enterprise for one in reversed(of) if one.since <= at), None)


def owners(of: Sequence[Registration], at: int) -> list[str]:
    """Whose a reading of this instant is: one on the border ends the one enterprise's part and begins the other's."""
    found = {owner(of, at), owner(of, at - 1)} if any(one.since == at for one in of) else {owner(of, at)}
    return sorted(code for code in found if code is not None)


def absences(of: Sequence[Registration], enterprise: str) -> list[tuple[int, int]]:
    """When a gateway was another's and came back to this enterprise: (from, until) of each time, ms."""
    found: list[tuple[int, int]] = []
    left: int | None = None
    for before, one in pairwise(of):
        if before.enterprise == enterprise != one.enterprise:
            left = one.since
        elif one.enterprise == enterprise and left is not None:
            found.append((left, one.since))
            left = None
    return found
