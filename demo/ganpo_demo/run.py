"""The plant in a box: broker, collector with page, two agents and the simulated devices, until it is stopped."""

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from ganpo_agent.app import Agent
from ganpo_cloud.app import run as run_collector
from ganpo_cloud.imports import registry, report
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import BrokerSettings, CloudSettings, DatabaseSettings, HttpSettings
from ganpo_demo import province
from ganpo_demo.broker import broker
from ganpo_demo.child import Devices
from ganpo_demo.faults import Faults, pull_plugs
from ganpo_demo.loopback import HOST
from ganpo_demo.page import Page
from ganpo_demo.plant import (
    CELL_GATEWAY,
    ENTERPRISE,
    METER_GATEWAY,
    MIXED_GATEWAY,
    SITE,
    cell_plant,
    meter_plant,
    mixed_plant,
    trust,
)
from ganpo_service.clock import SystemClock
from ganpo_service.commands import say

_AGENTS_END_S = 3.0


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `seconds` count from the page on; `began`: when the command was called, monotonic; `months`:
    of the invented province, 0 for none; `mixed`: with the third gateway."""

    port: int
    seconds: float | None
    faults: Faults | None
    installed_s: str | None
    began: float
    months: int = 13
    mixed: bool = False


async def run(devices: Devices, options: Options) -> None:
    """Run until Ctrl-C, SIGTERM, or the time is over, then leave no process, port or file.

    Raises GanpoError, alone or in an ExceptionGroup: a port in use, devices that do not come up.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with TemporaryDirectory(prefix="ganpo-demo-") as name:
        async with broker() as url:
            try:
                await _plant(Path(name), url, devices, options, stop)
            finally:
                await devices.stop()


async def _plant(folder: Path, url: str, devices: Devices, options: Options, stop: asyncio.Event) -> None:
    served, agents_stop = asyncio.Event(), asyncio.Event()
    settings = CloudSettings.model_construct(  # no environment: the demo is the same everywhere
        format=1,
        broker=BrokerSettings(url=url, back_off_max_s=2),
        database=DatabaseSettings(url=f"sqlite:///{folder}/cloud.db"),
        http=HttpSettings(listen=f"{HOST}:{options.port}"),
        projection=None,
    )
    file = folder / "cloud.db"
    if options.months:
        await asyncio.to_thread(province.reuse, file, options.months)
    gateways = [METER_GATEWAY, CELL_GATEWAY, *([MIXED_GATEWAY] if options.mixed else [])]
    database = await asyncio.to_thread(
        registered, settings.database, gateways=gateways, alone=not options.months
    )
    try:
        async with asyncio.TaskGroup() as group:
            collector = group.create_task(
                run_collector(
                    settings, SystemClock(), demo=True, log_settings=("text", "error"), started=served.set
                ),
                name="collector",
            )
            agents = group.create_task(_agents(folder, url, devices, agents_stop), name="agents")
            story = group.create_task(_story(devices, database, file, options, served, stop), name="story")
            await stop.wait()
            story.cancel()
            if not devices.ports:
                agents.cancel()
            agents_stop.set()
            await devices.stop()  # without it a frozen device would hold its driver
            await asyncio.wait([agents], timeout=_AGENTS_END_S)
            agents.cancel()
            collector.cancel()
    finally:
        database.close()


def registered(settings: DatabaseSettings, *, gateways: Sequence[str], alone: bool) -> Database:
    """The database, with the live plant and its gateways in it. `alone`: without a province, which has targets of its
    own."""
    database = Database(settings)
    for kind in ("enterprises", "sites", "targets") if alone else ("enterprises", "sites"):
        with as_file(files("ganpo_demo").joinpath("lists", f"{kind}.csv")) as file:
            report.take(database, None, kind, file, datetime.now(UTC), apply=True)
    for gateway in gateways:
        registry.add(database, gateway, ENTERPRISE, SITE)
    return database


async def _agents(folder: Path, url: str, devices: Devices, stop: asyncio.Event) -> None:
    """The gateways, from the moment their devices can be reached."""
    await devices.ready()
    plants = [
        meter_plant(folder, url, devices.ports["meter"]),
        cell_plant(folder, url, devices.ports["cell"]),
    ]
    if devices.lines:
        plants.append(mixed_plant(folder, url, devices.ports["secured"], devices.lines))
        await trust(plants[-1])
    async with asyncio.TaskGroup() as group:
        for plant in plants:
            group.create_task(Agent(plant, demo=True).run(stop), name=plant.gateway.id)


async def _story(
    devices: Devices,
    database: Database,
    file: Path,
    options: Options,
    served: asyncio.Event,
    stop: asyncio.Event,
) -> None:
    """Tell where the page is and how long everything took; then fill the province, or pull plugs."""
    page = Page(options.port)
    await served.wait()
    say(f"DEMO DATA / 演示数据  {page.url}")
    if options.seconds is not None:
        asyncio.get_running_loop().call_later(options.seconds, stop.set)
    page_s = time.monotonic() - options.began
    while not await _has_value(page):  # noqa: ASYNC110 - it is seen from outside, as a person would
        await asyncio.sleep(0.05)
    first_s = time.monotonic() - options.began
    installed = f"installed in {options.installed_s} s, " if options.installed_s else ""
    say(f"{installed}page in {page_s:.1f} s, first value in {first_s:.1f} s")
    say("Ctrl-C ends it")
    if options.faults is not None:
        await pull_plugs(devices, page, database, options.faults)
    elif options.months:
        seeding = province.Seeding(file, options.months)
        try:
            await seeding.tell(say)
        finally:
            seeding.end()


async def _has_value(page: Page) -> bool:
    """Whether the page shows the register of any subject."""
    try:
        subjects = await page.get("subjects")
    except OSError:  # a busy computer: it is asked again
        return False
    return any(register["raw"] is not None for subject in subjects for register in subject["registers"])
