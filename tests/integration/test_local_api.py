"""The local API of a running agent, over socket and loopback: a real agent, a real Modbus line, a real broker."""

import asyncio
import json
import random
import re
import socket as sockets
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette

from ganpo_agent.app import Agent
from ganpo_agent.cli.main import main
from ganpo_agent.local.client import Client
from ganpo_agent.local.examined import Examined
from ganpo_agent.local.place import gateway_of, path_of, paths_of
from ganpo_agent.local.routes import routes
from ganpo_agent.local.socket import listening, opened
from ganpo_config.plant import Meaning
from ganpo_config.settings import GatewaySettings
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_model.errors import ConfigError, UnitSilent
from support.broker import Mosquitto
from support.collecting import PlayedCollector
from support.modbus_line import ModbusLine, exception, frame, right
from support.opcua_server import OpcUaServer
from support.plants import PlantBuilder

LONG_S = 100
"""Long enough on any machine; what a test waits for is a condition."""


def agent_of(
    folder: Path, line: ModbusLine, broker: str = "mqtt://127.0.0.1:1", *more: tuple[str, str]
) -> Agent:
    builder = PlantBuilder(folder / "state", broker)
    settings = {"driver": "modbus", "url": line.url, "addressing": "0-based", "timeout_s": 1}
    builder.connection("line", ModbusDriver, ModbusSettings(**settings), "modbus")
    for signal, text in (("power", "1:holding:100"), ("frequency", "1:holding:101"), *more):
        address = ModbusAddress.parse(text, type="uint16")
        builder.point("line", "SB-1", signal, address, Meaning("number"), 0.2)
    return Agent(builder.build(), rng=random.Random(1))


def identified(request: bytes) -> bytes:
    return frame(request, request[6], b"\x2b\x0e\x01\x01\x00\x00\x02" + b"\x00\x04Acme" + b"\x01\x02X1")


@asynccontextmanager
async def running(agent: Agent) -> AsyncIterator[Client]:
    stop = asyncio.Event()
    task = asyncio.create_task(agent.run(stop))
    client = Client(path_of(agent.plant.gateway), agent.plant.gateway.id)
    try:
        async with asyncio.timeout(LONG_S):  # the file is there a moment before anybody listens
            while (sock := opened(client.path)) is None:
                await asyncio.sleep(0.01)
        sock.close()
        yield client
    finally:
        stop.set()
        await task


async def until(client: Client, what: str, holds: Any) -> Any:
    async with asyncio.timeout(LONG_S):
        while not holds(told := await client.get(what)):
            await asyncio.sleep(0.05)
    return told


@pytest.fixture
async def line() -> AsyncIterator[ModbusLine]:
    async with ModbusLine() as line:
        yield line


async def test_the_socket_tells_and_reads_once_between_the_polls(tmp_path: Path, line: ModbusLine) -> None:
    async with running(agent_of(tmp_path, line)) as client:
        status = await until(client, "status", lambda told: told["points"]["good"] == 2)
        assert (status["gateway"], status["connections"]) == (client._gateway, {"total": 1, "up": 1})
        (one,) = await client.get("connections")
        assert (one["state"], one["requests"], one["units"][0]["key"]) == ("up", 1, "1")
        assert one["round_trip_ms"] > 0
        assert one["last_answer"] is not None
        points = await client.get("points")
        assert [(point["value"], point["raw"], point["quality"]) for point in points] == [
            (100.0, "100", "good"),
            (101.0, "101", "good"),
        ]
        assert await client.get("points", faulty="1") == []
        found = await client.post(
            "read",
            {
                "connection": "line",
                "addresses": ["1:holding:300", "1:holding:7"],
                "columns": {"type": "uint16"},
                "raw": True,
            },
        )
        assert [value["value"] for value in found["values"]] == [300, 7]
        assert found["took_s"] > 0


async def test_what_people_try_is_not_learned_and_what_the_polls_meet_is(
    tmp_path: Path, line: ModbusLine
) -> None:
    line.replies[1, 700] = exception(2)
    line.replies[1, 101] = exception(2)
    line.replies[1, 100] = lambda request: (
        right(request) if request[11] == 1 else exception(2)(request)  # both at once are refused
    )
    async with running(agent_of(tmp_path, line)) as client:
        await until(client, "status", lambda told: told["points"]["at_fault"] == 1)
        asked = {"connection": "line", "addresses": ["1:holding:700"], "columns": {"type": "uint16"}}
        for _ in range(2):
            (value,) = (await client.post("read", asked))["values"]
            assert "illegal data address" in value["fault"]
        assert line.asked[1, 700] == 2, "who tries it again asks the device again"
        (one,) = await client.get("connections")
        (unit,) = one["units"]
        assert unit["holes"] == ["holding 101: exception 02: illegal data address"]
        assert unit["errors"]["exception_02"] == 2
        assert unit["reads"] > 0
        (need,) = [need for need in (await client.get("status"))["needs"] if need["who"] == "SB-1/frequency"]
        assert need["command"] == "ganpo read line 1:holding:101 --raw"
        units: list[int] = []

        def says(request: bytes) -> bytes:
            units.append(request[6])
            return identified(request)

        line.identity = says
        said = await client.post("identify", {"connection": "line", "unit": "3"})
        assert (said["vendor"], said["model"], units) == ("Acme", "X1", [3])


async def test_what_is_wrong_with_a_question_is_said(tmp_path: Path, line: ModbusLine) -> None:
    line.replies[9, 1] = lambda _request: b""
    async with running(agent_of(tmp_path, line)) as client:
        await until(client, "status", lambda told: told["points"]["good"] == 2)
        with pytest.raises(ConfigError, match="there are: line"):
            await client.post("read", {"connection": "other", "addresses": ["1:holding:1"]})
        with pytest.raises(ConfigError, match="1:nowhere:1"):
            await client.post("read", {"connection": "line", "addresses": ["1:nowhere:1"]})
        with pytest.raises(ConfigError, match="addresses"):
            await client.post("read", {"connection": "line", "addresses": []})
        with pytest.raises(ConfigError, match=r"/api/v1/write: no such resource; .* of the same version"):
            await client.post("write", {})
        with pytest.raises(ConfigError, match="gw-"):
            await Client(client.path, "gw-other-0001").get("status")
        columns = {"type": "uint16"}
        with pytest.raises(UnitSilent):
            await client.post(
                "read", {"connection": "line", "addresses": ["9:holding:1"], "columns": columns}
            )
        both = {"connection": "line", "addresses": ["9:holding:1", "1:holding:5"], "columns": columns}
        values = (await client.post("read", both))["values"]
        assert (values[0]["value"], values[1]["value"]) == (None, 5)
        assert "no answer" in values[0]["fault"]
        (one,) = await client.get("connections")
        assert one["state"] == "up"
        assert [unit["key"] for unit in one["units"] if unit["silent"]] == []


async def test_on_loopback_everything_is_read_and_nothing_is_asked(tmp_path: Path, line: ModbusLine) -> None:
    agent = agent_of(tmp_path, line)
    transport = httpx.ASGITransport(Starlette(routes=routes(agent, Examined())))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        for what in ("status", "connections", "points", "machines", "meters"):
            assert (await http.get(f"/api/v1/{what}")).status_code == 200
        for what in ("status", "read", "identify", "browse", "reload"):
            assert (await http.post(f"/api/v1/{what}", json={})).status_code in (404, 405)
    agent.keeper.close()


async def told(*words: str) -> Result:
    """What a command says, in a process' own thread: it has a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, list(words))


async def test_commands_say_what_the_running_agent_says(tmp_path: Path, line: ModbusLine) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(f'[gateway]\nid = "gw-test-0001"\nstate_dir = "{tmp_path / "state"}"\n')
    found = await told("status", "--config", str(config))
    assert found.exit_code == 1
    assert "no gateway runs with this configuration" in found.output
    async with running(agent_of(tmp_path, line)) as client:
        status = await until(
            client, "status", lambda told: told["points"]["good"] == 2 and told["uplink"]["error"]
        )
        found = await told("status", "--config", str(config))
        assert "1 of 1 connection is up\n2 of 2 points have a good value\n" in found.output
        assert found.exit_code == 1, "the broker is not there: an alarm"
        assert (
            json.loads((await told("status", "--json", "--config", str(config))).output)["points"]
            == status["points"]
        )
        found = await told("points", "SB-1", "--config", str(config))
        assert [line.split()[:3] for line in found.output.splitlines()] == [
            ["SB-1/power", "100", "kW"],
            ["SB-1/frequency", "101", "Hz"],
        ]
        assert "no point of it is read" in (await told("points", "SB-9", "--config", str(config))).output
        found = await told("watch", "--times", "2", "--every", "0.2", "--json", "--config", str(config))
        assert [json.loads(line)["status"]["gateway"] for line in found.output.splitlines()] == [
            "gw-test-0001"
        ] * 2
        found = await told("watch", "--times", "1", "--config", str(config))
        assert "SB-1/power" in found.output
        assert "\x1b" not in found.output, "no terminal"


async def test_a_socket_that_a_dead_agent_left_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    gateway = GatewaySettings(id="gw-test-0001", state_dir=tmp_path)
    path = path_of(gateway, {})
    with sockets.socket(sockets.AF_UNIX) as dead:
        dead.bind(str(path))
    with listening(gateway) as sock:
        assert sock is not None
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        sock.listen()
        with pytest.raises(ConfigError, match="another agent listens there"), listening(gateway):
            pass
    assert not path.exists()
    path.write_text("mine")
    with listening(gateway) as sock:
        assert sock is None, "what lies there stays; devices are read all the same"
    assert path.read_text() == "mine"
    named = gateway.model_copy(update={"socket": path})
    with pytest.raises(ConfigError, match="no socket"), listening(named):
        pass
    far = gateway.model_copy(update={"socket": tmp_path / ("x" * 120)})
    with pytest.raises(ConfigError, match="107 bytes"), listening(far):
        pass


def test_the_socket_lies_where_systemd_or_the_configuration_says(tmp_path: Path) -> None:
    gateway = GatewaySettings(id="gw-test-0001", state_dir=tmp_path)
    assert path_of(gateway, {"RUNTIME_DIRECTORY": "/run/ganpo:/run/other"}) == Path("/run/ganpo/agent.sock")
    assert paths_of(gateway, {}) == [tmp_path / "agent.sock", Path("/run/ganpo/agent.sock")]
    named = gateway.model_copy(update={"socket": Path("/run/a.sock")})
    assert paths_of(named, {"RUNTIME_DIRECTORY": "/run/ganpo"}) == [Path("/run/a.sock")]


def test_a_command_finds_the_agent_beside_a_file_that_is_being_mended(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('[gateway]\nid = "gw-nc-0007"\nstate_dir = "/var/lib/ganpo"\n[conections]\n')
    assert gateway_of(file, {}) == ("gw-nc-0007", Path("/var/lib/ganpo"), None)
    over = {
        "GANPO_CONFIG": str(file),
        "GANPO_GATEWAY__SOCKET": "/run/x.sock",
        "GANPO_GATEWAY__ID": "gw-nc-0008",
    }
    assert gateway_of(None, over) == ("gw-nc-0008", Path("/var/lib/ganpo"), Path("/run/x.sock"))
    for text, why in (
        ("[gateway", "not TOML"),
        ("[gateway]\nid = 5\n", "gateway.id: is missing, or no text"),
    ):
        file.write_text(text)
        with pytest.raises(ConfigError, match=why):
            gateway_of(file, {})
    with pytest.raises(ConfigError, match="no such file"):
        gateway_of(tmp_path / "nowhere.toml", {})


def test_asking_the_running_agent_loads_nothing_that_judges_a_configuration() -> None:
    code = "import sys, ganpo_agent.local.client, ganpo_agent.cli.showing; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"ganpo_config", "pydantic", "uvicorn", "starlette", "asyncua", "pymodbus"} & set(told)


async def test_an_opc_ua_server_is_browsed_through_the_session_that_stands(tmp_path: Path) -> None:
    with OpcUaServer(machines=["L2"], values={"A": 1}) as server:
        builder = PlantBuilder(tmp_path / "state")
        settings = OpcUaSettings(
            driver="opcua", url=server.url, security="None", allow_insecure=True, timeout_s=20
        )
        builder.connection("cell", OpcUaDriver, settings, "opcua")
        address = OpcUaAddress.parse(OpcUaServer.node("A"))
        builder.point("cell", "SB-1", "frequency", address, Meaning("number"), 0.2)
        async with running(Agent(builder.build(), rng=random.Random(1))) as client:
            await until(client, "status", lambda told: told["points"]["good"] == 1)
            found = await client.post("browse", {"connection": "cell", "start": "/*:Machines"})
            shown = {one["address"]: one["value"] for one in found["addresses"]}
            assert OpcUaServer.node("L2.ChannelState") in shown
            assert None not in shown.values()
            assert (len(found["addresses"]), found["more"]) == (5, False)
            found = await client.post("browse", {"connection": "cell", "start": "i=2253"})
            (array,) = (one for one in found["addresses"] if one["address"] == "i=2255")
            assert array["value"] is None
            assert "array" in array["fault"], "why there is no value"
            with pytest.raises(ConfigError, match="Nowhere"):
                await client.post("browse", {"connection": "cell", "start": "/*:Nowhere"})
            server.set("A", 1, source_time=datetime(2026, 1, 1, tzinfo=UTC))
            said = await client.post("read", {"connection": "cell", "addresses": [str(address)]})
            (value,) = said["values"]
            assert (value["value"], value["source_time"]) == (1, "2026-01-01T00:00:00.000Z")
            assert (await client.post("identify", {"connection": "cell"}))["model"]
            (one,) = await client.get("connections")
            assert (one["state"], one["insecure"], one["round_trip_ms"] > 0) == ("up", True, True)
            lost = (await told_metrics(client))["ganpo_sessions_lost_total"]
            assert lost == {'{connection="cell"}': 0}, "no session was lost over any of this"


async def told_metrics(client: Client) -> dict[str, dict[str, float]]:
    """What `/metrics` says, by name and labels."""
    transport = httpx.AsyncHTTPTransport(uds=str(client.path))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        text = (await http.get("/metrics")).text
    found: dict[str, dict[str, float]] = {}
    for row in text.splitlines():
        if not row.startswith("#"):
            name, labels, value = re.fullmatch(r"(\w+)(\{.*\})? (\S+)", row).groups("")  # type: ignore[union-attr]
            found.setdefault(name, {})[labels] = float(value)
    return found


def counted(link: Any) -> dict[str, float]:
    """Failed requests by the labels of their metric, without those of a silent unit, which is asked now and then."""
    return {
        f'{{connection="{link["name"]}",unit="{unit["key"]}",kind="{kind}"}}': number
        for unit in link["units"]
        for kind, number in unit["errors"].items()
        if kind != "silent"
    }


async def test_the_same_numbers_stand_in_api_health_and_metrics(tmp_path: Path, line: ModbusLine) -> None:
    """A register that is not there, a unit that is silent; a broker and a collector that answers."""
    line.replies[1, 101] = exception(2)
    line.replies[1, 100] = lambda request: right(request) if request[11] == 1 else exception(2)(request)
    line.replies[9, 5] = lambda _request: b""
    with Mosquitto(tmp_path) as broker:
        collector = PlayedCollector(broker.port)
        agent = agent_of(tmp_path, line, broker.url, ("voltage_l1", "9:holding:5"))
        try:
            async with running(agent) as client:
                status = await until(
                    client,
                    "status",
                    lambda told: (
                        told["units_silent"] == 1
                        and told["points"]["at_fault"] == 1
                        and told["uplink"]["last_ack"]
                        and told["outbox"]["waiting"] == 0
                    ),
                )
                before: Any = None
                while True:  # until nothing changed while all were asked: a unit may be probed just now
                    status, points = await client.get("status"), await client.get("points")
                    faulty = await client.get("points", faulty="1")
                    metrics, health = await told_metrics(client), agent.health()
                    links = await client.get("connections")
                    now = [
                        status[key] for key in ("points", "units_silent", "outbox", "needs", "connections")
                    ]
                    now.append([counted(link) for link in links])
                    if now == before:
                        break
                    before = now
        finally:
            collector.stop()
    assert status["points"] == {"bound": 3, "good": 1, "at_fault": 1}
    assert health["points"] == {"bound": 3, "at_fault": 1}
    assert len(points) == sum(link["points"]["bound"] for link in links) == 3
    assert [point["quality"] for point in points] == ["good", "fault", "waiting"]
    assert [point["name"] for point in faulty] == ["SB-1/frequency", "SB-1/voltage_l1"]
    assert sum(link["points"]["good"] for link in links) == 1
    assert sum(metrics["ganpo_points_at_fault"].values()) == 1
    assert sum(metrics["ganpo_units_silent"].values()) == status["units_silent"] == 1
    assert [unit["key"] for link in links for unit in link["units"] if unit["silent"]] == ["9"]
    assert sum(metrics["ganpo_connection_up"].values()) == status["connections"]["up"] == 1
    assert (
        metrics["ganpo_outbox_frames_issued_total"][""]
        == status["outbox"]["issued"]
        == health["outbox"]["issued"]
    )
    assert metrics["ganpo_outbox_waiting_frames"][""] == status["outbox"]["waiting"] == 0
    assert metrics["ganpo_outbox_waiting_bytes"][""] == status["outbox"]["bytes"] == 0
    assert metrics["ganpo_outbox_limit_bytes"][""] == status["outbox"]["limit_bytes"]
    assert metrics["ganpo_outbox_dropped_frames_total"][""] == status["outbox"]["dropped_frames"] == 0
    assert metrics["ganpo_uplink_connected"][""] == status["uplink"]["connected"] is True
    assert status["ok"] is health["ok"] is False
    assert status["outbox"]["oldest"] is None
    failed = metrics["ganpo_requests_failed_total"]
    (link,) = links
    assert {labels: number for labels, number in failed.items() if "silent" not in labels} == counted(link)
    assert {need["who"] for need in status["needs"]} == {"line 9", "SB-1/frequency"}
