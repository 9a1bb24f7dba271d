"""Where something counts: at its place, at every place above, in its industry and in all of them together."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.counted_tables import ALL

Key = tuple[str, str]
Sums = Mapping[Key, Mapping[str, int]]


@lru_cache(maxsize=8192)
def keys(province: Province, area: str, industry: str) -> tuple[Key, ...]:
    """Every (area, industry) to which something at a place counts; a place that nobody knows counts to the whole."""
    above = province.above(area)
    places = above if above[-1] == province.whole else [area, province.whole]
    return tuple((place, of) for place in places for of in (industry, ALL))


def roll_up(
    province: Province, lowest: Iterable[tuple[Key, Mapping[str, int]]], columns: Iterable[str]
) -> dict[Key, dict[str, int]]:
    """What places come to with everything that lies in them, of `columns` those that are not named being 0. `lowest`:
    what counts at a place and in an industry; one may stand several times."""
    nothing = dict.fromkeys(columns, 0)
    found: dict[Key, dict[str, int]] = {}
    for key, values in lowest:
        for place in keys(province, *key):
            row = found.setdefault(place, dict(nothing))
            for name, value in values.items():
                row[name] += value
    return found
