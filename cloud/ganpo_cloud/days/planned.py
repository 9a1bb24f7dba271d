"""The planned days of enterprises: those on which a shift starts at any of their sites."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from ganpo_cloud.days.calendars import SiteCalendar
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_model.calendar import works
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem

# Of each gateway the newest inventory; of several of one instant the last that came.
_TOLD = """SELECT i.enterprise, i.body FROM inventory i JOIN frame f ON f.id = i.frame JOIN (
  SELECT enterprise, gateway, max(at) AS at FROM inventory GROUP BY enterprise, gateway) AS n
ON n.enterprise = i.enterprise AND n.gateway = i.gateway AND n.at = i.at
ORDER BY f.stream, f.seq, f.crc32, i.place"""


class _Site(msgspec.Struct):
    id: str


class _Told(msgspec.Struct):
    """What an inventory says of a site; the rest of it is passed over."""

    site: _Site
    calendar: CalendarItem


class PlannedDays:
    """The planned days of a year. Of an enterprise of which nobody said when it works every day is one, as production
    days are `watched` then."""

    def __init__(self, connection: Connection, holidays: Sequence[ExceptionItem], year: int) -> None:
        self._first = date(year, 1, 1)
        self._all = (1 << (date(year + 1, 1, 1) - self._first).days) - 1
        self._of: dict[str, int] = defaultdict(int)
        for (code, _), calendar in _calendars(connection, tuple(holidays)).items():
            self._of[code] |= self._all if calendar.empty else _of_year(calendar, year)

    def of(self, enterprise: str, until: date) -> tuple[int, int]:
        """How many are gone at the end of a day, and how many the year has."""
        bits = self._of.get(enterprise) or self._all
        gone = (1 << (until - self._first).days + 1) - 1
        return (bits & gone).bit_count(), bits.bit_count()


def _calendars(
    connection: Connection, holidays: tuple[ExceptionItem, ...]
) -> dict[tuple[str, str], SiteCalendar]:
    """By enterprise and site, of those that have any or were told by a gateway; as `Calendars` has them one by one."""
    corrected: dict[tuple[str, str], list[tuple[date, date | None, ShiftItem]]] = defaultdict(list)
    for row in connection.execute(select(registry.calendar)):
        shift = ShiftItem(row.shift, row.days, row.start, row.end, tuple(row.breaks.split()))
        corrected[row.enterprise, row.site].append((row.valid_from, row.valid_to, shift))
    ours: dict[tuple[str, str], list[ExceptionItem]] = defaultdict(list)
    for row in connection.execute(select(registry.calendar_exception)):
        exception = ExceptionItem(row.first, row.last, row.plan, row.why)
        ours[row.enterprise, row.site].append(exception)
    told: dict[tuple[str, str], CalendarItem] = {}
    for code, body in sql.rows(connection, _TOLD):
        said: Any = msgspec.json.decode(body, type=_Told)
        told[code, said.site.id] = said.calendar
    found: dict[tuple[str, str], SiteCalendar] = {}
    for key in {*corrected, *told}:
        here = told.get(key, CalendarItem((), ()))
        exceptions = (*ours[key], *here.exceptions, *holidays)
        found[key] = SiteCalendar(here, tuple(corrected[key]), exceptions)
    return found


@lru_cache(maxsize=16_384)
def _of_year(calendar: SiteCalendar, year: int) -> int:
    """The planned days of a year as bits, the first of January is bit 0."""
    first, bits = date(year, 1, 1), 0
    for n in range((date(year + 1, 1, 1) - first).days):
        day = first + timedelta(days=n)
        bits |= works(calendar.on(day), day) << n
    return bits
