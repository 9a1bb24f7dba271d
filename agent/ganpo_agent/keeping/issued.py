"""`outbox.db.issued`: the last number that was given, of this run and of those before it of which frames wait.

A log that was cut, or a file that is gone, leaves no trace of what stood in it: here the numbers are known. The first
line is written in place after each commit and not synced: after a power cut it may be seconds behind, never ahead.
"""

import logging
import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

from ganpo_agent.keeping.pages import sync
from ganpo_model.frame import STREAM

log = logging.getLogger(__name__)

_LINE = re.compile(rf"({STREAM}) (\d{{19}}) ([0-9a-f]{{8}})\n")
_OLDER = 1000


def read(outbox: Path) -> dict[str, int]:
    """Last numbers by stream, of every line that is whole. Raises OSError where the disk refuses."""
    try:
        text = _beside(outbox).read_text("ascii", "replace")
    except FileNotFoundError:
        return {}
    return {line[1]: int(line[2]) for line in _LINE.finditer(text) if _line(line[1], int(line[2])) == line[0]}


def begin(outbox: Path, stream: str, seq: int, older: Mapping[str, int]) -> None:
    """A run begins. The frame stands already: a disk that refuses this is told and costs nothing now."""
    lines = [(stream, seq), *sorted(older.items(), reverse=True)[:_OLDER]]
    try:
        following = _beside(outbox).with_suffix(".new")
        with following.open("w", encoding="ascii") as file:
            file.write("".join(_line(*line) for line in lines))
        sync(following)
        following.replace(_beside(outbox))
        sync(outbox.parent)
    except OSError as error:
        log.warning("the last numbers are not kept: %s", error)


def write(outbox: Path, stream: str, seq: int) -> None:
    """The last number of this run. Refused, it costs nothing now, as above."""
    try:
        fd = os.open(_beside(outbox), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(fd, _line(stream, seq).encode(), 0)
        finally:
            os.close(fd)
    except OSError as error:
        log.warning("the last number is not kept: %s", error)


def _line(stream: str, seq: int) -> str:
    text = f"{stream} {seq:019d}"
    return f"{text} {zlib.crc32(text.encode()):08x}\n"


def _beside(outbox: Path) -> Path:
    return outbox.with_name(f"{outbox.name}.issued")
