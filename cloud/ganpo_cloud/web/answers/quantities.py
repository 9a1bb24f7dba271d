"""What a subject consumed or made over a period."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from sqlalchemy import Connection, select

from ganpo_cloud.days import observed
from ganpo_cloud.days import quantities as judged
from ganpo_cloud.store.described import Instant, Unit, answer, filled, said
from ganpo_cloud.store.localdays import DEFAULT_ZONE
from ganpo_cloud.store.tables import subject
from ganpo_cloud.web.asking import Asked, Question, asks, instant
from ganpo_cloud.web.problems import Refused
from ganpo_model.clock import to_ms
from ganpo_model.registers import Step as Judged

LONGEST = timedelta(days=366 * 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period(Asked):
    """One carrier of a subject from an instant to another."""

    subject: Annotated[str, asks("ENTERPRISE/ASSET_NO", "91360000625912173B/DB-0101", max_length=200)]
    start: Annotated[
        str, asks("instant with time zone", "2026-11-25T00:00:00+08:00", alias="from", max_length=40)
    ]
    to: Annotated[str, asks("instant with time zone", "2026-11-26T00:00:00+08:00", max_length=40)]
    carrier: Annotated[str, asks("id of a carrier", "water_fresh", max_length=64)] = "electricity"


@answer
class Step:
    """A step between two readings that counts nothing."""

    register: str = said("id of the register", "DB-0101/energy_import#1f3a9c02")
    start: Instant = said("time of the first reading", "2026-11-25T02:15:03.120Z")
    end: Instant = said("time of the second reading", "2026-11-25T02:30:00.480Z")
    from_raw: int = said("counts at `start`", 80500)
    to_raw: int = said("counts at `end`", 12)
    amount: int = said("difference in counts", -80488)


@answer
class Quantity:
    """The quantity of one carrier over a period."""

    carrier: str | None = said("null where a register counts parts", "electricity")
    unit: Unit
    millionths: int | None = said(
        "of the unit; null where nothing is known of it: before the first reading, or not believed",
        521199760000,
    )
    spread_ms: int = said("length of the parts between border readings further apart than 30 min", 0)
    unknown_ms: int = said(
        "length of the part for which a register is not believed; it is not in the quantity", 0
    )
    open: list[Step] = said("steps that wait for a person")
    breaks: list[Step] = said("declared exchanges")
    start: Instant = said("begin of the period", "2026-11-24T16:00:00.000Z", name="from")
    end: Instant = said("end of the period, exclusive", "2026-11-25T16:00:00.000Z", name="to")


def quantities(connection: Connection, _question: Question, asked: Period) -> Quantity:
    """Consumption of one carrier over a period."""
    enterprise, _, asset_no = asked.subject.partition("/")
    start, end = instant(asked.start, "from"), instant(asked.to, "to")
    if not start < end:
        raise Refused(422, "period", "from has to lie before to", "from")
    if end - start > LONGEST:
        raise Refused(422, "period", "at most three years at once", "to")
    known(connection, enterprise, asset_no)
    found = judged.of_subject(connection, enterprise, asset_no, to_ms(start), to_ms(end))
    total = judged.total(found, asked.carrier)
    if total is None:
        raise Refused(
            404, "carrier", f"no inventory says that {asset_no} measures {asked.carrier}", "carrier"
        )
    return quantity(total, to_ms(start), to_ms(end))


def quantity(total: judged.Total, start: int, end: int) -> Quantity:
    """A total of a period from `start` to `end`, in ms."""
    return filled(
        Quantity,
        total,
        open=[_step(register, step) for register, step in total.open],
        breaks=[_step(register, step) for register, step in total.breaks],
        start=start,
        end=end,
    )


def known(connection: Connection, enterprise: str, asset_no: str) -> str:
    """The time zone of a subject; ours where no inventory names it. Raises Refused where nothing is known of it."""
    mine = (subject.c.enterprise == enterprise) & (subject.c.asset_no == asset_no)
    # Nothing stored has a NUL in it, and PostgreSQL does not even take the question.
    named = "\x00" not in enterprise + asset_no
    zone = connection.execute(select(subject.c.timezone).where(mine)).scalar() if named else None
    if zone is None and named and observed.kind_of(connection, enterprise, asset_no):
        return DEFAULT_ZONE
    if zone is None:
        where = f"{enterprise[:40]}/{asset_no[:80]}"
        raise Refused(404, "subject", "no such subject", where, "GET /api/v1/subjects")
    return str(zone)


def _step(register: str, step: Judged) -> Step:
    return Step(register, step.start.at, step.end.at, step.start.raw, step.end.raw, step.amount)
