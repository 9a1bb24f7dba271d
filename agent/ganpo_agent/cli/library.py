"""`ganpo driver` and `ganpo profile`: what can be read."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganpo_agent.cli.common import config_option
from ganpo_service import words
from ganpo_service.commands import say, told
from ganpo_service.words import tell

if TYPE_CHECKING:
    from ganpo_config.profiles import Profiles

_COLUMNS = 80
_ROOM = 30
_NAME = 18


@click.group()
def driver() -> None:
    """The drivers that are installed."""


@driver.command("list")
def driver_list() -> None:
    """Name, version, origin and abilities of every driver.

    Of one that cannot be loaded, why.
    """
    from ganpo_drivers import registry

    for info in registry.listing():
        told = info.error or ", ".join(info.abilities) or "cyclic read"
        say(f"{info.id:<12} {info.version:<8} {info.origin:<20} {told}")


@click.group()
def profile() -> None:
    """The kinds of meters, drives and machines that a list can name."""


@profile.command("list")
@click.argument("word", default="")
@config_option
def profile_list(word: str, config: Path | None) -> None:
    """Profiles by name, all or those that have WORD.

    In name, vendor, device or title. Behind them what is read by addresses in a point list, and what cannot be read.
    """
    from ganpo_config.known_devices import addressed, unreadable

    found = _profiles(config)
    for name in found.having(word):
        title = found[name].title
        click.echo(_columns(name, f"{title.zh} / {title.en}"))
    for one in addressed():
        if word.casefold() in f"{one.vendor} {one.device} {one.addressing}".casefold():
            how = f'addressing = "{one.addressing}", address = "{one.example}"'
            click.echo(_columns("(in a point list)", f"{one.vendor} {one.device}: {how}"))
    for other in unreadable():
        if word.casefold() in f"{other.vendor} {other.device}".casefold():
            for line in (f"{other.why_zh}：{other.instead_zh}", f"{other.why_en}: {other.instead_en}"):
                click.echo(_columns("(not readable)", f"{other.vendor} {other.device}: {line}"))


@profile.command("show")
@click.argument("name")
@config_option
def profile_show(name: str, config: Path | None) -> None:
    """What a profile reads, asks for and cannot say.

    Its addresses, states, parameters, sources and notes.
    """
    from ganpo_config import profile_text

    found = _profiles(config)
    if name not in found:
        say(f"no profile {name}; {found.meant(name)}", err=True)
        sys.exit(1)
    for key, text in profile_text.told(found[name], words.language()):
        click.echo(_columns(key, text, _NAME))


def _columns(name: str, text: str, room: int = _ROOM) -> str:
    """A name and what it is beside it, or below it where the name is long; 80 columns wide."""
    first = (name if name.startswith(" ") else tell(name)) + " "  # what is indented is named by the profile
    lines = words.wrapped(tell(text), _COLUMNS - room)
    if words.width(first) > room and text:
        return "\n".join([first.rstrip(), *(" " * room + line for line in lines)])
    beside = first + " " * (room - words.width(first)) + lines[0]
    return "\n".join([beside.rstrip(), *(" " * room + line for line in lines[1:])])


def _profiles(config: Path | None) -> "Profiles":
    """The site's own beside its file, and ours. What is wrong in one of its own is told, and it is left out."""
    from ganpo_config.load import file_of
    from ganpo_config.profiles import Profiles

    found = Profiles(file_of(config).parent / "profiles")
    for error in found.errors:
        say(f"error    {told(error)}", err=True)
    return found
