"""`ganpo status`, `points` and `watch`: what the running gateway sees, as its page shows it."""

import math
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from ganpo_agent.cli.asking import told
from ganpo_agent.cli.common import config_option, json_option, the_running

_HOME, _CLEAR, _CLEAR_LINE = "\x1b[H", "\x1b[J", "\x1b[K"
_ALONE, _BACK = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""The terminal's other screen without a cursor, and back to what stood there."""


@click.command()
@config_option
@json_option
def status(config: Path | None, as_json: bool) -> None:
    """How the running gateway is.

    What is read, what a person must do and with which command, what waits for the collector. Ends with 1 where
    something has to be done now.
    """
    import asyncio

    from ganpo_agent.cli import showing

    client = the_running(config)
    found = asyncio.run(client.get("status"))
    if as_json:
        told(found)
    else:
        links = asyncio.run(client.get("connections"))
        click.echo("\n".join(showing.status(found, links, showing.columns())))
    sys.exit(1 if any(need["level"] == "alarm" for need in found["needs"]) else 0)


@click.command()
@click.argument("subject", default="", metavar="[ASSET_NO]")
@click.option("--faulty", is_flag=True, help="only those without a good value")
@config_option
@json_option
def points(subject: str, faulty: bool, config: Path | None, as_json: bool) -> None:
    """What each point of the running gateway said last.

    Of one machine or meter, or of all: value, unit, whether it is good, how old it is, what the device said (raw).
    """
    import asyncio

    from ganpo_agent.cli import showing
    from ganpo_model.errors import ConfigError

    found = asyncio.run(the_running(config).get("points", **_asked(subject, faulty=faulty)))
    if not found and subject and not faulty:
        raise ConfigError("no point of it is read", where=subject, hint="`ganpo points` shows all")
    if as_json:
        told(found)
    else:
        click.echo("\n".join(showing.points(found, showing.columns())))


@click.command()
@click.argument("subject", default="", metavar="[ASSET_NO]")
@click.option("--faulty", is_flag=True, help="only those without a good value")
@click.option(
    "--every", "every_s", default=1.0, type=click.FloatRange(0.2, 60), show_default=True, help="seconds"
)
@click.option("--times", type=click.IntRange(1), help="then end  [default: until Ctrl-C]")
@config_option
@json_option
def watch(
    subject: str, faulty: bool, every_s: float, times: int | None, config: Path | None, as_json: bool
) -> None:
    """The points as they change, until Ctrl-C.

    As large as the terminal; with --json, or into a pipe, one picture after another.
    """
    import asyncio
    import json

    from ganpo_agent.cli import showing

    client = the_running(config)
    asked = _asked(subject, faulty=faulty)
    on_screen = not as_json and sys.stdout.isatty()

    async def again() -> None:
        left = math.inf if times is None else times
        while left > 0:
            left -= 1
            status, found = await client.get("status"), await client.get("points", **asked)
            if as_json:
                click.echo(json.dumps({"status": status, "points": found}, ensure_ascii=False))
            else:
                size = shutil.get_terminal_size()
                lines = showing.screen(status, found, size.lines if on_screen else 10**6, showing.columns())
                _draw(lines, on_screen=on_screen)
            if left > 0:
                await asyncio.sleep(every_s)

    if on_screen:
        click.echo(_ALONE, nl=False)
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(again())
    finally:
        if on_screen:
            click.echo(_BACK, nl=False)


def _draw(lines: Sequence[str], *, on_screen: bool) -> None:
    """Over what stood there, without a flicker; into a pipe one picture below the other."""
    if on_screen:
        click.echo(_HOME + "\n".join(line + _CLEAR_LINE for line in lines) + _CLEAR, nl=False)
    else:
        click.echo("\n".join([*lines, ""]))


def _asked(subject: str, *, faulty: bool) -> dict[str, str]:
    return ({"subject": subject} if subject else {}) | ({"faulty": "1"} if faulty else {})
