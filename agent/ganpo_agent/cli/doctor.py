"""`ganpo doctor`: what would stop this gateway one day, and a file for who helps."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganpo_agent.cli.asking import told
from ganpo_agent.cli.common import config_option, json_option, not_running, ran_last, read, running
from ganpo_agent.cli.text import row
from ganpo_service.commands import say

if TYPE_CHECKING:
    from ganpo_agent.device.machine import Check
    from ganpo_agent.local.client import Client
    from ganpo_config.load import Loaded
    from ganpo_config.plant import Plant

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
    from ganpo_agent.device.machine import ALARM, Check
    from ganpo_config.load import file_of
    from ganpo_model.errors import ConfigError, GanpoError

    loaded = read(config)
    for error in loaded.errors:
        say(error, err=True)
    agent = running(config)
    plant = loaded.plant or ran_last(config, loaded.errors)
    if plant is None and agent is None:
        raise ConfigError("the configuration has errors", hint="`ganpo check` shows the same")
    said: dict[str, Any] = {}
    checks = [] if loaded.plant is not None else [_broken(file_of(config), len(loaded.errors), agent)]

    async def ask() -> None:
        if agent is not None:
            try:
                for what in _RESOURCES:
                    said[what] = await agent.get(what)
                if loaded.plant is None:
                    checks.extend(Check(**one) for one in await agent.get("doctor"))
                    return
            except GanpoError as error:
                checks.append(Check("agent", ALARM, str(error), "ganpo service status"))
        if plant is not None:
            checks.extend(await examine(plant, said.get("status")))

    asyncio.run(ask())
    if as_json:
        told([one._asdict() for one in checks])
    else:
        for one in checks:
            click.echo(row((one.level, one.check, one.what), (9, 13)))
            if one.command:
                click.echo(row(("", "", f"-> {one.command}"), (9, 13)))
        if agent is None:
            say(str(not_running()), err=True)
    if bundle is not None:
        _write(bundle, file_of(config), loaded, plant, checks, said)
        say(f"{bundle}: written, without secrets; look into it before you send it", err=as_json)
    sys.exit(1 if any(one.level == ALARM for one in checks) else 0)


def _broken(file: Path, errors: int, agent: "Client | None") -> "Check":
    """The configuration has errors: whose state it is that follows."""
    from ganpo_agent.device.machine import ALARM, Check

    whose = "the running gateway's, which goes on with the configuration of before"
    if agent is None:
        whose = "that of the last good configuration"
    return Check(
        "configuration", ALARM, f"{file} has {errors} errors: what follows is {whose}", "ganpo check"
    )


def _write(
    path: Path, file: Path, loaded: "Loaded", plant: "Plant | None", checks: Any, said: dict[str, Any]
) -> None:
    from ganpo_agent.device import bundle

    lines = [*map(str, loaded.errors), *loaded.warnings, *loaded.notes]
    bundle.write(path, bundle.contents(file, plant, [one._asdict() for one in checks], said, lines))
