"""How many items of a service a server takes in one request."""

from dataclasses import dataclass

MOST_ITEMS = 1000


@dataclass(slots=True)
class BatchSize:
    """How many items a server takes in one request of a service; kept from session to session."""

    most: int = MOST_ITEMS
    proven: int = 0

    def stated(self, limit: object) -> None:
        """What the server says is the most: a number above 0, or nothing."""
        if isinstance(limit, int) and limit > 0:
            self.most = min(self.most, limit)

    def halve(self, tried: int) -> None:
        """A request of so many items was too much."""
        self.most = max(1, min(self.most, tried // 2))


class Batches:
    """The batch sizes of the services that take many items."""

    def __init__(self) -> None:
        self.read = BatchSize()
        self.browse = BatchSize()
        self.translate = BatchSize()
        self.monitor = BatchSize()
