"""What is written to the time-series store: lines of the line protocol, times in ms."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import painting, quantities
from ganpo_cloud.store.counted_tables import day, register_day
from ganpo_cloud.store.localdays import bounds, days_from
from ganpo_cloud.store.projected import writable
from ganpo_cloud.store.runs import unpacked
from ganpo_cloud.store.tables import frame, gateway, gateway_before, named, reading, register, states, subject
from ganpo_model.clock import DAY_MS
from ganpo_model.states import State

_ROOM_MS = 22 * 3_600_000
"""How far behind its midnight a day's point may stand: the shortest local day has 23 hours."""
_LONGEST = math.log1p(20 * 366)


def readings(connection: Connection, after: int, until: int) -> Iterable[str]:
    """Readings of the frames behind `after`, up to `until`, at their times."""
    sites = _sites(connection)
    query = (
        select(reading.c.enterprise, reading.c.register, reading.c.at, reading.c.raw, frame.c.gateway)
        .join(frame, frame.c.id == reading.c.frame)
        .where((reading.c.frame > after) & (reading.c.frame <= until))
    )
    for row in connection.execute(query):
        asset_no = row.register.partition("/")[0]
        if writable(asset_no):
            tags = _tags(row.enterprise, sites.get((row.gateway, row.enterprise)), asset_no, row.register)
            yield f"reading,{tags} raw={row.raw}i {row.at}"


def runs(connection: Connection, after: int, until: int) -> Iterable[str]:
    """Each run of the same frames at its start, as it came."""
    sites = _sites(connection)
    query = (
        select(named.c.enterprise, named.c.name, states.c.start, states.c.runs, frame.c.gateway)
        .join(frame, frame.c.id == states.c.frame)
        .join(named, named.c.id == states.c.subject)
        .where((states.c.frame > after) & (states.c.frame <= until))
    )
    for row in connection.execute(query):
        if writable(row.name):
            tags = _tags(row.enterprise, sites.get((row.gateway, row.enterprise)), row.name, None)
            for offset, state in unpacked(row.runs):
                yield f"state,{tags} code={state.code}i {row.start + offset}"


def days(connection: Connection, after: int, until: int) -> Iterable[str]:
    """Milliseconds per state, and the millionths of each register, of the days worked out behind `after`, up to
    `until`."""
    told = _sites(connection)
    sites = {
        (row.enterprise, row.asset_no): told.get((row.gateway, row.enterprise))
        for row in connection.execute(select(subject.c.enterprise, subject.c.asset_no, subject.c.gateway))
    }
    new = (day.c.computed_at > after) & (day.c.computed_at <= until)
    for row in connection.execute(select(day).where(new)).all():
        if writable(row.subject):
            found = painting.ms_per_state(painting.stored(row.start, row.end, row.spans))
            fields = ",".join(f"{state.lower()}_ms={found.get(state, 0)}i" for state in State)
            tags = _tags(row.enterprise, sites.get((row.enterprise, row.subject)), row.subject, None)
            yield f"day,{tags} {fields} {stamp(row.start, row.computed_at)}"
    same = (register.c.enterprise == register_day.c.enterprise) & (register.c.id == register_day.c.register)
    judged = (register_day.c.computed_at > after) & (register_day.c.computed_at <= until)
    rows = connection.execute(
        select(register_day, register.c.subject, register.c.timezone).join(register, same).where(judged)
    ).all()
    for row in rows:
        if writable(row.subject):
            tags = _tags(row.enterprise, sites.get((row.enterprise, row.subject)), row.subject, row.register)
            for start, amount in _millionths(connection, row):
                yield f"day,{tags} millionths={amount}i {stamp(start, row.computed_at)}"


def stamp(start: int, computed_at: int) -> int:
    """Where the point of a day stands that begins at `start` and was worked out then, both ms: the later it was
    worked out, the later within its day, so that the day's last point is its newest and none takes another's place.

    Of two points of one time InfluxDB keeps the newer, VictoriaMetrics the bigger: no day is ever written twice at the
    same time. Steps are 10 ms for a day of the same week, 4 s for one of a year ago.
    """
    age = max(computed_at - start, 0) / DAY_MS
    return start + 1 + min(int(_ROOM_MS * math.log1p(age) / _LONGEST), _ROOM_MS)


def _sites(connection: Connection) -> Mapping[tuple[str, str], str]:
    """The newest site of a gateway in an enterprise."""
    found = {}
    for table in (gateway_before, gateway):
        query = select(table.c.id, table.c.enterprise, table.c.site).order_by(table.c.since)
        found.update({(row.id, row.enterprise): row.site for row in connection.execute(query)})
    return found


def _millionths(connection: Connection, row: Any) -> Iterable[tuple[int, int]]:
    """The quantities of a judged day, and of the days before it that it changed."""
    dates = days_from(row.touches, row.day)
    borders = [bounds(dates[0], row.timezone)[0], *(bounds(one, row.timezone)[1] for one in dates)]
    parts = quantities.in_parts(connection, row.enterprise, row.register, borders)
    for start, part in zip(borders, parts, strict=False):
        if part.millionths is not None:
            yield start, part.millionths


def _tags(enterprise: str, site: str | None, subject: str, register: str | None) -> str:
    """Enterprise and a writable subject; a site that is not writable stays out."""
    where = site if site is None or writable(site) else None
    found = {"enterprise": enterprise, "register": register, "site": where, "subject": subject}
    return ",".join(f"{name}={_escaped(value)}" for name, value in found.items() if value)


def _escaped(text: str) -> str:
    """A tag's value in line protocol, where a backslash stands for itself."""
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
