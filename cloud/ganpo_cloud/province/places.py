"""Where something counts: at its place, at every place above, in its industry and in all of them together."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.counted_tables import ALL

Key = tuple[str, str]
Sums = Mapping[Key, Mapping[str, int]]
Lowest = Iterable[tuple[Key, Mapping[str, Any]]]
"""What counts at a place and in an industry; one may stand several times."""


@lru_cache(maxsize=8192)
def keys(province: Province, area: str, industry: str) -> tuple[Key, ...]:
    """Every (area, industry) to which something at a place counts; a place that nobody knows counts to the whole."""
    above = province.above(area)
    places = above if above[-1] == province.whole else [area, province.whole]
    return tuple((place, of) for place in places for of in (industry, ALL))


def roll_up(province: Province, lowest: Lowest, nothing: Mapping[str, Any]) -> dict[Key, dict[str, Any]]:
    """What places come to with everything that lies in them. `nothing`: every column as it is before anything counts, 0
    or unknown."""
    found: dict[Key, dict[str, Any]] = {}
    for key, values in lowest:
        for place in keys(province, *key):
            add(found.setdefault(place, dict(nothing)), values)
    return found


def add(row: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Add up column by column; what is unknown (None) adds nothing, and stays unknown where nothing else counts."""
    for name, value in values.items():
        if value is not None:
            row[name] = (row[name] or 0) + value
