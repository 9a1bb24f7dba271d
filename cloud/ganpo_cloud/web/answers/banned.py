"""What is banned, whether it runs, and the alarms of that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal

from sqlalchemy import Connection

from ganpo_cloud.days import alarms, periods
from ganpo_cloud.province import banned as list_of
from ganpo_cloud.province import lists
from ganpo_cloud.store.described import (
    AssetNo,
    Code,
    Instant,
    Listing,
    Month,
    answer,
    filled,
    said,
    somewhere,
    unsaid,
)
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds
from ganpo_cloud.store.runs import unpacked
from ganpo_cloud.web import marked
from ganpo_cloud.web.answers import energy
from ganpo_cloud.web.answers.energy import Monthly
from ganpo_cloud.web.asking import Listed, OfDevice, Question, asks
from ganpo_model import reference
from ganpo_model.clock import HOUR_MS, to_ms
from ganpo_model.states import State

Seen = Literal["runs", "still", "unseen"]
SHOWN = 2
"""Months of what is used, where nobody asks for others: this one, and the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarmed(Listed):
    """Banned equipment, all of it or by its newest alarm."""

    alarm: Annotated[
        Literal["open", "closed", "none"] | None, asks("only with such a newest alarm, or none ever", "open")
    ] = None


@answer
class Evidence:
    """A stretch in which something banned ran, on one local day."""

    at: Instant = said("when it began to run", "2026-11-27T04:05:00.000Z")
    until: Instant = said("when it stopped, or the day ended", "2026-11-27T04:25:00.000Z")
    shown_by: Literal["states", "meter"] = said("its own states, or its meter", "meter")
    register: str | None = said(
        "register of the meter; null: its own states tell it", "DB-0101/energy_import#1f3a9c02"
    )
    counts: int | None = said(
        "what the register rose by, in counts; null: its own states tell it", 5000, name="raw"
    )
    millionths: int | None = said("the same in its unit", 500000000, scale=10**6)
    unit: str | None = said("unit of the register", "kWh")
    mean: int | None = said("the same in an hour: kW where it counts kWh", 1500000000, scale=10**6)
    frame: str | None = said(
        "the first frame that tells it (gateway/stream/number); null: it was declared", "gw-1/01J/7"
    )
    known_at: Instant = said("when the last frame that tells it was stored", "2026-11-27T04:30:02.000Z")
    alarm: int | None = said("number of the alarm that it is evidence of", 3)


@answer
class Banned:
    """Something that may not run."""

    enterprise: Code
    asset_no: AssetNo
    name: str | None = said("what people call the device; null: it is in no ledger", "中频炉")
    area: str | None = said("county of its site; null where nobody said", "360502")
    industry: str | None = said("industry of the enterprise", "STEEL")
    kind: Literal["outdated", "forbidden"] = said(
        "outdated capacity to be retired, or forbidden by law", "forbidden"
    )
    since: date = said("the first day on which it may not run", "2018-01-01")
    document: str = said("document that bans it", "赣工信字〔2018〕17号")
    by: str = said("who entered it", "Wang")
    recorded_at: Instant = said("when it was entered", "2026-11-20T02:00:00.000Z")
    meter: str | None = said("asset number of the meter that measures it; null: none", "DB-0101")
    standby_kw: str | None = said(
        "what it may take while still; null: 1% of the highest rate of its register (max_rate)", "15"
    )
    seen: Seen | None = said("what is seen of it in the last 30 minutes; null: asked for a past day", "still")
    last_seen: Instant | None = said("newest observation of it or of its meter", "2026-11-27T04:30:00.000Z")
    stretches: int = said("how many times it ran", 1)
    ran_at: Instant | None = said("when it began to run the last time", "2026-11-27T04:05:00.000Z")
    ran_until: Instant | None = said("when that ended, as far as it is known", "2026-11-27T04:25:00.000Z")
    ran_frame: str | None = said("the first frame that tells it", "gw-steel-0001/01J8/1842")
    alarm: int | None = said("number of the newest alarm", 3)
    opened_at: Instant | None = said("since when it ran and nobody answered", "2026-11-27T04:05:00.000Z")
    raised_at: Instant | None = said("when the alarm was raised", "2026-11-27T04:15:02.000Z")
    closed_at: Instant | None = said(
        "when the alarm was closed; null: it is open", "2026-11-24T02:00:00.000Z"
    )
    closed_by: str | None = said("who closed it", "Li")
    why: str | None = said("what was said when it was closed", "sealed")
    firm: str | None = unsaid(default=None)
    """Name of the enterprise; None: it is in no registry."""

    @property
    def command(self) -> str:
        """What closes the alarm."""
        return alarms.command(self.alarm or 0)


@answer
class Used:
    """What the meters of banned equipment of a place show of a carrier in a month, beside all that it took."""

    month: Month
    carrier: str = said("id of the carrier", "electricity")
    unit: str | None = said("unit of the quantities", "kWh")
    millionths: int = said(
        "by meters of what is banned, from the day of the ban on",
        180000000,
        scale=10**6,
        among="total",
    )
    total: int | None = said("what the place took; null: nobody knows", 521199760000, scale=10**6)


def banned(connection: Connection, question: Question, asked: Alarmed) -> Listing[Banned]:
    """Banned equipment, as of the end of a day: open alarms first."""
    wanted = marked.wanted(connection, question, asked.text)
    query = list_of.devices(question.province, wanted, asked.alarm)
    rows, total = lists.page(connection, query, asked.limit, asked.page)
    about = list_of.seen(connection, rows, bounds(question.day, DEFAULT_ZONE)[1])
    found = [_banned(question, row, about[row.enterprise, row.asset_no]) for row in rows]
    return Listing(found, total)


def evidence(connection: Connection, question: Question, asked: OfDevice) -> list[Evidence]:
    """In which stretches a banned device ran, the newest first."""
    key = (asked.enterprise, asked.asset_no)
    return of_device(connection, *key, to_ms(question.now), alarms.of_device(connection, *key))


def used(connection: Connection, question: Question, asked: Monthly) -> list[Used]:
    """Energy and water of banned equipment as far as meters of its own show it; it counts through boundary meters."""
    shown = periods.months(question.day, SHOWN)
    begin, end = asked.first or shown[0], asked.last or shown[-1]
    last = min(periods.span(end)[1], question.day)
    wanted = replace(marked.wanted(connection, question), day=last)
    found = list_of.energy(connection, question.province, wanted, periods.span(begin)[0])
    monthly = replace(asked, first=begin, last=end)
    total = {(row.month, row.carrier): row.millionths for row in energy.energy(connection, question, monthly)}
    known = reference.carriers()
    return [
        Used(
            month,
            carrier,
            known[carrier].unit if carrier in known else None,
            amount,
            total.get((month, carrier)),
        )
        for (month, carrier), amount in sorted(found.items(), reverse=True)
    ]


def of_device(
    connection: Connection, enterprise: str, asset_no: str, now_ms: int, raised: Sequence[Any]
) -> list[Evidence]:
    """The same of a device with these alarms, the newest of which stands first."""
    found = list_of.stretches(connection, enterprise, asset_no, now_ms + 1)
    return [_evidence(row, list_of.belongs(row, raised[::-1])) for row in found]


def _banned(question: Question, row: Any, about: Any) -> Banned:
    states = unpacked(about.seen) if about.seen is not None else []
    known = about.seen_at if states and states[-1][1] is not State.UNKNOWN else None
    last = max((at for at in (known, about.read_at) if at is not None), default=None)
    fresh = to_ms(question.now) - list_of.FRESH_MS
    seen: Seen | None = "unseen"
    if question.past is not None:
        seen = last = None
    elif about.until is not None and about.until > fresh:
        seen = "runs"
    elif last is not None and last > fresh:
        seen = "still"
    told = {name: getattr(row, name) or None for name in ("meter", "standby_kw")}
    told |= {"area": somewhere(row.area) if row.area else None, "seen": seen, "last_seen": last}
    ran = {"ran_at": about.ran_at, "ran_until": about.until, "ran_frame": _frame(about)}
    return filled(Banned, row, stretches=about.stretches, **told, **ran)


def _evidence(row: Any, number: int | None) -> Evidence:
    mean = None
    if row.register:
        mean = row.millionths * HOUR_MS // (row.until - row.at)
    shown_by: Literal["states", "meter"] = "meter" if row.register else "states"
    told = {"shown_by": shown_by, "mean": mean, "frame": _frame(row), "alarm": number}
    return filled(Evidence, row, **told | {"register": row.register or None})


def _frame(row: Any) -> str | None:
    return None if row.gateway is None else f"{row.gateway}/{row.stream}/{row.seq}"
