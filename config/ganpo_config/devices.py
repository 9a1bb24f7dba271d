"""docs/devices.md, written from the profiles: `python -m ganpo_config.devices >docs/devices.md`."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ganpo_config.profile import Profile
from ganpo_config.profile_text import device_of, factory_of
from ganpo_config.profiles import Profiles

_HEAD = """# Devices

Written from the profiles by `python -m ganpo_config.devices`; a test holds it to them. `ganpo profile list WORD` finds
one, `ganpo profile show NAME` tells its addresses, states, sources and notes; the name goes into the column `profile`
of [equipment and meters](configuration.md#profiles). A parameter in bold has no default: `ganpo check` asks for it.
Confidence: high is two independent sources that agree, or the maker's manual.
"""
_TABLE = """
| device | profile | signals | parameters | out of the box | a request | CT and PT | confidence |
|---|---|---|---|---|---|---|---|"""
_UNREADABLE = """
## Not readable

They speak what none of our drivers speaks.

| device | why | what helps |
|---|---|---|"""


_ADDRESSED = """
## In a point list, by the names of their manuals

Any register of these is a row of `[[points]]` or of a profile of your own: with the `addressing` named here its address
is written as the manual has it, and `ganpo check` prints the protocol's. The driver's
[README](../drivers/ganpo_drivers/modbus/README.md#addresses) has all names.

| device | addressing | address | note | confidence |
|---|---|---|---|---|"""


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


def page(profiles: Iterable[Profile]) -> str:
    """The page: machines, meters, what is read by addresses, and what cannot be read."""
    ordered = sorted(profiles, key=lambda profile: (device_of(profile).casefold(), profile.id))
    machines = [profile for profile in ordered if profile.states]
    meters = [profile for profile in ordered if not profile.states]
    return "\n".join(
        [
            _HEAD,
            f"## Machines, drives and controllers: {len(machines)}",
            _TABLE,
            *map(_row, machines),
            "",
            f"## Meters: {len(meters)}",
            _TABLE,
            *map(_row, meters),
            _ADDRESSED,
            *_addressed_rows(),
            _UNREADABLE,
            *_unreadable_rows(),
            "",
        ]
    )


def _row(profile: Profile) -> str:
    parameters = (
        f"`{name}`" if about.default is not None else f"**`{name}`**"
        for name, about in profile.parameters.items()
    )
    reads = f"counts the {profile.reads} side" if profile.reads else "-"
    cells = (
        device_of(profile) or profile.title.en,
        f"`{profile.id}`",
        ", ".join(profile.signals),
        ", ".join(parameters) or "-",
        factory_of(profile) or "-",
        f"at most {most} registers" if (most := profile.max_registers) else "-",
        reads,
        profile.confidence or "-",
    )
    return f"| {' | '.join(cells)} |"


def _addressed_rows() -> Iterator[str]:
    for one in addressed():
        told = f"`{one.addressing}` | `{one.example}` | {one.note_en} | {one.confidence}"
        yield f"| {one.vendor} {one.device} | {told} |"


def _unreadable_rows() -> Iterator[str]:
    for device in sorted(unreadable(), key=lambda device: (device.vendor.casefold(), device.device)):
        yield f"| {device.vendor} {device.device} | {device.why_en} | {device.instead_en} |"


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("ganpo_config").joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


if __name__ == "__main__":
    print(page(Profiles(Path("nowhere")).values()), end="")  # noqa: T201 - the page itself
