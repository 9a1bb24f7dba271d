"""Published months, and the definitions: what stands beside them on their pages."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.province import publishing
from ganpo_cloud.province.definitions import DEFINITIONS, Definition
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.web.answers.fields import Ratio
from ganpo_cloud.web.answers.reports import Line
from ganpo_cloud.web.pages import cards, numbers
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model import reference


def months(_connection: Connection, rendering: Rendering, _found: Any) -> Item:
    """The month that is published next."""
    return {"next": publishing.month_before(rendering.today)}


def month(connection: Connection, rendering: Rendering, found: Sequence[Line]) -> Item:
    """The place and its parts, each with its lines; `told`: how a number of a line reads."""
    number = rendering.scope.path.rpartition("/")[2]
    every = publishing.reports(connection)

    targets = Indicators(rendering.snapshot(connection))

    def told(of: Ratio | None, definition: Definition, area: str) -> str:
        target = targets.target(definition, area, ALL)
        goal = None if target is None else target.goal
        return numbers.NONE if of is None else _told(of, definition, goal, rendering.lang)

    return {
        "month": number,
        "months": [report.month for report in every],
        "report": next(report for report in every if report.month == number),
        "areas": [rendering.scope.area, *rendering.parts(rendering.scope.area)],
        "shown": [DEFINITIONS[name] for name in cards.SHOWN],
        "lines": {(line.metric, line.area): line for line in found if line.industry is None},
        "told": told,
    }


def coefficients(_connection: Connection, rendering: Rendering, _found: Any) -> Item:
    """The coefficients of energy on the day, each with its carrier."""
    found = (
        (carrier, rendering.province.coefficients.at(carrier.id, rendering.day))
        for carrier in reference.carriers().values()
    )
    return {"coefficients": [(carrier, of) for carrier, of in found if of is not None]}


def _told(of: Ratio, definition: Definition, goal: Fraction | None, lang: str) -> str:
    if definition.kind == "rate":
        return numbers.rate(of.numerator, of.denominator, goal)
    if definition.kind == "quantity":
        return numbers.quantity(None if of.numerator is None else Fraction(of.numerator, 10**6), lang)
    return numbers.count(of.numerator)
