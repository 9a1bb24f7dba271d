"""`last-good/` in the state folder: one copy of the last configuration that worked, for a start with one that does not.

    last-good.new   being written; worth nothing before it is renamed
    last-good       complete and synced
    last-good.old   the one before, for the moment in which the other two change names

There is no secret in it: the files of a configuration only name those of secrets.
"""

import logging
import os
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ganpo_agent.keeping.pages import sync
from ganpo_config import Loaded, load
from ganpo_config.files import MAIN, about, copied
from ganpo_config.load import file_of
from ganpo_model.clock import iso
from ganpo_model.errors import ConfigError
from ganpo_service import workbooks

log = logging.getLogger(__name__)

NAME = "last-good"
_USUAL = Path("/var/lib/ganpo")
_STATE_DIR = re.compile(r"""^\s*state_dir\s*=\s*["']([^"']+)["']""", re.MULTILINE)


def keep(loaded: Loaded, file: Path, state_dir: Path, now: datetime) -> None:
    """Put a copy of what was loaded from `file` in place of the one before. What the disk refuses, the log tells."""
    folder = state_dir / NAME
    files = copied(loaded.files, file, now)
    if _same(folder, files):
        return
    following, former = folder.with_suffix(".new"), folder.with_suffix(".old")
    try:
        shutil.rmtree(following, ignore_errors=True)
        for name, text in files.items():
            path = following / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(text)
            sync(path)
        sync(following)
        if folder.is_dir():
            shutil.rmtree(former, ignore_errors=True)
            folder.replace(former)
        following.replace(folder)
        sync(state_dir)
        shutil.rmtree(former, ignore_errors=True)
    except OSError as error:
        log.warning("the last good configuration is not kept folder=%s why=%r", folder, error.strerror)


def instead_of(
    config: Path | None, errors: tuple[ConfigError, ...], environ: Mapping[str, str] = os.environ
) -> tuple[Loaded, ConfigError] | None:
    """The last good configuration of a file that has these errors, and what to tell of that; None where there is none
    that can be run."""
    file = file_of(config, environ)
    for state_dir in _state_dirs(file, environ):
        for folder in (state_dir / NAME, (state_dir / NAME).with_suffix(".old")):
            copy = about(folder)
            if copy is None or copy.of != str(file.absolute()):
                continue
            loaded = load(folder / MAIN, environ, opener=workbooks.sheets)
            if loaded.plant is not None:
                number = f"{len(errors)} errors" if len(errors) > 1 else "an error"
                what = f"has {number}: the last good configuration runs, of {iso(copy.at)} ({folder})"
                hint = "`ganpo check` names each; mend it, then `ganpo reload`"
                return loaded, ConfigError(what, where=str(file), hint=hint)
    return None


def _same(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether a copy says the same, but for its date: flash wears off."""
    try:
        there = {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }
    except OSError:
        return False
    return there.keys() == files.keys() and all(
        text == files[name] for name, text in there.items() if not name.endswith(".json")
    )


def _state_dirs(file: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where the state folder of a file may be that cannot be read as it should."""
    text = ""
    with suppress(OSError):
        text = file.read_bytes().decode("utf-8-sig", "replace")
    found: object = None
    with suppress(tomllib.TOMLDecodeError, RecursionError, AttributeError):
        found = tomllib.loads(text).get("gateway", {}).get("state_dir")
    guesses = [environ.get("GANPO_GATEWAY__STATE_DIR"), found, *_STATE_DIR.findall(text)]
    guesses += [environ.get("STATE_DIRECTORY", "").partition(":")[0], str(_USUAL)]
    yield from (Path(guess) for guess in dict.fromkeys(guesses) if isinstance(guess, str) and guess)
