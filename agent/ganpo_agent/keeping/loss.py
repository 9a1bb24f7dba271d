"""Numbers that were given and are held no more: `loss` events (I6). What is stored at the collector wins over them."""

from collections.abc import Iterable
from datetime import datetime

from ganpo_model.facts import Event, EventKind

_RANGES = 500
"""So many travel in one event."""


def declare(stream: str, seqs: Iterable[tuple[int, int]], at: datetime) -> list[Event]:
    """The events that declare these ranges lost; rising, ends included."""
    ranges: list[list[int]] = []
    for first, last in seqs:
        if ranges and ranges[-1][1] == first - 1:
            ranges[-1][1] = last
        else:
            ranges.append([first, last])
    return [
        Event("event", at, EventKind.LOSS, None, {"stream": stream, "seqs": ranges[begin : begin + _RANGES]})
        for begin in range(0, len(ranges), _RANGES)
    ]
