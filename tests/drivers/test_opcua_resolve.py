"""Answers to Browse and Translate that the simulated server never gives: pages, refusals, nodes of other servers."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from asyncua import ua

from ganpo_drivers.api import FaultKind, PointFault
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.resolve import resolve
from ganpo_drivers.opcua.session import Session

URI = "urn:v"


@dataclass
class PagingServer:
    """A session whose server answers Browse in pages of two, and Translate with `targets`."""

    children: list[str] = field(default_factory=list)
    targets: list[Any] = field(default_factory=list)
    fails_at_page: int | None = None
    namespaces: dict[str, int] = field(default_factory=lambda: {URI: 2})

    async def browse(self, nodes: Sequence[Any]) -> list[Any]:
        return [self._page(0) for _ in nodes]

    async def browse_next(self, points: Sequence[bytes]) -> list[Any]:
        return [self._page(int(point)) for point in points]

    async def translate(self, paths: Sequence[Any]) -> list[Any]:
        return [ua.BrowsePathResult(Targets=self.targets) for _ in paths]

    def _page(self, first: int) -> Any:
        if first == self.fails_at_page:
            return ua.BrowseResult(StatusCode=ua.StatusCode(ua.StatusCodes.BadUserAccessDenied))
        more = str(first + 2).encode() if first + 2 < len(self.children) else None
        return ua.BrowseResult(
            ContinuationPoint=more,
            References=[
                ua.ReferenceDescription(NodeId=ua.NodeId(name, 2), BrowseName=ua.QualifiedName(name, 2))
                for name in self.children[first : first + 2]
            ],
        )


async def found(server: PagingServer, text: str) -> Any:
    address = OpcUaAddress.parse(text)
    return (await resolve(cast("Session", server), [address]))[address]


async def test_children_are_looked_for_on_every_page() -> None:
    server = PagingServer(children=["a", "b", "c", "d", "e"])
    assert await found(server, "/*:e") == ua.NodeId("e", 2)
    fault = await found(server, "/*:f")
    assert isinstance(fault, PointFault)
    assert fault.kind is FaultKind.ABSENT


async def test_a_page_that_is_refused_makes_nothing_absent() -> None:
    fault = await found(PagingServer(children=["a", "b", "c"], fails_at_page=2), "/*:c")
    assert isinstance(fault, PointFault)
    assert fault.kind is FaultKind.BAD
    assert "BadUserAccessDenied" in fault.text


async def test_a_target_named_by_uri_is_this_servers_and_one_of_another_server_is_none() -> None:
    by_uri = ua.BrowsePathTarget(ua.ExpandedNodeId("x", 0, NamespaceUri=URI), 0xFFFFFFFF)
    elsewhere = ua.BrowsePathTarget(ua.ExpandedNodeId("x", 2, ServerIndex=1), 0xFFFFFFFF)
    halfway = ua.BrowsePathTarget(ua.NodeId("x", 2), 1)
    path = f"/<{URI}>:x"
    assert await found(PagingServer(targets=[by_uri, elsewhere, halfway]), path) == ua.NodeId("x", 2)
    fault = await found(PagingServer(targets=[elsewhere, halfway]), path)
    assert isinstance(fault, PointFault)
    assert fault.kind is FaultKind.ABSENT


async def test_every_kind_of_identifier_becomes_a_node_id() -> None:
    guid = uuid.UUID("09087e75-8e5e-499b-954f-f2a9603db28a")
    for text, identifier in (
        ("s=x;y=1", "x;y=1"),
        ("i=70000", 70000),
        (f"g={guid}", guid),
        ("b=AQID", b"\1\2\3"),
    ):
        assert await found(PagingServer(), f"nsu={URI};{text}") == ua.NodeId(identifier, 2)
