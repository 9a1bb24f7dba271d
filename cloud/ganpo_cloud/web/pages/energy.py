"""Energy and water of a place: what stands beside its carriers by month."""

from collections.abc import Container, Sequence

from sqlalchemy import Connection

from ganpo_cloud.days import periods
from ganpo_cloud.province.balances import COVERED
from ganpo_cloud.province.indicators import Indicators
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.store.described import Listing
from ganpo_cloud.web.answers import banned
from ganpo_cloud.web.answers.energy import Carrier, Monthly, energy
from ganpo_cloud.web.answers.taken import Taken
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.dual_control import against_limit
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.overview import SHOWN_MONTHS
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model import reference
from ganpo_model.energy import WATER

TABLE_MONTHS = 13


def beside(connection: Connection, rendering: Rendering, found: Sequence[Carrier]) -> Item:
    """Numbers and targets, 24 months of energy and of water, and the carriers one by one: `table` by carrier and month;
    `stated`: those of which a statement speaks, the newest first."""
    scope = rendering.scope
    of_place = Indicators(rendering.snapshot(connection))
    n = Figures(of_place.snapshot.day, scope.area, scope.industry or "", scope.tag or "")
    months = periods.months(rendering.day, SHOWN_MONTHS)

    def bars(measure: str, column: str, carriers: Container[str]) -> Item:
        of = [[row for row in found if row.carrier in carriers and row.month == month] for month in months]
        known = [[getattr(row, column) for row in rows if getattr(row, column) is not None] for rows in of]
        amounts = [numbers.millionths(sum(some) if some else None) for some in known]
        return {
            "figures": [
                n.count(measure, amount, "quantity", time=month)
                for month, amount in zip(months, amounts, strict=True)
            ],
            "pending": [
                sum(row.covered for row in rows) < COVERED * sum(row.declared for row in rows) for rows in of
            ],
        }

    table: dict[str, dict[str, Carrier]] = {}
    for row in found:
        table.setdefault(row.carrier, {})[row.month] = row
    months_shown = months[-TABLE_MONTHS:]
    return {
        **against_limit(connection, rendering),
        "n": n,
        "items": {item.definition.id: item for item in of_place.of(scope.area, scope.industry)},
        "energy": bars("comprehensive_energy", "tce_millionths", rendering.province.coefficients.carriers),
        "water": bars("water", "millionths", (WATER,)),
        "every_month": months,
        "months": months_shown,
        "table": table,
        "banned": banned.used(connection, scope, Monthly()),
        "stated": [row for row in found[::-1] if row.stated is not None and row.month in months_shown],
    }


def of_month(connection: Connection, rendering: Rendering, _found: Listing[Taken]) -> Item:
    """What the place took of the carrier in the month, of whom it is covered, and the months beside it. `row`: None
    where nobody took or declared it."""
    scope = rendering.scope
    month, carrier = scope.path.rpartition("/")[2], str(scope.more.get("carrier", "electricity"))
    months = periods.months(rendering.today, SHOWN_MONTHS)
    asked = Monthly(first=min(months[0], month), last=max(months[-1], month))
    rows = energy(connection, scope, asked)
    by_month = {row.month: row for row in rows if row.carrier == carrier}
    return {
        "n": Figures(rendering.day, scope.area, scope.industry or ALL, scope.tag or ""),
        "month": month,
        "carrier": carrier,
        "unit": reference.carriers()[carrier].unit,
        "row": by_month.get(month),
        "months": [one for one in months if one in by_month or one == month],
        "carriers": sorted({carrier, *(row.carrier for row in rows if row.month == month)}),
    }
