"""The parts of a place side by side: tile grid and ranked table of areas, dot rows of industries (ui.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.store.counted_tables import ALL, NOWHERE
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.rendering import Item, Rendering

PARTIAL = Fraction(3, 10)
"""Below so much of its enterprises in the ledger a place is not ranked."""
RANKED_FROM = 10
"""Of fewer main equipment a rate says nothing: one machine would be 100 %."""
_STEPS = (60, 55, 50, 45)


@dataclass(frozen=True, slots=True)
class Part:
    """One area or industry: its numbers by id, and its `rank`, None where it has none."""

    id: str
    word: str
    href: str
    items: Mapping[str, Indicator]
    rank: int | None = None

    @property
    def nc(self) -> Indicator:
        """What it is ranked by."""
        return self.items["nc_rate_main"]

    @property
    def partial(self) -> bool:
        """So little of it is in the ledger that its rate says nothing."""
        return bool(self.nc.of) and (self.nc.behind or 0) < PARTIAL * (self.nc.of or 0)

    @property
    def ranked(self) -> bool:
        """Whether it can be compared with the others."""
        return (self.nc.denominator or 0) >= RANKED_FROM and not self.partial

    @property
    def falling(self) -> bool:
        """Whether it lost what can be seen within six months."""
        return self.nc.change is not None and self.nc.change <= -Fraction(1, 20)

    @property
    def arrow(self) -> str:
        """How it moved over six months."""
        if self.nc.change is None:
            return ""
        return "▼" if self.falling else "▲" if self.nc.change >= Fraction(1, 20) else "▬"

    @property
    def step(self) -> int:
        """Its colour: 0 where it is not compared."""
        value = self.nc.value
        return 0 if value is None or not self.ranked else 1 + sum(value >= limit for limit in _STEPS)


def areas(rendering: Rendering, found: Indicators, n: Figures, parent: str) -> Item:
    """The areas of a place, best first, what cannot be compared last; `lost`: what has no place; `sums`: the main
    equipment of the parts, of what has no place, and of the whole."""
    industry = rendering.scope.industry
    every = found.all([parent, *rendering.parts(parent), NOWHERE], [industry])

    def part(area: str) -> Part:
        href = rendering.href("/overview", area=area) if area != NOWHERE else ""
        return _part(area, rendering.area(area), href, every[area, industry or ALL])

    rows, lost = _ordered([part(area) for area in rendering.parts(parent)]), part(NOWHERE)
    whole = parent == rendering.province.whole
    total = part(parent)
    mains = (
        ("main:parts", parent, sum(row.nc.denominator or 0 for row in rows)),
        ("main", NOWHERE, lost.nc.denominator if whole else 0),
        ("main", parent, total.nc.denominator),
    )
    return {
        "rows": rows,
        "lost": lost if whole and lost.nc.denominator else None,
        "total": total,
        "sums": [n.count(measure, area, industry or ALL, number) for measure, area, number in mains],
        "least": RANKED_FROM,
        "tiles": [
            (row, *rendering.province.tiles[row.id]) for row in rows if row.id in rendering.province.tiles
        ]
        if whole
        else [],
        "reached": sum(row.nc.status == "reached" for row in rows if row.ranked),
        "blind": [row.word for row in rows if not row.ranked],
        "xlsx": rendering.api("indicators/nc_rate_main", by="area", format="xlsx"),
    }


def industries(rendering: Rendering, found: Indicators) -> Item:
    """The industries of a place, best first."""
    area = rendering.scope.area
    every = found.all([area], [None, *rendering.province.industries])
    rows = _ordered(
        [
            _part(n, rendering.industry(n), rendering.href("/overview", industry=n), every[area, n])
            for n in rendering.province.industries
        ]
    )
    return {
        "rows": rows,
        "total": _part(ALL, rendering.t("all industries"), "", every[area, ALL]),
        "reached": [row.word for row in rows if row.ranked and row.nc.status == "reached"],
        "xlsx": rendering.api("indicators/nc_rate_main", by="industry", format="xlsx"),
    }


def _part(number: str, word: str, href: str, items: Sequence[Indicator]) -> Part:
    return Part(number, word, href, {item.definition.id: item for item in items})


def _ordered(parts: Sequence[Part]) -> list[Part]:
    def order(part: Part) -> tuple[bool, bool, Fraction, str]:
        value = part.nc.value
        return (not part.ranked, value is None, -(value or Fraction(0)), part.id)

    rows = sorted(parts, key=order)
    return [Part(p.id, p.word, p.href, p.items, n if p.ranked else None) for n, p in enumerate(rows, start=1)]
