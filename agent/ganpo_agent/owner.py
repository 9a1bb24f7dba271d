"""A state folder has one agent: two on one outbox would give the same numbers twice."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganpo_model.errors import ConfigError


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold `agent.lock` in the folder; the kernel lets go of it however this process ends.

    Raises ConfigError where another agent holds it. A folder that cannot be written is told by the outbox.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "agent.lock").open("a")
    except OSError:
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
