"""The invented province that tests recount: months of enterprises, as the demo invents them."""

from datetime import date
from functools import cache

from ganpo_cloud.store.database import Database
from ganpo_demo.fleet import Fleet, fleet
from ganpo_demo.seeding import Seeding
from support.campaign import rounds
from support.province import NOW, PROVINCE

SEED = 20180615
LAST = date(2026, 11, 27)


@cache
def province() -> Fleet:
    """The same whenever it is asked for."""
    size = {"months": rounds(3, 5), "enterprises": rounds(30, 60), "devices": rounds(60, 150)}
    return fleet(SEED, LAST, PROVINCE, **size)


def seed(database: Database) -> None:
    """What `databases.filled` fills a database with."""
    seeding = Seeding(database, PROVINCE, province())
    seeding.registry(NOW)
    for _ in seeding.days(NOW):
        pass
