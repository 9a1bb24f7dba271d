"""The driver `opcua`: cyclic reads, one Read for all points, a result of its own for each."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from asyncua import ua

from ganpo_drivers.api import (
    Address,
    ConnectionSettings,
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
from ganpo_drivers.opcua.resolve import absent, resolve
from ganpo_drivers.opcua.security import Credentials, remarks
from ganpo_drivers.opcua.session import Session, value_attribute
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.values import bad, is_unknown, source_time_of, status_text, value_of
from ganpo_model.errors import ConnectionLost

log = logging.getLogger(__name__)

RESOLVE_AGAIN_S = 600.0
TELL_AGAIN_S = 86400.0
_STATE = value_attribute(ua.NodeId(ua.ObjectIds.Server_ServerStatus_State))
_BUILD_INFO = [
    value_attribute(ua.NodeId(getattr(ua.ObjectIds, f"Server_ServerStatus_BuildInfo_{name}")))
    for name in ("ManufacturerName", "ProductName", "SoftwareVersion")
]


@dataclass(frozen=True, slots=True, eq=False)
class OpcUaQuery:
    """Points that are read together, in one Read request unless the server takes fewer nodes."""

    points: tuple[Point[OpcUaAddress], ...]

    def __str__(self) -> str:
        return f"Read of {len(self.points)} nodes (Value, source time)"


@dataclass(slots=True)
class _Plan:
    """A query in one session. `places`: which point each of `nodes` is; the others have a fault.

    `has`: addresses the server has shown to have, so that later they can only vanish.
    """

    nodes: list[Any]
    places: list[int]
    faults: list[Value | PointFault]
    has: set[OpcUaAddress] = field(default_factory=set)
    again_at: float | None = None


class OpcUaDriver(Driver[OpcUaSettings, OpcUaAddress]):
    """One session on one server. Learns how many nodes a request may have and keeps it."""

    connection_type: ClassVar[type[ConnectionSettings]] = OpcUaSettings
    address_type: ClassVar[type[Address]] = OpcUaAddress

    def __init__(self, connection: OpcUaSettings) -> None:
        super().__init__(connection)
        self._batches = Batches()
        self._session: Session | None = None
        self._credentials = Credentials()
        self._reopened = 0
        self._faults: Counter[tuple[str, str]] = Counter()
        self._tell_at = 0.0
        self._plans: dict[Query, _Plan] = {}

    async def open(self) -> None:
        """A fresh session.

        Raises Unreachable, ConnectionLost, AccessRefused, CertificateNotTrusted, UnsupportedProtocol, and StorageError
        where our certificate cannot be kept.
        """
        await self.close()
        self._session = Session(self.connection, self._batches)
        await self._session.open()
        self._credentials = self._session.credentials

    def prepare(self, points: Sequence[Point[OpcUaAddress]]) -> OpcUaQuery:
        """Nothing to pack: nodes are resolved at the first read of a session."""
        return OpcUaQuery(tuple(points))

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
            items = await session.read(plan.nodes or [_STATE])
        values = list(plan.faults)
        source_times: list[Any] = [None] * len(values)
        uncertain = self.connection.accept_uncertain
        for place, item in zip(plan.places, items, strict=False):
            value = value_of(item, uncertain)
            address = query.points[place].address
            if isinstance(value, PointFault) and is_unknown(item):
                value = self._gone(plan, address, item, now)
            else:
                plan.has.add(address)
            values[place] = value
            source_times[place] = source_time_of(item)
        return Scan(values, source_times)

    async def keep_alive(self) -> float:
        """The state of the server, before it would end the session or the channel for want of requests.

        Raises ConnectionLost, AccessRefused, and what `open` raises.
        """
        session = await self._ready()
        self._tell()
        if session.rest_s <= 0:
            await session.read([_STATE])
        return session.rest_s

    async def close(self) -> None:
        """Say CloseSession and free the socket."""
        session, self._session = self._session, None
        self._plans.clear()
        if session is not None:
            await session.close()

    async def identify(self) -> Identity:
        """What the server's BuildInfo says."""
        session = await self._ready()
        values = [value_of(item, accept_uncertain=True) for item in await session.read(_BUILD_INFO)]
        vendor, product, version = ("" if isinstance(value, PointFault) else str(value) for value in values)
        return Identity(vendor=vendor, model=product, controller=f"{product} {version}".strip())

    def report(self) -> Report:
        """Sessions opened again because the server had forgotten them, reads that failed, how certificates stand."""
        notes = remarks(self.connection, self._credentials, datetime.now(UTC))
        return Report(self._reopened, self._faults, notes, self._credentials.expire())

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except ConnectionLost as error:
            self._faults["", "silent" if isinstance(error.__cause__, TimeoutError) else "broken"] += 1
            raise

    def _tell(self) -> None:
        """In the log, once a day, what a person should know of the certificates."""
        now = asyncio.get_running_loop().time()
        if now >= self._tell_at:
            self._tell_at = now + TELL_AGAIN_S
            for note in self.report().notes:
                log.warning("%s: %s", self.connection.url, note)

    async def _ready(self) -> Session:
        if self._session is not None and self._session.expired:
            await self.open()
            self._reopened += 1
        if self._session is None:
            raise ConnectionLost("no session is open", where=self.connection.url)
        return self._session

    async def _plan(self, session: Session, query: Query, has: set[OpcUaAddress], now: float) -> _Plan:
        found = await resolve(session, {point.address: None for point in query.points})
        plan = _Plan([], [], [bad("not read")] * len(query.points), has)
        for place, point in enumerate(query.points):
            node = found[point.address]
            if not isinstance(node, PointFault):
                plan.places.append(place)
                plan.nodes.append(value_attribute(node))
                if point.address.path:
                    has.add(point.address)
                continue
            plan.faults[place] = bad(f"vanished: {node.text}") if point.address in has else node
            plan.again_at = now + RESOLVE_AGAIN_S
        return plan

    @staticmethod
    def _gone(plan: _Plan, address: OpcUaAddress, item: Any, now: float) -> PointFault:
        text = status_text(item.StatusCode.value)
        if address not in plan.has:
            return absent(text)
        plan.again_at = plan.again_at or now + RESOLVE_AGAIN_S
        return bad(f"vanished: {text}")
