"""The driver `opcua`: one Read for all points that are due, subscriptions beside it, a result of its own for each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from asyncua import ua

from ganpo_drivers.api import (
    Address,
    ConnectionSettings,
    Cost,
    Driver,
    Identity,
    Point,
    PointFault,
    Query,
    Report,
    Scan,
    Value,
)
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.batches import Batches
from ganpo_drivers.opcua.browsing import variables_below
from ganpo_drivers.opcua.query import OpcUaQuery, cost
from ganpo_drivers.opcua.resolve import RESOLVE_AGAIN_S, resolve
from ganpo_drivers.opcua.security import Credentials, remarks
from ganpo_drivers.opcua.session import Session, value_attribute
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.subscription import Refused, Subscription, publishing_s
from ganpo_drivers.opcua.values import Answer, Answers, absent, bad, status_text
from ganpo_model.errors import ConnectionLost

_STATE = value_attribute(ua.NodeId(ua.ObjectIds.Server_ServerStatus_State))
_BUILD_INFO = [
    value_attribute(ua.NodeId(getattr(ua.ObjectIds, f"Server_ServerStatus_BuildInfo_{name}")))
    for name in ("ManufacturerName", "ProductName", "SoftwareVersion")
]
_ITSELF = OpcUaAddress(identifier="i=2256")


@dataclass(slots=True)
class _Plan:
    """A query in one session: `items` to read, and `places`, which points each of them is. The others have `faults`.

    `direct`: every point is an item of its own, in their order. `special`: items of which an address asks for more than
    the value as it is. `has`: places of points that the server has shown to have, so that later they can only vanish.
    """

    items: list[bytes]
    places: list[list[int]]
    faults: list[Value | PointFault]
    has: set[int]
    special: set[int] = field(default_factory=set)
    direct: bool = False
    again_at: float | None = None


class OpcUaDriver(Driver[OpcUaSettings, OpcUaAddress]):
    """One session on one server. Learns how many nodes a request may have and keeps it."""

    connection_type: ClassVar[type[ConnectionSettings]] = OpcUaSettings
    address_type: ClassVar[type[Address]] = OpcUaAddress

    def __init__(self, connection: OpcUaSettings) -> None:
        super().__init__(connection)
        self._batches = Batches()
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._credentials = Credentials()
        self._reopened = 0
        self._faults: Counter[tuple[str, str]] = Counter()
        self._plans: dict[Query, _Plan] = {}
        self._notes: dict[str, str] = {}
        self._offers: Sequence[str] = ()

    async def open(self) -> None:
        """A fresh session.

        Raises Unreachable, ConnectionLost, AccessRefused, CertificateNotTrusted, UnsupportedProtocol, and StorageError
        where our certificate cannot be kept.
        """
        await self.close()
        self._session = Session(self.connection, self._batches)
        await self._session.open()
        self._credentials, self._offers = self._session.credentials, self._session.offers

    def prepare(self, points: Sequence[Point[OpcUaAddress]]) -> OpcUaQuery:
        """Nothing to pack: nodes are resolved at the first read of a session."""
        return OpcUaQuery(tuple(points))

    def estimate(self, query: Query) -> Cost:
        """As far as it is known offline: a server that takes fewer nodes in a request says so once it is reached."""
        if not isinstance(query, OpcUaQuery):
            raise TypeError("a query of another driver")
        return cost(query, self._batches.read.most, self.connection.timeout_s)

    async def read(self, query: Query) -> Scan:
        """One Read. A session that the server has dropped because polls are slow is opened anew first.

        Raises ConnectionLost (silence too: there is one answer for all nodes), AccessRefused, and what `open` raises.
        """
        session = await self._ready()
        now = asyncio.get_running_loop().time()
        plan = self._plans.get(query)
        if plan is None or (plan.again_at is not None and now >= plan.again_at):
            with self._counted():
                plan = await self._plan(session, query, plan.has if plan else set(), now)
            self._plans[query] = plan
        with self._counted():
            # with nothing to read the state of the server shows that the session lives
            answers = await session.read(plan.items or [_STATE])
        if plan.direct:
            values, times = answers.values, answers.times
        else:
            values, times = list(plan.faults), [None] * len(plan.faults)
            for places, value, time in zip(plan.places, answers.values, answers.times, strict=False):
                for place in places:
                    values[place], times[place] = value, time
        self._look(session, plan, query.points, answers, values, now)
        return Scan(values, times)

    def _look(
        self,
        session: Session,
        plan: _Plan,
        points: Sequence[Point[OpcUaAddress]],
        answers: Answers,
        values: list[Value | PointFault],
        now: float,
    ) -> None:
        """Put into `values` what is not simply what was answered."""
        uncertain, uris, rest, has = self.connection.accept_uncertain, session.uris, answers.rest, plan.has
        if len(has) < len(values):
            shown = (places for item, places in enumerate(plan.places) if item not in rest)
            has.update(place for places in shown for place in places)
        for item in {*rest, *plan.special}:
            answer = rest.get(item)
            for place in plan.places[item]:
                value = answers.value(item, points[place].address, uris, uncertain)
                if answer is not None and answer.is_unknown:
                    value = self._gone(plan, place, answer, now)
                else:
                    has.add(place)
                values[place] = value

    async def subscribe(
        self, points: Sequence[Point[Any]], deliver: Callable[[Scan], Awaitable[None]]
    ) -> None:
        """One subscription for all points, with an item on the server's time. Raises what `read` raises, and
        ConnectionLost after three intervals without a notification. What overflowed is in the report. Where the server
        gives no subscription the points are read as often, until it is asked for one again."""
        query, clock = self.prepare(points), asyncio.get_running_loop().time
        while True:
            session = await self._ready()
            uncertain = self.connection.accept_uncertain
            for kind in ("subscription", "deadband", "sampling", "publishing"):
                self._notes.pop(kind, None)  # the server is asked anew
            try:
                with self._counted():
                    await Subscription(session, points, uncertain, self._met).run(deliver)
            except Refused as refused:
                self._met("subscription", f"{refused}: what is subscribed is read instead")
            ends = clock() + RESOLVE_AGAIN_S
            while clock() < ends:
                await deliver(await self.read(query))
                await asyncio.sleep(publishing_s(points))

    async def browse(self, start: str) -> AsyncIterator[str]:
        """Node ids of the variables below the node at the address `start`, or below Objects where it is empty.

        Raises ValueError for what is no address of a node that the server has, and what `read` raises.
        """
        session = await self._ready()
        async for address in variables_below(session, start):
            yield address

    async def keep_alive(self) -> float:
        """The state of the server, before it would end the session or the channel for want of requests.

        Raises ConnectionLost, AccessRefused, and what `open` raises.
        """
        session = await self._ready()
        if session.granted.rest_s <= 0:
            await session.read([_STATE])
        return session.granted.rest_s

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """What people read once is not kept ready to be read again."""
        ready = set(self._plans)
        try:
            yield
        finally:
            for query in self._plans.keys() - ready:
                del self._plans[query]

    async def close(self) -> None:
        """Say CloseSession and free the socket."""
        session, self._session = self._session, None
        self._plans.clear()
        if session is not None:
            await session.close()

    async def identify(self) -> Identity:
        """What the server's BuildInfo says."""
        session = await self._ready()
        answers = await session.read(_BUILD_INFO)
        values = [
            answers.value(item, _ITSELF, session.uris, accept_uncertain=True)
            for item in range(len(_BUILD_INFO))
        ]
        vendor, product, version = ("" if isinstance(value, PointFault) else str(value) for value in values)
        return Identity(vendor=vendor, model=product, controller=f"{product} {version}".strip())

    def report(self) -> Report:
        """Sessions opened again because the server had forgotten them; what failed or was lost in a subscription; how
        the session is secured, and what the server does not do."""
        notes = remarks(self.connection, self._credentials, self._offers, datetime.now(UTC))
        notes += self._notes.values()
        return Report(self._reopened, self._faults, notes, self._credentials.expire())

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except ConnectionLost as error:
            self._faults["", "silent" if isinstance(error.__cause__, TimeoutError) else "broken"] += 1
            raise

    def _met(self, kind: str, text: str) -> None:
        self._faults["", kind] += 1
        self._notes[kind] = text

    async def _ready(self) -> Session:
        async with self._opening:  # a subscription that is read instead comes beside the polls
            if self._session is not None and self._session.granted.expired:
                await self.open()
                self._reopened += 1
        if self._session is None:
            raise ConnectionLost("no session is open", where=self.connection.url)
        return self._session

    async def _plan(self, session: Session, query: Query, has: set[int], now: float) -> _Plan:
        found = await resolve(session, {point.address: None for point in query.points})
        plan = _Plan([], [], [bad("not read")] * len(query.points), has)
        known: dict[bytes, int] = {}
        for place, point in enumerate(query.points):
            node = found[point.address]
            if not isinstance(node, PointFault):
                item = known.setdefault(value_attribute(node), len(known))
                if item == len(plan.places):
                    plan.places.append([])
                plan.places[item].append(place)
                if point.address.index or point.address.number:
                    plan.special.add(item)
                if point.address.path:
                    has.add(place)
                continue
            plan.faults[place] = bad(f"vanished: {node.text}") if place in has else node
            plan.again_at = now + RESOLVE_AGAIN_S
        plan.items = list(known)
        plan.direct = len(plan.items) == len(query.points)
        return plan

    @staticmethod
    def _gone(plan: _Plan, place: int, answer: Answer, now: float) -> PointFault:
        text = status_text(answer.status)
        if place not in plan.has:
            return absent(text)
        plan.again_at = plan.again_at or now + RESOLVE_AGAIN_S
        return bad(f"vanished: {text}")
