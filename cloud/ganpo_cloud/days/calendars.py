"""The calendar of a site: what the registry corrects, else what its gateway tells, then the province's holidays
(metrics.md section 3). Corrected, it holds for the past."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from msgspec import convert
from sqlalchemy import Connection, select

from ganpo_cloud.days.subjects import Subject
from ganpo_cloud.inlet.inventories import newest
from ganpo_cloud.store import registry_tables as registry
from ganpo_model.calendar import Stretch, planned, without
from ganpo_model.facts import CalendarItem, ExceptionItem, ShiftItem

_NOTHING: dict[str, Any] = {"site": {"id": ""}, "calendar": {"shifts": [], "exceptions": []}}


@dataclass(frozen=True, slots=True)
class SiteCalendar:
    """Everything that decides what is planned at a site. `corrected`: shifts of the registry, from a day to another one
    (both included; None is open); `exceptions`: of the registry, of its gateway and of the province."""

    told: CalendarItem
    corrected: Sequence[tuple[date, date | None, ShiftItem]] = ()
    exceptions: Sequence[ExceptionItem] = ()

    def on(self, day: date) -> CalendarItem:
        """What holds on a day: of shifts those of the registry where it has any then, of exceptions the first."""
        begun = [one for one in self.corrected if one[0] <= day and (one[1] is None or day <= one[1])]
        newest = max((since for since, *_ in begun), default=None)
        shifts = tuple(shift for since, _, shift in begun if since == newest) or self.told.shifts
        return CalendarItem(shifts, tuple(self.exceptions))

    @property
    def empty(self) -> bool:
        """Nobody said when this site works."""
        return not self.told.shifts and not self.corrected

    def confirmed(self, day: date) -> bool:
        """Whether anybody said of this year which days are off; else the weekly pattern holds."""
        return any(item.first.year <= day.year <= item.last.year for item in self.exceptions)


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

        def rows(table: Any) -> Any:
            mine = select(table).filter_by(enterprise=enterprise, site=said["site"]["id"])
            return self.connection.execute(mine)

        corrected = [
            (
                row.valid_from,
                row.valid_to,
                ShiftItem(row.shift, row.days, row.start, row.end, tuple(row.breaks.split())),
            )
            for row in rows(registry.calendar)
        ]
        ours = [
            ExceptionItem(row.first, row.last, row.plan, row.why) for row in rows(registry.calendar_exception)
        ]
        told = convert(said["calendar"], CalendarItem)
        return SiteCalendar(told, corrected, (*ours, *told.exceptions, *self.holidays))

    def _down(self, enterprise: str) -> dict[str, list[Stretch]]:
        """Planned downtime by machine: what was recorded before it began."""
        table = registry.downtime
        mine = select(table).filter_by(enterprise=enterprise)
        found: dict[str, list[Stretch]] = {}
        for row in self.connection.execute(mine.where(table.c.recorded_at < table.c.start)):
            found.setdefault(row.asset_no, []).append((row.start, row.end))
        return found
