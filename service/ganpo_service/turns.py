"""Messages that wait to be taken: in turn, so that who sends much delays himself alone; bounded in bytes."""

from collections import deque

OVERHEAD = 256
"""What a message costs beside its payload, in bytes."""


class Turns:
    """Waiting messages by topic. `take` gives of each topic one in turn; the messages of one topic keep their order.

    `bound`: bytes that wait, at most, each message with `OVERHEAD`. Where there is no room for another, the topic of
    which most waits gives up its newest.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._total = 0
        self._waiting: dict[str, deque[bytes]] = {}
        """In the order of turns."""
        self._sizes: dict[str, int] = {}

    def put(self, topic: str, payload: bytes) -> int:
        """Add a message; gives how many were given up for want of room, itself among them."""
        self._waiting.setdefault(topic, deque()).append(payload)
        self._add(topic, OVERHEAD + len(payload))
        given_up = 0
        while self._total > self._bound:
            self._give_up(topic)
            given_up += 1
        return given_up

    def take(self, limit: int | None = None, most: int | None = None) -> list[tuple[str, bytes]]:
        """The next (topic, payload): at most `limit`, and no further one once they hold `most` bytes."""
        taken: list[tuple[str, bytes]] = []
        size = 0
        while self._waiting and (limit is None or len(taken) < limit) and (most is None or size < most):
            topic = next(iter(self._waiting))
            queue = self._waiting.pop(topic)
            payload = queue.popleft()
            taken.append((topic, payload))
            size += len(payload)
            self._add(topic, -OVERHEAD - len(payload))
            if queue:
                self._waiting[topic] = queue
        return taken

    def _give_up(self, topic: str) -> None:
        """Looking for the topic of which most waits is saved where the one that speaks has more than its share."""
        if self._sizes[topic] * len(self._sizes) <= self._bound:
            topic = max(self._sizes, key=self._sizes.__getitem__)
        queue = self._waiting[topic]
        self._add(topic, -OVERHEAD - len(queue.pop()))
        if not queue:
            del self._waiting[topic]

    def _add(self, topic: str, size: int) -> None:
        self._total += size
        self._sizes[topic] = self._sizes.get(topic, 0) + size
        if not self._sizes[topic]:
            del self._sizes[topic]
