"""What people compared at devices: the display beside what was read, as the events `commissioned` say it. Read-only."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, select, union

from ganpo_cloud.days.reasons import Reason
from ganpo_cloud.store.described import AssetNo, Code, Instant, answer, said
from ganpo_cloud.store.tables import event, gateway, gateway_before
from ganpo_model.commissioning import Commissioned
from ganpo_model.facts import EventKind


@answer
class Record:
    """A value on a device's own display, and what was read of it at that moment."""

    enterprise: Code
    asset_no: AssetNo
    at: Instant = said("when it was read", "2026-11-25T02:15:03.120Z")
    point: str = said("point that was read", "DB-0101/energy_import")
    register: str | None = said(
        "of a point that is a register: which one, as it was read then", "DB-0101/energy_import#1f3a9c02"
    )
    displayed: str = said("what the display showed, as it was typed", "48203.1")
    read: str = said("what was read, in the same unit", "48203.12")
    raw: int | None = said("counts of the register; null: the point is none", 4820312)
    unit: str | None = said("unit of both; null: words, or plain counts", "kWh")
    step: str | None = said("least digit of the display; null: a word was compared", "0.1")
    off: str | None = said("read minus displayed; null: a word was compared", "0.02")
    agrees: bool = said("they lie within one step of the display", True)
    by: str = said("who stood at the device", "Wang")
    gateway: str = said("gateway that said it", "gw-nc-0007")
    frame: int = said("number of the frame that brought it", 1842)


def records(connection: Connection, enterprise: str, asset_no: str | None = None) -> list[Record]:
    """Of an enterprise or of one device of it, the newest first."""
    e = event.c
    mine = (e.enterprise == enterprise) & (e.kind == str(EventKind.COMMISSIONED))
    if asset_no is None:
        tables = (gateway.c, gateway_before.c)
        mine &= e.gateway.in_(union(*(select(t.id).where(t.enterprise == enterprise) for t in tables)))
    else:
        mine &= e.subject == asset_no
    rows = connection.execute(select(event).where(mine).order_by(e.at.desc(), e.frame.desc()))
    return [_record(row) for row in rows]


def newest(found: Iterable[Record]) -> dict[str, Record]:
    """By point the newest of records that come newest first."""
    last: dict[str, Record] = {}
    for record in found:
        last.setdefault(record.point, record)
    return last


def differing(found: Iterable[Record]) -> Iterator[Reason]:
    """Points of which the newest record says that the display showed something else."""
    for record in newest(found).values():
        if not record.agrees:
            behind = f" {record.unit}" if record.unit else ""
            details = {"displayed": record.displayed + behind, "read": record.read + behind}
            yield Reason(
                "differs",
                record.at,
                details,
                f"ganpo commission {record.point.replace('/', ' ')}",
                record.point,
            )


def _record(row: Any) -> Record:
    told = Commissioned(**json.loads(row.data))
    of = told.compared()
    step, off = (None if number is None else f"{number:f}" for number in (of.step, of.off))
    return Record(
        *(
            row.enterprise,
            row.subject,
            row.at,
            told.point,
            told.register,
            told.displayed,
            told.read,
            told.raw,
        ),
        *(told.unit, step, off, of.agrees, told.by, row.gateway, row.frame),
    )
