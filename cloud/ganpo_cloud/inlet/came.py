"""A frame on its way into the database, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from ganpo_cloud.inlet.decode import Observed, decode, name_of
from ganpo_cloud.inlet.observations import Ran, Read
from ganpo_cloud.store.owners import Registration
from ganpo_model.clock import from_ms, iso, to_ms
from ganpo_model.errors import FrameError


@dataclass(slots=True)
class Came:
    """A frame as it came from a gateway. `stream`, `seq`: its name, or empty and 0; `facts`: what it says; `error`: why
    it is not applied; `registered`: whose its gateway's facts are, at any time; `kept`: applied or quarantined."""

    gateway: str
    packed: bytes
    stream: str
    seq: int
    facts: Sequence[Observed] = ()
    error: FrameError | None = None
    registered: Sequence[Registration] = ()
    kept: bool = False

    @classmethod
    def read(cls, gateway: str, packed: bytes, now: datetime) -> Self:
        """Decode it; its times are judged as of `now`."""
        try:
            return cls(gateway, packed, *decode(packed, now))
        except FrameError as error:
            return cls(gateway, packed, *name_of(packed), error=error)

    @property
    def reason(self) -> str:
        """Of its error, or empty."""
        return self.error.reason if self.error is not None else ""

    def belongs(self, registered: Sequence[Registration]) -> bool:
        """Whether it may be applied with these registrations of its gateway; its `error` says why not."""
        self.registered = registered
        if self.error is not None:
            return False
        earliest = min(map(time_of, self.facts))
        if registered and registered[0].since <= earliest:
            return True
        hint = f"ganpo-cloud gateway add {self.gateway} --enterprise CREDIT-CODE --site SITE"
        what = f"gateway {self.gateway} is not registered"
        if registered:
            what, hint = f"{what} for {iso(from_ms(earliest))}", f"{hint} --since DATE"
        self.error = FrameError(what, hint=hint, reason="gateway")
        return False


def time_of(fact: Observed) -> int:
    """When it was so, in ms: of states when they begin."""
    return fact.at if isinstance(fact, Read | Ran) else to_ms(fact.at)


def told_until(fact: Observed) -> int:
    """The last instant of which a fact tells, in ms: of runs their end."""
    return getattr(fact, "end", None) or time_of(fact)
