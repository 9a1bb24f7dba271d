"""Which variables a server offers, in the form that lists take."""

from collections.abc import AsyncIterator

from asyncua import ua

from ganpo_drivers.api import PointFault
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.resolve import OBJECTS, children_of, local, resolve
from ganpo_drivers.opcua.session import Session
from ganpo_drivers.opcua.values import node_text


async def variables_below(session: Session, start: str) -> AsyncIterator[str]:
    """Node ids of the variables below the node at `start` (empty: Objects), level by level, each once.

    Raises ValueError where there is no such node, and what a request of `Session` raises.
    """
    node = OBJECTS
    if start:
        address = OpcUaAddress.parse(start)
        node = (await resolve(session, [address]))[address]
        if isinstance(node, PointFault):
            raise ValueError(f"{start}: {node.text}")
    level, seen = [node], {node}
    while level:
        below = []
        for found in await children_of(session, level):
            if isinstance(found, PointFault):
                continue  # what one node hides does not hide the others
            for child in found:
                if getattr(child.NodeId, "ServerIndex", 0):
                    continue
                node = local(child.NodeId, session.namespaces)
                if node in seen:
                    continue
                seen.add(node)
                below.append(node)
                if child.NodeClass == ua.NodeClass.Variable:
                    text = node_text(node, session.uris)
                    if isinstance(text, str):
                        yield text
        level = below
