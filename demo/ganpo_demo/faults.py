"""Plugs pulled on purpose, and whether the total is right when they are back."""

import asyncio
import itertools
import time
from dataclasses import dataclass

from sqlalchemy import func, select

from ganpo_cloud.store.database import Database
from ganpo_cloud.store.tables import reading
from ganpo_demo.child import Devices
from ganpo_demo.page import Page
from ganpo_demo.plant import ENTERPRISE, MAIN_METER
from ganpo_demo.simulation import COUNTS_PER_KWH
from ganpo_model.clock import from_ms, iso
from ganpo_model.errors import GanpoError
from ganpo_model.units import MILLION, decimal_text
from ganpo_service.commands import say


@dataclass(frozen=True, slots=True)
class Faults:
    """A plug is pulled once every `every_s` seconds, and stays out for `away_s` of them."""

    every_s: float
    away_s: float


_BACK_WITHIN_S = 60.0
_COMPUTED_WITHIN_S = 10.0


async def pull_plugs(devices: Devices, page: Page, database: Database, faults: Faults) -> None:
    """Pull the plug of the meters, then that of the machines, and so on, for ever.

    When it is back, say what the register really did between the first stored reading and one read after the
    fault, and what the page says of the same time. Raises GanpoError where the devices do not answer, or no
    reading comes.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() - faults.away_s
    first = await _reading(database, 0)
    began = await devices.truth(first)
    for name in itertools.cycle(("meter", "cell")):
        due = max(due + faults.every_s, loop.time())
        await asyncio.sleep(due - loop.time())
        say(f"{name}: plug pulled for {faults.away_s:g} s")
        await devices.unplug(name)
        await asyncio.sleep(faults.away_s)
        await devices.plug(name)
        last = await _reading(database, time.time_ns() // MILLION)
        stood = await devices.truth(last)
        if began is None or stood is None:
            continue
        truth = (stood - began) * MILLION // COUNTS_PER_KWH
        shown = await _shown(page, first, last, truth)
        told = f"truth {decimal_text(truth, 2)} kWh, page {decimal_text(shown, 2)} kWh"
        say(f"{name}: back, {told}{'' if shown == truth else ' - THEY DIFFER'}")


async def _reading(database: Database, after_ms: int) -> int:
    """The instant of the first reading of the main meter after `after_ms`, once it is stored."""
    deadline = time.monotonic() + _BACK_WITHIN_S
    while time.monotonic() < deadline:
        if (at := await asyncio.to_thread(_stored, database, after_ms)) is not None:
            return at
        await asyncio.sleep(0.2)
    raise GanpoError(f"no reading within {_BACK_WITHIN_S:g} s", where=MAIN_METER)


def _stored(database: Database, after_ms: int) -> int | None:
    query = select(func.min(reading.c.at)).where(
        reading.c.enterprise == ENTERPRISE,
        reading.c.register.like(f"{MAIN_METER}/%"),
        reading.c.at > after_ms,
    )
    with database.read() as connection:
        at: int | None = connection.execute(query).scalar()
    return at


async def _shown(page: Page, first: int, last: int, truth: int) -> int:
    """What the page says, in millionths. What is stored is computed within seconds, so the truth is waited for."""
    subject = f"{ENTERPRISE}/{MAIN_METER}"
    period = {"from": iso(from_ms(first)), "to": iso(from_ms(last))}
    deadline, shown = time.monotonic() + _COMPUTED_WITHIN_S, 0
    while shown != truth and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        try:
            answer = await page.get("quantities", subject=subject, carrier="electricity", **period)
            shown = int(answer["millionths"] or 0)
        except OSError:  # a busy computer: it is asked again
            continue
    return shown
