"""Devices that people have and no profile of ours reads: what is read by addresses, and what cannot be read."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Addressed:
    """A controller or drive of which any register can be read, its address written as the manual has it."""

    vendor: str
    device: str
    addressing: str
    example: str
    confidence: str
    note_zh: str
    note_en: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A device that people have and that cannot be read; in both languages why, and what can be done instead."""

    vendor: str
    device: str
    why_zh: str
    why_en: str
    instead_zh: str
    instead_en: str


def addressed() -> list[Addressed]:
    """The table of devices that are read by addresses."""
    return [Addressed(**row) for row in _rows("addressed.csv")]


def unreadable() -> list[Unreadable]:
    """The table of devices that are not readable."""
    return [Unreadable(**row) for row in _rows("not_readable.csv")]


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("ganpo_config").joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
