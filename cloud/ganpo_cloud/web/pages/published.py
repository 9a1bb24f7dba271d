"""Published months, and the definitions: what stands beside them on their pages."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.days import periods
from ganpo_cloud.province import publishing
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.web.answers.reports import Line
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.overview import CARDS, by_id
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model import reference


def months(_connection: Connection, rendering: Rendering, _found: Any) -> Item:
    """The month that is published next."""
    return {"next": publishing.month_before(rendering.today)}


def month(connection: Connection, rendering: Rendering, found: Sequence[Line]) -> Item:
    """The place and its parts, each with its lines, and `items`: what the month comes to today."""
    number = rendering.scope.path.rpartition("/")[2]
    every = publishing.reports(connection)
    areas = [rendering.scope.area, *rendering.parts(rendering.scope.area)]
    then = snapshot(connection, rendering.province, periods.span(number)[1], rendering.now)
    return {
        "n": Figures(then.day),
        "month": number,
        "months": [report.month for report in every],
        "report": next(report for report in every if report.month == number),
        "areas": areas,
        "cards": CARDS,
        "lines": {(line.metric, line.area): line for line in found if line.industry is None},
        "items": by_id(Indicators(then), areas, [None]),
    }


def coefficients(_connection: Connection, rendering: Rendering, _found: Any) -> Item:
    """The coefficients of energy on the day, each with its carrier."""
    found = (
        (carrier, rendering.province.coefficients.at(carrier.id, rendering.day))
        for carrier in reference.carriers().values()
    )
    return {"coefficients": [(carrier, of) for carrier, of in found if of is not None]}
