"""Pages and API over a filled province, as a browser asks them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from ganpo_cloud.store.database import Database
from ganpo_cloud.web.application import create_app
from support import databases
from support.plants import TestClock
from support.province import NOW, PROVINCE
from support.serving import Served


@contextmanager
def answering(
    folder: Path, fill: Callable[[Database], None], *, demo: bool = False
) -> Iterator[httpx.Client]:
    """A copy of what `fill` makes (`databases.filled`), answered as of `NOW`."""
    database = databases.filled(folder, fill)
    app = create_app(database, TestClock(wall=NOW), province=PROVINCE, demo=demo)
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        yield client
    database.close()
