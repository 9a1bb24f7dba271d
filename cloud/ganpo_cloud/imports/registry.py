"""Whose a gateway is, and since when: written by `ganpo-cloud gateway add` alone.

The table `gateway` has the registration in force, `gateway_before` those that it ended. What is stored follows: facts
belong to the enterprise of their time.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from ganpo_cloud.imports import moving
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds, local
from ganpo_cloud.store.owners import Registration, registrations
from ganpo_cloud.store.registry_tables import site as sites
from ganpo_cloud.store.tables import gateway, gateway_before, inventory
from ganpo_model import credit_code
from ganpo_model.clock import to_ms
from ganpo_model.errors import ConfigError
from ganpo_model.facts import GATEWAY, SITE


def add(
    database: Database,
    number: str,
    enterprise: str,
    site: str,
    since: date | None = None,
    now: datetime | None = None,
) -> None:
    """Register a gateway, or say whose it is from the local day `since` on: what is stored of that time moves too.

    Without a date the first registration holds for ever, and a later one may only name another site. `now`: the present
    where it is not the clock's. Raises ConfigError for an id or a credit code that is none, for another enterprise
    without a date, and for a date ahead.
    """
    if not re.fullmatch(GATEWAY, number):
        raise ConfigError(f"{number!r} is no gateway id ([a-z0-9-], 8 to 40)", where="ID")
    if (why := credit_code.wrong(enterprise)) is not None:
        raise ConfigError(why, where=f"--enterprise {enterprise[:40]}")
    if not re.fullmatch(SITE, site):
        what = f"{site[:40]!r} is no id of a site ([a-z0-9-], 1 to 40)"
        raise ConfigError(what, where="--site")
    now = now or datetime.now(UTC)
    with database.write() as connection:
        before = registrations(connection, [number])[number]
        at = before[-1].since if before else 0
        if since is not None:
            # No zone is a whole day ahead of UTC.
            if since <= now.date() + timedelta(days=1):
                at = _begin(connection, number, enterprise, site, since)
            if since > now.date() + timedelta(days=1) or at > to_ms(now):
                raise ConfigError("lies ahead: say it once it is so", where=f"--since {since.isoformat()}")
        elif before and before[-1].enterprise != enterprise:
            raise ConfigError(
                f"{number} belongs to {before[-1].enterprise} since {_told(before[-1].since)}: since when to this one?",
                where=f"--enterprise {enterprise}",
                hint="--since DATE, the first day of its facts there; --since 1970-01-01 corrects a mistake",
            )
        after = _dated([one for one in before if one.since != at], Registration(at, enterprise, site))
        _store(connection, number, after)
        if before and [(one.since, one.enterprise) for one in before] != [
            (one.since, one.enterprise) for one in after
        ]:
            moving.move(connection, number, before, after)


def registered(database: Database, number: str) -> bool:
    """Whether a gateway is registered."""
    with database.read() as connection:
        return connection.execute(select(gateway.c.id).where(gateway.c.id == number)).first() is not None


def _dated(others: Sequence[Registration], new: Registration) -> list[Registration]:
    """All of them in order; one that says what holds already is left out."""
    found: list[Registration] = []
    for one in sorted([*others, new], key=lambda one: one.since):
        if not found or (found[-1].enterprise, found[-1].site) != (one.enterprise, one.site):
            found.append(one)
    return found


def _store(connection: Connection, number: str, dated: Sequence[Registration]) -> None:
    for table in (gateway, gateway_before):
        connection.execute(delete(table).where(table.c.id == number))
    for one in dated:
        connection.execute(
            insert(gateway if one is dated[-1] else gateway_before).values(
                id=number, since=one.since, enterprise=one.enterprise, site=one.site
            )
        )


def _begin(connection: Connection, number: str, enterprise: str, site: str, since: date) -> int:
    """When that day begins at the site; at the beginning of 1970 there was no gateway."""
    if since <= date(1970, 1, 1):
        return 0
    here = (sites.c.enterprise == enterprise) & (sites.c.site == site)
    zone = connection.execute(select(sites.c.timezone).where(here)).scalar()
    if zone is None:
        told = select(inventory.c.timezone).where(inventory.c.gateway == number)
        zone = connection.execute(told.order_by(inventory.c.at.desc()).limit(1)).scalar()
    return bounds(since, zone or DEFAULT_ZONE)[0]


def _told(since: int) -> str:
    return local(since).date().isoformat() if since else "ever"
