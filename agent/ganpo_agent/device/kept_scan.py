"""What a scan found, kept so that the same command goes on from there; and what its options say."""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganpo_agent.device.scanning import Found
from ganpo_model.errors import ConfigError

EVERY_S = 1.0


class KeptScan:
    """Of one question: what is asked where. A file in the cache of who asks, best effort: a disk that is full or not
    ours costs the going on, never the scan."""

    def __init__(self, target: str, question: Sequence[Any]) -> None:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        text = json.dumps([target, *question])
        self.path = folder / "ganpo" / f"scan-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        self._kept_at = 0.0

    def taken_up(self) -> Found:
        """What was found before; nothing where there is none, or it cannot be read."""
        try:
            return Found.of(json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Found()

    def keep(self, found: Found, *, now: bool = False) -> None:
        """Once a second, or now."""
        if not now and time.monotonic() - self._kept_at < EVERY_S:
            return
        self._kept_at = time.monotonic()
        new = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(found.as_json()), encoding="utf-8")
            new.replace(self.path)
        except OSError:
            return

    def forget(self) -> None:
        """It came to its end."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError:
            return


def numbers(option: str, text: str, least: int, most: int) -> list[int]:
    """`1-32` or `1,2,17-20`, in the order written. Raises ConfigError."""
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ConfigError("is no list of numbers", where=f"{option} {text}", hint="1-32, or 1,2,17")
        begin, end = int(first), int(last or first)
        if not least <= begin <= end <= most:
            raise ConfigError(f"has to lie within {least}-{most}, the lower first", where=f"{option} {text}")
        found |= dict.fromkeys(range(begin, end + 1))
    return list(found)


def span_of(text: str) -> tuple[int, int]:
    """`0-999`: the first and the last register. Raises ConfigError."""
    found = numbers("--registers", text, 0, 65535)
    if found != list(range(found[0], found[-1] + 1)):
        raise ConfigError("is more than one stretch", where=f"--registers {text}", hint="0-999")
    return found[0], found[-1]
