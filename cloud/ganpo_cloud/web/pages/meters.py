"""The meters of an enterprise: where their registers stand, what they counted today and lately, and 30 days of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import observed, quantities
from ganpo_cloud.days.open_items import NOT_BELIEVED_MS
from ganpo_cloud.province.why import STALE_MS
from ganpo_cloud.store.counted_tables import consumption
from ganpo_cloud.store.localdays import bounds, day_of, days_from
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.machines import window
from ganpo_cloud.web.pages.numbers import millionths
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model import units
from ganpo_model.quantities import Quantity

DAYS = 30
PARTS = 24
DEMO_STALE_MS = 20_000
"""The demo's slots are short; a value that is older stands with its age."""


@dataclass(frozen=True, slots=True)
class Line:
    """A meter and one of its registers. `stands`: in millionths, None before its first reading; `today`: what it
    counted, None where nobody knows; `bars`: what it counted in the n-th part of a window, where that is over."""

    view: observed.Subject
    register: observed.Register | None = None
    stands: int | None = None
    today: Quantity | None = None
    bars: Sequence[tuple[int, Quantity]] = ()
    doubted: bool = False
    stale: bool = False


def lines(
    connection: Connection, rendering: Rendering, code: str, meters: Sequence[observed.Subject]
) -> list[Line]:
    """A line for each register, and one for a meter without; two statements for all."""
    start, end = window(rendering)
    borders = [start + (end - start) * n // PARTS for n in range(PARTS + 1)]
    begins = min([start, *(bounds(day_of(rendering.ms, view.timezone), view.timezone)[0] for view in meters)])
    judged = quantities.of_meters(connection, code, begins) if meters else {}
    limit = DEMO_STALE_MS if rendering.site.demo else STALE_MS
    found = []
    for view in meters:
        today = bounds(day_of(rendering.ms, view.timezone), view.timezone)
        read = [register for register in view.registers if register.at is not None]
        found += [Line(view)] if not read else []
        for register in read:
            about, since = judged.get(register.id), register.doubted_since
            found.append(
                Line(
                    view,
                    register,
                    units.millionths(register.raw or 0, register.num, register.den),
                    about.over(today)[0] if about is not None else None,
                    _bars(about.over(borders), borders, register, rendering.ms) if about is not None else [],
                    since is not None and rendering.ms - since >= NOT_BELIEVED_MS,
                    rendering.ms - (register.at or 0) > limit,
                )
            )
    return found


def _bars(
    parts: Sequence[Quantity], borders: Sequence[int], register: observed.Register, now: int
) -> list[tuple[int, Quantity]]:
    """What nobody has read yet has none, and what is not believed goes on until now."""
    until = now if register.doubted_since is not None else min(register.at or 0, now)
    return [
        (n, part)
        for n, part in enumerate(parts)
        if (part.millionths is not None or part.unknown_ms) and borders[n] < until
    ]


def usage(
    connection: Connection, rendering: Rendering, code: str, meters: Sequence[observed.Subject]
) -> list[Item]:
    """What the registers of meters came to on each of the last 30 days, each as a chart shows it; one statement for
    all. `spread`, `pending`, `unknown`: days of which a part lies in a gap, waits for a person, is not believed."""
    days = days_from(rendering.today - timedelta(days=DAYS), rendering.today - timedelta(days=1))
    mine = (consumption.c.enterprise == code) & consumption.c.day.between(days[0], days[-1])
    of: dict[str, dict[date, Any]] = {}
    for row in connection.execute(select(consumption).where(mine)) if meters else ():
        of.setdefault(row.register, {})[row.day] = row
    found, of_it = [], Figures(rendering.day, code)
    for view, register in ((meter, one) for meter in meters for one in meter.registers):
        rows = of.get(register.id, {})
        doubted = register.doubted_since is not None and register.at is not None
        if register.carrier is None or not (rows or doubted):
            continue
        # Of a register that is not believed nothing is known from the day of its last accepted reading on.
        last = day_of(register.at or 0, view.timezone) if doubted else date.max
        known = {n: row.millionths for n, row in rows.items() if row.millionths is not None}
        found.append(
            {
                "register": register,
                "view": view,
                "labels": [f"{n:%m-%d}" for n in days],
                "total": millionths(sum(known.values()) if known else None),
                "figures": [
                    of_it.count(register.id, millionths(known.get(n)), "quantity", time=f"{n}") for n in days
                ],
                "spread": [n in rows and bool(rows[n].spread_ms) for n in days],
                "pending": [n in rows and bool(rows[n].open) for n in days],
                "unknown": [n >= last for n in days],
            }
        )
    return found
