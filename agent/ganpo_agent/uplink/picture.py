"""What one `live` tells of connections and subjects: what changed, and in turn a tenth of the rest (uplink.md).

A change counts as told only once the `live` that carried it was answered; one that was lost is told again within
ten, or within as many as its size takes.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain, islice
from typing import Any

CHANGED = 100
"""Changes in one `live`, at most."""
SHARE = 10
"""What did not change is told once in so many."""
LARGEST = 16 * 1024
SMALLEST = 512
"""Bytes of JSON: more at most, and so few at least whatever the broker takes."""
_TRUST = 120
"""Answered in a row before one is tried that is twice as large."""
_KINDS = ("connections", "subjects")
_NAMES = ("faults", "silent")
"""Lists that are left out where each would take more than an eighth of the room: their counts stand elsewhere."""
_Key = tuple[str, str]


class Picture:
    """`look` gives the whole picture as it is now: `connections` and `subjects` by name, and what is said as it stands.

    `rest`: something that changed was not in the last one. `largest`: bytes of JSON that the next may have.
    """

    def __init__(self, look: Callable[[], dict[str, Any]]) -> None:
        self.rest = False
        self.largest = LARGEST
        self._look = look
        self._heard: dict[_Key, Any] = {}
        self._said: dict[_Key, Any] = {}
        self._size = 0
        """Bytes of the last one, 0 once it was answered."""
        self._passed = 0
        """Bytes of the largest that was answered in this session."""
        self._answers = 0
        self._turn = 0

    def begin(self) -> None:
        """A new session: nothing of it is heard yet."""
        self._heard, self._said, self._size, self._passed, self.rest = {}, {}, 0, 0, False

    def answered(self) -> None:
        """The collector answered the last one."""
        self._heard |= self._said
        self._answers += self._size > 0
        self._passed = max(self._passed, self._size)
        self._size = 0
        if self._answers >= _TRUST and self.largest < LARGEST:
            self.largest, self._answers = min(self.largest * 2, LARGEST), 0

    def refused(self) -> int:
        """The session ended right after the last one. Where that was larger than any it answered, the next is half as
        large; gives its bytes, or 0."""
        size, self._size = self._size, 0
        if size <= self._passed:
            return 0
        self.largest, self._answers = max(min(self.largest, size) // 2, SMALLEST), 0
        return size

    def next(self, head: dict[str, Any]) -> bytes:
        """JSON of `head` and of what is told this time."""
        now = self._look()
        items = {(kind, name): item for kind in _KINDS for name, item in now[kind].items()}
        changed = [key for key, item in items.items() if self._heard.get(key) != item]
        changed.sort(key=lambda key: key in self._said)
        body = head | {key: value for key, value in now.items() if key not in (*_KINDS, *_NAMES)}
        named = {key: now[key] for key in _NAMES if key in now}
        body |= {key: told for key, told in named.items() if len(_json({key: told})) <= self.largest // 8}
        body |= {kind: {} for kind in _KINDS}
        body["counts"] = Counter(item["state"] for item in now["subjects"].values())
        room = self.largest - len(_json(body))
        self._said = {}
        # What changes always leaves room for the others.
        self._take(body, items, changed[:CHANGED], room // 2)
        room = self.largest - len(_json(body))
        self._turn += self._take(body, items, self._in_turn(list(items)), room)
        self.rest = any(key not in self._said for key in changed)
        told = _json(body)
        self._size = len(told)
        return told

    def _in_turn(self, keys: list[_Key]) -> Iterable[_Key]:
        self._turn %= len(keys) or 1
        number = -(-len(keys) // SHARE)
        return islice(chain(keys[self._turn :], keys), number)

    def _take(self, body: dict[str, Any], items: dict[_Key, Any], keys: Iterable[_Key], room: int) -> int:
        """Put these into the body as long as they fit: how many."""
        number = 0
        for key in keys:
            if key not in self._said:
                kind, name = key
                room -= len(_json({name: items[key]})) + 2
                if room < 0:
                    break
                body[kind][name] = self._said[key] = items[key]
            number += 1
        return number


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
