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
from ganpo_drivers.opcua.certificate import uri
from ganpo_drivers.opcua.discovery import not_offered, reason
from ganpo_drivers.opcua.errors import TooMuch, asking
from ganpo_drivers.opcua.security import Credentials, policy_of
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.transport import Transport, UserClient, offers
from ganpo_drivers.opcua.trust import changed
from ganpo_drivers.opcua.values import Answers
from ganpo_model.errors import CertificateNotTrusted, ConnectionLost, GanpoError, UnsupportedProtocol

log = logging.getLogger(__name__)

SESSION_TIMEOUT_S = 60
CHANNEL_S = 3600
CLOSE_S = 1.0
USE_AT = 0.5
"""Of what the server grants a session: unused for so long it is kept alive."""
RENEW_AT = 0.75
"""Of what the server grants a channel; a session unused for so long may be forgotten."""
SHORTEST_S = 1.0
"""What is granted is taken for no less, so that nobody is asked in a rage."""
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
        # asyncua's own timeouts lie behind ours, so that there is one deadline and not a race of two
        self._client = UserClient(settings, 2 * settings.timeout_s)
        self._client.uaclient = self._transport = Transport(2 * settings.timeout_s)
        self._client.name = self._client.description = "Ganpo"
        self._client.product_uri = "urn:ganpo"
        self._client.application_uri = uri(settings.home.gateway) if settings.home else "urn:ganpo"
        self._client.session_timeout = SESSION_TIMEOUT_S * 1000
        self._client.secure_channel_timeout = CHANNEL_S * 1000
        self._used_at = 0.0
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def open(self) -> None:
        """Connect and learn namespaces and limits.

        Raises Unreachable, AccessRefused, CertificateNotTrusted, UnsupportedProtocol, and StorageError where our own
        certificate cannot be read or made.
        """
        self.credentials = await asyncio.to_thread(Credentials.of, self._settings, datetime.now(UTC))
        self._client.security_policy = policy_of(self._settings, self.credentials)
        self._transport.set_security(self._client.security_policy)
        await self._connect()
        await self._create()
        async with asking(self.where, "logging in", self._timeout_s, opening=True, home=self._settings.home):
            await self._activate_session()
        self._used_at = asyncio.get_running_loop().time()
        self._renewed()
        await self._learn()

    async def _connect(self) -> None:
        client = self._client
        try:
            for what, step in (("connecting", client.connect_socket), ("the hello", client.send_hello)):
                async with asking(self.where, what, self._timeout_s, opening=True):
                    await step()
        except GanpoError as error:
            said = self._transport.foreign
            if said is None:
                raise
            raise UnsupportedProtocol(
                f"what answers there is not OPC UA (it began with {said!r})",
                where=self.where,
                hint="check host and port",
            ) from error

    async def _create(self) -> None:
        """Channel and session. What goes wrong here under security is told with its reason, silence too: a server may
        pass over in silence what it cannot decrypt."""
        home = self._settings.home
        try:
            async with asking(self.where, "opening a channel", self._timeout_s, opening=True, home=home):
                await self._client.open_secure_channel()
            async with asking(self.where, "creating a session", self._timeout_s, opening=True, home=home):
                await self._create_session()
        except GanpoError as error:
            if self._transport.state is UaClientState.CHANNEL_OPEN and not isinstance(
                error, CertificateNotTrusted
            ):
                raise  # the channel stands: certificates and policy are not what it complains of
            found = await reason(self._settings, self.credentials, error)
            if found is error:
                raise
            raise found from error

    async def _create_session(self) -> None:
        try:
            await self._client.create_session()
        except ua.UaStatusCodeError:
            raise
        except ua.UaError as error:
            self._check_server()
            if type(error) is not ua.UaError:
                raise
            # asyncua found no endpoint that is like the channel
            raise not_offered(self._settings, offers(self._transport.endpoints)) from error
        self._check_server()

    def _check_server(self) -> None:
        """Raises CertificateNotTrusted where the server that made the session is not the one that is trusted."""
        pin, home, shown = self.credentials.pin, self._settings.home, self._transport.shown
        if pin is not None and home is not None and shown and shown != pin.certificate:
            raise changed(pin, shown, self.where, home.connection)

    async def _activate_session(self) -> None:
        settings, user = self._settings, self.credentials.user
        password = settings.password.get_secret_value() if settings.password else None
        self._client.user_private_key = user and user.key
        await self._client.activate_session(settings.username, password, user and user.certificate)

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

    @property
    def expired(self) -> bool:
        """Whether the server has forgotten an unused session by now (polls slower than its timeout)."""
        idle_s = asyncio.get_running_loop().time() - self._used_at
        return idle_s >= RENEW_AT * self._session_s

    @property
    def rest_s(self) -> float:
        """Seconds for which neither session nor channel needs a request."""
        use_at = self._used_at + USE_AT * self._session_s
        return min(use_at, self._renew_at) - asyncio.get_running_loop().time()

    @property
    def _session_s(self) -> float:
        return _granted_s(self._client.session_timeout, SESSION_TIMEOUT_S)

    def _renewed(self) -> None:
        granted_s = _granted_s(self._client.secure_channel_timeout, CHANNEL_S)
        self._renew_at = asyncio.get_running_loop().time() + RENEW_AT * granted_s

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
        self._used_at = asyncio.get_running_loop().time()
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
            self._used_at = asyncio.get_running_loop().time()
        return answers

    async def _renew(self) -> None:
        if asyncio.get_running_loop().time() < self._renew_at:
            return
        async with self._renewing:
            if asyncio.get_running_loop().time() < self._renew_at:
                return
            await self._client.open_secure_channel(renew=True)
            self._transport.revolve_security_token()
            self._renewed()

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


def _granted_s(timeout_ms: float, asked_s: float) -> float:
    """What a server grants, in s; one that says no time at all (0, NaN) is taken to grant what was asked."""
    return max(timeout_ms / 1000, SHORTEST_S) if timeout_ms > 0 else asked_s
