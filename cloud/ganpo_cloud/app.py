"""The collector's process: collecting, day rows, projection, page and API in one TaskGroup."""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import OperationalError

from ganpo_cloud import computing, divisions
from ganpo_cloud.collector import Collector
from ganpo_cloud.database import Database
from ganpo_cloud.ingest import retry
from ganpo_cloud.settings import CloudSettings
from ganpo_cloud.web import create_app
from ganpo_model.clock import Clock
from ganpo_service import systemd
from ganpo_service.http import Server, listen

log = logging.getLogger(__name__)

STUCK_S = 120.0
"""A task that made no progress for so long is stuck: systemd is told nothing more, and starts us anew."""


class Progress:
    """When each task last made progress."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, float] = {}

    def of(self, task: str) -> Callable[[], None]:
        """What this task calls whenever it makes progress."""

        def beat() -> None:
            self._seen[task] = self._clock.monotonic()

        beat()
        return beat

    def stuck(self) -> list[str]:
        """The tasks that made none for `STUCK_S`."""
        now = self._clock.monotonic()
        return [task for task, at in self._seen.items() if now - at >= STUCK_S]


async def run(
    settings: CloudSettings, clock: Clock, *, demo: bool = False, started: Callable[[], None] | None = None
) -> None:
    """Run until cancelled. `started` is called once page and API answer.

    Raises ConfigError (the port is in use, the province's files are damaged) and StorageError (the database cannot be
    used).
    """
    rng = random.Random()  # noqa: S311 - jitter, nothing secret
    province = divisions.load(settings.province.folder)
    with listen(settings.http.listen, "http.listen") as sock:
        database = await asyncio.to_thread(Database, settings.database)
        try:
            await asyncio.to_thread(_retry_all, database, clock.utc())
            progress = Progress(clock)
            collector = Collector(settings.broker, database, clock, rng, progress.of("collector"))
            web = create_app(
                database,
                clock,
                demo=demo,
                exposed=settings.http.allow_unauthenticated,
                province=province,
                problem=lambda: collector.problem,
            )
            server = Server(web)
            async with asyncio.TaskGroup() as group:
                group.create_task(collector.run(), name="collector")
                work = computing.run(database, province, clock, progress.of("days"))
                group.create_task(work, name="days")
                if settings.projection is not None:
                    from ganpo_cloud import projection  # most operators have none: its library takes a second

                    beat = progress.of("projection")
                    writing = projection.run(database, settings.projection, clock, beat)
                    group.create_task(writing, name="projection")
                group.create_task(systemd.watch(progress.stuck), name="watchdog")
                serving = group.create_task(server.serve(sockets=[sock]), name="web")
                try:
                    while not server.started:  # noqa: ASYNC110 - the library has no event for it
                        await asyncio.sleep(0.02)
                    systemd.notify("READY=1")
                    if started is not None:
                        started()
                    await asyncio.Event().wait()
                finally:
                    server.should_exit = True
                    await asyncio.wait([serving], timeout=2.0)
        finally:
            await asyncio.to_thread(database.close)


def _retry_all(database: Database, now: datetime) -> None:
    """After an upgrade what was refused may be understood."""
    try:
        if applied := retry(database, now):
            log.info("quarantined frames applied count=%d", applied)
    except OperationalError as error:
        log.warning("the quarantine is not tried now: %s", error.orig)
