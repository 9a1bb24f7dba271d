"""One task per connection: open, poll, back off (architecture.md). The only owner of its session (I2)."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ganpo_agent.breaker import Breaker
from ganpo_agent.outages import Outages
from ganpo_agent.timekeeper import Timekeeper
from ganpo_config.plant import BoundConnection, BoundPoint
from ganpo_drivers import (
    Address,
    ConnectionSettings,
    Driver,
    Identifies,
    Identity,
    Point,
    PointFault,
    Query,
    Report,
    Reports,
    Scan,
    Subscribes,
)
from ganpo_model.errors import (
    ConnectionLost,
    GanpoError,
    PermanentError,
    TransientError,
    UnitError,
    UnitSilent,
)
from ganpo_service.backoff import Backoff

log = logging.getLogger(__name__)

CALL_LIMIT_S = 60.0
"""Longer than any timeout of a driver: only a call that would never return is cut short."""
CLOSE_LIMIT_S = 2.0
LONGEST_SLEEP_S = 30.0
"""Between polls too the task shows that it is not stuck."""
MUTE_INTERVALS = 3
MUTE_AT_LEAST_S = 60.0
"""A subscription that for longer does not even say that nothing changed is given up, whatever its driver thinks."""
LISTEN_AGAIN_S = 1.0
"""Between two looks whether a silent unit may be listened to again."""
_T = TypeVar("_T")
Receive = Callable[[Sequence[BoundPoint], Scan, Identity | None], None]


@dataclass(slots=True)
class Group:
    """Points of one interval and one key, read together, due together; or points of one key that are subscribed."""

    interval_s: float
    key: str
    points: list[BoundPoint]
    query: Query | None = None
    due: float = 0.0


@dataclass(slots=True)
class Polls:
    """What the schedule did: polls made, due times missed, lateness of the last thousand polls in seconds; and what
    subscriptions delivered."""

    made: int = 0
    skipped: int = 0
    delivered: int = 0
    lateness: deque[float] = field(default_factory=lambda: deque(maxlen=1000))


class ConnectionTask:
    """Runs one connection for ever. `receive` gets every scan at its receipt; `failed` subjects and why. `identify`:
    whether who the device is would be evidence of anything; of meters it is not, and some take the question badly.

    `state`: opening, up, waiting (backs off), parked (permanent), with `since` and `error` for people. `opened` and
    `lost`: sessions so far.
    """

    def __init__(
        self,
        bound: BoundConnection,
        time: Timekeeper,
        receive: Receive,
        failed: Callable[[set[str], str], None],
        changed: Callable[[], None],
        *,
        identify: bool = True,
    ) -> None:
        self.bound = bound
        self._identifies = identify
        self.state = "opening"
        self.since = time.now()
        self.error = ""
        self.bugs = 0
        self.opened = 0
        self.lost = 0
        self.polls = Polls()
        self.progress = time.monotonic()
        self.breakers: dict[str, Breaker] = {}
        self._time = time
        self._receive = receive
        self._failed = failed
        self._changed = changed
        self._backoff = Backoff(bound.settings.back_off_max_s)
        self._groups = grouped([point for point in bound.points if not point.address.subscribed])
        self._subscribed = _by_key([point for point in bound.points if point.address.subscribed])
        self._identity: Identity | None = None
        self._outages = Outages()
        self._spoken = False
        self._driver: Driver[ConnectionSettings, Address] | None = None

    @property
    def reopened(self) -> int:
        """Sessions opened after the first: here after an error, or by the driver within a read."""
        return max(self.opened - 1, 0) + self.report().reopened

    def report(self) -> Report:
        """What the driver met on the line, where it says so; since its last bug."""
        return self._driver.report() if isinstance(self._driver, Reports) else Report(0, {})

    async def run(self) -> None:
        """Open, poll, close; after an error wait and begin again. A bug of the driver stops nobody else.

        The driver stays, with what it learned; after a bug it is a new one.
        """
        while True:
            driver = self._driver = self._driver or self.bound.driver(self.bound.settings)
            try:
                await self._session(driver)
            except TransientError as error:
                pause = self._down("waiting", str(error), self._backoff.pause())
            except GanpoError as error:
                again_s = error.again_s if isinstance(error, PermanentError) else PermanentError.again_s
                pause = self._down("parked", str(error), again_s)
            except Exception as error:  # the supervisor: whatever a driver raises is a bug of this connection
                self.bugs += 1
                told = f"{type(error).__name__}: {error}" == self.error
                log.log(
                    logging.DEBUG if told else logging.ERROR,
                    "driver bug connection=%s",
                    self.bound.name,
                    exc_info=True,
                )
                pause = self._down("waiting", f"{type(error).__name__}: {error}", self._backoff.pause())
                self._driver = None
            finally:
                await self._close(driver)
            _end_if_cancelled()
            self.progress = self._time.monotonic() + pause
            await asyncio.sleep(pause)

    async def _session(self, driver: Driver[ConnectionSettings, Address]) -> None:
        await self._call(driver.open(), "open")
        self.opened += 1
        try:
            for group in self._groups:
                group.query = driver.prepare(_points(group))
            self._identity = await self._identify(driver)
            await _beside([self._polls(driver), *(self._listen(driver, group) for group in self._subscribed)])
        except Exception:
            self.lost += 1
            raise

    async def _polls(self, driver: Driver[ConnectionSettings, Address]) -> None:
        start = self._time.monotonic()
        for group in self._groups:
            group.due = start
        while self._groups:
            group = min(self._groups, key=self._turn)
            await self._wait(driver, group.due)
            await self._poll(driver, group)
        await self._wait(driver, math.inf)

    def _turn(self, group: Group) -> tuple[float, bool]:
        """Who is due first; of those that are due at once, who was silent last comes last: its timeout is then over
        before the others are due again."""
        breaker = self.breakers.get(group.key)
        return group.due, breaker is not None and breaker.failures > 0

    async def _wait(self, driver: Driver[ConnectionSettings, Address], due: float) -> None:
        """Until `due`, however far away: a session that would be forgotten meanwhile is kept alive."""
        await asyncio.sleep(0)
        while (pause := due - self._time.monotonic()) > 0:
            pause = min(pause, await self._call(driver.keep_alive(), "keep alive"), LONGEST_SLEEP_S)
            self.progress = self._time.monotonic()
            await asyncio.sleep(max(pause, 0))

    async def _poll(self, driver: Driver[ConnectionSettings, Address], group: Group) -> None:
        """Read one group that is due, and set its next time on the grid of its interval: no drift."""
        began = self.progress = self._time.monotonic()
        breaker = self.breakers.setdefault(group.key, Breaker())
        if breaker.allows(began) and group.query is not None:
            self.polls.made += 1
            self.polls.lateness.append(began - group.due)
            try:
                scan = await self._call(driver.read(group.query), "read")
            except UnitError as error:
                self._no_answer(breaker, group, error, began)
            else:
                self._answered(breaker, group, scan)
        missed = int((self._time.monotonic() - group.due) // group.interval_s)
        if breaker.opened is None:
            self.polls.skipped += missed
        group.due += (missed + 1) * group.interval_s

    async def _listen(self, driver: Driver[ConnectionSettings, Address], group: Group) -> None:
        """What the device says of a subscribed group, for ever. The breaker says when a silent unit is asked again."""
        if not isinstance(driver, Subscribes):
            raise TypeError(f"{type(driver).__name__} has subscribed addresses and no subscribe")
        breaker = self.breakers.setdefault(group.key, Breaker())
        limit_s = max(MUTE_INTERVALS * group.interval_s, MUTE_AT_LEAST_S)
        while True:
            began = self._time.monotonic()
            if not breaker.allows(began):
                await asyncio.sleep(LISTEN_AGAIN_S)
                continue
            mute = asyncio.timeout(limit_s)

            async def deliver(scan: Scan, mute: asyncio.Timeout = mute) -> None:
                mute.reschedule(asyncio.get_running_loop().time() + limit_s)
                self.polls.delivered += 1
                self._answered(breaker, group, scan)

            try:
                await self._call(driver.subscribe(_points(group), deliver), "subscribe", mute)
                raise RuntimeError("subscribe returned: it has to deliver until it is cancelled")
            except UnitError as error:
                self._no_answer(breaker, group, error, began)
            await asyncio.sleep(LISTEN_AGAIN_S)

    def _no_answer(self, breaker: Breaker, group: Group, error: UnitError, began: float) -> None:
        """A unit gave nothing; raises ConnectionLost where that was the last one that did."""
        self._silent(breaker, group, str(error), self._time.monotonic() - began)
        if isinstance(error, UnitSilent) and self._nobody_answers():
            raise ConnectionLost(f"no unit answers any more: {error}", where=self.bound.name) from error

    def _answered(self, breaker: Breaker, group: Group, scan: Scan) -> None:
        self._outages.back(f"{self.bound.name}/{group.key}", self._time.monotonic())
        breaker.succeeded()
        self._backoff.reset()
        silent = [f"{key}: {b.reason}" for key, b in self.breakers.items() if b.opened is not None]
        self._set("up", "; ".join(silent))
        if not self._spoken:
            self._first(group, scan)
        self._receive(group.points, scan, self._identity)

    def _first(self, group: Group, scan: Scan) -> None:
        """Once in the life of the process: that a connection gives values stands in the log."""
        good = (p for p, v in zip(group.points, scan.values, strict=True) if not isinstance(v, PointFault))
        if (point := next(good, None)) is not None:
            self._spoken = True
            log.info("first value connection=%s point=%s", self.bound.name, point.name)

    def _silent(self, breaker: Breaker, group: Group, reason: str, cost_s: float) -> None:
        was = breaker.opened
        silent = 1 + sum(b.opened is not None for b in self.breakers.values() if b is not breaker)
        breaker.failed(self._time.monotonic(), cost_s, silent, reason)
        if breaker.opened is not None and not self._outages.is_away(self.bound.name):
            self._outages.away(f"{self.bound.name}/{group.key}", reason, self._time.monotonic())
        if was is None and breaker.opened is not None:
            self._set(self.state, reason)
        self._failed({point.subject for point in group.points}, reason)

    def _nobody_answers(self) -> bool:
        """All keys silent: that is the line, not a unit. The next session asks each as if nothing had been."""
        groups = [*self._groups, *self._subscribed]
        found = [self.breakers.get(group.key) for group in groups]
        if any(breaker is None or breaker.opened is None for breaker in found):
            return False
        self.breakers.clear()
        for group in groups:
            self._outages.forget(f"{self.bound.name}/{group.key}")
        return True

    async def _identify(self, driver: Driver[ConnectionSettings, Address]) -> Identity | None:
        if not (self._identifies and isinstance(driver, Identifies)):
            return None
        try:
            return await self._call(driver.identify(), "identify")
        except UnitError as error:
            log.debug("does not identify itself connection=%s why=%s", self.bound.name, error)
            return None

    async def _call(self, work: Awaitable[_T], what: str, mute: asyncio.Timeout | None = None) -> _T:
        """A call to the driver under a deadline, or as long as its deliveries put off the end of `mute`. A library
        that cancels itself has lost its connection."""
        try:
            async with mute or asyncio.timeout(CALL_LIMIT_S):
                done = await work
        except TimeoutError as error:
            said = (
                f"did not return within {CALL_LIMIT_S:g} s"
                if mute is None
                else "has delivered nothing for long"
            )
            raise ConnectionLost(f"{what} {said}", where=self.bound.name) from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise ConnectionLost(f"{what} was cancelled by its library", where=self.bound.name) from error
        _end_if_cancelled()
        return done

    async def _close(self, driver: Driver[ConnectionSettings, Address]) -> None:
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await driver.close()
        except TimeoutError:
            log.debug("close did not return connection=%s", self.bound.name)

    def _down(self, state: str, reason: str, pause: float) -> float:
        why, person = f"{state}: {reason}", state == "parked"
        self._outages.away(self.bound.name, why, self._time.monotonic(), for_a_person=person)
        self._failed({point.subject for point in self.bound.points}, reason)
        self._set(state, reason)
        return pause

    def _set(self, state: str, error: str) -> None:
        if state == "up":
            self._outages.back(self.bound.name, self._time.monotonic())
        if (state, error) != (self.state, self.error):
            if state != self.state:
                self.since = self._time.now()
            self.state, self.error = state, error
            self._changed()


def _end_if_cancelled() -> None:
    """A library may swallow the cancellation of the task it runs in (asyncio.wait_for of 3.11 does): it still ends."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _beside(works: Sequence[Coroutine[None, None, None]]) -> None:
    """All at once, until the first fails or this is cancelled; the others are ended then."""
    if len(works) == 1:
        await works[0]
        return
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        ended, _ = await asyncio.wait(tasks, timeout=CLOSE_LIMIT_S)
        for task in ended:
            if not task.cancelled():
                task.exception()  # the first one counts


def _points(group: Group) -> list[Point[Address]]:
    return [Point(point.name, point.address) for point in group.points]


def _by_key(points: Sequence[BoundPoint]) -> list[Group]:
    """Subscribed points of one key, with the shortest of their intervals."""
    groups: dict[str, Group] = {}
    for point in points:
        group = groups.setdefault(point.address.key, Group(point.interval_s, point.address.key, []))
        group.interval_s = min(group.interval_s, point.interval_s)
        group.points.append(point)
    return list(groups.values())


def grouped(points: Sequence[BoundPoint]) -> list[Group]:
    groups: dict[tuple[float, str], Group] = {}
    for point in points:
        index = (point.interval_s, point.address.key)
        groups.setdefault(index, Group(*index, [])).points.append(point)
    return list(groups.values())
