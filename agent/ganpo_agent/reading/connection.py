"""One task per connection: open, poll, back off (architecture.md). The only owner of its session (I2)."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from ganpo_agent.reading.asking import Asking, Work
from ganpo_agent.reading.calls import END_LIMIT_S, Calls, beside, end_if_cancelled
from ganpo_agent.reading.groups import Group, grouped
from ganpo_agent.reading.listening import listen
from ganpo_agent.reading.notes import Notes
from ganpo_agent.reading.outages import Outages
from ganpo_agent.reading.pace import Pace
from ganpo_agent.reading.polling import Polls
from ganpo_agent.timekeeper import Timekeeper
from ganpo_config.plant import BoundConnection, BoundPoint
from ganpo_drivers import (
    Address,
    ConnectionSettings,
    Driver,
    Identifies,
    Identity,
    PointFault,
    Report,
    Reports,
    Scan,
)
from ganpo_model.errors import (
    ConnectionLost,
    GanpoError,
    PermanentError,
    TransientError,
    UnitError,
    UnitSilent,
    Unreachable,
)
from ganpo_service.backoff import Backoff

log = logging.getLogger(__name__)

_T = TypeVar("_T")
Receive = Callable[[Sequence[BoundPoint], Scan, Identity | None], None]


class ConnectionTask:
    """Runs one connection. `receive` gets every scan at its receipt; `failed` subjects and why. `identify`: whether
    who the device is would be evidence of anything; of meters it is not, and some take the question badly.

    `state`: opening, up, waiting (backs off), parked (permanent), with `since` and `error` for people, and the `code`
    of what parked it. `opened` and
    `lost`: sessions so far. `delivered`: by subscriptions. `progress`: when it last did something, monotonic.
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
        self.state = "opening"
        self.since = time.now()
        self.error = ""
        self.code = ""
        self.bugs = 0
        self.opened = 0
        self.lost = 0
        self.delivered = 0
        groups = grouped(bound.points)
        self.breakers = {group.key: group.breaker for group in groups}
        self._calls = Calls(bound.name, time)
        polled = [group for group in groups if not group.subscribed]
        self._asking = Asking(bound.name, self._calls, time)
        self.polls = Polls(polled, self._calls, time, self._answered, self._silent, self._asking)
        self._subscribed = [group for group in groups if group.subscribed]
        self._identifies = identify
        self._identity: Identity | None = None
        self._time = time
        self._receive = receive
        self._failed = failed
        self._changed = changed
        self._backoff = Backoff(bound.settings.back_off_max_s)
        self._outages = Outages()
        self._notes = Notes(bound.name)
        self._spoken = False
        self._rests_until = 0.0
        self._driver: Driver[ConnectionSettings, Address] | None = None

    @property
    def pace(self) -> Pace:
        """What its rounds take, and when it answered last."""
        return self.polls.pace

    @property
    def progress(self) -> float:
        """A pause that was meant counts as progress until its end."""
        return max(self._calls.progress, self._rests_until)

    @property
    def reopened(self) -> int:
        """Sessions opened after the first: here after an error, or by the driver within a read."""
        return max(self.opened - 1, 0) + self.report().reopened

    def report(self) -> Report:
        """What the driver met on the line, where it says so; since its last bug."""
        return self._driver.report() if isinstance(self._driver, Reports) else Report(0, {})

    def succeed(self, other: "ConnectionTask") -> None:
        """Take the place of another once that has ended: with its driver, which learned something, where the session is
        the same."""
        if other.bound.driver is self.bound.driver and other.bound.settings == self.bound.settings:
            self._driver = other._driver  # noqa: SLF001 - of its own class

    def retire(self) -> None:
        """It ends, and its points may be another's already: what it may still hear is nobody's."""
        self._asking.refuse("its settings have changed")
        self._receive = lambda *_: None
        self._failed = lambda *_: None
        self._changed = lambda: None

    async def ask(self, work: Work[_T]) -> _T:
        """What `work` gives with the connection's own driver, between two polls; people ask for it.

        Raises what it raises, and Unreachable where there is no session; UnitBusy where too many ask.
        """
        if self.state == "parked":
            self._asking.refuse(self.error)
            raise Unreachable(
                f"the gateway has no session there: {self.error}", where=f"connections.{self.bound.name}"
            )
        return await self._asking.ask(work)

    async def run(self) -> None:
        """Open, poll, close; after an error wait and begin again, until cancelled; then it may be run again.

        A bug of the driver stops nobody else, wherever it is. The driver stays, with what it learned; after a bug it is
        a new one.
        """
        self._set("opening", "")
        while True:
            try:
                driver = self._driver = self._driver or self.bound.driver(self.bound.settings)
                try:
                    await self._session(driver)
                finally:
                    await self._close(driver)
            except TransientError as error:
                pause = self._down("waiting", str(error), self._backoff.pause())
            except GanpoError as error:
                self.code = error.code
                again_s = error.again_s if isinstance(error, PermanentError) else PermanentError.again_s
                pause = self._down("parked", str(error), again_s)
            except Exception as error:  # the supervisor: whatever a driver raises is a bug of this connection
                self.bugs += 1
                reason = f"{type(error).__name__}: {error}"
                level = logging.DEBUG if reason == self.error else logging.ERROR
                log.log(level, "driver bug connection=%s", self.bound.name, exc_info=True)
                pause = self._down("waiting", reason, self._backoff.pause())
                self._driver = None
            end_if_cancelled()
            self._rests_until = self._time.monotonic() + pause
            await asyncio.sleep(pause)

    async def _session(self, driver: Driver[ConnectionSettings, Address]) -> None:
        try:
            await self._calls.make(driver.open(), "open")
        except Exception as error:
            self._asking.refuse(str(error))
            raise
        self.opened += 1
        try:
            self._identity = await self._identify(driver)
            listening = [
                listen(driver, group, self._calls, self._time, self._delivered, self._silent)
                for group in self._subscribed
            ]
            await beside([self.polls.run(driver), *listening])
        except Exception:
            self.lost += 1
            raise

    async def _identify(self, driver: Driver[ConnectionSettings, Address]) -> Identity | None:
        if not (self._identifies and isinstance(driver, Identifies)):
            return None
        try:
            return await self._calls.make(driver.identify(), "identify")
        except UnitError as error:
            log.debug("does not identify itself connection=%s why=%s", self.bound.name, error)
            return None

    async def _close(self, driver: Driver[ConnectionSettings, Address]) -> None:
        try:
            async with asyncio.timeout(END_LIMIT_S):
                await driver.close()
        except (TimeoutError, asyncio.CancelledError):
            end_if_cancelled()
            log.debug("close did not return connection=%s", self.bound.name)

    def _delivered(self, group: Group, scan: Scan) -> None:
        self.delivered += 1
        self.pace.answered_at = self._time.monotonic()
        self._answered(group, scan)

    def _answered(self, group: Group, scan: Scan) -> None:
        self._outages.back(self._unit(group.key), self._time.monotonic())
        group.breaker.reset()
        group.breaker.reads += 1
        self._notes.look(self._driver, self._time.monotonic())
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

    def _silent(self, group: Group, error: UnitError, began: float) -> None:
        """A unit that was asked at `began` gave nothing. Raises ConnectionLost where it was the last one that did: that
        is the line, not a unit, and the next session asks each as if nothing had been."""
        now, reason, breaker = self._time.monotonic(), str(error), group.breaker
        was_open = breaker.opened is not None
        silent = 1 + sum(b.opened is not None for b in self.breakers.values() if b is not breaker)
        breaker.failed(now, now - began, silent, reason)
        if breaker.opened is not None:
            if not self._outages.is_away(self.bound.name):
                self._outages.away(self._unit(group.key), reason, now)
            if not was_open:
                self._set(self.state, reason)
        self._failed(group.subjects, reason)
        if isinstance(error, UnitSilent) and all(b.opened is not None for b in self.breakers.values()):
            for key, other in self.breakers.items():
                other.reset()
                self._outages.forget(self._unit(key))
            raise ConnectionLost(f"no unit answers any more: {reason}", where=self.bound.name) from error

    def _unit(self, key: str) -> str:
        return f"{self.bound.name}/{key}"

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
