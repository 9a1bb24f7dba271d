"""Subscribed points in the connection task: beside polls, under the same breakers, deadlines and errors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.reading import listening
from ganpo_agent.reading.connection import ConnectionTask
from ganpo_agent.timekeeper import GatewayClock, Timekeeper
from ganpo_config.plant import BoundPoint, Meaning
from ganpo_drivers import Identity, Point, Scan
from ganpo_model.errors import ConnectionLost, UnitSilent
from ganpo_service.backoff import Backoff
from support.plants import PlantBuilder, PlayedAddress, PlayedDriver

Deliver = Callable[[Scan], Awaitable[None]]


class Spoken(PlayedAddress):
    """An address whose device speaks by itself."""

    @property
    def subscribed(self) -> bool:
        return True


class Speaking(PlayedDriver):
    """What a subscription does stands in `says`; polls answer as those of the played driver."""

    says: Callable[[Deliver], Awaitable[None]]
    asked: list[list[str]]

    async def subscribe(self, points: Sequence[Point[Any]], deliver: Deliver) -> None:
        self.asked.append([point.name for point in points])
        await type(self).says(deliver)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Speaking.values, Speaking.opened, Speaking.on_open, Speaking.reads, Speaking.asked = {}, 0, None, [], []


class Watched:
    """A connection with the addresses `spoken`, subscribed, and `polled`."""

    def __init__(
        self, folder: Path, spoken: Sequence[str], polled: Sequence[str] = (), driver: Any = Speaking
    ) -> None:
        builder = PlantBuilder(folder)
        builder.connection("cell", driver)
        for text in spoken:
            builder.point("cell", "SB-1", text, Spoken(text=text), Meaning("number"), 1.0)
        for text in polled:
            builder.point("cell", "SB-1", text, text, Meaning("number"), 0.05)
        self.scans: list[tuple[list[str], list[Any]]] = []
        self.failures: list[str] = []
        self.task = ConnectionTask(
            builder.build().connections[0],
            Timekeeper(GatewayClock()),
            self._receive,
            lambda _subjects, why: self.failures.append(why),
            lambda: None,
        )
        self.task._backoff = Backoff(0.05)

    def _receive(self, points: Sequence[BoundPoint], scan: Scan, _identity: Identity | None) -> None:
        self.scans.append(([point.signal for point in points], scan.values))


@asynccontextmanager
async def running(watched: Watched) -> AsyncIterator[Watched]:
    task = asyncio.create_task(watched.task.run())
    try:
        yield watched
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.done()


async def until(condition: Any, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_the_device_speaks_beside_polls_and_the_connection_is_up(tmp_path: Path) -> None:
    async def says(deliver: Deliver) -> None:
        for value in range(1000):
            await deliver(Scan([value, value]))
            await asyncio.sleep(0.02)

    Speaking.says, Speaking.values = says, {"p": 7.0}
    async with running(Watched(tmp_path, ["a", "b"], ["p"])) as watched:
        await until(lambda: watched.task.delivered > 5 and watched.task.polls.made > 3)
        assert (watched.task.state, Speaking.opened, Speaking.asked) == ("up", 1, [["SB-1/a", "SB-1/b"]])
    assert (["a", "b"], [3, 3]) in watched.scans
    assert (["p"], [7.0]) in watched.scans


async def test_a_session_lost_on_either_side_ends_the_other_and_is_opened_again(tmp_path: Path) -> None:
    ended: list[str] = []

    async def says(deliver: Deliver) -> None:
        try:
            await deliver(Scan([1]))
            await asyncio.sleep(3600)
        finally:
            ended.append("subscription")

    Speaking.says, Speaking.values = says, {"p": ConnectionLost("reset by peer", where="cell")}
    async with running(Watched(tmp_path, ["a"], ["p"])) as watched:
        await until(lambda: Speaking.opened >= 2)
        assert ended
        assert watched.failures[0] == "cell: reset by peer"

    async def breaks(_deliver: Deliver) -> None:
        raise ConnectionLost("the subscription died", where="cell")

    Speaking.says, Speaking.values, Speaking.opened = breaks, {"p": 1.0}, 0
    async with running(Watched(tmp_path, ["a"], ["p"])) as watched:
        await until(lambda: Speaking.opened >= 2)
        assert "cell: the subscription died" in watched.failures
        assert watched.task.lost >= 1


async def test_a_subscription_that_only_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MUTE_AT_LEAST_S", 0.2)
    monkeypatch.setattr(listening, "MUTE_INTERVALS", 0.1)

    async def says(deliver: Deliver) -> None:
        for _ in range(4):
            await asyncio.sleep(0.1)
            await deliver(Scan([1]))
        await asyncio.sleep(3600)

    Speaking.says = says
    async with running(Watched(tmp_path, ["a"])) as watched:
        await until(lambda: watched.failures)
        assert watched.failures == ["cell: subscribe has delivered nothing for long"]
        assert watched.task.delivered == 4, "each of them put off the end"
        await until(lambda: Speaking.opened >= 2)


async def test_a_silent_unit_is_listened_to_again_when_its_breaker_allows_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "AGAIN_S", 0.01)

    async def says(_deliver: Deliver) -> None:
        raise UnitSilent("no answer", where="unit 9")

    Speaking.says, Speaking.values = says, {"1:p": 1.0}
    async with running(Watched(tmp_path, ["9:a"], ["1:p"])) as watched:
        await until(lambda: "9" in watched.task.breakers and watched.task.breakers["9"].opened is not None)
        asked = len(Speaking.asked)
        assert asked == 3, "as often as it takes to open the breaker"
        await asyncio.sleep(0.1)
        assert len(Speaking.asked) == asked
        assert (watched.task.state, Speaking.opened) == ("up", 1)
        assert watched.task.error == "9: unit 9: no answer"


@pytest.mark.parametrize("fault", ["returns", "cannot", "cancels itself"])
async def test_a_driver_that_does_not_keep_the_contract_is_a_fault_of_its_connection(
    tmp_path: Path, fault: str
) -> None:
    async def returns(_deliver: Deliver) -> None:
        return

    async def cancels(_deliver: Deliver) -> None:
        raise asyncio.CancelledError

    Speaking.says = cancels if fault == "cancels itself" else returns
    driver = PlayedDriver if fault == "cannot" else Speaking
    async with running(Watched(tmp_path, ["a"], driver=driver)) as watched:
        await until(lambda: len(watched.failures) >= 2)
        said = {
            "returns": "RuntimeError: subscribe returned: it has to deliver until it is cancelled",
            "cannot": "TypeError: PlayedDriver has subscribed addresses and no subscribe",
            "cancels itself": "cell: subscribe was cancelled by its library",
        }
        assert watched.failures[0] == said[fault]
        assert (watched.task.bugs > 0) is (fault != "cancels itself")
