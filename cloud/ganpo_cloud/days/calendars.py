"""The calendar of a site: what the registry corrects, else what its gateway tells, then the province's holidays
(metrics.md section 3). Corrected, it holds for the past."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days.subjects import Subject
from ganpo_cloud.inlet.inventories import newest
from ganpo_cloud.store import registry_tables as registry
from ganpo_model.calendar import Stretch, planned, without
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem

_NOTHING: dict[str, Any] = {"site": {"id": ""}, "calendar": {"shifts": [], "exceptions": []}}


@dataclass(frozen=True, slots=True)
class DatedShift:
    """A shift as the registry has it, from `since` to `until` (both included; None is open)."""

    since: date
    until: date | None
    shift: ShiftItem


@dataclass(frozen=True, slots=True)
class SiteCalendar:
    """Everything that decides what is planned at a site."""

    told: CalendarItem
    corrected: tuple[DatedShift, ...] = ()
    exceptions: tuple[ExceptionItem, ...] = ()
    holidays: tuple[ExceptionItem, ...] = ()

    def on(self, day: date) -> CalendarItem:
        """What holds on a day: of shifts those of the registry where it has any then, of exceptions the first."""
        begun = [
            item for item in self.corrected if item.since <= day and (item.until is None or day <= item.until)
        ]
        newest = max((item.since for item in begun), default=None)
        shifts = tuple(item.shift for item in begun if item.since == newest) or self.told.shifts
        return CalendarItem(shifts, (*self.exceptions, *self.told.exceptions, *self.holidays))

    @property
    def empty(self) -> bool:
        """Nobody said when this site works."""
        return not self.told.shifts and not self.corrected

    def confirmed(self, day: date) -> bool:
        """Whether anybody said of this year which days are off; else the weekly pattern holds."""
        said = (*self.exceptions, *self.told.exceptions, *self.holidays)
        return any(item.first.year <= day.year <= item.last.year for item in said)


@dataclass(slots=True)
class Calendars:
    """The calendars of one transaction, each read once. `holidays`: of the province."""

    connection: Connection
    holidays: Sequence[ExceptionItem] = ()
    _of_gateway: dict[tuple[str, str], SiteCalendar] = field(default_factory=dict)
    _planned: dict[tuple[str, str, str, date], list[Stretch]] = field(default_factory=dict)
    _downtime: dict[str, dict[str, list[Stretch]]] = field(default_factory=dict)

    def of(self, enterprise: str, gateway: str) -> SiteCalendar:
        """The calendar of the site at which a gateway stands."""
        key = (enterprise, gateway)
        if key not in self._of_gateway:
            self._of_gateway[key] = self._read(enterprise, gateway)
        return self._of_gateway[key]

    def planned(self, machine: Subject, day: date) -> list[Stretch]:
        """The planned time of a machine's production day, without its planned downtime."""
        code = machine.enterprise
        key = (code, machine.gateway, machine.zone, day)
        stretches = self._planned.get(key)
        if stretches is None:
            stretches = planned(self.of(code, machine.gateway).on(day), day, machine.zone)
            self._planned[key] = stretches
        if code not in self._downtime:
            self._downtime[code] = self._down(code)
        down = self._downtime[code].get(machine.asset_no)
        return without(stretches, down) if down else stretches

    def _read(self, enterprise: str, gateway: str) -> SiteCalendar:
        told_last = newest(self.connection, enterprise, gateway)
        said = told_last.body if told_last is not None else _NOTHING
        site = said["site"]["id"]
        here = (registry.calendar.c.enterprise == enterprise) & (registry.calendar.c.site == site)
        corrected = tuple(
            DatedShift(
                row.valid_from,
                row.valid_to,
                ShiftItem(row.shift, row.days, row.start, row.end, tuple(row.breaks.split())),
            )
            for row in self.connection.execute(select(registry.calendar).where(here))
        )
        table = registry.calendar_exception
        rows = self.connection.execute(
            select(table).where((table.c.enterprise == enterprise) & (table.c.site == site))
        )
        exceptions = tuple(ExceptionItem(row.first, row.last, row.plan, row.why) for row in rows)
        return SiteCalendar(told(said["calendar"]), corrected, exceptions, tuple(self.holidays))

    def _down(self, enterprise: str) -> dict[str, list[Stretch]]:
        """Planned downtime by machine: what was recorded before it began."""
        table = registry.downtime
        counts = (table.c.enterprise == enterprise) & (table.c.recorded_at < table.c.start)
        found: dict[str, list[Stretch]] = {}
        for row in self.connection.execute(select(table).where(counts)):
            found.setdefault(row.asset_no, []).append((row.start, row.end))
        return found


def told(said: Any) -> CalendarItem:
    """A calendar as an inventory tells it."""
    shifts = [ShiftItem(**{**item, "breaks": tuple(item["breaks"])}) for item in said["shifts"]]
    exceptions = [
        ExceptionItem(
            date.fromisoformat(item["first"]), date.fromisoformat(item["last"]), item["plan"], item["why"]
        )
        for item in said["exceptions"]
    ]
    return CalendarItem(tuple(shifts), tuple(exceptions))
