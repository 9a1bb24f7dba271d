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


class Refusals:
    """Tells the first frame of a gateway at once, and those of the next minute together when it is over."""

    def __init__(self) -> None:
        self._untold: dict[str, tuple[float, int, Refused | None]] = {}
        """When a gateway's line was told, how many frames came since, and the last of them."""

    def add(self, refused: Refused, now: float) -> None:
        """A frame was not applied, at this second of the monotonic clock."""
        name = refused.gateway
        if name not in self._untold and len(self._untold) >= _MOST:
            name = _OTHERS
        if name not in self._untold:
            self._untold[name] = (now, 0, None)
            tell(refused)
        else:
            at, frames, _ = self._untold[name]
            self._untold[name] = (at, frames + 1, refused)

    def tell(self, now: float) -> None:
        """Tell what is due; to be called every few seconds."""
        for name, (at, frames, last) in list(self._untold.items()):
            if now - at >= EVERY_S:
                del self._untold[name]
                if last is not None:
                    tell(last, frames)
                    self._untold[name] = (now, 0, None)


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
