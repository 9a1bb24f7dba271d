"""`ledger`: the ledger from day to day, worked out per enterprise when something of it changed."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete
from sqlalchemy.exc import OperationalError

from ganpo_cloud.days import periods
from ganpo_cloud.province import targets
from ganpo_cloud.province.ledger import FLAGS, Device, Ledger, ledgers
from ganpo_cloud.store import apart, sql
from ganpo_cloud.store.counted_tables import area_day, ledger
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds, day_of
from ganpo_cloud.store.marks import Kind, answer, mark, seen, waiting
from ganpo_model.activity import Age
from ganpo_model.clock import to_ms

BATCH = 50
"""Enterprises of one transaction."""
_COLUMNS = [column.name for column in ledger.columns]
_STORED = f"SELECT {', '.join(_COLUMNS)} FROM ledger WHERE enterprise = ?"
_DELETE = "DELETE FROM ledger WHERE enterprise = ? AND asset_no = ? AND since = ?"
_TOLD = [field.name for field in fields(Device) if field.name in _COLUMNS]
_ASSET_NO, _SINCE, _UNTIL = (_COLUMNS.index(name) for name in ("asset_no", "since", "until"))


def recompute(database: Database, now: datetime) -> int:
    """Work out some dirty enterprises. Gives how many.

    They are read and worked out while others write. What is marked again meanwhile, or was worked out by another
    process, is left.
    """
    with database.read() as connection:
        marks = seen(connection, waiting(Kind.LEDGER).limit(BATCH))
    if not marks:
        return 0
    found = _worked_out(database, [one.key for one in marks])
    today = day_of(to_ms(now), DEFAULT_ZONE)
    with database.write() as connection:
        waits, done, changed = set(seen(connection, waiting(Kind.LEDGER))), [], []
        for one in (one for one in marks if one in waits):
            rows = found[one.key]
            if isinstance(rows, Exception):
                apart.keep(connection, one.key, rows, now)
            else:
                done.append(one)
                changed.append(_store(connection, one.key, rows))
        answer(connection, done)
        if earliest := min((day for day in changed if day is not None), default=None):
            mark(connection, Kind.SUMS, (("", day) for day in targets.counted(connection, earliest, today)))
            old = (area_day.c.day >= earliest) & (area_day.c.day < periods.kept_since(today))
            connection.execute(delete(area_day).where(old))
    return len(marks)


def _worked_out(database: Database, codes: list[str]) -> dict[str, set[sql.Row] | Exception]:
    """The rows of enterprises; or why there are none, of those that trip us."""
    try:
        with database.read() as connection:
            found = ledgers(connection, codes)
        return {code: set(rows_of(found[code])) if code in found else set() for code in codes}
    except OperationalError:
        raise
    except Exception as bug:  # noqa: BLE001 - our bug: one by one, so that the one that trips us holds nobody else
        if len(codes) == 1:
            return {codes[0]: bug}
    return {code: rows for one in codes for code, rows in _worked_out(database, [one]).items()}


def rows_of(of: Ledger) -> Iterable[sql.Row]:
    """Everything of one enterprise, each with the days on which it stood so."""
    now: dict[str, tuple[date, Device]] = {}
    for day in of.turns():
        there = {device.asset_no: device for device in of.at(bounds(day, DEFAULT_ZONE)[1] - 1)}
        for asset_no in [*now]:
            since, before = now[asset_no]
            if there.get(asset_no) != before:
                yield from _rows(of, before, since, day)
                del now[asset_no]
        for asset_no, device in there.items():
            now.setdefault(asset_no, (day, device))
    for since, device in now.values():
        yield from _rows(of, device, since, None)


def _rows(of: Ledger, device: Device, since: date, until: date | None) -> Iterable[sql.Row]:
    """A device as it stood, a row for each word for how it was seen meanwhile; SEEN until there is one."""
    row: dict[str, Any] = {name: getattr(device, name) for name in _TOLD}
    row |= {flag: int(device.flags.get(flag, 0)) for flag in FLAGS} | {"retired": device.status == "retired"}
    turns: list[tuple[date, str | None]] = [(since, None)]
    if device.kind == "equipment" and device.networked:
        turns = [(since, str(Age.SEEN))]
        for _, _, day, word, _ in of.words.get(device.asset_no, ()):
            if day <= since:
                turns = [(since, word)]
            elif (until is None or day < until) and word != turns[-1][1]:
                turns.append((day, word))
    ends = [*(day for day, _ in turns[1:]), until]
    for (begin, age), end in zip(turns, ends, strict=True):
        values = row | {"since": begin, "until": end, "age": age}
        yield _plain(values[name] for name in _COLUMNS)


def _store(connection: Connection, code: str, after: set[sql.Row]) -> date | None:
    """Replace what stood of an enterprise. Gives the first day on which anything is another now."""
    before = {_plain(row) for row in sql.rows(connection, _STORED, (code,))}
    if before == after:
        return None
    sql.run(connection, _DELETE, [(code, row[_ASSET_NO], row[_SINCE]) for row in before - after])
    sql.replace(connection, ledger, after - before)
    return date.fromisoformat(min(day for (_, day), _ in _turns(before) ^ _turns(after)))


def _turns(rows: set[sql.Row]) -> set[tuple[tuple[str, str], Any]]:
    """What is said of each thing from which day on: nothing from where it ends, unless something follows."""
    ends: dict[tuple[str, str], Any] = {
        (row[_ASSET_NO], row[_UNTIL]): None for row in rows if row[_UNTIL] is not None
    }
    said = {(row[_ASSET_NO], row[_SINCE]): (*row[:_SINCE], *row[_UNTIL + 1 :]) for row in rows}
    return set((ends | said).items())


def _plain(row: Iterable[Any]) -> sql.Row:
    return tuple(value.isoformat() if isinstance(value, date) else value for value in row)
