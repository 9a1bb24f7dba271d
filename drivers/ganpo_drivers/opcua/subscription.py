"""A subscription: the server says what changes; its words become scans. It dies with its session, never unnoticed."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

from asyncua import ua

from ganpo_drivers.api import FaultKind, Point, PointFault, Scan, Value
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.binary import Notification
from ganpo_drivers.opcua.data_values import Unreadable
from ganpo_drivers.opcua.granted import SESSION_TIMEOUT_S
from ganpo_drivers.opcua.resolve import RESOLVE_AGAIN_S, resolve
from ganpo_drivers.opcua.session import Session
from ganpo_drivers.opcua.values import Answer, absent, bad, status_text
from ganpo_model.errors import ConnectionLost, UnsupportedProtocol

DEFAULT_SAMPLING_MS = 1000
LONGEST_PUBLISHING_S = 10.0
"""However seldom a value is sampled: so often the server says that it is there."""
BEAT_S = 1.0
"""More often it need not, however fast it samples."""
SILENT_BEATS = 3
QUEUE = 10
"""Values of one item that the server keeps where it cannot tell them at once."""
_CURRENT_TIME = ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime)
_HEART = 0
"""The handle of the item on the server's time; the points have theirs from 1 on."""
_NO_SUBSCRIPTION = frozenset(
    (
        ua.StatusCodes.BadServiceUnsupported,
        ua.StatusCodes.BadNotImplemented,
        ua.StatusCodes.BadTooManySubscriptions,
    )
)
_NO_FILTER = frozenset(
    (
        ua.StatusCodes.BadFilterNotAllowed,
        ua.StatusCodes.BadMonitoredItemFilterInvalid,
        ua.StatusCodes.BadMonitoredItemFilterUnsupported,
        ua.StatusCodes.BadDeadbandFilterInvalid,
    )
)


class Refused(Exception):
    """The server gives no subscription, for the reason in the text; its points can still be read."""


def publishing_s(points: Sequence[Point[OpcUaAddress]]) -> float:
    """Seconds between two looks at what is new: as the fastest of the points is sampled, and often enough to hear that
    the server is there."""
    return min(LONGEST_PUBLISHING_S, *(sampling_ms(point.address) / 1000 for point in points))


class Latest:
    """The last word of each of `number` points."""

    def __init__(self, number: int) -> None:
        self.values: list[Value | PointFault] = [
            PointFault(FaultKind.MISSING, "no notification yet") for _ in range(number)
        ]
        self.times: list[Any] = [None] * number

    def scans(self, news: Iterable[tuple[int, Value | PointFault, Any]]) -> Iterator[Scan]:
        """The scans that news (place, value, source time) amount to, in the order of each point: the values of one
        point are in scans of their own. Without news, one that confirms what is known."""
        turns: list[list[tuple[int, Value | PointFault, Any]]] = [[]]
        heard: dict[int, int] = {}
        for item in news:
            turn = heard[item[0]] = heard.get(item[0], -1) + 1
            if turn == len(turns):
                turns.append([])
            turns[turn].append(item)
        for items in turns:
            for place, value, time in items:
                self.values[place], self.times[place] = value, time
            yield Scan(list(self.values), list(self.times))


class Subscription:
    """The points of one session that are subscribed. `tell(kind, text)` hears what a person should know."""

    def __init__(
        self,
        session: Session,
        points: Sequence[Point[OpcUaAddress]],
        accept_uncertain: bool,
        tell: Callable[[str, str], None],
    ) -> None:
        self._session = session
        self._points = points
        self._accept_uncertain = accept_uncertain
        self._tell = tell
        self._latest = Latest(len(points))
        self._had: set[int] = set()
        self._lacking: set[int] = set()
        self._id = 0
        self._beat_s = BEAT_S

    async def run(self, deliver: Callable[[Scan], Awaitable[None]]) -> None:
        """Deliver scans until cancelled. Raises Refused; ConnectionLost, also after three intervals without a word, or
        where a notification is missing in their row; AccessRefused."""
        clock = asyncio.get_running_loop().time
        await self._create()
        await self._monitor(range(len(self._points)))
        heard, look_again = clock(), clock() + RESOLVE_AGAIN_S
        acknowledged: list[tuple[int, int]] = []
        last: int | None = None
        while True:
            left = heard + SILENT_BEATS * self._beat_s - clock()
            try:
                word = await self._session.publish(acknowledged, max(round(left, 1), 0.1))
            except Unreadable as error:  # what else it held is read, point by point
                raise Refused(f"a notification cannot be understood ({error})") from error
            acknowledged = [(word.subscription, word.number)] if word.handles else []
            if word.subscription != self._id:
                continue
            heard = clock()
            if word.ended is not None:
                raise ConnectionLost(
                    f"the server ended the subscription ({status_text(word.ended)})",
                    where=self._session.where,
                )
            if word.handles:
                if last is not None and word.number not in (last + 1, 1):
                    raise ConnectionLost(
                        f"notification {word.number} came after {last}: what is between is lost",
                        where=self._session.where,
                    )
                last = word.number
            for scan in self._latest.scans(self._news(word)):
                await deliver(scan)
            if heard >= look_again:
                look_again = heard + RESOLVE_AGAIN_S
                await self._monitor(sorted(self._lacking))
                heard = clock()  # it answered just now, however long that took

    async def _create(self) -> None:
        """The subscription, and the item that shows that it lives."""
        wanted_s = publishing_s(self._points)
        beats = max(1, math.ceil(BEAT_S / wanted_s))
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=wanted_s * 1000,
            RequestedMaxKeepAliveCount=beats,
            RequestedLifetimeCount=max(10 * beats, math.ceil(SESSION_TIMEOUT_S / wanted_s)),
        )
        try:
            granted = await self._session.create_subscription(parameters)
        except (ConnectionLost, UnsupportedProtocol) as error:
            if getattr(error.__cause__, "code", None) not in _NO_SUBSCRIPTION:
                raise
            raise Refused(error.what) from error
        self._id = granted.SubscriptionId
        interval_s = max(wanted_s, granted.RevisedPublishingInterval / 1000)
        if interval_s > wanted_s:
            self._tell(
                "publishing", f"the server tells what changed every {interval_s:g} s, not {wanted_s:g} s"
            )
        self._beat_s = max(interval_s, BEAT_S)
        heart = _item(_CURRENT_TIME, _HEART, self._beat_s * 1000, None)
        (result,) = await self._session.monitor(self._id, [heart])
        if result.StatusCode.is_good():
            self._beat_s = max(self._beat_s, result.RevisedSamplingInterval / 1000)
        else:
            self._beat_s = max(self._beat_s, interval_s * granted.RevisedMaxKeepAliveCount)

    async def _monitor(self, places: Sequence[int]) -> None:
        """An item for each of the points at `places`, or the fault that says why there is none."""
        found = await resolve(self._session, {self._points[place].address: None for place in places})
        asked: list[tuple[int, Any]] = []
        for place in places:
            node = found[self._points[place].address]
            if isinstance(node, PointFault):
                self._lack(place, node)
            else:
                asked.append((place, node))
        refused = await self._add(asked, with_deadband=True)
        await self._add(refused, with_deadband=False)

    async def _add(self, asked: Sequence[tuple[int, Any]], *, with_deadband: bool) -> list[tuple[int, Any]]:
        """Order the items; gives those whose deadband the server does not take."""
        items = [
            _item(
                node,
                place + 1,
                sampling_ms(self._points[place].address),
                self._points[place].address.deadband if with_deadband else None,
            )
            for place, node in asked
        ]
        refused: list[tuple[int, Any]] = []
        slower: list[tuple[str, float, float]] = []
        results = await self._session.monitor(self._id, items)
        for (place, node), result in zip(asked, results, strict=True):
            code = result.StatusCode.value
            if result.StatusCode.is_good():
                self._lacking.discard(place)
                asked_ms, granted_ms = (
                    sampling_ms(self._points[place].address),
                    result.RevisedSamplingInterval,
                )
                if granted_ms > asked_ms:
                    slower.append((self._points[place].name, granted_ms, asked_ms))
            elif with_deadband and code in _NO_FILTER:
                refused.append((place, node))
                name = self._points[place].name
                self._tell("deadband", f"the server takes no deadband for {name}: it is told every change")
            else:
                unknown = Answer(None, 0, code, None).is_unknown
                self._lack(place, absent(status_text(code)) if unknown else bad(status_text(code)))
        if slower:
            name, granted_ms, asked_ms = max(slower, key=lambda one: one[1] / one[2])
            self._tell(
                "sampling",
                f"the server samples {len(slower)} points seldomer than asked: {name} every {granted_ms:g} ms, "
                f"not {asked_ms:g} ms",
            )
        return refused

    def _lack(self, place: int, fault: PointFault) -> None:
        self._lacking.add(place)
        if fault.kind is FaultKind.ABSENT and place in self._had:
            fault = bad(f"vanished: {fault.text}")
        self._latest.values[place], self._latest.times[place] = fault, None

    def _news(self, word: Notification) -> Iterator[tuple[int, Value | PointFault, Any]]:
        uris, uncertain = self._session.uris, self._accept_uncertain
        rest, times = word.answers.rest, word.answers.times
        for item, handle in enumerate(word.handles):
            if not 0 < handle <= len(self._points):
                continue
            place = handle - 1
            value = word.answers.value(item, self._points[place].address, uris, uncertain)
            if (answer := rest.get(item)) is not None:
                value = self._told(place, answer, value)
            if not isinstance(value, PointFault):
                self._had.add(place)
            yield place, value, times[item]

    def _told(self, place: int, answer: Answer, value: Value | PointFault) -> Value | PointFault:
        """What comes of an answer that is more than a value."""
        if answer.overflowed:
            name = self._points[place].name
            self._tell("queue_overflow", f"values of {name} were lost in the server's queue")
        if not answer.is_unknown or not isinstance(value, PointFault):
            return value
        self._lacking.add(place)
        return bad(f"vanished: {value.text}")


def sampling_ms(address: OpcUaAddress) -> float:
    """How often the server looks at the value."""
    return address.sampling_ms or DEFAULT_SAMPLING_MS


def _item(node: Any, handle: int, sampling_ms: float, deadband: float | None) -> Any:
    parameters = ua.MonitoringParameters(
        ClientHandle=handle, SamplingInterval=sampling_ms, QueueSize=QUEUE, DiscardOldest=True
    )
    if deadband is not None:
        parameters.Filter = ua.DataChangeFilter(
            Trigger=ua.DataChangeTrigger.StatusValue,
            DeadbandType=ua.DeadbandType.Absolute.value,
            DeadbandValue=deadband,
        )
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=parameters,
    )
