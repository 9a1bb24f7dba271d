"""Whose a gateway is, and since when: written by `ganpo-cloud gateway add` alone.

The table `gateway` has the registration in force, `gateway_before` those that it ended. What is stored follows: facts
belong to the enterprise of their time.
"""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection, select

from ganpo_cloud.imports import moving
from ganpo_cloud.store import sql
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
    where it is not the clock's. Raises ConfigError for an id or a credit code that is none, for a site that is not
    listed where any are, for another enterprise without a date, and for a date ahead.
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
        _check_site(connection, enterprise, site)
        before = registrations(connection, [number])[number]
        at = before[-1].since if before else 0
        if since is not None:
            # No zone is a whole day ahead of UTC.
            if since <= now.date() + timedelta(days=1):
                at = _begin(connection, number, enterprise, site, since)
            if since > now.date() + timedelta(days=1) or at > to_ms(now):
                raise ConfigError("lies ahead: say it once it is so", where=f"--since {since.isoformat()}")
        elif before and before[-1].enterprise != enterprise:
            held = local(before[-1].since).date().isoformat() if before[-1].since else "ever"
            raise ConfigError(
                f"{number} belongs to {before[-1].enterprise} since {held}: since when to this one?",
                where=f"--enterprise {enterprise}",
                hint="--since DATE, the first day of its facts there; --since 1970-01-01 corrects a mistake",
            )
        others = (one for one in before if one.since != at)
        dated = sorted([*others, Registration(at, enterprise, site)], key=lambda one: one.since)
        # One that says what holds already is left out.
        after = [next(same) for _, same in groupby(dated, lambda one: (one.enterprise, one.site))]
        sql.run(connection, "DELETE FROM gateway_before WHERE id = ?", (number,))
        for table, some in ((gateway_before, after[:-1]), (gateway, after[-1:])):
            sql.replace(connection, table, ((number, one.enterprise, one.site, one.since) for one in some))
        if before and [(one.since, one.enterprise) for one in before] != [
            (one.since, one.enterprise) for one in after
        ]:
            moving.move(connection, number, before, after)


def _check_site(connection: Connection, enterprise: str, site: str) -> None:
    listed = connection.execute(select(sites.c.enterprise, sites.c.site)).all()
    if listed and (enterprise, site) not in {tuple(row) for row in listed}:
        here = ", ".join(sorted(row.site for row in listed if row.enterprise == enterprise)) or "none"
        what = f"{site!r} is no site of {enterprise}; those that are listed: {here}"
        raise ConfigError(what, where="--site", hint="ganpo-cloud import sites FILE.csv lists it")


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
