"""An acknowledgement of the collector, as it comes (uplink.md)."""

import json
from datetime import datetime
from typing import NamedTuple

from ganpo_agent.keeping.outbox import Key


class Ack(NamedTuple):
    """What an acknowledgement says: the time, which frames are committed, and how many of them are in quarantine."""

    now: datetime
    stream: str | None
    ranges: list[tuple[int, int]]
    quarantined: dict[str, int]
    small: bool
    """The next `live` may be gzip."""

    def names(self, key: Key) -> bool:
        """Whether this frame is one of them."""
        return key[0] == self.stream and any(first <= key[1] <= last for first, last in self.ranges)


def ack_of(payload: bytes) -> Ack | None:
    """An acknowledgement, or None for anything else."""
    try:
        body = json.loads(payload)
        now = datetime.fromisoformat(body["now"])
        ranges = [(int(first), int(last)) for first, last in body.get("seqs", [])]
        stream = body.get("stream")
        quarantined = {str(reason)[:40]: int(n) for reason, n in body.get("quarantined", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    known = body.get("v") == 1 and now.tzinfo is not None and (stream is None or isinstance(stream, str))
    if not known or any(not 0 < first <= last < 2**53 for first, last in ranges):
        return None
    return Ack(now, stream, ranges, quarantined, body.get("gz") == 1)
