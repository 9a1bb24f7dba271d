"""`ganpo doctor`: what would stop this gateway one day, and a file for who helps."""

import sys
from pathlib import Path
from typing import Any

import click

from ganpo_agent.cli.asking import told
from ganpo_agent.cli.common import config_option, configured, json_option, read
from ganpo_agent.cli.text import row
from ganpo_service.commands import say

_RESOURCES = ("status", "connections", "points", "machines", "meters")


@click.command()
@config_option
@click.option(
    "--bundle",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.tar.gz",
    help="write configuration, state and log into one file, without secrets",
)
@json_option
def doctor(config: Path | None, bundle: Path | None, as_json: bool) -> None:
    """What would stop this gateway one day.

    Clock, NTP, battery clock, disk, permissions, names, broker login, certificates, backlog, versions: what is wrong,
    and what shows or mends it. No device is asked.
    """
    import asyncio

    from ganpo_agent.device.doctor import examine
    from ganpo_agent.device.machine import ALARM
    from ganpo_agent.local import client

    plant = configured(config)
    agent = client.running(config)
    said: dict[str, Any] = {}

    async def ask() -> list[Any]:
        if agent is not None:
            for what in _RESOURCES:
                said[what] = await agent.get(what)
        return list(await examine(plant, said.get("status")))

    checks = asyncio.run(ask())
    if as_json:
        told([one._asdict() for one in checks])
    else:
        for one in checks:
            click.echo(row((one.level, one.check, one.what), (9, 13)))
            if one.command:
                click.echo(row(("", "", f"-> {one.command}"), (9, 13)))
        if agent is None:
            say("no gateway runs with this configuration: `ganpo run`, or `ganpo service status`", err=True)
    if bundle is not None:
        _write(bundle, config, plant, checks, said)
        say(f"{bundle}: written, without secrets; look into it before you send it", err=as_json)
    sys.exit(1 if any(one.level == ALARM for one in checks) else 0)


def _write(path: Path, config: Path | None, plant: Any, checks: Any, said: dict[str, Any]) -> None:
    from ganpo_agent.device import bundle
    from ganpo_config.load import file_of

    loaded = read(config)
    lines = [*map(str, loaded.errors), *loaded.warnings, *loaded.notes]
    bundle.write(
        path, bundle.contents(file_of(config), plant, [one._asdict() for one in checks], said, lines)
    )
