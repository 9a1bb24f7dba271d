"""Lines for a terminal of any width, and what shows that something is under way."""

import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import click

from ganpo_service import words
from ganpo_service.words import tell

_ROOM = 24
"""Columns that the last cell needs; with less it stands below the others."""
_AFTER_S = 1.0


def row(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells in columns; the last one, which has no width, is wrapped into what is left of the terminal."""
    begin = "".join(fitted(tell(cell), width) for cell, width in zip(cells, widths, strict=False))
    last = tell(cells[len(widths)]) if len(cells) > len(widths) else ""
    columns, taken = max(20, shutil.get_terminal_size().columns), words.width(begin)
    if not last:
        return begin.rstrip()
    if columns - taken >= _ROOM or taken + words.width(last) <= columns:
        return begin + f"\n{' ' * taken}".join(_wrapped(last, columns - taken))
    below = [f"    {line}" for line in _wrapped(last, columns - 4)]
    return "\n".join([begin.rstrip(), *below] if begin.strip() else below)


def fitted(cell: str, width: int) -> str:
    """The cell in so many columns, and a blank at least."""
    return cell + " " * max(1, width - words.width(cell))


def _wrapped(text: str, room: int) -> list[str]:
    if words.width(text) > len(text):
        return words.wrapped(text, room)
    return textwrap.wrap(text, room, break_on_hyphens=False)


class Progress:
    """A bar on standard error, where that is a terminal, after the first second; it leaves nothing behind."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._begun = time.monotonic()
        self._told = 0.0
        self._shown = False
        self._tty = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)

    def at(self, done: float, of: float, about: str = "") -> None:
        """So much of so much is done."""
        now = time.monotonic()
        if not self._tty or now - self._begun < _AFTER_S or now - self._told < 0.1:
            return
        self._told, self._shown = now, True
        columns = max(20, shutil.get_terminal_size().columns) - 1
        share = min(1.0, done / of) if of else 0.0
        left = (now - self._begun) * (1 / share - 1) if share > 0.01 else None
        end = f" {share:4.0%}{'' if left is None else '  ' + tell(f'time left: {_time(left)}')}"
        taken = words.width(end)
        text = f"{tell(self._what)} {tell(about)}".strip()[: max(0, columns - taken - 12)]
        room = columns - words.width(text) - taken - 3
        bar = f" [{'#' * int(share * room)}{'.' * (room - int(share * room))}]" if room >= 6 else ""
        click.echo(f"\r\x1b[K{text}{bar}{end}"[: columns + 4], nl=False, err=True)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
