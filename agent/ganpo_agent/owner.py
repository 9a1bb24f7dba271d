"""A state folder has one agent: two on one outbox would give the same numbers twice."""

import fcntl
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ganpo_model.errors import ConfigError


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold `agent.lock` in the folder; the kernel lets go of it however this process ends.

    Raises ConfigError where another agent holds it, also one of another user, or where that cannot be seen. A folder
    that cannot be written is told by the outbox.
    """
    file = _opened(folder)
    if file is None:
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            hint = "stop that one, or give this gateway a folder of its own"
            where = f"gateway.state_dir = {folder}"
            raise ConfigError("another agent works in it", where=where, hint=hint) from error
        yield


def _opened(folder: Path) -> IO[Any] | None:
    """The file that is locked; None where nothing can be kept in the folder, so that nobody works in it."""
    lock = folder / "agent.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return lock.open("a")
    except PermissionError:
        pass
    except OSError:
        return None
    try:
        return lock.open("rb")  # another user's: whether it is held can be seen all the same
    except PermissionError as error:
        what = (
            f"is closed to the user of this command ({_name(os.geteuid())}), and another agent may work in it"
        )
        hint = f"as its owner: sudo -u {_owner(folder)} ganpo run, or give this gateway a folder of its own"
        raise ConfigError(what, where=f"gateway.state_dir = {folder}", hint=hint) from error
    except OSError:
        return None


def _owner(folder: Path) -> str:
    try:
        return _name(folder.stat().st_uid)
    except OSError:
        return "USER"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"
