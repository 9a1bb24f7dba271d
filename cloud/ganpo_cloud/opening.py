"""What every command needs: the settings, the database, and errors told without a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ganpo_cloud.database import Database
    from ganpo_cloud.settings import CloudSettings

PATIENCE_S = 30.0
"""How long a command waits for a running collector."""

config = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="cloud.toml  [default: $GANPO_CLOUD_CONFIG, then /etc/ganpo/cloud.toml]",
)


def settings(config: Path | None) -> "CloudSettings":
    """What `cloud.toml` says; ends the command with every mistake where there is one."""
    from ganpo_cloud.settings import load

    loaded = load(config)
    if loaded.settings is None:
        for error in loaded.errors:
            click.echo(str(error), err=True)
        sys.exit(1)
    return loaded.settings


@contextmanager
def database(config: Path | None) -> "Iterator[Database]":
    """The database that is set. Raises StorageError."""
    from sqlalchemy.exc import OperationalError

    from ganpo_cloud.database import Database
    from ganpo_model.errors import StorageError

    opened = Database(settings(config).database, PATIENCE_S)
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
