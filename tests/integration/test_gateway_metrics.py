"""What the gateway tells Prometheus, its API and its collector: the same numbers, and promtool finds no fault."""

import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_agent.app import Agent
from ganpo_agent.local.worst import worst
from ganpo_agent.uplink.picture import Picture
from ganpo_config.plant import Meaning
from ganpo_drivers import FaultKind, PointFault, Report
from ganpo_model.errors import UnitSilent
from integration.test_local_api import running, until
from support.plants import PlantBuilder, PlayedDriver
from support.promtool import check_metrics

GONE = PointFault(FaultKind.BAD, "exception 02: the device has no such register")


class Device(PlayedDriver):
    """Two units: one has a meter, a value and three faults, the other one is silent."""

    values = {
        "1:register": 4820312,
        "1:power": 41.25,
        "1:gone": GONE,
        "1:gone-too": GONE,
        "1:other": PointFault(FaultKind.BAD, "none of its values"),
        "2:power": UnitSilent("no answer in 3 s"),
    }

    def report(self) -> Report:
        return Report(0, {("2", "silent"): 7}, holes={"1": ("40107-40120", "40300")})


def agent_of(folder: Path) -> Agent:
    builder = PlantBuilder(folder / "state")
    builder.connection("line", Device)
    builder.meter("line", "DB-1", "1:register", interval_s=0.1)
    number = Meaning("number")
    for subject, signal, address in (
        ("DB-1", "power", "1:power"),
        ("DB-1", "voltage_l1", "1:gone"),
        ("DB-1", "voltage_l2", "1:gone-too"),
        ("DB-1", "frequency", "1:other"),
        ("DB-2", "power", "2:power"),
    ):
        builder.point("line", subject, signal, address, number, 0.1, 0.5)
    return Agent(builder.build(), rng=random.Random(1))


def parsed(text: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in text.splitlines() if line[0] != "#")
    return {name: float(value) for name, _, value in lines}


async def test_metrics_api_and_live_say_the_same(tmp_path: Path) -> None:
    agent = agent_of(tmp_path)
    async with running(agent) as client:
        status: dict[str, Any] = await until(
            client,
            "status",
            lambda told: (
                told["units_silent"] and told["points"]["at_fault"] >= 3 and told["outbox"]["waiting"]
            ),
        )
        transport = httpx.AsyncHTTPTransport(uds=str(client.path))
        async with httpx.AsyncClient(transport=transport, base_url="http://gw-test-0001") as http:
            answer = await http.get("/metrics", headers={"x-ganpo-gateway": "gw-test-0001"})
        assert answer.status_code == 200, answer.text
        (connection,) = await client.get("connections")
        status = await client.get("status")
        told, said = parsed(answer.text), worst(agent)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert check_metrics(answer.text) == ""
    of = '{connection="line"}'
    assert told[f"ganpo_units_silent{of}"] == status["units_silent"] == said["units"]["silent"] == 1
    assert told[f"ganpo_points{of}"] == status["points"]["bound"] == said["points"]["bound"] == 6
    assert told[f"ganpo_points_at_fault{of}"] == status["points"]["at_fault"] == said["points"]["at_fault"]
    assert told["ganpo_outbox_waiting_frames"] == status["outbox"]["waiting"]
    assert told["ganpo_outbox_waiting_bytes"] == status["outbox"]["bytes"] > 0
    assert told["ganpo_outbox_limit_bytes"] == status["outbox"]["limit_bytes"]
    assert told["ganpo_outbox_frames_issued_total"] == status["outbox"]["issued"]
    assert told["ganpo_outbox_oldest_waiting_timestamp_seconds"] > 1.7e9
    assert told["ganpo_uplink_connected"] == 0
    assert "ganpo_uplink_last_ack_timestamp_seconds" not in told, "there was none"
    reads = {unit["key"]: unit["reads"] for unit in connection["units"]}
    assert 0 < told['ganpo_unit_reads_total{connection="line",unit="1"}'] <= reads["1"]
    assert told['ganpo_requests_failed_total{connection="line",unit="2",kind="silent"}'] == 7
    assert told['ganpo_build_info{version="0.1.0",released="2026-11-25"}'] == 1
    assert told["process_resident_memory_bytes"] > 1e6
    assert said["faults"] == [
        "DB-1/voltage_l1: exception 02: the device has no such register (2)",
        "DB-1/frequency: none of its values",
    ]
    assert (said["silent"], said["units"]) == (["line/2"], {"asked": 2, "silent": 1, "holes": 2})


@pytest.mark.parametrize(("largest", "named"), [(16 * 1024, True), (512, False)])
def test_faults_are_named_where_there_is_room_and_counted_always(largest: int, named: bool) -> None:
    told = {"points": {"bound": 9, "at_fault": 3}, "faults": ["x" * 100], "silent": []}
    picture = Picture(lambda: {"connections": {}, "subjects": {}, "versions": {}} | told)
    picture.largest = largest
    body = picture.next({"v": 1})
    assert b'"at_fault":3' in body
    assert (b"xxx" in body) is named
    assert len(body) <= largest
