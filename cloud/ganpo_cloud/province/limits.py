"""Limits on energy use and intensity of a year, each as its document says it; of several one counts."""

from collections import defaultdict
from fractions import Fraction
from typing import Literal

from sqlalchemy import Connection, select

from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.described import Instant, answer, said

Kind = Literal["total_tce", "intensity"]
KINDS: tuple[Kind, ...] = ("total_tce", "intensity")


@answer
class Limit:
    """A limit as one document says it."""

    value: str = said("the limit, in tce or in tce per 10,000 CNY", "15000000")
    price_basis: str | None = said("the year whose prices an intensity is in; null: of a total", "2020")
    document: str = said("document that sets the limit", "赣发改〔2026〕1号")
    by: str = said("who entered it", "Wang")
    recorded_at: Instant = said("when it was entered", "2026-02-01T02:00:00.000Z", name="entered_at")

    @property
    def number(self) -> Fraction:
        """Exactly."""
        return Fraction(self.value)


def of_year(connection: Connection, year: int) -> dict[tuple[str, str, str, str], list[Limit]]:
    """Of a year by area, industry, enterprise and kind: the one that counts first, it was entered last; of several that
    came together the last by document."""
    table = registry.limit
    found: dict[tuple[str, str, str, str], list[Limit]] = defaultdict(list)
    newest = (
        select(table)
        .where(table.c.year == year)
        .order_by(table.c.recorded_at.desc(), table.c.document.desc())
    )
    for row in connection.execute(newest):
        limit = Limit(row.value, row.price_basis or None, row.document, row.by, row.recorded_at)
        found[row.area, row.industry, row.enterprise, row.kind].append(limit)
    return found
