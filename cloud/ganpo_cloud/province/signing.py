"""Published assessments: stored with scheme and checksum in somebody's name, and never changed."""

import hashlib
import json
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from ganpo_cloud.days.signed import one_line
from ganpo_cloud.province import outlooks
from ganpo_cloud.province.assessment import Score, Sheet, scheme_of, sheets
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store import marks
from ganpo_cloud.store.counted_tables import assessed
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.described import Ratio
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_model.clock import to_ms
from ganpo_model.errors import ConfigError

_NAMES = ("id", "zh", "en", "measure", "rule", "full", "zero", "veto", "most", "tenths", "below")


def publish(database: Database, province: Province, area: str, year: int, by: str, now: datetime) -> Sheet:
    """Store the sheet of an area with its scheme and checksum, in the name of somebody.

    Raises ConfigError: no city or county, a year that is not over or not worked out, nobody's name, or it is published:
    that is never changed.
    """
    last = date(year, 12, 31)
    today, where = day_of(to_ms(now), DEFAULT_ZONE), f"{area} {year}"
    of = province.area(area, min(last, today))
    if of is None or of.kind == "province":
        what = (
            province.why_not(area, today)
            if of is None
            else "is the province: its cities and counties are assessed"
        )
        raise ConfigError(what, where=area)
    by = one_line("--by", by, "is missing: who signs the sheet")
    if last >= today:
        raise ConfigError("is not over", where=f"{year}", hint=f"today is {today}")
    with database.read() as connection:
        _not_yet(connection, area, year)
        if waiting := marks.left(connection, last) + (outlooks.waits(connection) is not None):
            hint = "ganpo-cloud run works them out; publish it again then"
            raise ConfigError(f"is not worked out yet: {waiting:,} marks wait", where=where, hint=hint)
        sheet = sheets(connection, province, [area], year, now)[area]
    scheme = scheme_of(province.folder).model_dump_json()
    rows = "\n".join(json.dumps(_told(score), ensure_ascii=False, sort_keys=True) for score in sheet.scores)
    checksum = _checksum(scheme, rows)
    with database.write() as connection:
        _not_yet(connection, area, year)  # somebody may have signed it meanwhile
        values = (area, year, to_ms(now), by, sheet.tenths, sheet.grade, checksum, scheme, rows)
        connection.execute(insert(assessed).values(values))
        stored = read(connection, area, year)
    assert stored is not None
    return stored


def _not_yet(connection: Connection, area: str, year: int) -> None:
    if read(connection, area, year) is not None:
        hint = "the page shows what it would be today beside it"
        raise ConfigError("is published; it is never changed", where=f"{area} {year}", hint=hint)


def read(connection: Connection, area: str, year: int) -> Sheet | None:
    """A published sheet; None where there is none. Raises ConfigError where it is not what its checksum is of."""
    row = connection.execute(select(assessed).filter_by(area=area, year=year)).first()
    if row is None:
        return None
    if _checksum(row.scheme, row.rows) != row.checksum:
        raise ConfigError("is not what was published: the checksum differs", where=f"{area} {year}")
    scores = [_score_of(json.loads(line)) for line in row.rows.split("\n")]
    vetoed = any(score.below for score in scores)
    signed = (row.by, row.published_at, row.checksum)
    return Sheet(area, year, row.tenths, row.grade, vetoed, scores, *signed)


def _told(score: Score) -> dict[str, Any]:
    """A score as it is stored."""
    told = {name: getattr(score, name) for name in _NAMES}
    return told | {"value": score.value and [score.value.numerator, score.value.denominator]}


def _score_of(told: dict[str, Any]) -> Score:
    return Score(**told | {"value": told["value"] and Ratio(*told["value"])})


def _checksum(scheme: str, rows: str) -> str:
    return hashlib.sha256(f"{scheme}\n{rows}".encode()).hexdigest()
