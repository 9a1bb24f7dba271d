"""What every command needs: the settings, the database, and errors told without a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

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


def settings(config: Path | None) -> "CloudSettings":
    """What `cloud.toml` says; ends the command with every mistake where there is one."""
    return _loaded(config)[0]


@contextmanager
def database(config: Path | None) -> "Iterator[Database]":
    """The database that is set. One that has to be made is told: commands work beside a collector, and a wrong
    configuration would give them one of their own. Raises ConfigError where nothing is set, and StorageError."""
    from sqlalchemy.exc import OperationalError

    from ganpo_cloud.store.database import Database
    from ganpo_cloud.store.settings import DEFAULT_FILE
    from ganpo_model.errors import ConfigError, StorageError

    found, chosen = _loaded(config)
    file = found.database.file
    made = file is not None and not file.exists()
    if made and not chosen:
        hint = "give --config FILE, or GANPO_CLOUD_CONFIG: nothing was changed"
        raise ConfigError(f"no such file, and no database at {file}", where=str(DEFAULT_FILE), hint=hint)
    opened = Database(found.database, PATIENCE_S)
    if made:
        click.echo(f"{file}: there was no database, this one is new", err=True)
    try:
        yield opened
    except OperationalError as error:
        what = f"does not answer: {error.orig}"
        raise StorageError(what, where=opened.where, hint="nothing was changed") from error
    finally:
        opened.close()


@contextmanager
def told() -> Iterator[None]:
    """Errors that a person reads, without a traceback."""
    from ganpo_model.errors import GanpoError

    try:
        yield
    except GanpoError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _loaded(config: Path | None) -> "tuple[CloudSettings, bool]":
    from ganpo_cloud.store.settings import load

    loaded = load(config)
    if loaded.settings is None:
        for error in loaded.errors:
            click.echo(str(error), err=True)
        sys.exit(1)
    return loaded.settings, loaded.chosen
