"""What the pages of an enterprise and of a device have in common: evidence, reasons, consumption, instants."""

import json
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.store.counted_tables import consumption, ledger
from ganpo_cloud.store.localdays import day_of, days_from, local
from ganpo_cloud.web import i18n, views
from ganpo_cloud.web.pages import numbers, trends
from ganpo_cloud.web.pages.frame import Frame, Item
from ganpo_cloud.web.why import Reason, why
from ganpo_model import reference
from ganpo_model.clock import to_ms

DAYS = 30
LONGEST = 80


def ledger_on(connection: Connection, code: str, asset_no: str, day: date) -> Any:
    mine = (ledger.c.enterprise == code) & (ledger.c.asset_no == asset_no) & (ledger.c.since <= day)
    return connection.execute(select(ledger).where(mine).order_by(ledger.c.since.desc()).limit(1)).first()


def reasons(connection: Connection, frame: Frame, code: str, asset_no: str | None) -> list[Reason]:
    return why(connection, code, asset_no, frame.now, frame.province.holidays)


def evidence(row: Any, frame: Frame) -> str:
    """What the first Good value was."""
    said = json.loads(row.evidence)
    parts = [str(said[key]) for key in ("point", "value", "driver") if said.get(key) is not None]
    return f"{row.asset_no} · {' '.join(parts)} · {frame.t('frame {n}').format(n=row.networked_frame)}"


def usage(connection: Connection, frame: Frame, code: str, view: views.SubjectView) -> list[Item]:
    """What the registers of a meter came to on each of the last 30 days."""
    found = []
    first, last = frame.today - timedelta(days=DAYS), frame.today - timedelta(days=1)
    for register in view.registers:
        if register.carrier is None:
            continue
        mine = (consumption.c.enterprise == code) & (consumption.c.register == register.id)
        rows = {
            row.day: row
            for row in connection.execute(
                select(consumption).where(mine & consumption.c.day.between(first, last))
            )
        }
        # Of a register that is not believed nothing is known from the day of its last accepted reading on.
        doubted = register.doubted_since is not None and register.at is not None
        known_until = day_of(register.at or 0, view.timezone) if doubted else None
        if not rows and not doubted:
            continue
        days = days_from(first, last)
        values = [numbers.ones(rows.get(day)) for day in days]
        unknown = [known_until is not None and day >= known_until for day in days]
        total = sum(row.millionths or 0 for row in rows.values()) or (None if any(unknown) else 0)
        carrier = reference.carriers()[register.carrier]
        name = carrier.name_zh if frame.lang == "zh" else carrier.name_en
        unit = register.unit.replace("m3", "m³")
        title = frame.t("{name}: {total} {unit} in 30 days")
        if any(unknown):
            title = frame.t("{name}: {total} {unit} in 30 days, not believed since {at}")
        title = title.format(
            name=name,
            total=numbers.NONE if total is None else numbers.quantity(Fraction(total, 10**6), frame.lang),
            unit=unit,
            at=told(register.doubted_since or 0),
        )
        text = frame.t("{unit} a day; {meter}; hatched: spread over a gap, open, or not believed")
        found.append(
            trends.chart(
                frame,
                "bar",
                title,
                text.format(unit=unit, meter=view.asset_no),
                [f"{day:%m-%d}" for day in days],
                [(unit, values, True)],
                spread=[bool(rows.get(day) and rows[day].spread_ms) for day in days],
                pending=[rows.get(day) is None or bool(rows[day].open) for day in days],
                unknown=unknown,
            )
        )
    return found


def told(ms: int) -> str:
    """An instant in the province's time."""
    return f"{local(ms):%Y-%m-%d %H:%M}"


def age(ms: int | None, frame: Frame) -> str:
    return i18n.age(to_ms(frame.now) - ms, frame.lang) if ms is not None else numbers.NONE


def sound(text: str) -> bool:
    """Nothing stored is longer, or has control characters in it."""
    return text.isprintable() and len(text) <= LONGEST
