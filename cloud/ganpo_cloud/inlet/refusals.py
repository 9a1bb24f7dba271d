"""What is said in the log of frames that were not applied: a line per gateway and minute, however many they are."""

import logging
from dataclasses import dataclass

from ganpo_model.errors import FrameError

log = logging.getLogger(__name__)

EVERY_S = 60.0
_MOST = 1000
"""Gateways that are told apart; anybody who reaches the broker may invent one more."""
_OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Refused:
    """A frame that was not applied, and whether it is kept; nobody answers one that is not."""

    gateway: str
    error: FrameError
    kept: bool


@dataclass(slots=True)
class _Untold:
    """What came since a gateway's line at `at`."""

    at: float
    frames: int = 0
    last: Refused | None = None


class Refusals:
    """Tells the first frame of a gateway at once, and those of the next minute together when it is over."""

    def __init__(self) -> None:
        self._gateways: dict[str, _Untold] = {}

    def add(self, refused: Refused, now: float) -> None:
        """A frame was not applied, at this second of the monotonic clock."""
        name = refused.gateway
        if name not in self._gateways and len(self._gateways) >= _MOST:
            name = _OTHERS
        if (mine := self._gateways.get(name)) is None:
            self._gateways[name] = _Untold(now)
            tell(refused)
        else:
            mine.frames += 1
            mine.last = refused

    def tell(self, now: float) -> None:
        """Tell what is due; to be called every few seconds."""
        for name, mine in list(self._gateways.items()):
            if now - mine.at < EVERY_S:
                continue
            if mine.last is None:
                del self._gateways[name]
            else:
                tell(mine.last, mine.frames)
                self._gateways[name] = _Untold(now)


def tell(last: Refused, frames: int = 1) -> None:
    """Tell the last of so many frames; one of our bugs with its traceback."""
    error = last.error
    log.warning(
        "%s gateway=%s frames=%d reason=%s why=%s",
        "quarantined" if last.kept else "refused",
        last.gateway,
        frames,
        error.reason,
        error,
        exc_info=error.__cause__ if error.reason == "bug" else None,
    )
