"""Small files that a power cut leaves whole: written beside, synced, then put in their place."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganpo_model.errors import StorageError


def replace(path: Path, content: bytes) -> None:
    """Put `content` in the place of `path`. Raises StorageError."""
    with _written(path, content) as beside:
        beside.replace(path)


def add(path: Path, content: bytes) -> None:
    """Make `path` with `content`, unless it is there already: who comes first has made it. Raises StorageError."""
    with _written(path, content) as beside:
        try:
            path.hardlink_to(beside)
        except FileExistsError:
            return


@contextmanager
def _written(path: Path, content: bytes) -> Iterator[Path]:
    """A file beside `path` with `content`, mode 600, of the owner of the folder above: root may make what a service
    of less rights reads."""
    # connections are opened side by side: a name for each thread of each process
    beside = path.with_name(f"{path.name}.{threading.get_native_id()}")
    try:
        above = _folder(path.parent)
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _give(beside, above)
            yield beside
        finally:
            beside.unlink(missing_ok=True)
        _sync(path.parent)
    except OSError as error:
        raise StorageError(
            f"cannot be written ({error.strerror})",
            where=str(path),
            hint="it lies below gateway.state_dir, which belongs to the service: write there as root or as its user",
        ) from error


def read(path: Path, what: str) -> bytes | None:
    """The bytes of a file, None where there is none. Raises StorageError, which names `what`."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(
            f"{what} cannot be read ({error.strerror})",
            where=str(path),
            hint="it belongs to the service: root or its user can read it",
        ) from error


def _folder(folder: Path) -> os.stat_result:
    """Make the folder where it is missing. Returns whose the folder above it is."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    above = folder.parent.stat()
    if not folder.is_dir():
        folder.mkdir(mode=0o700, exist_ok=True)
        _give(folder, above)
    return above


def _give(path: Path, owner: os.stat_result) -> None:
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
