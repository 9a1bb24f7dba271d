"""The collector's process: collecting, day rows, projection, the pages' process; each task supervised."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from sqlalchemy.exc import OperationalError

from ganpo_cloud import computing, health, metrics
from ganpo_cloud.inlet.collector import Collector
from ganpo_cloud.inlet.ingest import retry
from ganpo_cloud.province import assessment, divisions
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store import apart, projected
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import CloudSettings
from ganpo_cloud.web.keeper import PATIENCE_S, WebKeeper
from ganpo_cloud.web.process import Serving
from ganpo_model.clock import Clock
from ganpo_service import systemd
from ganpo_service.http import Server, listen
from ganpo_service.outage import Outage
from ganpo_service.supervisor import Supervisor, Work

log = logging.getLogger(__name__)

_RETRY_S = 10.0


async def run(
    settings: CloudSettings,
    clock: Clock,
    *,
    demo: bool = False,
    log_settings: tuple[str, str] = ("text", "info"),
    started: Callable[[], None] | None = None,
    supervisor: Supervisor | None = None,
) -> None:
    """Run until cancelled. `started` is called once page and API answer; `log_settings` are those of the process.

    Raises ConfigError (a port is in use, the province's files are damaged) and StorageError (the database cannot be
    used, or another process collects into it).
    """
    province = divisions.load(settings.province.folder)
    assessment.scheme_of(province.folder)
    with (
        listen(settings.http.listen, "http.listen") as sock,
        listen(settings.http.health, "http.health") as own,
        await asyncio.to_thread(Database, settings.database) as database,
        database.collecting(),
    ):
        supervisor = supervisor or Supervisor(clock)
        collector = Collector(settings.broker, database, clock, random.Random())  # noqa: S311 - jitter
        inlet = own.getsockname()[:2]
        web = WebKeeper(Serving.of(settings, inlet, demo=demo), sock, log_settings)
        about = health.create_app(
            database,
            collector,
            supervisor,
            web.told,
            partial(metrics.of, database, clock, collector, supervisor),
        )
        works = _works(settings, database, province, clock, collector) | {
            "health": lambda _beat: Server(about).run_at(own),
            "pages": web.run,
            "watchdog": lambda _beat: systemd.watch(supervisor.stuck),
        }
        log.info("health at http://%s:%d/health", *inlet)
        log.info("pages at http://%s:%d/", *sock.getsockname()[:2])
        async with asyncio.TaskGroup() as group:
            for name, work in works.items():
                group.create_task(supervisor.keep(name, work), name=name)
            with suppress(TimeoutError):  # without pages we collect all the same
                async with asyncio.timeout(PATIENCE_S):
                    await web.answers.wait()
            systemd.notify("READY=1")
            if started is not None:
                started()


def _works(
    settings: CloudSettings, database: Database, province: Province, clock: Clock, collector: Collector
) -> dict[str, Work]:
    """The tasks of the process, by name."""
    works: dict[str, Work] = {
        "collector": collector.run,
        "days": partial(computing.run, database, province, clock),
        "quarantine": lambda _beat: _look_back(database, clock, projecting=settings.projection is not None),
    }
    if settings.projection is not None:
        from ganpo_cloud.projection import writing  # most operators have none: its library takes a second

        works |= writing.works(database, settings.projection, clock)
    return works


async def _look_back(database: Database, clock: Clock, *, projecting: bool) -> None:
    """Once, beside what comes in: after an upgrade what was refused may be understood, what was set apart computed, and
    perhaps nothing is projected any more."""
    waiting = Outage(log, "the quarantine waits", clock)
    while True:
        try:
            await asyncio.to_thread(apart.forgive_others, database)
            if not projecting:
                await asyncio.to_thread(projected.forget, database)
            if applied := await asyncio.to_thread(retry, database, clock.utc()):
                log.info("quarantined frames applied count=%d", applied)
        except OperationalError as error:
            waiting.failed(f"the database does not answer: {error.orig}")
            await asyncio.sleep(_RETRY_S)
        else:
            waiting.over()
            return
