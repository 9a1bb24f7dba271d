"""Subscriptions against a server that runs: values, faults, silence; and what only rare servers say, played."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from ganpo_agent.observing.observer import Observer
from ganpo_agent.reading.connection import ConnectionTask
from ganpo_agent.timekeeper import GatewayClock, Timekeeper
from ganpo_config.plant import Machine, Meaning, OneOf, Rule
from ganpo_drivers import Browses, FaultKind, Point, PointFault, Scan, Subscribes
from ganpo_drivers.opcua import driver as driver_module
from ganpo_drivers.opcua import subscription as subscription_module
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.binary import Notification
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.session import Session
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.subscription import Latest, Subscription
from ganpo_drivers.opcua.values import Answer, Answers
from ganpo_drivers.testing import Proxy
from ganpo_model.clock import to_ms
from ganpo_model.errors import ConnectionLost
from ganpo_model.facts import Event, EventKind, Fact
from ganpo_model.states import State
from support.configs import CELL, plant
from support.opcua_server import SIMULATION, OpcUaServer
from support.opcua_wire import forbidden, services
from support.plants import START, PlantBuilder

T0 = to_ms(START)


def make(url: str) -> OpcUaDriver:
    return OpcUaDriver(
        OpcUaSettings(driver="opcua", url=url, security="None", allow_insecure=True, timeout_s=2)
    )


def point(text: str, name: str = "", **columns: Any) -> Point[OpcUaAddress]:
    text = text if "=" in text or "/" in text else OpcUaServer.node(text)
    columns = {"mode": "subscribe", "sampling_ms": 100} | columns
    return Point(name or text, OpcUaAddress.parse(text, **columns))


class Heard(list[Scan]):
    """What was delivered."""

    async def deliver(self, scan: Scan) -> None:
        self.append(scan)

    async def until(self, *values: Any, seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not self or self[-1].values[: len(values)] != list(values):
                await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def server() -> Iterator[OpcUaServer]:
    with OpcUaServer(machines=["L2"], values={"A": 1, "B": [1, 2, 3], "C": " 12.50", "D": 0.0}) as running:
        yield running


@asynccontextmanager
async def subscribed(
    url: str, *points: Point[OpcUaAddress]
) -> AsyncIterator[tuple[Heard, asyncio.Task[None], OpcUaDriver]]:
    driver, heard = make(url), Heard()
    await driver.open()
    task = asyncio.create_task(driver.subscribe(points, heard.deliver))
    try:
        yield heard, task, driver
    finally:
        task.cancel()
        await asyncio.wait([task])
        await driver.close()


async def test_every_change_is_delivered_and_silence_confirms_what_is_known(server: OpcUaServer) -> None:
    server.set("A", 1)
    async with subscribed(server.url, point("A"), point("[1]" + server.node("B"))) as (heard, _, driver):
        await heard.until(1, 2)
        for value in (2, 3, 4):
            server.set("A", value)
        await heard.until(4, 2)
        assert [scan.values[0] for scan in heard if scan.values[0] != 1][:3] == [2, 3, 4], "none is lost"
        times = heard[-1].source_times
        assert times is not None
        assert times[0] is not None
        assert abs(times[0].timestamp() - time.time()) < 60
        count = len(heard)
        async with asyncio.timeout(5):
            while len(heard) < count + 2:
                await asyncio.sleep(0.05)
        assert heard[-1].values == [4, 2]
        assert (await driver.read(driver.prepare([point("A")]))).values == [4], "polls go on beside it"
        assert isinstance(driver, Subscribes)


async def test_a_bad_point_spoils_only_itself_and_what_vanishes_or_comes_is_told(
    server: OpcUaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_module, "RESOLVE_AGAIN_S", 0.3)
    server.set("A", 1)
    server.set("E", 5)
    points = [point("A"), point("E"), point("Later"), point("/*:Nowhere"), point("nsu=urn:other;s=X")]
    async with subscribed(server.url, *points) as (heard, _, _driver):
        await heard.until(1, 5)
        kinds = [value.kind for value in heard[-1].values[2:] if isinstance(value, PointFault)]
        assert kinds == [FaultKind.ABSENT] * 3
        server.set("A", 2, status="BadSensorFailure")
        async with asyncio.timeout(5):
            while not isinstance(fault := heard[-1].values[0], PointFault):
                await asyncio.sleep(0.01)
        assert fault.kind is FaultKind.BAD
        assert "BadSensorFailure" in fault.text
        server.set("Later", 9)
        server.set("A", 3)
        await heard.until(3, 5, 9)


async def test_texts_that_hold_numbers_arrays_and_node_ids_are_read_where_the_address_says_how(
    server: OpcUaServer,
) -> None:
    server.set("N", "ns=2;s=nsu", kind="NodeId")
    server.set("L", "运行", kind="LocalizedText")
    texts = [
        "C",
        "C",
        "[1]" + server.node("B"),
        "[3]" + server.node("B"),
        "B",
        "[0]" + server.node("D"),
        "N",
        "L",
    ]
    points = [point(text, type="number" if place in (1, 7) else "") for place, text in enumerate(texts)]
    async with subscribed(server.url, *points) as (heard, _, driver):
        await heard.until(" 12.50", 12.5, 2)
        said = heard[-1].values
        assert (await driver.read(driver.prepare(points))).values == said, "polled it is the same"
    faults = [value.text for value in said if isinstance(value, PointFault)]
    assert [text.split(",")[0].split(":")[0] for text in faults] == [
        "an array of 3 elements",
        "an array",
        "a single value and no array",
        "the text '运行'",
    ]
    assert said[6] == f"nsu={SIMULATION};s=nsu"


async def test_a_deadband_keeps_small_changes_and_a_server_that_takes_none_tells_every_change(
    server: OpcUaServer,
) -> None:
    server.set("D", 0.0)
    server.set("A", 1)
    async with subscribed(server.url, point("D", deadband=1.0), point("A")) as (heard, _, driver):
        await heard.until(0.0, 1)
        server.set("D", 0.5)
        server.set("A", 2)
        await heard.until(0.0, 2)
        server.set("D", 5.0)
        await heard.until(5.0, 2)
        assert driver.report().notes == []


@pytest.mark.parametrize("how", [pytest.param("freeze", marks=pytest.mark.slow), "kill"])
async def test_a_server_that_falls_silent_ends_the_subscription_within_three_intervals(how: str) -> None:
    with OpcUaServer(values={"A": 1}) as server:
        async with subscribed(server.url, point("A", sampling_ms=1000)) as (heard, task, driver):
            await heard.until(1)
            begun = time.monotonic()
            getattr(server, how)()
            with pytest.raises(ConnectionLost) as caught:
                await asyncio.wait_for(task, 10)
            assert time.monotonic() - begun < 4.5
            assert caught.value.where == server.url
            assert driver.report().faults == {("", "silent" if how == "freeze" else "broken"): 1}


async def test_the_agent_hears_again_after_a_restart_with_other_namespaces_and_asks_only_to_read(
    tmp_path: Path,
) -> None:
    with OpcUaServer(values={"A": 1}) as server, Proxy("127.0.0.1", server.port) as proxy:
        builder = PlantBuilder(tmp_path)
        settings = make(f"opc.tcp://127.0.0.1:{proxy.port}").connection
        builder.connection("cell", OpcUaDriver, settings, "opcua")
        address = point("A").address
        builder.point("cell", "SB-1", "power", address, Meaning("number"), interval_s=1)
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
            while not scans or scans[-1].values != [1]:
                await asyncio.sleep(0.05)
            server.kill()
            server.options["leading_namespaces"] = ["urn:new:after:download"]
            server.options["values"] = {"A": 2}
            server.start()
            while scans[-1].values != [2]:
                await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.wait([running])
        await asyncio.sleep(0.05)
        sent = [data for data in proxy.sent if data]
    assert task.opened == 2
    assert [forbidden(data) for data in sent] == [[] for _ in sent]
    asked = services(sent[-1])
    assert {"CreateSubscription", "CreateMonitoredItems", "Publish"} <= set(asked)
    assert asked.count("CreateSession") == asked.count("CloseSession") == 1


PROFILE = f"""
format = 1
id = "own"
title = {{ zh = "x", en = "x" }}
origin = "our definition"
driver = "opcua"
[signals.channel_state]
address = "nsu={SIMULATION};s=State"
enum = {{ Active = "nsu={SIMULATION};s=Running", Reset = "i=2041" }}
mode = "subscribe"
sampling_ms = 100
interval_s = 1
[[states]]
state = "PRODUCING"
when = {{ channel_state = "Active" }}
[proves]
numerical_control = ["channel_state"]
"""


async def test_from_a_profile_to_the_state_of_the_machine_and_its_evidence(
    tmp_path: Path, server: OpcUaServer
) -> None:
    server.set("State", "ns=2;s=Running", kind="NodeId")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.toml").write_text(PROFILE, encoding="utf-8")
    cell = CELL.replace("opc.tcp://127.0.0.1:4840", server.url)
    machine = '[[equipment]]\nasset_no = "M-1"\nname = "Lathe"\nprofile = "own"\nconnection = "cell"\n'
    gateway = plant(tmp_path, cell + machine)
    clock, facts = Timekeeper(GatewayClock()), list[Fact]()
    observer = Observer(gateway, facts.extend, to_ms(clock.now()))
    task = ConnectionTask(
        gateway.connections[0],
        clock,
        lambda points, scan, identity: observer.feed(points, scan, identity, to_ms(clock.now())),
        observer.failed,
        lambda: None,
    )
    running = asyncio.create_task(task.run())
    try:
        for value, state in (("ns=2;s=Running", "PRODUCING"), ("i=2041", "IDLE"), ("i=1", "UNKNOWN")):
            server.set("State", value, kind="NodeId")
            async with asyncio.timeout(10):
                while observer.subjects()["M-1"]["state"] != state:
                    await asyncio.sleep(0.02)
        (about,) = observer.points(to_ms(clock.now())).values()
        assert about["fault"] == "'i=1' is none of its values"
        assert 0 <= about["source_age_s"] < 60
        assert task.polls.made == 0
    finally:
        running.cancel()
        await asyncio.wait([running])
    up = [fact for fact in facts if isinstance(fact, Event) and fact.kind is EventKind.LINK_UP]
    assert (up[0].data["value"], up[0].data["proves"]) == ("Active", ["numerical_control"])


async def test_what_is_browsed_can_be_read_as_it_is(server: OpcUaServer) -> None:
    driver = make(server.url)
    await driver.open()
    try:
        assert isinstance(driver, Browses)
        found = [text async for text in driver.browse("/*:Machines")]
        assert sorted(found) == sorted(
            OpcUaServer.node(f"L2.{name}")
            for name in ("ChannelState", "ChannelMode", "OperationMode", "Alarm", "PartsTotal")
        )
        scan = await driver.read(driver.prepare([Point(text, OpcUaAddress.parse(text)) for text in found]))
        assert not [value for value in scan.values if isinstance(value, PointFault)]
        everything = [text async for text in driver.browse("")]
        assert len(everything) == len(set(everything))
        assert {*found, OpcUaServer.node("A"), "i=2258"} <= set(everything)
        for wrong in ("/*:Nowhere", "nonsense"):
            with pytest.raises(ValueError, match=wrong.strip("/*:")):
                assert [text async for text in driver.browse(wrong)]
    finally:
        await driver.close()


async def test_a_server_that_gives_no_subscription_is_read_instead_and_asked_again(
    server: OpcUaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def none_left(_session: Session, _parameters: Any) -> Any:
        asked.append(ua.StatusCodes.BadTooManySubscriptions)
        error = ua.UaStatusCodeError(asked[-1])
        raise ConnectionLost("CreateSubscription answered with BadTooManySubscriptions") from error

    monkeypatch.setattr(Session, "create_subscription", none_left)
    monkeypatch.setattr(driver_module, "RESOLVE_AGAIN_S", 0.5)
    server.set("A", 1)
    async with subscribed(server.url, point("A"), point("Nowhere")) as (heard, task, driver):
        await heard.until(1)
        server.set("A", 2)
        await heard.until(2)
        await asyncio.sleep(0.7)
        assert len(asked) >= 2
        assert not task.done()
        assert ["is read instead" in note for note in driver.report().notes] == [True]
        assert set(driver.report().faults) == {("", "subscription")}
        monkeypatch.undo()
        server.set("A", 3)
        await heard.until(3)
        await asyncio.sleep(0.7)
        assert driver.report().notes == [], "what no longer holds"


class PlayedSession:
    """A session whose Publish answers are `words`, then silence. `refuses`: what an item is answered, by handle."""

    where = "opc.tcp://plc:4840"
    uris: Sequence[str] = ()
    namespaces: dict[str, int]

    def __init__(self, words: Sequence[Notification], **refuses: int) -> None:
        self.words = list(words)
        self.refuses = refuses
        self.namespaces = {SIMULATION: 1}
        self.items: list[Any] = []
        self.patience: list[float] = []
        self.slow_s = 0.0
        self.grants = 100.0, 0.0
        self.acknowledged: list[Any] = []
        self.said: list[str] = []

    async def create_subscription(self, _parameters: Any) -> Any:
        return ua.CreateSubscriptionResult(7, self.grants[0], 600, 10)

    async def monitor(self, _subscription: int, items: Sequence[Any]) -> list[Any]:
        self.items += items
        await asyncio.sleep(self.slow_s)
        return [
            ua.MonitoredItemCreateResult(
                ua.StatusCode(self._code(item)), RevisedSamplingInterval=self.grants[1]
            )
            for item in items
        ]

    def _code(self, item: Any) -> int:
        about = item.RequestedParameters
        code = self.refuses.get(f"h{about.ClientHandle}", 0)
        no_deadband = code == ua.StatusCodes.BadFilterNotAllowed
        return 0 if no_deadband and not isinstance(about.Filter, ua.DataChangeFilter) else code

    async def publish(self, acknowledged: Any, timeout_s: float) -> Notification:
        self.acknowledged += acknowledged
        self.patience.append(timeout_s)
        if not self.words:
            raise ConnectionLost(f"no answer to Publish within {timeout_s:g} s", where=self.where)
        return self.words.pop(0)


def word(number: int, *items: tuple[int, Any, int], subscription: int = 7) -> Notification:
    rest = {place: Answer(value, 6, status, None) for place, (_, value, status) in enumerate(items) if status}
    answers = Answers([value for _, value, _ in items], [None] * len(items), rest)
    return Notification(subscription, number, [handle for handle, _, _ in items], answers)


async def played(session: PlayedSession, *points: Point[OpcUaAddress]) -> tuple[Heard, list[str], str]:
    """What was delivered, what was told, and how it ended."""
    heard, told = Heard(), []

    def tell(kind: str, text: str) -> None:
        told.append(kind)
        session.said.append(text)

    played_one = Subscription(cast("Session", session), points, False, tell)
    with pytest.raises(ConnectionLost) as caught:
        await played_one.run(heard.deliver)
    return heard, told, caught.value.what


async def test_several_values_of_one_point_at_once_are_scans_in_their_order_and_an_overflow_is_told() -> None:
    session = PlayedSession([word(1, (0, None, 0), (1, 1, 0), (1, 2, 0x480), (1, 3, 0), (2, 9, 0)), word(2)])
    heard, told, _ = await played(session, point("A"), point("B"))
    assert [scan.values for scan in heard] == [[1, 9], [2, 9], [3, 9], [3, 9]]
    assert told == ["queue_overflow"]
    assert session.acknowledged == [(7, 1)]


async def test_a_notification_that_is_missing_ends_the_session_and_another_subscriptions_word_is_none() -> (
    None
):
    words = [word(1, (1, 1, 0)), word(9, (1, 8, 0), subscription=6), word(2, (1, 2, 0)), word(4, (1, 4, 0))]
    heard, _, why = await played(PlayedSession(words), point("A"))
    assert [scan.values for scan in heard] == [[1], [2]]
    assert why == "notification 4 came after 2: what is between is lost"


async def test_a_subscription_the_server_ends_and_one_it_forgets_are_lost_with_the_reason() -> None:
    ended = Notification(7, 1, [], Answers([], [], {}), ua.StatusCodes.BadTimeout)
    _, _, why = await played(PlayedSession([ended]), point("A"))
    assert why.startswith("the server ended the subscription (BadTimeout")
    _, _, why = await played(PlayedSession([word(1, subscription=6)]), point("A", sampling_ms=2000))
    assert why == "no answer to Publish within 6 s"


async def test_a_server_that_takes_its_time_over_new_items_is_not_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscription_module, "RESOLVE_AGAIN_S", -1)
    monkeypatch.setattr(subscription_module, "BEAT_S", 0.1)
    session = PlayedSession([word(1, (1, 1, 0))], h2=ua.StatusCodes.BadNodeIdUnknown)
    session.slow_s = 0.4
    await played(session, point("A"), point("B"))
    assert session.patience == [0.3, 0.3]


async def test_what_the_server_samples_and_tells_seldomer_than_asked_is_told_once() -> None:
    session = PlayedSession([word(1, (1, 1, 0))])
    session.grants = 500.0, 250.0
    _, told, _ = await played(
        session, point("A", "it"), point("B", sampling_ms=200), point("C", sampling_ms=250)
    )
    assert told == ["publishing", "sampling"]
    assert session.said == [
        "the server tells what changed every 0.5 s, not 0.1 s",
        "the server samples 2 points seldomer than asked: it every 250 ms, not 100 ms",
    ]
    session = PlayedSession([word(1, (1, 1, 0))])
    session.grants = 50.0, 100.0
    assert (await played(session, point("A")))[1] == []


async def test_an_item_that_is_refused_is_its_points_fault_and_a_deadband_that_is_refused_is_left_out() -> (
    None
):
    codes = ua.StatusCodes
    session = PlayedSession(
        [word(1, (1, 1, 0))],
        h1=codes.BadFilterNotAllowed,
        h2=codes.BadTooManyMonitoredItems,
        h3=codes.BadNodeIdUnknown,
    )
    heard, told, _ = await played(session, point("A", deadband=0.5), point("B"), point("C"))
    assert heard[0].values[0] == 1
    too_many, unknown = heard[0].values[1:]
    assert isinstance(too_many, PointFault)
    assert isinstance(unknown, PointFault)
    assert (too_many.kind, unknown.kind) == (FaultKind.BAD, FaultKind.ABSENT)
    assert told == ["deadband"]
    assert [item.RequestedParameters.ClientHandle for item in session.items] == [0, 1, 2, 3, 1]


WORDS = st.sampled_from([0, 1, 2, 7, PointFault(FaultKind.BAD, "BadSensorFailure"), None])
HISTORIES = st.lists(st.tuples(WORDS, st.booleans() | st.none()), min_size=1, max_size=40)


@given(HISTORIES)
def test_subscribed_and_polled_a_history_comes_to_the_same_states(history: list[tuple[Any, Any]]) -> None:
    """Second by second each of two points has a new word or (None) the old one. Polled, every second tells all;
    subscribed, only what changed, or that nothing did."""

    def observer() -> tuple[Observer, list[Any], list[Fact]]:
        builder = PlantBuilder(Path("/nonexistent"))
        builder.connection("cell")
        bound = [
            builder.point(
                "cell", "SB-1", "channel_state", "a", Meaning("text", {0: "Active", 1: "Reset"}), 1, 3
            ),
            builder.point("cell", "SB-1", "alarm", "b", Meaning("bool"), 1, 3),
        ]
        rules = (
            Rule(State.FAULT, {"alarm": OneOf((True,))}),
            Rule(State.PRODUCING, {"channel_state": OneOf(("Active",))}),
        )
        signals = {"channel_state": "SB-1/channel_state", "alarm": "SB-1/alarm"}
        builder.machines.append(Machine("SB-1", signals, {}, rules, 0.0, {}))
        facts: list[Fact] = []
        return Observer(builder.build(), facts.extend, T0), bound, facts

    polled, polled_points, polled_facts = observer()
    subscribed_one, subscribed_points, subscribed_facts = observer()
    known: list[Any] = [None, None]
    latest = Latest(2)
    for second, (state, alarm) in enumerate([(1, False), *history]):
        told = []
        for place, new in enumerate((state, alarm)):
            if new is not None and new != known[place]:
                known[place] = new
                told.append((place, new, None))
        now = T0 + 1000 * second
        polled.feed(polled_points, Scan(list(known)), None, now)
        for scan in latest.scans(told):
            subscribed_one.feed(subscribed_points, scan, None, now)
    end = T0 + 1000 * (len(history) + 1)
    polled.finish(end)
    subscribed_one.finish(end)
    assert subscribed_facts == polled_facts
