"""One OPC UA session on asyncua: a deadline on every request, our errors only, no task, no reconnection."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, Self, TypeVar

from asyncua import ua
from asyncua.client.ua_client import UaClientState
from asyncua.ua.ua_binary import struct_from_binary

from ganpo_drivers.opcua import binary
from ganpo_drivers.opcua.batches import Batches, BatchSize
from ganpo_drivers.opcua.client import Client
from ganpo_drivers.opcua.errors import TooMuch, asking
from ganpo_drivers.opcua.granted import Granted
from ganpo_drivers.opcua.login import log_in
from ganpo_drivers.opcua.security import Credentials, offers, policy_of
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.values import Answers
from ganpo_model.errors import ConnectionLost, GanpoError

log = logging.getLogger(__name__)

CLOSE_S = 1.0
_IDS = ua.ObjectIds
_LIMIT = "Server_ServerCapabilities_OperationLimits_MaxNodesPer"
_MOST_MONITORED = _IDS.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall


class Collected(Protocol):
    """Answers to which those of the next request are added."""

    def __len__(self) -> int: ...

    def extend(self, more: Self, /) -> None: ...


ItemT = TypeVar("ItemT")
AnswerT = TypeVar("AnswerT")
CollectedT = TypeVar("CollectedT", bound=Collected)


class Session:
    """Opened once, used, closed; then a new one. `batches` outlives it. `uris`: the server's namespaces by index."""

    def __init__(self, settings: OpcUaSettings, batches: Batches) -> None:
        self.where = settings.url
        self.namespaces: dict[str, int] = {}
        self.uris: list[str] = []
        self.credentials = Credentials()
        self._settings = settings
        self._timeout_s = settings.timeout_s
        self._batches = batches
        self._client = Client(settings)
        self._transport = self._client.transport
        self.granted = Granted(self._client)
        self._renewing = asyncio.Lock()

    async def open(self) -> None:
        """Connect and learn namespaces and limits.

        Raises Unreachable, AccessRefused, CertificateNotTrusted, UnsupportedProtocol, and StorageError where our own
        certificate cannot be read or made.
        """
        self.credentials = await asyncio.to_thread(Credentials.of, self._settings, datetime.now(UTC))
        self._client.security_policy = policy_of(self._settings, self.credentials)
        self._transport.set_security(self._client.security_policy)
        await self._client.begin()
        await log_in(self._client, self._settings, self.credentials)
        self.granted.used()
        self.granted.renewed()
        await self._learn()

    @property
    def offers(self) -> list[str]:
        """What the server offers, as settings spell it."""
        return offers(self._transport.endpoints)

    async def _learn(self) -> None:
        names = ("Read", "Browse", "TranslateBrowsePathsToNodeIds")
        ids = (_IDS.Server_NamespaceArray, *(getattr(_IDS, _LIMIT + name) for name in names))
        answers = await self.read([value_attribute(ua.NodeId(number)) for number in ids])
        uris, *limits = answers.values
        if not isinstance(uris, list):
            raise ConnectionLost("the server does not tell its namespaces", where=self.where)
        self.uris = [uri or "" for uri in uris]
        self.namespaces = {uri: index for index, uri in reversed(list(enumerate(self.uris)))}
        sizes = (self._batches.read, self._batches.browse, self._batches.translate)
        for size, limit in zip(sizes, limits, strict=True):
            size.stated(limit)

    async def read(self, items: Sequence[bytes]) -> Answers:
        """An answer for each item, which `value_attribute` made."""

        async def ask(batch: Sequence[bytes]) -> Answers:
            return await binary.read(self._transport, batch, self._timeout_s)

        return await self._in_batches("Read", self._batches.read, items, ask, Answers([], [], {}))

    async def translate(self, paths: Sequence[Any]) -> list[Any]:
        """A `ua.BrowsePathResult` for each `ua.BrowsePath`."""
        service = self._transport.session.translate_browsepaths_to_nodeids
        return await self._in_batches(
            "TranslateBrowsePathsToNodeIds", self._batches.translate, paths, service, []
        )

    async def browse(self, nodes: Sequence[Any]) -> list[Any]:
        """A `ua.BrowseResult` for each `ua.BrowseDescription`, one page; go on with `browse_next`."""

        async def ask(batch: Sequence[Any]) -> Any:
            return await self._transport.session.browse(ua.BrowseParameters(NodesToBrowse=batch))

        return await self._in_batches("Browse", self._batches.browse, nodes, ask, [])

    async def browse_next(self, points: Sequence[bytes]) -> list[Any]:
        """The next page behind each continuation point."""

        async def ask(batch: Sequence[bytes]) -> Any:
            return await self._transport.session.browse_next(ua.BrowseNextParameters(False, batch))

        return await self._in_batches("BrowseNext", self._batches.browse, points, ask, [])

    async def create_subscription(self, parameters: Any) -> Any:
        """The `ua.CreateSubscriptionResult` to `ua.CreateSubscriptionParameters`. It ends with the session."""

        async def ask() -> Any:
            request = ua.CreateSubscriptionRequest(Parameters=parameters)
            response = struct_from_binary(
                ua.CreateSubscriptionResponse, await self._transport.request(request)
            )
            response.ResponseHeader.ServiceResult.check()
            return response.Parameters

        answers = await self.read([value_attribute(ua.NodeId(_MOST_MONITORED))])
        self._batches.monitor.stated(answers.values[0])
        return await self._once("CreateSubscription", self._timeout_s, ask)

    async def monitor(self, subscription: int, items: Sequence[Any]) -> list[Any]:
        """A `ua.MonitoredItemCreateResult` for each `ua.MonitoredItemCreateRequest`."""

        async def ask(batch: Sequence[Any]) -> Any:
            parameters = ua.CreateMonitoredItemsParameters(
                SubscriptionId=subscription,
                TimestampsToReturn=ua.TimestampsToReturn.Source,
                ItemsToCreate=batch,
            )
            return await self._transport.session.create_monitored_items(parameters)

        return await self._in_batches("CreateMonitoredItems", self._batches.monitor, items, ask, [])

    async def publish(self, acknowledged: Sequence[tuple[int, int]], timeout_s: float) -> binary.Notification:
        """What the server has to say next, within `timeout_s`."""
        return await self._once("Publish", timeout_s, lambda: binary.publish(self._transport, acknowledged))

    async def _once(self, what: str, timeout_s: float, ask: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """The answer to a request that cannot be split."""
        try:
            async with asking(self.where, what, timeout_s):
                await self._renew()
                answer = await ask()
        except TooMuch as error:
            raise ConnectionLost(f"{what} is too much for it", where=self.where) from error
        self.granted.used()
        return answer

    async def _in_batches(
        self,
        what: str,
        size: BatchSize,
        items: Sequence[ItemT],
        ask: Callable[[Sequence[ItemT]], Awaitable[CollectedT]],
        answers: CollectedT,
    ) -> CollectedT:
        """`answers`, empty before, with all of them, in as few requests as the server takes.

        A request refused as too large is halved. So is, for the next session, one of an unproven size at which
        the connection broke: some servers drop the line instead of answering.
        """
        while len(answers) < len(items):
            batch = items[len(answers) : len(answers) + size.most]
            try:
                async with asking(self.where, f"{what} of {len(batch)} nodes", self._timeout_s):
                    await self._renew()
                    part = await ask(batch)
            except TooMuch as error:
                if len(batch) == 1:
                    raise ConnectionLost(
                        f"{what} of one node is too much for it", where=self.where
                    ) from error
                size.halve(len(batch))
                continue
            except ConnectionLost:
                if len(batch) > max(1, size.proven):
                    size.halve(len(batch))
                raise
            if len(part) != len(batch):
                text = f"{len(part)} answers to {what} of {len(batch)} nodes"
                raise ConnectionLost(text, where=self.where)
            size.proven = max(size.proven, len(batch))
            answers.extend(part)
            self.granted.used()
        return answers

    async def _renew(self) -> None:
        async with self._renewing:  # a Publish goes out beside reads
            if self.granted.renewal_due:
                await self._client.open_secure_channel(renew=True)
                self._transport.revolve_security_token()
                self.granted.renewed()

    async def close(self) -> None:
        """CloseSession where it can still be said, then the socket. Raises nothing."""
        try:
            if self._transport.state in (UaClientState.CHANNEL_OPEN, UaClientState.CONNECTED):
                async with asking(self.where, "closing", min(CLOSE_S, self._timeout_s)):
                    await self._client.close_session()
                    await self._client.close_secure_channel()
        except (GanpoError, TooMuch) as error:
            log.debug("%s: closing: %s", self.where, error)  # it is gone anyway
        finally:
            await self._transport.drop()


def value_attribute(node: Any) -> bytes:
    """What to read of a `ua.NodeId`: its Value."""
    return binary.encoded(ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value))
