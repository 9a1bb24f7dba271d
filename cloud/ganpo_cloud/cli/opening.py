"""What every command needs: the settings, and the database."""

import datetime
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from ganpo_service.commands import say

if TYPE_CHECKING:
    from ganpo_cloud.store.database import Database
    from ganpo_cloud.store.settings import CloudSettings

PATIENCE_S = 30.0
"""How long a command waits for a running collector."""

config = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="cloud.toml  [default: $GANPO_CLOUD_CONFIG, then /etc/ganpo/cloud.toml]",
)


def numbered(text: str) -> int | None:
    """The number of something that is stored; None where it is none."""
    return int(text) if re.fullmatch(r"[1-9]\d{0,17}", text, re.ASCII) else None


class Opened(NamedTuple):
    """What a command works on, and the present."""

    database: "Database"
    settings: "CloudSettings"
    now: datetime.datetime


def process(command: Callable[..., None]) -> Callable[..., None]:
    """Of a command that runs until it is stopped: where its settings are, and how it logs."""
    formats, levels = click.Choice(["text", "json"]), click.Choice(["debug", "info", "warning", "error"])
    command = click.option("--log-level", type=levels, default="info", show_default=True)(command)
    return config(click.option("--log-format", type=formats, default="text", show_default=True)(command))


@contextmanager
def database(config: Path | None) -> Iterator[Opened]:
    """The database that is set. One that has to be made is told: commands work beside a collector, and a wrong
    configuration would give them one of their own. Raises ConfigError, StorageError."""
    from sqlalchemy.exc import OperationalError

    from ganpo_cloud.store.database import Database
    from ganpo_cloud.store.settings import DEFAULT_FILE
    from ganpo_cloud.store.sqlite_file import not_written
    from ganpo_model.errors import ConfigError, StorageError

    settings, chosen = loaded(config)
    file = settings.database.file
    made = False
    if file is not None:
        try:
            made = not file.exists()
        except PermissionError as error:
            raise not_written(file, error) from error
    if made and not chosen:
        hint = "give --config FILE, or GANPO_CLOUD_CONFIG: nothing was changed"
        raise ConfigError(f"no such file, and no database at {file}", where=str(DEFAULT_FILE), hint=hint)
    opened = Database(settings.database, PATIENCE_S)
    if made:
        say(f"{file}: there was no database, this one is new", err=True)
    try:
        yield Opened(opened, settings, datetime.datetime.now(datetime.UTC))
    except OperationalError as error:
        what = f"does not answer: {error.orig}"
        raise StorageError(what, where=opened.where, hint="nothing was changed") from error
    finally:
        opened.close()


def loaded(config: Path | None) -> "tuple[CloudSettings, bool]":
    """What `cloud.toml` says, and whether anybody chose the database; ends the command with every mistake."""
    from ganpo_cloud.store.settings import load

    found = load(config)
    if found.settings is None:
        for error in found.errors:
            say(error, err=True)
        sys.exit(1)
    return found.settings, found.chosen
