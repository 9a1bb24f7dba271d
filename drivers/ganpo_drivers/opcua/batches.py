"""How many items of a service a server takes in one request."""

from dataclasses import dataclass

MOST_ITEMS = 1000


@dataclass(slots=True)
class BatchSize:
    """How many items a server takes in one request of a service; kept from session to session."""

    most: int = MOST_ITEMS
    proven: int = 0

    def halve(self, tried: int) -> None:
        """A request of so many items was too much."""
        self.most = max(1, min(self.most, tried // 2))


class Batches:
    """The batch sizes of the three services that are used."""

    def __init__(self) -> None:
        self.read = BatchSize()
        self.browse = BatchSize()
        self.translate = BatchSize()
