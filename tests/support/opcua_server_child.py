"""The process of `OpcUaServer`: options as JSON in the argument, commands and answers as JSON lines.

Ends with stdin.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from asyncua import Node, Server, ua
from asyncua.common import connection
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_session import InternalSession
from asyncua.server.user_managers import UserManager
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from support import watched

SIMULATION = "urn:ganpo:simulation"
MACHINERY = "http://opcfoundation.org/UA/Machinery/"
MACHINE_TOOL = "http://opcfoundation.org/UA/MachineTool/"
_STRUCTURE = ua.VariantType.ExtensionObject
TYPES = {bool: "Boolean", int: "Int32", float: "Double", str: "String", type(None): "Null"}
LIMITS = {
    "read": ("MaxNodesPerRead", lambda request: request.NodesToRead),
    "browse": ("MaxNodesPerBrowse", lambda request: request.NodesToBrowse),
    "translate_browsepaths_to_nodeids": ("MaxNodesPerTranslateBrowsePathsToNodeIds", lambda paths: paths),
}


class Users(UserManager):  # type: ignore[misc]
    """Who may in, by name and password, or by certificate."""

    def __init__(self, passwords: dict[str, str], certificates: list[bytes]) -> None:
        self.passwords = passwords
        self.certificates = certificates

    def get_user(
        self,
        iserver: Any,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        """The user, or None."""
        if username in self.passwords and self.passwords[username] == password:
            return User(role=UserRole.User)
        if username is None and certificate in self.certificates:
            return User(role=UserRole.User)
        return None


class Plant:
    """The server with its nodes."""

    def __init__(self, options: dict[str, Any]) -> None:
        users, certificates = options["users"], [_der(file) for file in options["user_certificates"]]
        self.options = options
        self.server = Server(user_manager=Users(users, certificates) if users or certificates else None)
        self.nodes: dict[str, Node] = {}
        self.kinds: dict[str, str] = {}
        self.drop = False
        self.made = 0

    async def start(self) -> None:
        """Serve with the first values."""
        server, options = self.server, self.options
        server.name = "Ganpo simulation"
        await server.init()
        server.iserver.min_session_timeout_ms = 0
        server.iserver.max_session_timeout_ms = options["grants_s"] * 1000
        server.set_endpoint(options["url"])
        policies = ["NoSecurity"] if options["security_none"] else []
        policies += [name.replace("_", "").replace(",", "_") for name in options["secured"]]
        server.set_security_policy(
            [ua.SecurityPolicyType[name] for name in policies or ["Basic256Sha256_Sign"]]
        )
        if options["identity"]:
            pem = Path(options["identity"]).read_bytes()
            server.iserver.certificate = x509.load_pem_x509_certificate(pem)
            server.iserver.private_key = serialization.load_pem_private_key(pem, None)
        if options["trusts"] is not None:
            server.set_certificate_validator(self._trusted)
        tokens = {
            ua.UserNameIdentityToken: options["users"],
            ua.X509IdentityToken: options["user_certificates"],
        }
        if any(tokens.values()):
            server.set_identity_tokens([token for token, users in tokens.items() if users])
        for uri in options["leading_namespaces"]:
            await server.register_namespace(uri)
        self.simulation = await server.register_namespace(SIMULATION)
        if options["machines"]:
            self.machinery = await server.register_namespace(MACHINERY)
            self.machine_tool = await server.register_namespace(MACHINE_TOOL)
            machines = await self._object(server.nodes.objects, "Machines", self.machinery)
            for machine in options["machines"]:
                await self._machine(machines, machine)
        for name, value in options["values"].items():
            await self.set(name=name, value=value)
        for name, limit in options["limits"].items():
            node = server.get_node(getattr(ua.ObjectIds, f"Server_ServerCapabilities_OperationLimits_{name}"))
            await node.write_value(ua.Variant(limit, ua.VariantType.UInt32))
        self._enforce()
        self._count()
        await server.start()

    async def set(
        self, name: str, value: Any, kind: str | None = None, status: str = "Good", time: str | None = None
    ) -> None:
        """Write a value, making the variable where there is none."""
        if name not in self.nodes:
            objects, variant = self.server.nodes.objects, _variant(value, kind or _kind(value))
            await self._variable(objects, name, name, self.simulation, variant)
        variant = _variant(value, kind or self.kinds[name])
        at = datetime.fromisoformat(time) if time else None
        item = ua.DataValue(variant, ua.StatusCode(getattr(ua.StatusCodes, status)), at)
        address_space = self.server.iserver.aspace
        written = await address_space.write_attribute_value(
            self.nodes[name].nodeid, ua.AttributeIds.Value, item
        )
        written.check()

    async def delete(self, name: str) -> None:
        """Remove a variable."""
        await self.server.delete_nodes([self.nodes.pop(name)])

    async def enforce(self, name: str, most: int | None, drop: bool) -> None:
        """Refuse requests of more items from now on, or drop the line at them."""
        self.options["limits"][name] = most
        self.drop = drop

    async def sessions(self) -> list[float]:
        """The timeout in s of each open session."""
        return [session.session_timeout for session in self.server.iserver._external_sessions.values()]

    async def tick(self) -> None:
        """Count the ticking variables up."""
        number = 0
        while self.options["ticking"]:
            number += 1
            for name in self.options["ticking"]:
                await self.set(name, number)
            await asyncio.sleep(0.005)

    async def sessions_ever(self) -> int:
        """How many sessions clients have made."""
        return self.made

    async def _trusted(self, certificate: x509.Certificate, _application: Any) -> None:
        known = [Path(file).read_bytes() for file in self.options["trusts"]]
        if certificate.public_bytes(serialization.Encoding.DER) not in known:
            raise ServiceError(ua.StatusCodes.BadSecurityChecksFailed)

    async def _machine(self, machines: Node, name: str) -> None:
        machine = await self._object(machines, name, self.simulation)
        monitoring = await self._object(machine, "Monitoring", self.machine_tool)
        channel = await self._object(monitoring, "Channel1", self.simulation)
        tool = await self._object(monitoring, "MachineTool", self.machine_tool)
        for parent, variable, index, value, kind in (
            (channel, "ChannelState", self.machine_tool, 2, "Int32"),
            (channel, "ChannelMode", self.machine_tool, 0, "Int32"),
            (tool, "OperationMode", self.machine_tool, 1, "Int32"),
            (machine, "Alarm", self.simulation, False, "Boolean"),
            (machine, "PartsTotal", self.simulation, 0, "UInt32"),
        ):
            await self._variable(parent, f"{name}.{variable}", variable, index, _variant(value, kind))

    async def _object(self, parent: Node, name: str, index: int) -> Node:
        path = f"{parent.nodeid.Identifier}/{name}"
        return await parent.add_object(ua.NodeId(path, self.simulation), ua.QualifiedName(name, index))

    async def _variable(self, parent: Node, node: str, name: str, index: int, value: ua.Variant) -> None:
        identifier = ua.NodeId(node, self.simulation)
        self.nodes[node] = await parent.add_variable(identifier, ua.QualifiedName(name, index), value)
        self.kinds[node] = value.VariantType.name

    def _count(self) -> None:
        create = InternalSession.create_session

        async def counted(session: Any, *given: Any, **named: Any) -> Any:
            self.made += session.external
            return await create(session, *given, **named)

        InternalSession.create_session = counted

    def _enforce(self) -> None:
        for method, (limit, items) in LIMITS.items():
            setattr(InternalSession, method, self._bounded(getattr(InternalSession, method), limit, items))

    def _bounded(
        self, service: Callable[[Any, Any], Awaitable[Any]], limit: str, items: Callable[[Any], list[Any]]
    ) -> Callable[[Any, Any], Awaitable[Any]]:
        async def bounded(session: Any, request: Any) -> Any:
            most = self.options["limits"].get(limit)
            if session.external and most and len(items(request)) > most:
                if self.drop:
                    for client in self.server.bserver.clients:
                        client.transport.abort()
                raise ServiceError(ua.StatusCodes.BadTooManyOperations)
            return await service(session, request)

        return bounded


def _der(file: str) -> bytes:
    certificate = x509.load_pem_x509_certificate(Path(file).read_bytes())
    return certificate.public_bytes(serialization.Encoding.DER)


def _kind(value: Any) -> str:
    return TYPES[type(value[0] if isinstance(value, list) else value)]


def _variant(value: Any, kind: str) -> ua.Variant:
    if kind == "Structure":
        return ua.Variant(ua.Argument(Name="a structure"), ua.VariantType.ExtensionObject)
    if kind == "Hollow":
        return ua.Variant(
            ua.ExtensionObject(TypeId=ua.NodeId(ua.ObjectIds.Range_Encoding_DefaultBinary)), _STRUCTURE
        )
    if kind == "LocalizedText":
        value = ua.LocalizedText(value)
    elif kind == "NodeId":
        value = ua.NodeId.from_string(value)
    elif kind == "DateTime":
        value = datetime.fromisoformat(value)
    return ua.Variant(value, ua.VariantType[kind])


def _answer(**answer: Any) -> None:
    print(json.dumps(answer), flush=True)


class OddClock(datetime):
    """A clock that is off; asyncua dates a channel's tokens by it."""

    off = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        """The wrong time."""
        return datetime.now(tz) + cls.off


async def serve() -> None:
    """Obey until stdin ends."""
    watched.opcua()
    plant = Plant(json.loads(sys.argv[1]))
    OddClock.off = timedelta(seconds=plant.options["clock_off_s"])
    connection.datetime = OddClock
    commands: dict[str, Callable[..., Awaitable[Any]]] = {
        "set": plant.set,
        "delete": plant.delete,
        "enforce": plant.enforce,
        "sessions": plant.sessions,
        "sessions_ever": plant.sessions_ever,
    }
    await plant.start()
    ticking = asyncio.create_task(plant.tick())
    _answer(ok=None)
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        command = json.loads(line)
        try:
            _answer(ok=await commands[command.pop("do")](**command))
        except Exception as error:  # noqa: BLE001 - the test hears of it
            _answer(error=repr(error))
    ticking.cancel()
    os._exit(0)  # closes all sockets at once; asyncua's own stop sleeps for a second


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(serve())
