"""Energy and water of a place: what stands beside its carriers by month."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ganpo_cloud.days import periods
from ganpo_cloud.province.balances import COVERED
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.web.answers.energy import Carrier
from ganpo_cloud.web.pages import cards, numbers, trends
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model.energy import WATER

CARDS = ("comprehensive_energy", "energy_intensity", "water", "water_intensity")
SHOWN_MONTHS = 13


def beside(connection: Connection, rendering: Rendering, found: Sequence[Carrier]) -> Item:
    """Numbers and targets, 24 months as charts, and the carriers one by one: `table` by carrier and month; `stated`:
    those of which a statement speaks, the newest first."""
    t, scope = rendering.t, rendering.scope
    of_place = Indicators(rendering.snapshot(connection))
    items = {item.definition.id: item for item in of_place.of(scope.area, scope.industry)}
    months = periods.months(rendering.day, trends.SHOWN_MONTHS)
    energy = [row for row in found if row.carrier in rendering.province.coefficients.carriers]
    charts = [
        _chart(
            rendering,
            t("Energy by month, metered and stated part"),
            t("tce a month, equivalent value; hatched: less than 90% of what is declared is covered"),
            "tce",
            [[row for row in energy if row.month == month] for month in months],
        ),
        _chart(
            rendering,
            t("Fresh water by month, metered and stated part"),
            t("m³ a month; hatched: less than 90% of what is declared is covered"),
            "m³",
            [[row for row in found if row.carrier == WATER and row.month == month] for month in months],
        ),
    ]
    table: dict[str, dict[str, Carrier]] = {}
    for row in found:
        table.setdefault(row.carrier, {})[row.month] = row
    return {
        "n": Figures(of_place.snapshot.day),
        "cards": [cards.one(rendering, items[number], items) for number in CARDS],
        "charts": charts,
        "months": months[-SHOWN_MONTHS:],
        "table": table,
        "stated": [
            row for row in found[::-1] if row.stated is not None and row.month in months[-SHOWN_MONTHS:]
        ],
    }


def _chart(rendering: Rendering, title: str, sub: str, unit: str, rows: Sequence[Sequence[Carrier]]) -> Item:
    """Bars of what the carriers of each month come to."""
    labels = [numbers.month(month, rendering.lang) for month in periods.months(rendering.day, len(rows))]
    pending = [sum(row.covered for row in of) < COVERED * sum(row.declared for row in of) for of in rows]
    amounts = [_amount(of, unit) for of in rows]
    xlsx = rendering.api("energy", format="xlsx")
    series = [(unit, amounts, True)]
    return trends.chart(rendering, "bar", title, sub, labels, series, pending=pending, xlsx=xlsx)


def _amount(rows: Sequence[Carrier], unit: str) -> float | None:
    found = [row.tce_millionths if unit == "tce" else row.millionths for row in rows]
    known = [millionths for millionths in found if millionths is not None]
    return sum(known) / 10**6 if known else None
