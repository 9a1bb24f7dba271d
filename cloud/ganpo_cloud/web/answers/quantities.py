"""What a subject consumed or made over a period."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from sqlalchemy import Connection, select

from ganpo_cloud.days import observed
from ganpo_cloud.days.consumed import Quantity, of_carrier
from ganpo_cloud.store.localdays import DEFAULT_ZONE
from ganpo_cloud.store.tables import subject
from ganpo_cloud.web.asking import Asked, Question, asks, instant
from ganpo_cloud.web.problems import Refused
from ganpo_model.clock import to_ms

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


def quantities(connection: Connection, _question: Question, asked: Period) -> Quantity:
    """Consumption of one carrier over a period."""
    enterprise, _, asset_no = asked.subject.partition("/")
    start, end = instant(asked.start, "from"), instant(asked.to, "to")
    if not start < end:
        raise Refused(422, "period", "from has to lie before to", "from")
    if end - start > LONGEST:
        raise Refused(422, "period", "at most three years at once", "to")
    known(connection, enterprise, asset_no)
    found = of_carrier(connection, enterprise, asset_no, asked.carrier, to_ms(start), to_ms(end))
    if found is None:
        raise Refused(
            404, "carrier", f"no inventory says that {asset_no} measures {asked.carrier}", "carrier"
        )
    return found


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
