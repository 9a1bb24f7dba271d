"""`ganpo export` and `ganpo import`: another box in the same place."""

import os
from pathlib import Path

import click

from ganpo_agent.cli.common import config_option, read
from ganpo_service.commands import say


@click.command("export")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--with-key", is_flag=True, help="The private key too, by which OPC UA servers know this gateway."
)
@click.option("--outbox", is_flag=True, help="What waits to be sent too; the gateway has to be stopped.")
def export(config: Path | None, file: Path, with_key: bool, outbox: bool) -> None:
    """Write what makes this gateway into FILE.

    Configuration, lists, profiles of the site, and the certificates that it trusts; no passwords.
    """
    from ganpo_agent.cli import boxes
    from ganpo_model.errors import ConfigError

    loaded = read(config)
    if loaded.plant is None:
        for error in loaded.errors:
            say(error, err=True)
        raise ConfigError("the configuration has errors", hint="mend it first: `ganpo check` shows the same")
    for line in boxes.export(loaded, file, with_key=with_key, with_outbox=outbox):
        say(line)
    say(f"{file} is written. On the new box: `ganpo import {file.name}`")


@click.command("import")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--outbox",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="state folder of the old box: what waited there is sent",
)
def take(config: Path | None, file: Path, outbox: Path | None) -> None:
    """Make this box the gateway that FILE was written by.

    Nothing that is there is touched. What is still missing is told: passwords are in no file.
    """
    from ganpo_agent.cli import boxes
    from ganpo_config.load import file_of

    to = file_of(config)
    given = os.environ.get("GANPO_GATEWAY__STATE_DIR")
    for line in boxes.take(file, to, Path(given) if given else None, outbox):
        say(line)
    loaded = read(config)
    for error in loaded.errors:
        say(f"missing  {error}")
    if not loaded.errors:
        say("Next: `ganpo check`, then start it. The old box must not run any more: both have one id.")
