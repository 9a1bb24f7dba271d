"""Energy and water of a place by month and carrier."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from sqlalchemy import Connection

from ganpo_cloud.days import periods
from ganpo_cloud.province import balances
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.store.described import AreaId, InIndustry, Month, answer, filled, said
from ganpo_cloud.web.asking import MONTH, Question, Tagged, asks
from ganpo_cloud.web.marked import only
from ganpo_cloud.web.problems import Refused
from ganpo_model import reference

MONTHS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly(Tagged):
    """Months of a place, both included."""

    first: Annotated[
        str | None, asks("first month; absent: 24 back", "2026-01", alias="from", pattern=MONTH)
    ] = None
    last: Annotated[
        str | None, asks("last month; absent: this one", "2026-11", alias="to", pattern=MONTH)
    ] = None


@answer
class Carrier:
    """A carrier at a place in a month: what is metered or stated of it."""

    area: AreaId
    industry: InIndustry
    month: Month
    carrier: str = said("id of the carrier", "electricity")
    unit: str | None = said("of the quantity; null: a carrier that no table of ours knows", "kWh")
    millionths: int | None = said(
        "what counts, of boundary meters and statements; null: nobody knows", 521199760000, scale=10**6
    )
    by_statement: int | None = said("how much of it is by statements; null: none", 522000000, scale=10**6)
    metered: int | None = said(
        "boundary_in + generation - boundary_out, by meters", 521199760000, scale=10**6
    )
    stated: int | None = said("what statements say", 522000000000, scale=10**6)
    difference: int | None = said(
        "what statements of the whole say above the meters of the same enterprises", 800240000, scale=10**6
    )
    tce_millionths: int | None = said(
        "the quantity in tonnes of coal equivalent; null: no energy, or not known",
        64055450,
        adds=True,
        scale=10**6,
    )
    spread_ms: int = said("time over which what was missing is spread, in ms of all days", 0)
    open: int = said("steps of registers that count nothing until they are explained", 0)
    enterprises: int = said("enterprises with a quantity", 2)
    declared: int = said("enterprises that declare to use it", 3)
    covered: int = said("of them measured or stated for 90% of the month", 2, among="declared")

    @property
    def quantity(self) -> Fraction | None:
        """In its unit."""
        return None if self.millionths is None else Fraction(self.millionths, 10**6)


def energy(connection: Connection, question: Question, asked: Monthly) -> list[Carrier]:
    """Energy and water of a place by month and carrier."""
    shown = periods.months(question.day, MONTHS)
    begin, end = asked.first or shown[0], asked.last or shown[-1]
    if begin > end:
        raise Refused(422, "period", "from has to lie before to", "from")
    here, months = {(question.area, question.industry or ALL)}, (begin, end)
    these = (connection, question.province, here, months, only(connection, question), question.day)
    known, coefficients = reference.carriers(), question.province.coefficients
    found = []
    for row in balances.of_places(*these):
        tce = None
        day = periods.span(row.month)[0]
        if row.millionths is not None and coefficients.at(row.carrier, day) is not None:
            tce = int(coefficients.tce({row.carrier: row.millionths}, day) * 10**6)
        unit = known[row.carrier].unit if row.carrier in known else None
        found.append(filled(Carrier, row, industry=row.industry or None, unit=unit, tce_millionths=tce))
    return found
