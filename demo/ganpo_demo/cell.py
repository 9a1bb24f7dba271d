"""The CNC machines of the demo: one OPC UA server with the nodes of OPC 40501-1 for each machine."""

import socket
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from asyncua import Node, Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID

from ganpo_demo.loopback import HOST, free_port
from ganpo_demo.simulation import Machine, Workshop
from ganpo_model.states import State

VENDOR = "urn:ganpo:demo"
"""Namespace of what a real builder would name itself: machines, channels, alarm and part counter."""
MACHINERY = "http://opcfoundation.org/UA/Machinery/"
MACHINE_TOOL = "http://opcfoundation.org/UA/MachineTool/"

ACTIVE, INTERRUPTED, RESET = 0, 1, 2
AUTOMATIC, JOG_MANUAL = 0, 2
MANUAL_OPERATION, AUTOMATIC_OPERATION, SETUP_OPERATION, SERVICE_OPERATION = 0, 1, 2, 4
SHOWN = {
    State.PRODUCING: (ACTIVE, AUTOMATIC, AUTOMATIC_OPERATION, False),
    State.HELD: (INTERRUPTED, AUTOMATIC, AUTOMATIC_OPERATION, False),
    State.IDLE: (RESET, AUTOMATIC, AUTOMATIC_OPERATION, False),
    State.SETUP: (ACTIVE, JOG_MANUAL, SETUP_OPERATION, False),
    State.MAINTENANCE: (RESET, AUTOMATIC, SERVICE_OPERATION, False),
    State.FAULT: (INTERRUPTED, AUTOMATIC, AUTOMATIC_OPERATION, True),
}
"""State to ChannelState, ChannelMode, OperationMode and Alarm, as a controller would show it."""


class CncCell:
    """Serves both machines; `show` writes what they do into the nodes. `secured`: nothing but signed and encrypted."""

    def __init__(self, workshop: Workshop, *, secured: bool = False) -> None:
        self.port = 0
        self._secured = secured
        self._workshop = workshop
        self._server = Server()
        self._nodes: dict[str, list[tuple[Node, ua.VariantType]]] = {}
        self._plugged = False

    async def start(self) -> None:
        """Build the nodes and serve. Raises OSError where the port cannot be had."""
        await self._server.init()
        self._server.name = "Ganpo DEMO"
        self.port = free_port()
        self._server.set_endpoint(f"opc.tcp://{HOST}:{self.port}")
        if self._secured:
            await _certify(self._server)
        else:
            self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        vendor = await self._server.register_namespace(VENDOR)
        machinery = await self._server.register_namespace(MACHINERY)
        tool = await self._server.register_namespace(MACHINE_TOOL)
        machines = await _folder(self._server.nodes.objects, "Machines", machinery, vendor)
        for name in self._workshop.cnc:
            machine = await _folder(machines, name, vendor, vendor)
            monitoring = await _folder(machine, "Monitoring", tool, vendor)
            channel = await _folder(monitoring, "Channel1", vendor, vendor)
            status = await _folder(monitoring, "MachineTool", tool, vendor)
            self._nodes[name] = [
                await _variable(channel, f"{name}.ChannelState", tool, vendor, ua.VariantType.Int32),
                await _variable(channel, f"{name}.ChannelMode", tool, vendor, ua.VariantType.Int32),
                await _variable(status, f"{name}.OperationMode", tool, vendor, ua.VariantType.Int32),
                await _variable(machine, f"{name}.Alarm", vendor, vendor, ua.VariantType.Boolean),
                await _variable(machine, f"{name}.PartsTotal", vendor, vendor, ua.VariantType.UInt32),
            ]
        await self.show()
        await self._server.start()
        self._plugged = True

    async def plug(self) -> None:
        """Serve again on the same port. Raises OSError where that cannot be had."""
        if not self._plugged:
            await self._server.bserver.start()
            self._plugged = True

    async def unplug(self) -> None:
        """Drop every connection and refuse new ones. The machines go on."""
        if self._plugged:
            await self._server.bserver.stop()
            self._plugged = False

    async def show(self) -> None:
        """Write the state of both machines into their nodes, with the time of this moment."""
        now = datetime.now(UTC)
        for name, machine in self._workshop.cnc.items():
            for (node, kind), value in zip(self._nodes[name], _values(machine), strict=True):
                await node.write_value(ua.DataValue(ua.Variant(value, kind), SourceTimestamp=now))


async def _certify(server: Server) -> None:
    """Give it a certificate of its own, and one policy."""
    name, use = socket.gethostname(), [ExtendedKeyUsageOID.SERVER_AUTH]
    with TemporaryDirectory(prefix="ganpo-demo-cell-") as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.der")
        await setup_self_signed_certificate(key, certificate, VENDOR, name, use, {"commonName": "Ganpo DEMO"})
        await server.load_certificate(certificate)
        await server.load_private_key(key)
    await server.set_application_uri(VENDOR)
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])


def _values(machine: Machine) -> tuple[Any, ...]:
    return (*SHOWN[machine.state], machine.parts)


async def _folder(parent: Node, name: str, index: int, vendor: int) -> Node:
    path = f"{parent.nodeid.Identifier}/{name}"
    return await parent.add_object(ua.NodeId(path, vendor), ua.QualifiedName(name, index))


async def _variable(
    parent: Node, identifier: str, index: int, vendor: int, kind: ua.VariantType
) -> tuple[Node, ua.VariantType]:
    name = ua.QualifiedName(identifier.rpartition(".")[2], index)
    node = await parent.add_variable(ua.NodeId(identifier, vendor), name, ua.Variant(0, kind))
    return node, kind
