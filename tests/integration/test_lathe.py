"""Two recorded runs of a lathe, replayed on a real OPC UA server and read through the real profile (Show 4)."""

import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ganpo_cloud.days import painting
from ganpo_cloud.store.counted_tables import day
from ganpo_config import load
from ganpo_drivers import Point
from ganpo_model.clock import to_ms
from support.broker import Mosquitto
from support.opcua_server import OpcUaServer
from support.replaying import ENTERPRISE, Cloud, Gateway, ReplayClock

POLL = timedelta(milliseconds=250)
GATEWAY = "gw-lathe-0001"
SPANS = [
    ("UNKNOWN", 2.054),
    ("SETUP", 0.698),
    ("PRODUCING", 186.032),
    ("IDLE", 180.828),
    ("SETUP", 0.710),
    ("PRODUCING", 16.042),
    ("IDLE", 5.619),
]
CONFIG = """
format = 1
[gateway]
id = "{gateway}"
state_dir = "{folder}/state"
[uplink]
broker = "{broker}"
live_s = 1
repeat_s = 3
[site]
id = "plant-1"
name = "Lathe"
timezone = "Asia/Shanghai"
[connections.lathe]
driver = "opcua"
url = "{server}"
security = "None"
allow_insecure = true
[[equipment]]
asset_no = "SB-1"
name = "Okuma lathe"
profile = "machine_tool_mtconnect_opcua"
connection = "lathe"
parameters = "nodes='{nodes}'"
flags = "main numerical_control"
"""


def recorded(shared: Path) -> tuple[list[tuple[datetime, str, str]], datetime]:
    """(time, key, value) of execution and functional mode, and the end; the two runs in order, sorted inside."""
    runs: list[list[tuple[datetime, str, str]]] = []
    last = datetime.min.replace(tzinfo=UTC)
    for line in (shared / "data" / "okuma_shdr.txt").read_text(encoding="utf-8").splitlines():
        match = re.match(r"(\d{4}-\d\d-\d\dT[\d:]+\.\d{6})\d*Z\|(.*)", line)
        if match is None or match[2].startswith("@"):
            continue
        at = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
        last = max(last, at)
        cells = match[2].split("|")
        if cells[0] == "avail":
            runs.append([])
        for key, value in zip(cells[::2], cells[1::2], strict=False):
            if key in ("pexecution", "fmode", "avail"):
                runs[-1].append((at, key, value))
    return [item for run in runs for item in sorted(run, key=lambda item: item[0])], last


@pytest.mark.timeout(200)
async def test_the_recorded_lathe_gives_its_seven_spans_each_within_one_poll(
    shared: Path, tmp_path: Path
) -> None:
    feed, last = recorded(shared)
    start = feed[0][0]
    clock = ReplayClock(start)
    names = {"pexecution": "Execution", "fmode": "FunctionalMode"}
    values = {"Execution": "UNAVAILABLE", "FunctionalMode": "UNAVAILABLE"}
    with Mosquitto(tmp_path) as broker, OpcUaServer(values=values) as server:
        file = tmp_path / "agent.toml"
        nodes = server.node("")
        file.write_text(
            CONFIG.format(
                gateway=GATEWAY, folder=tmp_path, broker=broker.url, server=server.url, nodes=nodes
            ),
            encoding="utf-8",
        )
        loaded = load(file, {})
        assert loaded.plant is not None, loaded.errors
        connection = loaded.plant.connections[0]
        cloud = Cloud(tmp_path, broker.url, clock, GATEWAY)
        cloud.start()
        gateway = Gateway(loaded.plant, clock, random.Random(1))
        gateway.link()
        driver = connection.driver(connection.settings)
        await driver.open()
        query = driver.prepare([Point(point.name, point.address) for point in connection.points])
        waiting = list(feed)
        while clock.now <= last:
            while waiting and waiting[0][0] <= clock.now:
                _, key, value = waiting.pop(0)
                if key in names:
                    server.set(names[key], value)
            scan = await driver.read(query)
            gateway.observer.feed(connection.points, scan, None, to_ms(clock.now))
            await gateway.keeper.flush()
            clock.now += POLL
        gateway.observer.finish(to_ms(last))
        await gateway.keeper.flush()
        await driver.close()
        await gateway.drained()
        await cloud.settle()
        with cloud.database.read() as reader:
            spans = painting.painted(reader, ENTERPRISE, "SB-1", to_ms(start), to_ms(last))
            rows = reader.execute(select(day)).all()
        await gateway.close()
        await cloud.stop()
        cloud.database.close()
    found = [(str(span.state), (span.end - span.start) / 1000) for span in spans]
    print(found)
    assert [state for state, _ in found] == [state for state, _ in SPANS]
    for (_, seconds), (state, expected) in zip(found, SPANS, strict=True):
        assert abs(seconds - expected) <= POLL.total_seconds(), (state, seconds, expected)
    assert rows
    for row in rows:
        assert (
            sum(painting.ms_per_state(painting.stored(row.start, row.end, row.spans)).values())
            == row.end - row.start
            == 24 * 3_600_000
        )
