"""The files of a configuration: `agent.toml`, and beside it the lists that it names and the site's own profiles.

What was read is remembered, so that a copy is one of what was loaded, whatever is written meanwhile. A copy is such a
folder itself, with `copy.json` in it: of which file, since when, and which list lies where.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

MAIN = "agent.toml"
PROFILES = "profiles"
_MANIFEST = "copy.json"


class Files:
    """`texts`: what was read, by the names that the configuration has for them."""

    def __init__(self, file: Path) -> None:
        self.folder = file.parent
        self.texts: dict[str, bytes] = {}
        self._file = file
        found = about(self.folder)
        self._moved = {} if found is None else found.moved

    def main(self) -> bytes:
        """`agent.toml` itself, whatever it is called. Raises OSError."""
        self.texts[MAIN] = self._file.read_bytes()
        return self.texts[MAIN]

    def read(self, name: str) -> bytes:
        """A list. Raises OSError; ValueError for what is no name of a file."""
        self.texts[name] = (self.folder / self._moved.get(name, name)).read_bytes()
        return self.texts[name]

    def whole(self) -> dict[str, bytes]:
        """All of it, with the profiles of the site. Raises OSError."""
        own = sorted((self.folder / PROFILES).glob("*.toml"))
        return self.texts | {f"{PROFILES}/{file.name}": file.read_bytes() for file in own}


@dataclass(frozen=True, slots=True)
class Copy:
    """Of which file a folder is a copy, since when, and where those lists lie that do not lie beside it."""

    of: str
    at: datetime
    moved: Mapping[str, str]


def about(folder: Path) -> Copy | None:
    """What a folder is a copy of; None where it is none."""
    try:
        told = json.loads((folder / _MANIFEST).read_bytes())
        return Copy(str(told["of"]), datetime.fromisoformat(told["at"]), dict(told["moved"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def placed(names: Mapping[str, bytes]) -> dict[str, str]:
    """Where each of these lies in a copy: outside the folder nothing does."""
    return {
        name: f"outside/{number}-{PurePosixPath(name).name}" if _outside(name) else name
        for number, name in enumerate(names, 1)
    }


def copied(texts: Mapping[str, bytes], of: Path, at: datetime) -> dict[str, bytes]:
    """The files of a copy by their paths below its folder."""
    places = placed(texts)
    moved = {name: place for name, place in places.items() if name != place}
    told = {"of": str(of.absolute()), "at": at.isoformat(), "moved": moved}
    manifest = json.dumps(told, ensure_ascii=False, indent=1).encode()
    return {places[name]: text for name, text in texts.items()} | {_MANIFEST: manifest}


def _outside(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts
