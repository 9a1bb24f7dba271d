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

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, insert, select

from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.store.marks import EVER, Kind, key, mark
from ganpo_cloud.store.tables import (
    frame,
    gateway,
    inventory,
    register,
    subject,
)

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
    zones = {}
    stored: list[dict[str, Any]] = []
    for asset_no, word in sorted(words.items()):
        kind, zone, body = json.loads(word.said)
        gateways = [number for number, numbers in named if asset_no in numbers]
        whose = gateways or [body["by"]]
        planned = of_gateway[whose[-1]].body
        ours = (whose, planned["site"]["id"], zlib.crc32(json.dumps(planned["calendar"]).encode()))
        zones[asset_no] = zone
        values = {
            "enterprise": enterprise,
            "asset_no": asset_no,
            "kind": kind,
            "name": body["name"],
            "timezone": zone,
            "gateway": whose[-1],
            "at": word.at,
            "since": since[asset_no],
            "withdrawn": not gateways,
            "body": json.dumps(body | dict(zip(_OURS, ours, strict=True)), ensure_ascii=False),
        }
        before = known.get(asset_no)
        if before is None or any(getattr(before, name) != value for name, value in values.items()):
            stored.append(values)
    _replace(connection, subject, subject.c.asset_no, stored)
    anew = [row["asset_no"] for row in stored if _is_another(row, known.get(row["asset_no"]))]
    mark(connection, Kind.SUBJECT, ((key(enterprise, asset_no), EVER) for asset_no in anew))
    return zones


def _newest_of_all(connection: Connection, enterprise: str) -> list[Told]:
    """The newest inventory of each gateway that ever told one of this enterprise."""
    gateways = select(inventory.c.gateway).where(inventory.c.enterprise == enterprise).distinct()
    found = (newest(connection, enterprise, one) for one in connection.execute(gateways).scalars().all())
    return [told for told in found if told is not None]


def _replace(
    connection: Connection, table: Table, key: ColumnElement[str], rows: list[dict[str, Any]]
) -> None:
    """Rows of one enterprise stand where those of the same key stood."""
    if rows:
        mine = (table.c.enterprise == bindparam("of")) & (key == bindparam("number"))
        gone = [{"of": row["enterprise"], "number": row[str(key.key)]} for row in rows]
        connection.execute(delete(table).where(mine), gone)
        connection.execute(insert(table), rows)


def _is_another(values: dict[str, Any], before: Any) -> bool:
    """Whether it is another thing than was thought, its days begin elsewhere, or something else is planned of it."""
    same = ("kind", "timezone", "gateway")
    return (
        before is None
        or [getattr(before, name) for name in same] != [values[name] for name in same]
        or _planned(before.body) != _planned(values["body"])
    )


def _planned(text: str) -> tuple[Any, Any]:
    body = json.loads(text)
    return body.get("place", body.get("site")), body.get("calendar")


def _word_of(row: Any) -> _Word:
    body = json.loads(row.body)
    body.setdefault("by", row.gateway)
    for name in _OURS:
        body.pop(name, None)
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
    stored: list[dict[str, Any]] = []
    anew: list[str] = []
    for number, word in sorted(words.items()):
        values = dict(zip(_REGISTER, json.loads(word.said), strict=True))
        values["timezone"] = zones.get(values["subject"], DEFAULT_ZONE)
        before = known.get(number)
        if before is None or any(getattr(before, name) != value for name, value in values.items()):
            anew.append(number)
        elif before.at == word.at:
            continue
        stored.append({"enterprise": enterprise, "id": number, "at": word.at, **values})
    _replace(connection, register, register.c.id, stored)
    mark(connection, Kind.REGISTER, ((key(enterprise, number), EVER) for number in anew))


def _text(said: object) -> str:
    return json.dumps(said, sort_keys=True, ensure_ascii=False)
