"""Points that are read together or subscribed, and what that costs, worked out without the server."""

import math
from dataclasses import dataclass
from typing import Any

from ganpo_drivers.api import Cost, Point
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.subscription import publishing_s, sampling_ms

ANSWER_S = 0.05
"""How long a server is taken to need for a request."""


@dataclass(frozen=True, slots=True, eq=False)
class OpcUaQuery:
    """Points that are read together, in one Read unless the server takes fewer nodes; or that are subscribed."""

    points: tuple[Point[OpcUaAddress], ...]

    def __str__(self) -> str:
        lines = [
            self._subscription() if self._subscribed else f"Read of {self.nodes} nodes (Value, source time)"
        ]
        paths = {point.address.path for point in self.points if point.address.path}
        if paths:
            deep = max(map(len, paths))
            lines.append(f"in every new session: {len(paths)} browse paths, up to {deep} levels deep")
        return "\n".join(lines)

    @property
    def nodes(self) -> int:
        """How many different nodes these points are, as far as their addresses tell: elements of an array are one."""
        return len({_node(point.address) for point in self.points})

    @property
    def _subscribed(self) -> bool:
        return all(point.address.subscribed for point in self.points)

    def _subscription(self) -> str:
        fastest, slowest = (
            pick(sampling_ms(point.address) for point in self.points) / 1000 for pick in (min, max)
        )
        sampled = f"{fastest:g} s" if fastest == slowest else f"{fastest:g} to {slowest:g} s"
        return (
            f"1 subscription of {len(self.points)} monitored items, and one on the server's time; "
            f"sampled every {sampled}, published every {publishing_s(self.points):g} s"
        )


def cost(query: OpcUaQuery, most: int, timeout_s: float) -> Cost:
    """Of reading it once, where a request may have `most` nodes."""
    requests = math.ceil(query.nodes / most)
    return Cost(
        requests=requests,
        items=query.nodes,
        waste=0,
        seconds=requests * ANSWER_S,
        silent_s=timeout_s,
        assumed=f"{most} nodes are read at once in {ANSWER_S * 1000:g} ms",
    )


def _node(address: OpcUaAddress) -> tuple[Any, ...]:
    return address.uri, address.identifier, address.path
