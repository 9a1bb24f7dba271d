"""Messages that wait to be taken: in turn, so that who sends much delays himself alone; bounded in bytes."""

from collections import deque

OVERHEAD = 1024
"""What a message costs beside its payload, in bytes, where nothing else waits of the one who sent it."""


class Turns:
    """Waiting messages by whose turn they wait for. `take` gives of each one in turn; those of one keep their order.

    `bound`: bytes that wait, at most, each message with `OVERHEAD`. Where there is no room for another, whoever has
    most waiting gives up his newest.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._total = 0
        self._waiting: dict[str, deque[tuple[str, bytes]]] = {}
        """In the order of turns."""
        self._sizes: dict[str, int] = {}

    def put(self, whose: str, topic: str, payload: bytes) -> int:
        """Add a message; gives how many were given up for want of room, itself among them."""
        self._waiting.setdefault(whose, deque()).append((topic, payload))
        self._add(whose, OVERHEAD + len(payload))
        given_up = 0
        while self._total > self._bound:
            self._give_up(whose)
            given_up += 1
        return given_up

    def take(self, limit: int | None = None, most: int | None = None) -> list[tuple[str, bytes]]:
        """The next (topic, payload): at most `limit`, and no further one once they hold `most` bytes."""
        taken: list[tuple[str, bytes]] = []
        size = 0
        while self._waiting and (limit is None or len(taken) < limit) and (most is None or size < most):
            whose = next(iter(self._waiting))
            queue = self._waiting.pop(whose)
            topic, payload = queue.popleft()
            taken.append((topic, payload))
            size += len(payload)
            self._add(whose, -OVERHEAD - len(payload))
            if queue:
                self._waiting[whose] = queue
        return taken

    def _give_up(self, whose: str) -> None:
        """Looking for who has most waiting is saved where the one that speaks has more than his share."""
        if self._sizes[whose] * len(self._sizes) <= self._bound:
            whose = max(self._sizes, key=self._sizes.__getitem__)
        queue = self._waiting[whose]
        self._add(whose, -OVERHEAD - len(queue.pop()[1]))
        if not queue:
            del self._waiting[whose]

    def _add(self, whose: str, size: int) -> None:
        self._total += size
        self._sizes[whose] = self._sizes.get(whose, 0) + size
        if not self._sizes[whose]:
            del self._sizes[whose]
