"""What requests about the province may name: an area, an industry, an instant; checked in one way for every route."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Query
from sqlalchemy import Connection

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.snapshots import Snapshot, snapshot
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of, last_day
from ganpo_cloud.web.api.exports import MOST_ROWS, Format
from ganpo_cloud.web.api.instants import instant
from ganpo_cloud.web.api.problems import Refused
from ganpo_model.clock import Clock, iso, to_ms

Area = Annotated[
    str | None, Query(max_length=40, description="id of an area; absent: the province", examples=["360100"])
]
Industry = Annotated[
    str | None, Query(max_length=40, description="id of an industry; absent: all", examples=["NONFERROUS"])
]
AsOf = Annotated[
    str | None,
    Query(
        max_length=40,
        description="instant with time zone; absent: now",
        examples=["2026-11-25T00:00:00+08:00"],
    ),
]
Chosen = Annotated[
    Format | None,
    Query(alias="format", description="form of the answer; absent: what Accept says", examples=["xlsx"]),
]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="so many rows at most", examples=[1000])]
Offset = Annotated[int, Query(ge=0, le=10**7, description="rows left out before them", examples=[0])]


class Asking:
    """Checks what is asked for, and finds what it is asked of."""

    def __init__(self, clock: Clock, province: Province) -> None:
        self._clock, self.province = clock, province

    def at(self, as_of: str | None) -> datetime | None:
        """The instant; None: now. Raises Refused."""
        if as_of is None:
            return None
        found, now = instant(as_of, "as_of"), self._clock.utc()
        if found > now:
            raise Refused(422, "instant", f"lies in the future (now is {iso(now.astimezone(UTC))})", "as_of")
        return found

    def place(self, area: str | None, industry: str | None, day: date) -> tuple[str, str | None]:
        """Area and industry, as far as they exist on a day. Raises Refused."""
        place = area if area is not None else self.province.whole
        if self.province.area(place, day) is None:
            raise Refused(404, "area", self.province.why_not(place[:40], day), "area", "GET /api/v1/areas")
        if industry is not None and industry not in self.province.industries:
            raise Refused(404, "industry", "no such industry", "industry", "GET /api/v1/industries")
        return place, industry

    def day(self, at: datetime | None) -> date:
        """The last day that is in an instant: at a midnight the one that ends."""
        if at is None:
            return day_of(to_ms(self._clock.utc()), DEFAULT_ZONE)
        return last_day(to_ms(at), DEFAULT_ZONE)

    def snapshot(self, connection: Connection, as_of: str | None) -> Snapshot:
        """The sums as of an instant. Raises Refused."""
        return snapshot(connection, self.province, self.at(as_of), self._clock.utc())
