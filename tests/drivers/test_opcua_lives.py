"""A server that goes away and comes back, as an agent lives through it: values again, or words for a person."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ganpo_agent.reading.connection import ConnectionTask
from ganpo_agent.timekeeper import GatewayClock, Timekeeper
from ganpo_config.plant import Meaning
from ganpo_drivers import Home, Scan
from ganpo_drivers.opcua import certificate
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.certificate import fingerprint
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.trust import Pin, pin
from support.campaign import LONG
from support.identities import der, identity
from support.node_server import NodeServer
from support.opcua_server import OpcUaServer
from support.plants import PlantBuilder

BEST = "Basic256Sha256,SignAndEncrypt"
NOW = datetime.now(UTC)


class Watched:
    """One connection run by the agent; counts scans that had a value, and the states it was in without one."""

    def __init__(self, folder: Path, url: str, home: Home, security: str, interval_s: float) -> None:
        builder = PlantBuilder(folder)
        settings = OpcUaSettings.model_validate(
            {"driver": "opcua", "url": url, "security": security, "allow_insecure": security == "None"}
            | ({} if LONG else {"timeout_s": 1.0})
        )
        builder.connection("plc", OpcUaDriver, settings.at(home), "opcua")
        address = OpcUaAddress.parse("nsu=urn:ganpo:simulation;s=A")
        builder.point("plc", "SB-1", "power", address, Meaning("number"), interval_s=interval_s)
        self.scans = 0
        self.task = ConnectionTask(
            builder.build().connections[0],
            Timekeeper(GatewayClock()),
            self._received,
            lambda _subjects, _why: None,
            lambda: None,
        )

    def _received(self, _points: object, scan: Scan, _identity: object) -> None:
        assert scan.values == [1.5]
        self.scans += 1

    async def until(self, what: Callable[[], bool], within_s: float = 60) -> float:
        """Wait; seconds it took."""
        began = time.monotonic()
        async with asyncio.timeout(within_s):
            while not what():
                await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def values(self, within_s: float = 60) -> float:
        """Wait for a value that comes from now on; seconds it took."""
        before = self.scans
        return await self.until(lambda: self.scans > before, within_s)


@asynccontextmanager
async def watched(
    folder: Path, url: str, home: Home, security: str, interval_s: float = 0.5
) -> AsyncIterator[Watched]:
    one = Watched(folder, url, home, security, interval_s)
    running = asyncio.create_task(one.task.run())
    try:
        yield one
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home("gw-test-0001", "plc", tmp_path / "state" / "opcua")


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.timeout(1800 if LONG else 120)
@pytest.mark.parametrize("security", ["None", "Basic256Sha256,Sign", BEST] if LONG else [BEST])
async def test_a_server_that_was_killed_hung_or_exchanged_is_read_again_or_told(
    tmp_path: Path, home: Home, security: str
) -> None:
    first, second = identity(tmp_path / "first.pem"), identity(tmp_path / "second.pem")
    pin(home, Pin(der(first), NOW))
    within_s = 5.5 if security == "None" else 10.0
    with NodeServer(
        tmp_path / "node", first, values={"A": 1.5}, secured=[BEST, "Basic256Sha256,Sign"]
    ) as server:
        async with watched(tmp_path, server.url, home, security) as one:
            await one.values()
            found = {}
            for away_s in (8.0, 20.0) if LONG else (0.5,):
                server.freeze()
                await one.until(lambda: one.task.state != "up")
                await asyncio.sleep(away_s)
                server.thaw()
                found[f"hung for {away_s:g} s"] = await one.values()
            for away_s in (0.0, 8.0) if LONG else (0.0,):
                server.kill()
                await one.until(lambda: one.task.state != "up")
                await asyncio.sleep(away_s)
                await asyncio.to_thread(server.start, first)
                found[f"killed, away {away_s:g} s and its start"] = await one.values()
            server.kill()
            await asyncio.to_thread(server.start, second)
            if security != "None":
                await one.until(lambda: one.task.state == "parked")
                before = one.scans
                for part in (fingerprint(der(first)), fingerprint(der(second)), "`ganpo trust plc`"):
                    assert part in one.task.error
                await asyncio.sleep(1)
                assert one.scans == before
                assert one.task.state == "parked", "not up, for nothing is read"
            print(f"\n{security}: values again " + ", ".join(f"{k}: {v:.1f} s" for k, v in found.items()))
            if LONG:
                assert max(found.values()) <= within_s
            assert one.task.bugs == 0


@pytest.mark.campaign
@pytest.mark.timeout(2400 if LONG else 120)
@pytest.mark.parametrize("interval_s", [45.0, 600.0] if LONG else [2.0])
async def test_one_session_lasts_however_short_the_server_grants_it_and_its_channel(
    tmp_path: Path, home: Home, interval_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """30 minutes in the long form, with 10 s granted to the session; 1.5 s in the short one."""
    from ganpo_drivers.opcua import granted

    monkeypatch.setattr(granted, "CHANNEL_S", 30 if LONG else 2)  # this server grants what is asked
    file = identity(tmp_path / "plc.pem")
    pin(home, Pin(der(file), NOW))
    certificate.own(home, NOW)
    with OpcUaServer(
        values={"A": 1.5}, secured=[BEST], identity=file, grants_s=10 if LONG else 1.5
    ) as server:
        async with watched(tmp_path, server.url, home, BEST, interval_s) as one:
            await one.values()
            await asyncio.sleep(1800 if LONG else 4)
            assert (one.task.opened, one.task.reopened) == (1, 0)
            assert one.scans >= (1800 if LONG else 4) // interval_s
            assert server.sessions_ever() == 1
            assert one.task.error == ""
