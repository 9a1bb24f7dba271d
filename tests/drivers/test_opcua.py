"""The driver `opcua` against a real server in a child process."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.reading.connection import ConnectionTask
from ganpo_agent.timekeeper import GatewayClock, Timekeeper
from ganpo_config.plant import Meaning
from ganpo_drivers.api import FaultKind, Identifies, Point, PointFault, Scan, Value
from ganpo_drivers.opcua import driver as driver_module
from ganpo_drivers.opcua import granted
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.testing import Proxy
from ganpo_model.errors import AccessRefused, ConnectionLost, Unreachable, UnsupportedProtocol
from support.opcua_server import NAMESPACES, OpcUaServer
from support.opcua_wire import services
from support.plants import PlantBuilder

STATE = "/m:Machines/*:VMC850-1/mt:Monitoring/*:Channel1/mt:ChannelState"
MODE = "/m:Machines/*:VMC850-1/mt:Monitoring/mt:MachineTool/mt:OperationMode"
TIMEOUT_S = 0.5


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaServer]:
    with OpcUaServer(machines=["VMC850-1", "L2"], values={"A": 1, "B": 2}) as running:
        yield running


def make(url: str, **settings: Any) -> OpcUaDriver:
    settings = {"security": "None", "allow_insecure": True, "timeout_s": TIMEOUT_S} | settings
    return OpcUaDriver(OpcUaSettings(driver="opcua", url=url, **settings))


@asynccontextmanager
async def opened(url: str, **settings: Any) -> AsyncIterator[OpcUaDriver]:
    driver = make(url, **settings)
    try:
        await driver.open()
        yield driver
    finally:
        await driver.close()


def points(*texts: str) -> list[Point[OpcUaAddress]]:
    """Points by address; a text without = or / is the name of a variable of the server."""
    return [
        Point(
            text,
            OpcUaAddress.parse(
                text if "=" in text or text.startswith("/") else OpcUaServer.node(text), namespaces=NAMESPACES
            ),
        )
        for text in texts
    ]


async def read(driver: OpcUaDriver, *texts: str) -> list[Value | PointFault]:
    return (await driver.read(driver.prepare(points(*texts)))).values


def kind(value: Value | PointFault) -> FaultKind | None:
    return value.kind if isinstance(value, PointFault) else None


async def test_a_bad_node_spoils_only_itself(server: OpcUaServer) -> None:
    server.set("Sensor", 3.5, status="BadSensorFailure")
    server.set("Last", 3.5, status="UncertainLastUsableValue")
    texts = ["A", "Nowhere", "Sensor", "nsu=urn:nobody;s=X", "/m:Machines/*:X", "Last", "/m:Machines", "B"]
    async with opened(server.url) as driver:
        values = await read(driver, *texts)
    assert [kind(value) for value in values] == [
        None,
        FaultKind.ABSENT,
        FaultKind.BAD,
        FaultKind.ABSENT,
        FaultKind.ABSENT,
        FaultKind.BAD,
        FaultKind.BAD,
        None,
    ]
    assert (values[0], values[-1]) == (1, 2)
    said = " | ".join(value.text for value in values if isinstance(value, PointFault))
    for part in (
        "BadSensorFailure",
        "urn:nobody",
        "/*:X",
        "UncertainLastUsableValue",
        "BadAttributeIdInvalid",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (True, None, True),
        (-7, "SByte", -7),
        (2**64 - 1, "UInt64", 2**64 - 1),
        (0.1, "Double", 0.1),
        (0.5, "Float", 0.5),
        ("主轴", None, "主轴"),
        ("", None, ""),
        ("Werkzeug", "LocalizedText", "Werkzeug"),
        ("2026-01-02T03:04:05+00:00", "DateTime", "2026-01-02T03:04:05.000Z"),
        (float("nan"), "Float", "nan"),
        (float("inf"), None, "inf"),
        ([1, 2], None, "an array"),
        (None, "Structure", "ExtensionObject"),
        (None, None, "null"),
    ],
)
async def test_a_value_comes_as_a_plain_python_value_or_not_at_all(
    server: OpcUaServer, value: object, kind: str | None, expected: Value
) -> None:
    server.set(name := f"Typed {kind} {value!r}", value, kind=kind)
    async with opened(server.url) as driver:
        (read_back,) = await read(driver, name)
    if isinstance(read_back, PointFault):
        assert read_back.kind is FaultKind.BAD
        assert str(expected) in read_back.text
    else:
        assert type(read_back) is type(expected)
        assert read_back == expected


async def test_uncertain_is_a_value_only_where_the_connection_says_so(server: OpcUaServer) -> None:
    server.set("Guess", 3.5, status="UncertainInitialValue")
    async with opened(server.url) as driver:
        assert kind((await read(driver, "Guess"))[0]) is FaultKind.BAD
    async with opened(server.url, accept_uncertain=True) as driver:
        assert await read(driver, "Guess") == [3.5]


async def test_source_times_come_along_with_values_and_faults(server: OpcUaServer) -> None:
    at = datetime(2000, 1, 1, 0, 0, 1, tzinfo=UTC)
    server.set("Old", 1, source_time=at)
    server.set("Worn", 1, status="BadDeviceFailure", source_time=at)
    async with opened(server.url) as driver:
        scan = await driver.read(driver.prepare(points("Old", "Nowhere", "Worn")))
    assert scan.source_times == [at, None, at]


async def test_browse_paths_are_walked_by_uri_and_by_any_namespace(server: OpcUaServer) -> None:
    server.set("VMC850-1.ChannelState", 0)
    server.set("VMC850-1.OperationMode", 4)
    async with opened(server.url) as driver:
        paths = [STATE, MODE, "/*:Machines/sim:L2/sim:PartsTotal", "/0:Server/0:ServiceLevel", "A"]
        assert await read(driver, *paths) == [0, 4, 0, 255, 1]


async def test_of_several_nodes_that_match_a_path_none_is_guessed(server: OpcUaServer) -> None:
    server.set("Server", 1)
    async with opened(server.url) as driver:
        loose, exact = await read(driver, "/*:Server", "/sim:Server")
    assert isinstance(loose, PointFault)
    assert loose.kind is FaultKind.BAD
    assert "2 nodes match" in loose.text
    assert exact == 1


async def test_a_node_that_vanishes_is_bad_and_one_that_comes_back_is_found_again(
    server: OpcUaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.set("Shift", 1)
    async with opened(server.url) as driver:
        query = driver.prepare(points("Shift", "/sim:Shift", "/sim:Later", "A"))
        assert [kind(value) for value in (await driver.read(query)).values] == [
            None,
            None,
            FaultKind.ABSENT,
            None,
        ]
        server.delete("Shift")
        assert [kind(value) for value in (await driver.read(query)).values] == [
            FaultKind.BAD,
            FaultKind.BAD,
            FaultKind.ABSENT,
            None,
        ]
        monkeypatch.setattr(driver_module, "RESOLVE_AGAIN_S", -1)
        now = asyncio.get_running_loop().time()
        for plan in driver._plans.values():
            plan.again_at = now
        assert [kind(value) for value in (await driver.read(query)).values] == [
            FaultKind.BAD,
            FaultKind.BAD,
            FaultKind.ABSENT,
            None,
        ]
        server.set("Shift", 2)
        server.set("Later", 3)
        assert (await driver.read(query)).values == [2, 2, 3, 1]


async def test_a_query_whose_nodes_are_all_absent_still_notices_a_dead_server(server: OpcUaServer) -> None:
    async with opened(server.url) as driver:
        query = driver.prepare(points("/*:Nowhere"))
        assert [kind(value) for value in (await driver.read(query)).values] == [FaultKind.ABSENT]
        server.freeze()
        try:
            with pytest.raises(ConnectionLost):
                await driver.read(query)
        finally:
            server.thaw()


async def test_every_session_asks_for_60_s_is_closed_and_leaves_no_task(server: OpcUaServer) -> None:
    driver = make(server.url)
    for _ in range(5):
        await driver.open()
        assert server.sessions() == [60.0]
        assert asyncio.all_tasks() == {asyncio.current_task()}
    await driver.close()
    await driver.close()
    assert server.sessions() == []


async def test_a_session_the_server_has_forgotten_is_opened_anew_within_the_same_poll(
    server: OpcUaServer,
) -> None:
    async with opened(server.url) as driver:
        assert await read(driver, "A") == [1]
        first = driver._session
        assert first is not None
        first.granted.used_at -= 46
        assert await read(driver, "A") == [1]
        assert driver._session is not first
        assert server.sessions() == [60.0]


async def test_two_that_find_a_session_forgotten_open_one(server: OpcUaServer) -> None:
    async with opened(server.url) as driver:
        assert await read(driver, "A") == [1]
        assert driver._session is not None
        driver._session.granted.used_at -= 46
        for values in await asyncio.gather(read(driver, "A"), read(driver, "A")):
            assert values == [1]
        assert driver.report().reopened == 1
        assert server.sessions() == [60.0]


async def test_a_session_is_kept_alive_before_the_server_forgets_it(server: OpcUaServer) -> None:
    async with opened(server.url) as driver:
        first = driver._session
        assert first is not None
        assert 28 < await driver.keep_alive() <= 30
        first.granted.used_at -= 31
        assert 28 < await driver.keep_alive() <= 30, "it was used"
        first.granted.renew_at = 0.0
        assert 28 < await driver.keep_alive() <= 30, "and its channel renewed"
        assert first.granted.renew_at > asyncio.get_running_loop().time() + 2000
        assert await read(driver, "A") == [1]
        assert driver._session is first
        server.freeze()
        try:
            first.granted.used_at -= 31
            with pytest.raises(ConnectionLost):
                await driver.keep_alive()
        finally:
            server.thaw()


@pytest.mark.parametrize(
    ("granted_ms", "rest_s"), [(10_000, 5), (1, 0.5), (0, 30), (-1, 30), (float("nan"), 30)]
)
async def test_what_a_server_grants_is_kept_and_nonsense_taken_for_what_was_asked(
    server: OpcUaServer, granted_ms: float, rest_s: float
) -> None:
    async with opened(server.url) as driver:
        assert driver._session is not None
        driver._session._client.session_timeout = granted_ms
        driver._session._client.secure_channel_timeout = 0
        driver._session.granted.renew_at = 0.0
        assert await driver.keep_alive() == pytest.approx(rest_s, abs=0.4)


async def test_a_session_granted_for_less_than_a_poll_is_kept_and_not_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(granted, "CHANNEL_S", 2)  # this server grants whatever is asked for
    with OpcUaServer(values={"A": 1}, grants_s=3) as brief, Proxy("127.0.0.1", brief.port) as proxy:
        builder = PlantBuilder(tmp_path)
        settings = make(f"opc.tcp://127.0.0.1:{proxy.port}", timeout_s=4).connection
        builder.connection("cell", OpcUaDriver, settings, "opcua")
        address = OpcUaAddress.parse(brief.node("A"))
        builder.point("cell", "SB-1", "power", address, Meaning("number"), interval_s=4)
        scans: list[Scan] = []
        task = ConnectionTask(
            builder.build().connections[0],
            Timekeeper(GatewayClock()),
            lambda _points, scan, _identity: scans.append(scan),
            lambda _subjects, _why: None,
            lambda: None,
        )
        running = asyncio.create_task(task.run())
        async with asyncio.timeout(60):
            while len(scans) < 2:
                await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.wait([running])
        await asyncio.sleep(0.05)
        sent = b"".join(proxy.sent)  # one connection
        asked = services(sent)
    assert [scan.values for scan in scans] == [[1], [1]]
    assert asked.count("CreateSession") == 1
    assert asked.count("Read") > 1 + 2, "it was asked between the polls"
    assert asked.count("CloseSession") == 1
    assert sent.count(b"OPNF") >= 1 + 2, "the channel was renewed too"


async def test_the_secure_channel_is_renewed_between_reads(server: OpcUaServer) -> None:
    async with opened(server.url) as driver:
        session = driver._session
        assert session is not None
        session.granted.renew_at = 0.0
        assert await read(driver, "A") == [1]
        assert session.granted.renew_at > asyncio.get_running_loop().time()
        assert await read(driver, "A") == [1]


async def test_the_server_says_who_it_is(server: OpcUaServer) -> None:
    async with opened(server.url) as driver:
        assert isinstance(driver, Identifies)
        identity = await driver.identify()
    assert (identity.vendor, identity.model) == ("FreeOpcUa", "Ganpo simulation")
    assert identity.controller.startswith("Ganpo simulation ")


async def test_a_frozen_server_times_out_and_says_where_and_a_late_answer_is_taken_for_no_other(
    server: OpcUaServer,
) -> None:
    async with opened(server.url) as driver:
        first, second = driver.prepare(points("A")), driver.prepare(points("B"))
        assert (await driver.read(first)).values == [1]
        assert (await driver.read(second)).values == [2]
        server.freeze()
        try:
            begun = time.monotonic()
            with pytest.raises(ConnectionLost) as caught:
                await driver.read(first)
            assert time.monotonic() - begun < 2 * TIMEOUT_S
            assert str(caught.value).startswith(f"{server.url}: no answer to Read of 1 nodes within 0.5 s")
        finally:
            server.thaw()
        assert (await driver.read(second)).values == [2]
        assert (await driver.read(first)).values == [1]


async def test_a_frozen_server_cannot_be_opened_and_closing_does_not_hang(server: OpcUaServer) -> None:
    async with opened(server.url) as driver:
        server.freeze()
        try:
            begun = time.monotonic()
            await driver.close()
            with pytest.raises(Unreachable, match="no answer to the hello within"):
                await driver.open()
            assert time.monotonic() - begun < 4 * TIMEOUT_S
        finally:
            server.thaw()
        await driver.open()
        assert await read(driver, "A") == [1]


async def test_cancellation_in_mid_read_leaves_a_usable_driver(server: OpcUaServer) -> None:
    async with opened(server.url, timeout_s=10) as driver:
        query = driver.prepare(points("A"))
        await driver.read(query)
        server.freeze()
        try:
            reading = asyncio.ensure_future(driver.read(query))
            await asyncio.sleep(0.05)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        finally:
            server.thaw()
        await driver.close()
        await driver.open()
        assert (await driver.read(query)).values == [1]


async def test_reading_before_opening_is_a_lost_connection(server: OpcUaServer) -> None:
    driver = make(server.url)
    with pytest.raises(ConnectionLost, match="no session is open"):
        await read(driver, "A")


async def test_requests_that_are_too_large_are_halved_and_the_size_is_remembered(server: OpcUaServer) -> None:
    names = ["A", "B", STATE, MODE, "/*:Machines/*:L2/*:PartsTotal", "i=2267"]
    limits = [f"MaxNodesPer{name}" for name in ("Read", "Browse", "TranslateBrowsePathsToNodeIds")]
    try:
        async with opened(server.url) as driver:
            want = await read(driver, *names)
            for limit in limits:
                server.enforce(limit, 2)
            assert await read(driver, *names) == want
            assert 1 <= driver._batches.read.most <= 2
            await driver.close()
            await driver.open()
            assert await read(driver, *names) == want
    finally:
        for limit in limits:
            server.enforce(limit, None)


async def test_a_request_at_which_the_line_breaks_is_halved_in_the_next_session(server: OpcUaServer) -> None:
    names = ["A", "B", "i=2267", STATE, MODE, "i=2259"]
    driver = make(server.url)
    try:
        await driver.open()
        want = await read(driver, *names)
        await driver.close()
        driver = make(server.url)
        server.enforce("MaxNodesPerRead", 4, drop=True)
        await driver.open()
        with pytest.raises(ConnectionLost, match="broke at Read of 6 nodes"):
            await read(driver, *names)
        await driver.close()
        await driver.open()
        assert await read(driver, *names) == want
    finally:
        server.enforce("MaxNodesPerRead", None)
        await driver.close()


async def test_a_server_killed_in_mid_read_is_read_again_with_other_namespace_indexes(
    server: OpcUaServer,
) -> None:
    async with opened(server.url, timeout_s=4) as driver:
        query = driver.prepare(points("A", STATE))
        before = await driver.read(query)
        server.freeze()
        reading = asyncio.ensure_future(driver.read(query))
        await asyncio.sleep(0.05)
        server.kill()
        with pytest.raises(ConnectionLost, match=r"Read of 2 nodes") as caught:
            await reading
        assert caught.value.where == server.url
        await driver.close()
        with pytest.raises(Unreachable, match="connection refused"):
            await driver.open()
        await driver.close()
        server.options["leading_namespaces"] = ["urn:new:after:download", "urn:another"]
        server.start()
        await driver.open()
        after = await driver.read(query)
    assert before.values[0] == after.values[0] == 1
    assert after.values[1] == 2


async def test_stated_limits_and_users_are_kept_and_no_password_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    limits = {
        "MaxNodesPerRead": 4,
        "MaxNodesPerBrowse": 1,
        "MaxNodesPerTranslateBrowsePathsToNodeIds": 1,
    }
    with OpcUaServer(machines=["VMC850-1"], users={"monitor": "geheim42"}, limits=limits) as guarded:
        async with opened(guarded.url, username="monitor", password="geheim42") as driver:
            assert await read(driver, STATE, MODE, "/*:Machines/*:VMC850-1/*:Alarm", "i=2267") == [
                2,
                1,
                False,
                255,
            ]
            assert driver._batches.read.most == 4
            assert "geheim42" not in repr(driver.connection) + repr(driver) + repr(vars(driver))
        for login in ({}, {"username": "monitor", "password": "falsch99"}, {"username": "niemand"}):
            driver = make(guarded.url, **login)
            with pytest.raises(AccessRefused, match="username") as caught:
                await driver.open()
            await driver.close()
            assert caught.value.where == guarded.url
            assert "falsch99" not in repr(caught.value)
        assert guarded.sessions() == []
    assert "geheim42" not in caplog.text
    assert "falsch99" not in caplog.text


async def test_a_server_without_an_open_endpoint_is_not_supported(server: OpcUaServer) -> None:
    with OpcUaServer(security_none=False) as closed:
        driver = make(closed.url)
        with pytest.raises(UnsupportedProtocol, match='security "None"'):
            await driver.open()
        await driver.close()


@asynccontextmanager
async def says(first: bytes, then: bytes) -> AsyncIterator[int]:
    """A port that speaks something: `first` at once, `then` once it has heard something."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(first)
            await reader.read(8)
            writer.write(then)
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()
            ended.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()[1]
        await ended.wait()


@pytest.mark.parametrize(
    ("first", "then", "error", "text"),
    [
        (
            b"",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            UnsupportedProtocol,
            "no OPC UA server speaks there: what answers began with b'HTTP/1.1",
        ),
        (b"SSH-2.0-OpenSSH_9\r\n", b"", UnsupportedProtocol, "what answers began with b'SSH-2.0"),
        (b"", b"", Unreachable, "it takes the connection, but no answer to the hello within 0.5 s"),
        (
            b"",
            b"ACKF\x10\x00\x00\x00garbage!garbage!",
            Unreachable,
            "the connection broke at the hello; is an OPC UA server",
        ),
        (
            b"",
            b"ERRF\x10\x00\x00\x00\x00\x00\x83\x80\xff\xff\xff\xff",
            Unreachable,
            "does not recognize the QueryString specified.; it answers to its own url alone: is a path missing",
        ),
    ],
)
async def test_another_protocol_on_the_port_is_told_and_does_not_hang(
    first: bytes, then: bytes, error: type[Exception], text: str
) -> None:
    async with says(first, then) as port:
        driver = make(f"opc.tcp://127.0.0.1:{port}")
        begun = time.monotonic()
        with pytest.raises(error) as caught:
            await driver.open()
        await driver.close()
        assert time.monotonic() - begun < 3 * TIMEOUT_S
    assert text in str(caught.value)
    assert str(caught.value).startswith(f"opc.tcp://127.0.0.1:{port}: ")


async def test_a_host_without_an_address_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    driver = make("opc.tcp://no-such-plc:4840")
    with pytest.raises(Unreachable, match="host name cannot be resolved"):
        await driver.open()
    await driver.close()


def test_a_query_tells_its_requests_offline() -> None:
    query = make("opc.tcp://127.0.0.1:1").prepare(points("A", "B"))
    assert str(query) == "Read of 2 nodes (Value, source time)"
    assert [point.name for point in query.points] == ["A", "B"]
