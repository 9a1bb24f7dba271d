"""What another user of the machine shut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def not_root() -> Iterator[None]:
    """Whoever may read and write everywhere is nobody for a while."""
    before = os.geteuid()
    os.seteuid(before or 65534)
    try:
        yield
    finally:
        os.seteuid(before)


@contextmanager
def shut(folder: Path) -> Iterator[None]:
    """A new folder that nobody may look into, least of all us; the one around it may be."""
    folder.mkdir(mode=0o000 if os.geteuid() else 0o700)
    folder.parent.chmod(0o755)
    with not_root():
        yield
    folder.chmod(0o700)
