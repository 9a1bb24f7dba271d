"""Front-runners in energy and water, and capacity use: enterprises of one product beside each other."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from sqlalchemy import Connection, select

from ganpo_cloud.days import periods
from ganpo_cloud.province import capacity_use as capacities
from ganpo_cloud.province import front_runners as province
from ganpo_cloud.province.snapshots import last_over
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.store.described import AreaId, Code, Ratio, answer, said
from ganpo_cloud.web.asking import MONTH, Placed, Question, asks
from ganpo_cloud.web.problems import Refused
from ganpo_model.specific import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Leading(Placed):
    """Whom to rank, by what, over which months."""

    medium: Annotated[Literal["energy", "water"], asks("what is taken", "energy")] = "energy"
    first: Annotated[
        str | None,
        asks("first month; absent: the last 12 that are over", "2026-01", alias="from", pattern=MONTH),
    ] = None
    last: Annotated[
        str | None,
        asks("last month, 12 at most; absent: the last that is over", "2026-10", alias="to", pattern=MONTH),
    ] = None
    scale: Annotated[Literal["", "above"], asks("above: others are left out", "above")] = ""


@answer
class FrontRunner:
    """An enterprise that makes a product: ranked, shown, or left out for a reason."""

    product: str = said("id of the product", "cement")
    product_zh: str | None = said("its name in Chinese; null: no list names it", "水泥")
    product_en: str | None = said("name in English", "Cement")
    unit: str | None = said("unit of the output", "t")
    kind: Literal["whole", "metered"] | None = said(
        "whole: the enterprise makes nothing else; metered: process meters measure it; ranked apart; null: neither",
        "whole",
    )
    rank: int | None = said(
        "from 1 among those of its kind; null: fewer than five are comparable, or left out", 1
    )
    quarter: int | None = said("1 to 4 by the quartiles, by nearest rank", 1)
    enterprise: Code
    name: str = said("name of the enterprise", "某公司")
    area: AreaId
    output_millionths: int = said("in the unit of the product", 1200000000, scale=10**6)
    taken_millionths: int | None = said("energy in tce, water in m3; null: left out", 90000000, scale=10**6)
    specific_millionths: int | None = said(
        "what a unit of the product takes: kgce, of water m3; rounded down", 75000000, scale=10**6
    )
    gap_millionths: int | None = said(
        "above the median x own output, in tce or m3; rounded down", 0, scale=10**6
    )
    reason: Literal["scale", "months", "several_products", "coverage"] | None = said(
        "why it is left out; null: it is comparable", "coverage"
    )


@answer
class CapacityUse:
    """What an enterprise made of what it is designed for."""

    product: str = said("id of the product", "cement")
    product_zh: str | None = said("its name in Chinese; null: no list names it", "水泥")
    product_en: str | None = said("name in English", "Cement")
    unit: str | None = said("unit of the output", "t")
    enterprise: Code
    name: str = said("name of the enterprise", "某公司")
    area: AreaId
    year: int = said("calendar year", 2026)
    months: int = said("months of the year with a listed output", 10)
    use: Ratio = said(
        "output over the design capacity of the same months, both in the unit of the product", scale=10**6
    )
    equipment_use: Ratio | None = said(
        "availability (APT / PBT) of its machines in the last month that was over: a proxy only; null: none was seen"
    )


@dataclass(frozen=True, slots=True)
class Names:
    """What products are called."""

    product_zh: str | None
    product_en: str | None
    unit: str | None


NAMELESS = Names(None, None, None)
"""A product of which no list says anything."""


def products(connection: Connection) -> dict[str, Names]:
    """Every product that is listed."""
    p = registry.product.c
    rows = connection.execute(select(p.product, p.zh, p.en, p.unit))
    return {row.product: Names(row.zh, row.en, row.unit) for row in rows}


def months(connection: Connection, question: Question, asked: Leading) -> list[str]:
    """The months that are asked for. Raises Refused: 422 for the future, and for what is no period of up to 12."""
    usual = province.last_months(connection, question.day)
    first, last = asked.first or min(usual[0], asked.last or usual[0]), asked.last or usual[-1]
    if last > usual[-1]:
        raise Refused(422, "period", f"is not over: the last month that is is {usual[-1]}", "to")
    found = periods.months(periods.span(last)[0], 12)
    if not found[0] <= first <= last:
        raise Refused(422, "period", "12 months at most, the first before the last", "from")
    return found[found.index(first) :]


def found(connection: Connection, question: Question, asked: Leading) -> province.Found:
    """Everybody who makes something at the place."""
    here = (question.province, question.area, question.industry or ALL)
    period = months(connection, question, asked)
    return province.front_runners(connection, *here, asked.medium, period, above_scale=asked.scale == "above")


def front_runners(connection: Connection, question: Question, asked: Leading) -> list[FrontRunner]:
    """Enterprises by what a unit of their product takes, and who is left out."""
    every, named = found(connection, question, asked), products(connection)
    return [
        *(
            _row(named, asked.medium, place.of.who, group.kind, place)
            for group in every.groups
            for place in group.ranking.places
        ),
        *(_row(named, asked.medium, firm, firm.kind, None) for firm in every.left_out),
    ]


def capacity_use(connection: Connection, question: Question, _asked: Placed) -> list[CapacityUse]:
    """Output over design capacity, product by product, with what machines say beside it."""
    month = last_over(connection, question.day)
    here = (question.province, month, question.area, question.industry or ALL)
    named, seen = products(connection), capacities.equipment_use(connection, month)
    found = []
    for use in capacities.uses(connection, *here):
        of = named.get(use.product, NAMELESS)
        machines = Ratio(*seen[use.enterprise]) if use.enterprise in seen else None
        who = (use.enterprise, use.name, use.area, int(month[:4]), use.months)
        rate = Ratio(use.output, use.capacity)
        found.append(CapacityUse(use.product, of.product_zh, of.product_en, of.unit, *who, rate, machines))
    return found


def _row(
    named: dict[str, Names],
    medium: province.Medium,
    firm: Any,
    kind: province.Kind | None,
    place: Place | None,
) -> FrontRunner:
    of = named.get(firm.product, NAMELESS)
    about = (firm.product, of.product_zh, of.product_en, of.unit, kind)
    who = (firm.enterprise, firm.name, firm.area, firm.output)
    if place is None:
        return FrontRunner(*about, None, None, *who, None, None, None, firm.reason)
    gap = None if place.gap is None else int(place.gap * 10**6)
    taken, per = (int(10**6 * of) for of in (place.of.taken, place.of.specific * province.PER_UNIT[medium]))
    return FrontRunner(*about, place.rank, place.quarter, *who, taken, per, gap, None)
