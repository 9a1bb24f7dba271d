"""Addresses to the node ids of one session: indexes of namespaces by URI, browse paths level by level."""

import base64
import itertools
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from ganpo_drivers.api import PointFault
from ganpo_drivers.opcua.address import OpcUaAddress, Step
from ganpo_drivers.opcua.session import Session
from ganpo_drivers.opcua.values import absent, bad, status_text

RESOLVE_AGAIN_S = 600.0
"""What a server does not have is looked for again."""
_ABSENT = frozenset((ua.StatusCodes.BadNoMatch, ua.StatusCodes.BadNodeIdUnknown))
OBJECTS = ua.NodeId(ua.ObjectIds.ObjectsFolder)
_HIERARCHICAL = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
_WHOLE = 0xFFFFFFFF


@dataclass(slots=True)
class _Walk:
    """A browse path under way: `node` is reached, `steps` are left."""

    address: OpcUaAddress
    node: Any
    steps: Sequence[Step]


async def resolve(session: Session, addresses: Iterable[OpcUaAddress]) -> dict[OpcUaAddress, Any]:
    """Each address to its `ua.NodeId`, or to a PointFault: `absent` where the server has no such namespace or path,
    `bad` where several nodes match or the server cannot say. Node ids are not asked for: the first Read does it.

    All paths advance together, so the number of requests grows with the depth and not with the points.
    Raises what a request of `Session` raises.
    """
    found: dict[OpcUaAddress, Any] = {}
    walks: list[_Walk] = []
    for address in addresses:
        missing = _missing_namespace(address, session.namespaces)
        if missing is not None:
            found[address] = absent(f"the server has no namespace {missing}")
        elif address.path:
            walks.append(_Walk(address, OBJECTS, address.path))
        else:
            found[address] = _node_id(address, session.namespaces)
    while walks:
        exact = [walk for walk in walks if walk.steps[0].uri is not None]
        loose = [walk for walk in walks if walk.steps[0].uri is None]
        reached = await _translate(session, exact) + await _browse(session, loose)
        walks = []
        for walk, steps, node in reached:
            if isinstance(node, PointFault) or len(steps) == len(walk.steps):
                found[walk.address] = node
            else:
                walks.append(_Walk(walk.address, node, walk.steps[len(steps) :]))
    return found


_Reached = list[tuple[_Walk, Sequence[Step], Any]]


async def _translate(session: Session, walks: Sequence[_Walk]) -> _Reached:
    """Walk the steps up to the next `*:` in one request each way."""
    runs = [list(itertools.takewhile(lambda step: step.uri is not None, walk.steps)) for walk in walks]
    paths = [
        ua.BrowsePath(walk.node, ua.RelativePath([_element(step, session.namespaces) for step in run]))
        for walk, run in zip(walks, runs, strict=True)
    ]
    results = await session.translate(paths)
    return [
        (walk, run, _target(walk, result, session.namespaces))
        for walk, run, result in zip(walks, runs, results, strict=True)
    ]


def _element(step: Step, namespaces: Mapping[str, int]) -> Any:
    name = ua.QualifiedName(step.name, namespaces[step.uri or ""])
    return ua.RelativePathElement(
        ReferenceTypeId=_HIERARCHICAL, IsInverse=False, IncludeSubtypes=True, TargetName=name
    )


def _target(walk: _Walk, result: Any, namespaces: Mapping[str, int]) -> Any:
    if not result.StatusCode.is_good():
        code = result.StatusCode.value
        return absent(f"no node at {walk.address}") if code in _ABSENT else bad(status_text(code))
    targets = [target.TargetId for target in result.Targets if target.RemainingPathIndex == _WHOLE]
    return _only(walk, targets, namespaces)


async def _browse(session: Session, walks: Sequence[_Walk]) -> _Reached:
    """Walk one `*:` step of each by looking at the children of the nodes reached."""
    parents = list({walk.node: None for walk in walks})
    children = dict(zip(parents, await children_of(session, parents), strict=True))
    reached: _Reached = []
    for walk in walks:
        step, below = walk.steps[:1], children[walk.node]
        if isinstance(below, PointFault):
            reached.append((walk, step, below))
        else:
            nodes = [child.NodeId for child in below if child.BrowseName.Name == step[0].name]
            reached.append((walk, step, _only(walk, nodes, session.namespaces)))
    return reached


async def children_of(session: Session, parents: Sequence[Any]) -> list[list[Any] | PointFault]:
    """All children of each parent, page by page, or why they cannot be told."""
    pages = await session.browse(
        [
            ua.BrowseDescription(
                NodeId=parent,
                BrowseDirection=ua.BrowseDirection.Forward,
                ReferenceTypeId=_HIERARCHICAL,
                IncludeSubtypes=True,
                ResultMask=ua.BrowseResultMask.BrowseName | ua.BrowseResultMask.NodeClass,
            )
            for parent in parents
        ]
    )
    children: list[list[Any] | PointFault] = [[] for _ in parents]
    places = list(range(len(parents)))
    while places:
        more: dict[int, bytes] = {}
        for place, page in zip(places, pages, strict=True):
            known = children[place]
            if not page.StatusCode.is_good():
                children[place] = bad(status_text(page.StatusCode.value))
            elif isinstance(known, list):
                known += page.References or ()
                if page.ContinuationPoint:
                    more[place] = page.ContinuationPoint
        places = list(more)
        pages = await session.browse_next(list(more.values()))
    return children


def _only(walk: _Walk, targets: Sequence[Any], namespaces: Mapping[str, int]) -> Any:
    nodes = {local(target, namespaces) for target in targets if not getattr(target, "ServerIndex", 0)}
    if not nodes:
        return absent(f"no node at {walk.address}")
    if len(nodes) > 1:
        return bad(
            f"{len(nodes)} nodes match {walk.address}: name the namespace instead of *, or take a node id"
        )
    return nodes.pop()


def local(target: Any, namespaces: Mapping[str, int]) -> Any:
    """The `ua.NodeId` of this server that a reference names, by index or by URI."""
    # asyncua makes an ExpandedNodeId only of one that really carries a URI or another server
    index = namespaces.get(getattr(target, "NamespaceUri", None) or "", target.NamespaceIndex)
    return ua.NodeId(target.Identifier, index)


def _missing_namespace(address: OpcUaAddress, namespaces: Mapping[str, int]) -> str | None:
    uris = [step.uri for step in address.path] if address.path else [address.uri]
    return next((uri for uri in uris if uri is not None and uri not in namespaces), None)


def _node_id(address: OpcUaAddress, namespaces: Mapping[str, int]) -> Any:
    kind, _, text = address.identifier.partition("=")
    index = namespaces[address.uri]
    if kind == "i":
        return ua.NodeId(int(text), index)
    if kind == "g":
        return ua.NodeId(uuid.UUID(text), index)
    if kind == "b":
        return ua.NodeId(base64.b64decode(text), index)
    return ua.NodeId(text, index)
