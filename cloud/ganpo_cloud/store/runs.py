"""Runs of a slot, and spans of a day, as they are stored: four bytes each, which hold 24 h and more."""

import struct
from collections.abc import Iterable

from ganpo_model.states import State

_WORD = struct.Struct("<I")
_STATES = tuple(State)
_CODES = {state.value: code for code, state in enumerate(State)}


def packed(runs: Iterable[tuple[int, str]]) -> bytes:
    """Runs as `(ms after the start, state)`; a run is eight times its ms and the code of its state, little-endian.

    Raises KeyError for a state that is none, struct.error for what lies six days and more after the start.
    """
    words = [offset << 3 | _CODES[state] for offset, state in runs]
    return struct.pack(f"<{len(words)}I", *words)


def unpacked(stored: bytes) -> list[tuple[int, State]]:
    """What was packed."""
    return [(word >> 3, _STATES[word & 7]) for (word,) in _WORD.iter_unpack(stored)]
