"""The assessment on its page: the sheet of a city or county, and the sums of the areas below."""

from collections.abc import Sequence
from fractions import Fraction

from sqlalchemy import Connection

from ganpo_cloud.province import assessment as of_province
from ganpo_cloud.province import signing
from ganpo_cloud.province.schemes import TOTAL
from ganpo_cloud.web.answers.assessment import SheetLine, told
from ganpo_cloud.web.pages.figures import Figure
from ganpo_cloud.web.pages.rendering import Item, Rendering

YEARS = 5


class Points:
    """The numbers of sheets, each with its mark."""

    def value(self, of: SheetLine) -> Figure:
        """What an item's number came to."""
        number = None if of.value is None else Fraction(of.value.numerator or 0, of.value.denominator or 1)
        kind = "intensity" if of.unit and "CNY" in of.unit else "tenths" if of.unit == "%" else "quantity"
        return Figure(f"assessment:{of.id}:value", of.area, "", f"{of.year}", number, kind)

    def points(self, of: SheetLine) -> Figure:
        """Its points as they come to today."""
        return self._tenths(of, "points", of.tenths)

    def published(self, of: SheetLine) -> Figure:
        """As they were published."""
        return self._tenths(of, "published", of.published)

    def most(self, of: SheetLine) -> Figure:
        """At most."""
        return self._tenths(of, "most", of.most)

    def _tenths(self, of: SheetLine, name: str, number: int | None) -> Figure:
        exact = None if number is None else Fraction(number, 10)
        return Figure(f"assessment:{of.id}:{name}", of.area, "", f"{of.year}", exact, "tenths")


def beside(connection: Connection, rendering: Rendering, found: Sequence[SheetLine]) -> Item:
    """The items and their sum; the sums of the areas below, and whose sheets of the year are published."""
    here, year = rendering.scope.area, found[0].year
    mine = [line for line in found if line.area == here]
    below = [line for line in found if line.area != here]
    parts = rendering.parts(here)
    if mine and parts:
        now = of_province.sheets(connection, rendering.province, parts, year, rendering.now)
        then = {area: signing.read(connection, area, year) for area in parts}
        below = [line for area in parts for line in told(now[area], then[area], alone=False)]
    return {
        "n": Points(),
        "year": year,
        "years": range(rendering.day.year, rendering.day.year - YEARS, -1),
        "running": year == rendering.day.year,
        "lines": [line for line in mine if line.id != TOTAL],
        "total": next((line for line in mine if line.id == TOTAL), None),
        "below": sorted(below, key=lambda line: (-line.tenths, line.area)),
        "definitions": of_province.measures(),
    }
