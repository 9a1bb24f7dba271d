"""An asyncua server in a child process whose variables lie at given browse paths and node ids.

    with OpcUaNodes([("/<urn:x>:Machine/0:State", "Int32", 1), ("nsu=urn:y;s=Count", "UInt32", 7)]) as server:
        server.set("/<urn:x>:Machine/0:State", "Int32", 2)

Addresses as OPC UA addresses of the product, with URIs instead of prefixes.
"""

import asyncio
import base64
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from asyncua import Server, ua

from ganpo_demo.loopback import free_port
from ganpo_drivers.opcua.address import NAMESPACE_0, OpcUaAddress
from support import watched, writes

Laid = tuple[str, str, Any]
"""Address, type, value; a value that is `Bad...` is a status, a `NodeId` is written as an address."""


class OpcUaNodes:
    """Starts at once; `with` stops it."""

    def __init__(self, nodes: Sequence[Laid]) -> None:
        self.url = f"opc.tcp://127.0.0.1:{free_port()}"
        self._process = subprocess.Popen(
            [sys.executable, __file__, self.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=writes.environment(),
        )
        self._do(nodes)

    def set(self, *node: Any) -> None:
        """Another value: address, type, value."""
        self._do([node])

    def _do(self, nodes: Sequence[Any]) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(nodes) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class _Tree:
    """The child's server, and the variables by address."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._variables: dict[str, Any] = {}
        self._folders: dict[tuple[Any, ...], Any] = {}
        self._made = 0

    async def lay(self, text: str, kind: str, value: Any) -> None:
        """Make the variable, or give it another value, or a status without one."""
        variant, status = ua.Variant(), ua.StatusCode(ua.StatusCodes.Good)
        if isinstance(value, str) and value.startswith("Bad"):
            status = ua.StatusCode(getattr(ua.StatusCodes, value))
        else:
            variant = ua.Variant(await self._value(kind, value), ua.VariantType[kind])
        if text not in self._variables:
            self._variables[text] = await self._make(OpcUaAddress.parse(text), variant)
        space, node = self._server.iserver.aspace, self._variables[text].nodeid
        written = await space.write_attribute_value(
            node, ua.AttributeIds.Value, ua.DataValue(variant, status)
        )
        written.check()

    async def _value(self, kind: str, value: Any) -> Any:
        if kind == "NodeId":
            address = OpcUaAddress.parse(value)
            return ua.NodeId(int(address.identifier[2:]), await self._namespace(address.uri))
        return ua.LocalizedText(value) if kind == "LocalizedText" else value

    async def _make(self, address: OpcUaAddress, start: ua.Variant) -> Any:
        above = self._server.nodes.objects
        if not address.path:
            kind, text = address.identifier[0], address.identifier[2:]
            read: dict[str, Callable[[str], Any]] = {
                "b": base64.b64decode,
                "g": uuid.UUID,
                "i": int,
                "s": str,
            }
            number = read[kind](text)
            node = ua.NodeId(number, await self._namespace(address.uri))
            return await above.add_variable(node, ua.QualifiedName(text, node.NamespaceIndex), start)
        for depth, step in enumerate(address.path[:-1], start=1):
            key = address.path[:depth]
            if key not in self._folders:
                name = ua.QualifiedName(step.name, await self._namespace(step.uri))
                self._folders[key] = await above.add_object(await self._node_id(), name)
            above = self._folders[key]
        last = address.path[-1]
        name = ua.QualifiedName(last.name, await self._namespace(last.uri))
        return await above.add_variable(await self._node_id(), name, start)

    async def _node_id(self) -> Any:
        self._made += 1
        return ua.NodeId(self._made, await self._namespace("urn:nodes"))

    async def _namespace(self, uri: str | None) -> int:
        return 0 if uri in (None, NAMESPACE_0) else int(await self._server.register_namespace(uri))


async def _serve(url: str) -> None:
    watched.opcua()
    server = Server()
    await server.init()
    server.set_endpoint(url)
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    tree = _Tree(server)
    async with server:
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            for text, kind, value in json.loads(line):
                await tree.lay(text, kind, value)
            print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
