"""The process goes on when one of its tasks fails: frames are taken, the failure is shown, and it is over by itself."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.app import run
from ganpo_cloud.days import days
from ganpo_cloud.imports import registry
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import Kind, seen, waiting
from ganpo_cloud.store.settings import BrokerSettings, CloudSettings, HttpSettings
from ganpo_demo.loopback import free_port
from ganpo_model.facts import Reading
from ganpo_model.frame import pack
from ganpo_service.clock import SystemClock
from ganpo_service.supervisor import Supervisor
from support import databases
from support.bad.frames import ENTERPRISE, GATEWAY, STREAM
from support.broker import Mosquitto
from support.gateways import PlayedGateway


async def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_when_the_days_fail_frames_are_taken_all_the_same_and_health_names_the_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    trips = True
    whole = days.recompute

    def recompute(*arguments: Any) -> int:
        if trips:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return whole(*arguments)

    monkeypatch.setattr(days, "recompute", recompute)
    http = f"127.0.0.1:{free_port()}"
    about = databases.settings(tmp_path)
    database = Database(about)
    registry.add(database, GATEWAY, ENTERPRISE, "plant-1")
    clock, up = SystemClock(), asyncio.Event()
    with Mosquitto(tmp_path) as broker:
        settings = CloudSettings.model_construct(
            broker=BrokerSettings(url=broker.url, back_off_max_s=1),
            database=about,
            http=HttpSettings(listen=http),
            projection=None,
        )
        supervisor = Supervisor(clock, longest_s=0.1, settled_s=0.3)
        process = asyncio.create_task(run(settings, clock, started=up.set, supervisor=supervisor))
        gateway = await asyncio.to_thread(PlayedGateway, broker.port, GATEWAY)
        async with httpx.AsyncClient(base_url=f"http://{http}") as client:
            async with asyncio.timeout(30):
                await up.wait()
                while supervisor.tasks["days"].restarts < 3:
                    await asyncio.sleep(0.02)
            told = await client.get("/health")
            gateway.send(pack(STREAM, 1, [Reading("reading", "DB-1/energy_import#0123abcd", at(), 1)]))
            await until(lambda: gateway.acknowledged(STREAM) == {1})
            assert told.status_code == httpx.codes.SERVICE_UNAVAILABLE
            body = told.json()
            assert body["problem"] == (
                "task days: OverflowError: Python int too large to convert to SQLite INTEGER"
            )
            assert body["tasks"]["days"]["restarts"] >= 3
            assert body["tasks"]["collector"] == {"problem": None, "restarts": 0}
            trips = False
            await until(lambda: not supervisor.problems())
            assert (await client.get("/health")).json()["ok"] is True
            assert "ganpo_cloud_tasks_failing 0\n" in (await client.get("/metrics")).text
        await until(lambda: count(database) == 0)
        gateway.leave()
        process.cancel()
        await asyncio.wait([process])
    database.close()
    failures = [r for r in caplog.records if r.name == "ganpo_service.supervisor" and r.exc_info]
    assert len(failures) == 1, "with its traceback, once"


def at() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)


def count(database: Database) -> int:
    with database.read() as connection:
        return len(seen(connection, waiting(Kind.DAY)))
