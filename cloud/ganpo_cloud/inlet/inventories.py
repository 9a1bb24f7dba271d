"""What inventories say of an enterprise: subjects and registers, merged (uplink.md, inventory).

The newest word that any inventory ever had of a subject or register describes it, wherever in a batch or after which
other it came: the greatest of (at, what was said), which is the same for every order. Who observes it is asked of the
newest inventory of each gateway.
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from ganpo_cloud.store import sql
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.store.marks import EVER, Kind, key, mark, planned_anew
from ganpo_cloud.store.tables import frame, gateway, inventory, register, subject

_REGISTER = tuple(c.name for c in register.columns if c.name not in {"enterprise", "id", "timezone", "at"})
"""What an inventory says of a register: corrected, its past is judged anew."""
_OURS = ("gateways", "place", "calendar")
"""What stands in a subject's body beside the newest word."""
OLDEST = (frame.c.stream, frame.c.seq, frame.c.crc32, inventory.c.place)
"""The order of what one gateway told at one instant, the same whatever came first. `inventory` joined with `frame`."""


class Told(NamedTuple):
    """An inventory as it is stored."""

    gateway: str
    at: int
    body: dict[str, Any]

    @property
    def named(self) -> dict[str, dict[str, Any]]:
        """Its subjects, by number."""
        return {item["asset_no"]: item for item in (*self.body["equipment"], *self.body["meters"])}


def refresh(connection: Connection, enterprise: str, new: Sequence[Told]) -> None:
    """Bring `subject` and `register` of one enterprise up to date with inventories that are stored now.

    What no newest inventory of its gateways names any more is withdrawn: it keeps its last description and its past.
    """
    zones = _refresh_subjects(connection, enterprise, new)
    _refresh_registers(connection, enterprise, new, zones)


def newest(connection: Connection, enterprise: str, number: str) -> Told | None:
    """The newest inventory of a gateway."""
    row = connection.execute(
        select(inventory.c.at, inventory.c.body)
        .join(frame, frame.c.id == inventory.c.frame)
        .where((inventory.c.enterprise == enterprise) & (inventory.c.gateway == number))
        .order_by(inventory.c.at.desc(), *(column.desc() for column in OLDEST))
        .limit(1)
    ).first()
    return Told(number, row.at, json.loads(row.body)) if row is not None else None


def _refresh_subjects(connection: Connection, enterprise: str, new: Sequence[Told]) -> dict[str, str]:
    """Gives the time zone of every subject."""
    known = {
        row.asset_no: row for row in connection.execute(select(subject).filter_by(enterprise=enterprise))
    }
    said = [(number, row.at, [row.kind, row.timezone, _theirs(row.body)]) for number, row in known.items()]
    since = {number: row.since for number, row in known.items()}
    for told in new:
        site, by = told.body["site"], told.gateway
        for kind in ("equipment", "meters"):
            for item in told.body[kind]:
                number, body = item["asset_no"], item | {"site": site["id"], "by": by}
                said.append((number, told.at, [kind.removesuffix("s"), site["timezone"], body]))
                first = day_of(told.at, site["timezone"])
                since[number] = min(first, since.get(number, first))
    theirs = select(inventory.c.gateway).where(inventory.c.enterprise == enterprise).distinct()
    tellers = connection.execute(theirs).scalars().all()
    of_gateway = {one: of_it for one in tellers if (of_it := newest(connection, enterprise, one)) is not None}
    here = connection.execute(select(gateway.c.id).where(gateway.c.enterprise == enterprise)).scalars().all()
    holding = sorted(of_gateway.keys() & set(here), key=lambda one: (of_gateway[one].at, one))
    named = [(one, of_gateway[one].named.keys()) for one in holding]
    zones: dict[str, str] = {}
    changed: list[Any] = []
    for asset_no, (at, (kind, zone, body)) in _newest_words(said):
        gateways = [one for one, numbers in named if asset_no in numbers]
        whose = gateways or [body["by"]]
        planned = of_gateway[whose[-1]].body
        ours = (whose, planned["site"]["id"], zlib.crc32(json.dumps(planned["calendar"]).encode()))
        text = json.dumps(body | dict(zip(_OURS, ours, strict=True)), ensure_ascii=False)
        about = (body["name"], zone, whose[-1], at, since[asset_no], not gateways, text)
        described = (enterprise, asset_no, kind, *about)
        if described != tuple(known.get(asset_no, ())):
            changed.append(described)
        zones[asset_no] = zone
    sql.replace(connection, subject, changed)
    anew = (row[1] for row in changed if row[1] not in known or _planned(known[row[1]]) != _planned(row))
    mark(connection, Kind.SUBJECT, ((key(enterprise, asset_no), EVER) for asset_no in anew))
    after = known | {row[1]: row for row in changed}
    if _calendars(known.values()) != _calendars(after.values()):
        planned_anew(connection)
    return zones


def _theirs(body: str) -> dict[str, Any]:
    """What a gateway said of a subject."""
    return {name: value for name, value in json.loads(body).items() if name not in _OURS}


def _newest_words(said: Iterable[tuple[str, int, list[Any]]]) -> list[tuple[str, tuple[int, list[Any]]]]:
    """The word that holds of each number, and since when: the greatest of (at, what was said)."""
    words: dict[str, tuple[int, str]] = {}
    for number, at, what in said:
        word = (at, json.dumps(what, sort_keys=True, ensure_ascii=False))
        words[number] = max(word, words.get(number, word))
    return [(number, (at, json.loads(what))) for number, (at, what) in sorted(words.items())]


def _planned(row: Sequence[Any]) -> tuple[Any, ...]:
    """What a row says of what a subject is, where its days begin, and what is planned of it: by whose calendar."""
    _, _, kind, _, zone, by, _, _, _, text = row
    body = json.loads(text)
    return kind, zone, by, body["place"], body["calendar"]


def _calendars(rows: Iterable[Sequence[Any]]) -> set[tuple[Any, ...]]:
    """The sites of subjects, each with its calendar."""
    return {_planned(row)[-2:] for row in rows}


def _refresh_registers(
    connection: Connection, enterprise: str, new: Sequence[Told], zones: dict[str, str]
) -> None:
    known = {row.id: row for row in connection.execute(select(register).filter_by(enterprise=enterprise))}
    said = [(row.id, row.at, [getattr(row, name) for name in _REGISTER]) for row in known.values()]
    for told in new:
        said += [
            (item["id"], told.at, [item.get(name) for name in _REGISTER]) for item in told.body["registers"]
        ]
    changed: list[Any] = []
    anew: list[str] = []
    for number, (at, what) in _newest_words(said):
        values = dict(zip(_REGISTER, what, strict=True)) | {"enterprise": enterprise, "id": number, "at": at}
        values["timezone"] = zones.get(values["subject"], DEFAULT_ZONE)
        row = tuple(values[column.name] for column in register.columns)
        before = tuple(known.get(number, ()))
        if row != before:
            changed.append(row)
        if row[:-1] != before[:-1]:  # the last says when that was said
            anew.append(number)
    sql.replace(connection, register, changed)
    mark(connection, Kind.REGISTER, ((key(enterprise, number), EVER) for number in anew))
