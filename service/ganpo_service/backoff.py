"""Pauses between attempts: doubling, with full jitter (architecture.md)."""

import random


class Backoff:
    """1 s doubling to `longest` seconds; each pause is a random part of that."""

    def __init__(self, longest: float, rng: random.Random) -> None:
        self._longest = longest
        self._rng = rng
        self._next = 1.0

    def pause(self) -> float:
        """How long to wait now, in seconds."""
        bound = min(self._next, self._longest)
        self._next = min(self._next * 2, self._longest)
        return self._rng.uniform(0, bound)

    def reset(self) -> None:
        """It worked: begin at 1 s the next time."""
        self._next = 1.0
