"""What inventories say of an enterprise: subjects and registers, merged (uplink.md, inventory).

The newest word that any inventory ever had of a subject or register describes it, wherever in a batch or after which
other it came: the greatest of (at, what was said), which is the same for every order. Who observes it is asked of the
newest inventory of each gateway.
"""

import json
import zlib
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from ganpo_cloud.store import sql
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.store.marks import EVER, Kind, key, mark
from ganpo_cloud.store.tables import frame, gateway, inventory, register, subject

_REGISTER = (
    "subject",
    "signal",
    "carrier",
    "unit",
    "num",
    "den",
    "modulus",
    "max_rate",
    "resets",
    "update_ms",
)
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


class _Word(NamedTuple):
    """What was said of a subject or a register; the greater one holds."""

    at: int
    said: str


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
    mine = subject.c.enterprise == enterprise
    known = {row.asset_no: row for row in connection.execute(select(subject).where(mine)).all()}
    words: dict[str, _Word] = {}
    since: dict[str, date] = {}
    for asset_no, row in known.items():
        words[asset_no], since[asset_no] = _word_of(row), row.since
    for told in new:
        zone = told.body["site"]["timezone"]
        for kind in ("equipment", "meters"):
            for item in told.body[kind]:
                body = item | {"site": told.body["site"]["id"], "by": told.gateway}
                word = _Word(told.at, _text([kind.removesuffix("s"), zone, body]))
                asset_no = item["asset_no"]
                words[asset_no] = max(word, words.get(asset_no, word))
                first = day_of(told.at, zone)
                since[asset_no] = min(first, since.get(asset_no, first))
    of_gateway = {told.gateway: told for told in _newest_of_all(connection, enterprise)}
    here = connection.execute(select(gateway.c.id).where(gateway.c.enterprise == enterprise)).scalars().all()
    holding = sorted(
        (told for told in of_gateway.values() if told.gateway in here),
        key=lambda told: (told.at, told.gateway),
    )
    named = [(told.gateway, told.named.keys()) for told in holding]
    zones: dict[str, str] = {}
    changed: list[Any] = []
    for asset_no, word in sorted(words.items()):
        kind, zone, body = json.loads(word.said)
        gateways = [number for number, numbers in named if asset_no in numbers]
        whose = gateways or [body["by"]]
        planned = of_gateway[whose[-1]].body
        ours = (whose, planned["site"]["id"], zlib.crc32(json.dumps(planned["calendar"]).encode()))
        text = json.dumps(body | dict(zip(_OURS, ours, strict=True)), ensure_ascii=False)
        said = (body["name"], zone, whose[-1], word.at, since[asset_no], not gateways, text)
        described = (enterprise, asset_no, kind, *said)
        if described != tuple(known.get(asset_no, ())):
            changed.append(described)
        zones[asset_no] = zone
    sql.replace(connection, subject, changed)
    anew = {row[1] for row in changed if row[1] not in known or _planned(known[row[1]]) != _planned(row)}
    mark(connection, Kind.SUBJECT, ((key(enterprise, asset_no), EVER) for asset_no in anew))
    return zones


def _newest_of_all(connection: Connection, enterprise: str) -> list[Told]:
    """The newest inventory of each gateway that ever told one of this enterprise."""
    gateways = select(inventory.c.gateway).where(inventory.c.enterprise == enterprise).distinct()
    found = (newest(connection, enterprise, one) for one in connection.execute(gateways).scalars().all())
    return [told for told in found if told is not None]


def _planned(row: Sequence[Any]) -> tuple[Any, ...]:
    """What a row says of what a subject is, where its days begin, and what is planned of it: by whose calendar."""
    _, _, kind, _, zone, by, _, _, _, text = row
    body = json.loads(text)
    return kind, zone, by, body["place"], body["calendar"]


def _word_of(row: Any) -> _Word:
    body = {name: value for name, value in json.loads(row.body).items() if name not in _OURS}
    return _Word(row.at, _text([row.kind, row.timezone, body]))


def _refresh_registers(
    connection: Connection, enterprise: str, new: Sequence[Told], zones: dict[str, str]
) -> None:
    mine = register.c.enterprise == enterprise
    known = {row.id: row for row in connection.execute(select(register).where(mine)).all()}
    words = {
        number: _Word(row.at, _text([getattr(row, name) for name in _REGISTER]))
        for number, row in known.items()
    }
    for told in new:
        for item in told.body["registers"]:
            word = _Word(told.at, _text([item.get(name) for name in _REGISTER]))
            words[item["id"]] = max(word, words.get(item["id"], word))
    changed: list[Any] = []
    anew: list[str] = []
    for number, word in sorted(words.items()):
        values = dict(zip(_REGISTER, json.loads(word.said), strict=True))
        values |= {"enterprise": enterprise, "id": number, "at": word.at}
        values["timezone"] = zones.get(values["subject"], DEFAULT_ZONE)
        row = tuple(values[column.name] for column in register.columns)
        before = tuple(known.get(number, ()))
        if row != before:
            changed.append(row)
        if row[:-1] != before[:-1]:  # the last says when that was said
            anew.append(number)
    sql.replace(connection, register, changed)
    mark(connection, Kind.REGISTER, ((key(enterprise, number), EVER) for number in anew))


def _text(said: object) -> str:
    return json.dumps(said, sort_keys=True, ensure_ascii=False)
