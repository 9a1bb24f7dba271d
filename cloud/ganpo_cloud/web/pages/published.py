"""Published months, and the definitions: what stands beside them on their pages."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.days import periods
from ganpo_cloud.province import publishing
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.indicators import Indicator, Indicators, value
from ganpo_cloud.province.publishing import Report
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.web.answers.reports import Line
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.overview import CARDS, by_id
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model import reference

SHOWN_REVISIONS = 50


def months(_connection: Connection, rendering: Rendering, found: Sequence[Report]) -> Item:
    """Which month is published next, and when."""
    next_, on = publishing.release(rendering.today, [report.month for report in found])
    return {"next": next_, "next_on": on}


def month(connection: Connection, rendering: Rendering, found: Sequence[Line]) -> Item:
    """The place and its parts, each with its lines: as they were published, and as `items` what they come to today."""
    number = rendering.scope.path.rpartition("/")[2]
    every = publishing.reports(connection)
    areas = [rendering.scope.area, *rendering.parts(rendering.scope.area)]
    then = snapshot(connection, rendering.province, periods.span(number)[1], rendering.now)
    items = by_id(Indicators(then), areas, [None])
    here = items[areas[0], ALL]
    stored = publishing.read(connection, number)
    before = publishing.read(connection, periods.months(then.day, 2)[0])
    released = [of for of in map(partial(_released, stored, areas[0]), here.values()) if of is not None]
    revisions = [line for line in found if line.why is not None and line.area in areas]
    next_, on = publishing.release(rendering.today, [report.month for report in every])
    return {
        "n": Figures(then.day, published=True),
        "now": Figures(then.day),
        "month": number,
        "months": [report.month for report in every],
        "report": next(report for report in every if report.month == number),
        "areas": areas,
        "cards": CARDS,
        "lines": {(line.metric, line.area): line for line in found if line.industry is None},
        "items": items,
        "released": {of.definition.id: of for of in released},
        "moved": {of.definition.id: _moved(of, before, areas[0]) for of in released},
        "before": before,
        "revisions": revisions[:SHOWN_REVISIONS],
        "revised": len(revisions),
        "definitions": DEFINITIONS,
        "next": next_,
        "next_on": on,
    }


def _released(report: Report | None, area: str, item: Indicator) -> Indicator | None:
    """An indicator as it was published; None where it was not in the report."""
    line = report.lines.get((item.definition.id, area, ALL)) if report is not None else None
    if line is None:
        return None
    told = {name: line[name] for name in ("declared", "checked", "proven", "denominator", "of")}
    complete = line["completeness"]
    more = {"behind": line["with_data"], "completeness": tuple(complete) if complete else None}
    return replace(item, **told, **more)


def _moved(item: Indicator, before: Report | None, area: str) -> Fraction | None:
    """What a published number is more than it was in the report of the month before; None: that says nothing of it."""
    line = before.lines.get((item.definition.id, area, ALL)) if before is not None else None
    if line is None or item.value is None:
        return None
    was = value(item.definition, line["checked"], line["denominator"])
    return None if was is None else item.value - was


def coefficients(_connection: Connection, rendering: Rendering, _found: Any) -> Item:
    """The coefficients of energy on the day, each with its carrier."""
    found = (
        (carrier, rendering.province.coefficients.at(carrier.id, rendering.day))
        for carrier in reference.carriers().values()
    )
    return {"coefficients": [(carrier, of) for carrier, of in found if of is not None]}
