"""Where something counts: at its place, at every place above, in its industry and in all of them together."""

from functools import lru_cache

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.counted_tables import ALL

Key = tuple[str, str]


@lru_cache(maxsize=8192)
def keys(province: Province, area: str, industry: str) -> tuple[Key, ...]:
    """Every (area, industry) to which something at a place counts; a place that nobody knows counts to the whole."""
    above = province.above(area)
    places = above if above[-1] == province.whole else [area, province.whole]
    return tuple((place, of) for place in places for of in (industry, ALL))
