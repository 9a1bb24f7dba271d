"""One file for a person to carry or to send: a tar.gz that its owner alone can read, from its first byte on."""

import io
import os
import tarfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from ganpo_model.errors import ConfigError, StorageError


def write(path: Path, members: Mapping[str, bytes]) -> None:
    """A new file with these members, by their names; nothing of it stays where it cannot be whole.

    Raises ConfigError where something is there already, which is not touched; StorageError.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        hint = "give another name"
        raise ConfigError("is there already, and is not touched", where=str(path), hint=hint) from error
    except OSError as error:
        raise _refused(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            into(file, members)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise _refused(path, error) from error


def into(file: IO[bytes], members: Mapping[str, bytes]) -> None:
    """The same, to a file that is open. Raises OSError."""
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size, about.mtime, about.mode = len(content), int(time.time()), 0o600
            tar.addfile(about, io.BytesIO(content))


def _refused(path: Path, error: OSError) -> StorageError:
    hint = "give a name in a folder that this user may write, on a disk with room"
    return StorageError(f"cannot be written: {error.strerror}", where=str(path), hint=hint)
