"""What our commands have in common: how they end. An error of ours is told in a line, and so is output without room."""

import errno
import os
import sys
from typing import Any

import click

from ganpo_model.errors import GanpoError
from ganpo_service.release import RELEASED

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""With these a disk, or what standard output goes to, takes no more: no bug of ours."""


version_option = click.version_option(
    package_name="ganpo", message=f"%(prog)s %(version)s ({RELEASED:%Y-%m-%d})"
)
"""`--version`: number and day, so that a box tells how old it is."""


class _Plain(click.Command):
    """Exits with 1 then, without a traceback. A pipe that was closed ends it silently: click does that."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click's; any other OSError goes on, and all bugs."""
        try:
            return super().main(*args, **kwargs)
        except GanpoError as error:
            click.echo(str(error), err=True)
            sys.exit(1)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            _give_up_output()
            where = f"{error.filename}: " if error.filename else ""
            click.echo(f"{where}cannot be written: {error.strerror}: what came out is not whole", err=True)
            sys.exit(1)


class Command(_Plain):
    """A command alone."""


class Group(_Plain, click.Group):
    """A command with commands below it."""


def _give_up_output() -> None:
    """What is still buffered goes nowhere: the interpreter would fail at it once more when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
