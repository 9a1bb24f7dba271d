"""Whose a gateway is: `gateway (id, enterprise, site)`, written by `ganpo-cloud gateway add` alone."""

import re

from sqlalchemy import delete, insert, select

from ganpo_cloud.database import Database
from ganpo_cloud.tables import gateway
from ganpo_model import credit_code
from ganpo_model.errors import ConfigError
from ganpo_model.facts import GATEWAY


def add(database: Database, number: str, enterprise: str, site: str) -> None:
    """Register a gateway, or correct whose it is from now on: facts stored before stay where they are.

    Raises ConfigError for an id or a credit code that is none.
    """
    if not re.fullmatch(GATEWAY, number):
        raise ConfigError(f"{number!r} is no gateway id ([a-z0-9-], 8 to 40)", where="ID")
    if (why := credit_code.wrong(enterprise)) is not None:
        raise ConfigError(why, where=f"--enterprise {enterprise[:40]}")
    with database.write() as connection:
        connection.execute(delete(gateway).where(gateway.c.id == number))
        connection.execute(insert(gateway).values(id=number, enterprise=enterprise, site=site))


def numbers(database: Database) -> frozenset[str]:
    """The ids of all gateways that are registered."""
    with database.read() as connection:
        return frozenset(connection.execute(select(gateway.c.id)).scalars())


def registered(database: Database, number: str) -> bool:
    """Whether a gateway is registered."""
    with database.read() as connection:
        return connection.execute(select(gateway.c.id).where(gateway.c.id == number)).first() is not None
