"""The meters of an enterprise: where their registers stand, what they counted today and lately, and 30 days of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import quantities
from ganpo_cloud.days.open_items import NOT_BELIEVED_MS
from ganpo_cloud.store.counted_tables import consumption
from ganpo_cloud.store.localdays import bounds, day_of, days_from
from ganpo_cloud.web import i18n, views
from ganpo_cloud.web.pages import numbers, trends
from ganpo_cloud.web.pages.machines import window
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_cloud.web.why import STALE_MS
from ganpo_model.quantities import Quantity
from ganpo_model.units import MILLION, millionths

DAYS = 30
PARTS = 24
DEMO_STALE_MS = 20_000
"""The demo's slots are short; a value that is older stands with its age."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The n-th part of a window; `height` in px; `open`: nothing is known of it."""

    n: int
    height: int
    spread: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A meter and one of its registers. `stands`: in millionths, None before its first reading; `today`: what it
    counted, None where nobody knows."""

    view: views.SubjectView
    register: views.RegisterView | None = None
    stands: int | None = None
    today: Quantity | None = None
    bars: Sequence[Bar] = ()
    doubted: bool = False
    stale: bool = False


def lines(
    connection: Connection, rendering: Rendering, code: str, meters: Sequence[views.SubjectView]
) -> list[Line]:
    """A line for each register, and one for a meter without; two statements for all."""
    start, end = window(rendering)
    borders = [start + (end - start) * n // PARTS for n in range(PARTS + 1)]
    begins = min(
        [start, *(bounds(views.today(rendering.now, view.timezone), view.timezone)[0] for view in meters)]
    )
    judged = quantities.of_meters(connection, code, begins) if meters else {}
    limit = DEMO_STALE_MS if rendering.site.demo else STALE_MS
    found = []
    for view in meters:
        today = bounds(views.today(rendering.now, view.timezone), view.timezone)
        read = [register for register in view.registers if register.at is not None]
        found += [Line(view)] if not read else []
        for register in read:
            about, since = judged.get(register.id), register.doubted_since
            found.append(
                Line(
                    view,
                    register,
                    millionths(register.raw or 0, register.num, register.den),
                    about.over(today)[0] if about is not None else None,
                    _bars(about.over(borders), borders, register, rendering.ms) if about is not None else [],
                    since is not None and rendering.ms - since >= NOT_BELIEVED_MS,
                    rendering.ms - (register.at or 0) > limit,
                )
            )
    return found


def _bars(
    parts: Sequence[Quantity], borders: Sequence[int], register: views.RegisterView, now: int
) -> list[Bar]:
    """Consumption, spread over a hole or not; what is open or not believed has none, and of what nobody has read yet
    there is nothing."""
    last = now if register.doubted_since is not None else register.at or 0
    known = [
        (n, part)
        for n, (part, (begin, _)) in enumerate(zip(parts, pairwise(borders), strict=True))
        if (part.millionths is not None or part.unknown_ms) and begin < min(last, now)
    ]
    top = max((part.millionths or 0 for _, part in known), default=0) or 1
    return [
        Bar(
            n,
            max((part.millionths or 0) * 24 // top, 1),
            part.spread_ms > 0,
            bool(part.open or part.unknown_ms),
        )
        for n, part in known
    ]


def usage(
    connection: Connection, rendering: Rendering, code: str, meters: Sequence[views.SubjectView]
) -> list[Item]:
    """What the registers of meters came to on each of the last 30 days, as charts; one statement for all."""
    days = days_from(rendering.today - timedelta(days=DAYS), rendering.today - timedelta(days=1))
    mine = (consumption.c.enterprise == code) & consumption.c.day.between(days[0], days[-1])
    of: dict[str, dict[Any, Any]] = {}
    for row in connection.execute(select(consumption).where(mine)) if meters else ():
        of.setdefault(row.register, {})[row.day] = row
    return [
        _chart(rendering, view, register, days, of.get(register.id, {}))
        for view in meters
        for register in view.registers
        if register.carrier is not None and (register.id in of or _doubted(register))
    ]


def _doubted(register: views.RegisterView) -> bool:
    return register.doubted_since is not None and register.at is not None


def _chart(
    rendering: Rendering,
    view: views.SubjectView,
    register: views.RegisterView,
    days: Sequence[Any],
    rows: Mapping[Any, Any],
) -> Item:
    # Of a register that is not believed nothing is known from the day of its last accepted reading on.
    known_until = day_of(register.at or 0, view.timezone) if _doubted(register) else None
    unknown = [known_until is not None and day >= known_until for day in days]
    known = [row.millionths for row in rows.values() if row.millionths is not None]
    title = rendering.t("{name}: {total} in 30 days")
    if any(unknown):
        title = rendering.t("{name}: {total} in 30 days, not believed since {at}")
    unit = numbers.unit(register.unit)
    text = rendering.t("{unit} a day; {meter}; hatched: spread over a gap, open, or not believed")
    return trends.chart(
        rendering,
        "bar",
        title.format(
            name=rendering.carrier(register.carrier or ""),
            total=numbers.quantity(Fraction(sum(known), MILLION) if known else None, rendering.lang, unit),
            at=i18n.minute(register.doubted_since, view.timezone),
        ),
        text.format(unit=unit, meter=view.asset_no),
        [f"{day:%m-%d}" for day in days],
        [(unit, [numbers.ones(rows.get(day)) for day in days], True)],
        spread=[bool(rows.get(day) and rows[day].spread_ms) for day in days],
        pending=[day in rows and bool(rows[day].open) for day in days],
        unknown=unknown,
    )
