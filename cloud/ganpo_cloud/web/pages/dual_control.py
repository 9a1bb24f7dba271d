"""Dual control on its page: what stands beside the courses of a month."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.days import periods
from ganpo_cloud.province.dual_control import Course, DualControl
from ganpo_cloud.province.limits import KINDS
from ganpo_cloud.province.snapshots import last_over
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.web.pages.figures import Figure
from ganpo_cloud.web.pages.rendering import Item, Rendering

SHOWN_MONTHS = 24
MOST = 100
"""Enterprises of a kind on the page, those that stand worst to their limits; the files have all."""


class Sheet:
    """The numbers of a sheet, each with its mark: whose it is, and at the end of which month it is told."""

    def __init__(self, month: str) -> None:
        self.month = month

    def to_date(self, of: Course) -> Figure:
        """Of the months that are over."""
        return self._figure(of, "to-date", of.value(of.to_date))

    def projected(self, of: Course) -> Figure:
        """Of the whole year."""
        return self._figure(of, "projected", of.value(of.projected))

    def limit(self, of: Course) -> Figure:
        """The limit that counts."""
        return self._figure(of, "limit", of.limit and of.limit.number)

    def share(self, of: Course) -> Figure:
        """r in percent, rounded up: what is above its limit never reads as if it were not."""
        r = of.share
        return self._counted(of, "r", None if r is None else Fraction(ceil(1000 * r), 10), "tenths")

    def covered(self, of: Course) -> list[Figure]:
        """How much is known, and of how much."""
        ratio = of.covered
        numbers = (ratio.numerator, ratio.denominator) if ratio else (None, None)
        names = ("covered", "declared")
        return [self._counted(of, name, number) for name, number in zip(names, numbers, strict=True)]

    def known(self, of: Course) -> Figure:
        """The same as a rate."""
        m, n = self.covered(of)
        return Figure(f"{m.measure}/declared", *(m.area, m.industry, m.time), m.number, "rate", n.number)

    def of_it(self, of: Course, name: str, number: Fraction) -> Figure:
        """A part of what was used."""
        return self._counted(of, f"to-date-{name}", number, "tonnes")

    def left_out(self, kind: str, area: str, industry: str, number: int) -> Figure:
        """How many parts and industries have nothing to show."""
        return Figure(f"{kind}:left-out", area, industry, self.month, number)

    def method(self, of: Course, name: str) -> Figure:
        """How many enterprises are projected in a way."""
        return self._counted(of, name, getattr(of, name))

    def _figure(self, of: Course, name: str, number: Any) -> Figure:
        return self._counted(of, name, number, "quantity" if of.kind == "total_tce" else "intensity")

    def _counted(self, of: Course, name: str, number: Any, kind: str = "count") -> Figure:
        measure = f"{'dual_total' if of.kind == 'total_tce' else 'dual_intensity'}:{name}"
        return Figure(measure, of.key, of.industry or ALL, self.month, number, kind)


def beside(connection: Connection, rendering: Rendering, found: Sequence[Course]) -> Item:
    """The sheet's month, the months there are, and the courses by kind: the place, its parts, its industries and
    enterprises."""
    month = found[0].month
    newest = last_over(connection, rendering.day)
    here, industry = rendering.scope.area, rendering.scope.industry

    def of(course: Course) -> str:
        if course.enterprise:
            return "enterprises"
        if course.area != here:
            return "parts"
        return "whole" if course.industry == industry else "industries"

    groups = ("whole", "parts", "industries", "enterprises")
    # Of parts and industries that have neither a limit nor data there is nothing to show but how many they are.
    said = [row for row in found if of(row) in ("whole", "enterprises") or row.limit or row.to_date]
    by_kind = {kind: [row for row in said if row.kind == kind] for kind in KINDS}
    kinds = {
        kind: {name: [row for row in rows if of(row) == name] for name in groups}
        for kind, rows in by_kind.items()
    }
    more = {kind: max(len(rows["enterprises"]) - MOST, 0) for kind, rows in kinds.items()}
    for rows in kinds.values():
        rows["enterprises"] = sorted(rows["enterprises"], key=_worst)[:MOST]
    return {
        "n": Sheet(month),
        "sheet": Sheet(month),
        "month": month,
        "months": periods.months(periods.span(newest)[0], SHOWN_MONTHS)[::-1],
        "kinds": kinds,
        "more": more,
        "limits": [row for rows in kinds.values() for some in rows.values() for row in some if row.limit],
        "adds_up": _adds_up(
            DualControl(connection, rendering.province, month),
            found[0],
            [row for row in found if of(row) == "parts" and row.kind == "total_tce"],
        ),
        "unsaid": {
            kind: sum(row.kind == kind for row in found) - len(rows) for kind, rows in by_kind.items()
        },
        "lights": rendering.province.lights,
    }


def _adds_up(control: DualControl, whole: Course, parts: Sequence[Course]) -> Mapping[str, Figure] | None:
    """What the use of the place so far is made of, in tonnes with two decimals that add up: its parts and what has no
    place; enterprises with a limit of their own, and all others. None: nothing is known."""
    used = whole.value(whole.to_date)
    if used is None:
        return None
    of_parts = sum((row.value(row.to_date) or Fraction() for row in parts), Fraction())
    if abs(used - of_parts) * 10**6 <= len(parts):  # each is rounded down to a millionth
        of_parts = used
    limited = control.limited(whole.area, whole.industry or ALL)
    hundredths = {"whole": floor(100 * used), "parts": floor(100 * of_parts), "limited": floor(100 * limited)}
    hundredths |= {
        "nowhere": hundredths["whole"] - hundredths["parts"],
        "others": hundredths["whole"] - hundredths["limited"],
    }
    sheet = Sheet(control.month)
    return {name: sheet.of_it(whole, name, Fraction(number, 100)) for name, number in hundredths.items()}


def _worst(of: Course) -> Fraction:
    """Those without a projection last, else in the order of the sheet."""
    return Fraction(1) if of.share is None else -of.share


def against_limit(connection: Connection, rendering: Rendering) -> Item:
    """The energy of the place against its limit of the year, where it has one: for cards of energy. A limit says
    nothing of what a tag marks."""
    month = last_over(connection, rendering.day)
    if rendering.scope.tag is not None:
        return {"sheet": Sheet(month), "limited": None}
    here, industry = rendering.scope.area, rendering.scope.industry or ALL
    total = DualControl(connection, rendering.province, month).places([here], [industry])[0]
    return {"sheet": Sheet(month), "limited": total if total.limit is not None else None}
