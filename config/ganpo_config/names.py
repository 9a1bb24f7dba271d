"""What may be named: the one rule by which an error that only follows from another is held back."""

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one kind: connections, profiles, numbers of equipment and meters.

    `whole`: every place where one may stand could be read. Where one could not, that is the mistake, and it is told
    there; a name that is not found says nothing then of the row that names it.
    """

    found: Set[str]
    whole: bool = True

    def lack(self, name: str) -> bool:
        """Whether it stands nowhere."""
        return self.whole and name not in self.found
