"""`*_file` keys: files in $CREDENTIALS_DIRECTORY (systemd) or in /etc/ganpo/secrets. No secret stands here itself.

The unit loads the whole folder (`LoadCredential=secrets:/etc/ganpo/secrets`): systemd then lays `NAME` down as
`secrets_NAME`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from ganpo_config.findings import Findings
from ganpo_model.errors import unread

FOLDER = Path("/etc/ganpo/secrets")


def folder(environ: Mapping[str, str]) -> Path:
    """Where they lie."""
    given = environ.get("CREDENTIALS_DIRECTORY")
    return Path(given) if given else FOLDER


class SecretFiles:
    """The folder of secrets, read while a file is checked."""

    def __init__(self, environ: Mapping[str, str], findings: Findings) -> None:
        self._folder = folder(environ)
        self._systemd = bool(environ.get("CREDENTIALS_DIRECTORY"))
        self._findings = findings

    def take(self, table: dict[str, Any], model: type[BaseModel], path: str) -> dict[str, Any]:
        """What the files of a table hold: `password` for its key `password_file`, for every secret of `model`.

        A secret that stands in the table itself is an error, and taken out of it. A `_file` key that `model` does
        not know itself is taken out too.
        """
        found: dict[str, Any] = {}
        for name, about in model.model_fields.items():
            if not _is_secret(about.annotation):
                continue
            key = f"{name}_file"
            if name in table:
                del table[name]
                self._findings.error(
                    f"{path}.{name}", "a secret never stands here", f"{key} = the name of its file"
                )
            file = table.get(key) if key in model.model_fields else table.pop(key, None)
            if file is None:
                continue
            text = self.read(file, f"{path}.{key}")
            if text is not None:
                found[name] = SecretStr(text)
                self.look_at_mode(file, f"{path}.{key}")
        return found

    def file(self, name: Any, path: str) -> Path | None:
        """The file behind a name, if it can be read; else an error."""
        return self._place(name) if self.read(name, path) is not None else None

    def read(self, name: Any, path: str) -> str | None:
        """What is in a file, without the line's end. None: an error was found."""
        if not isinstance(name, str):
            self._findings.error(path, "not a text: put it in quotes", value=name)
            return None
        if not name or "/" in name or name in (".", "..") or not name.isprintable():
            what = f"not the name of a file in {self._folder}"
            self._findings.error(path, what, "its name alone, without a folder", value=name)
            return None
        try:
            text = self._place(name).read_text(encoding="utf-8").strip()
        except UnicodeDecodeError:
            hint = "one line with the password alone"
            self._findings.error(path, "its file is not text", hint, value=name)
            return None
        except OSError as error:
            hint = "the same with sudo" if isinstance(error, PermissionError) else self._hint(name)
            self._findings.error(path, f"{unread(error)}: {error.filename}", hint, value=name)
            return None
        if not text:
            self._findings.error(path, "its file is empty", self._hint(name), value=name)
            return None
        return text

    def look_at_mode(self, name: str, path: str) -> None:
        """A secret that every user of the machine reads is none. What systemd lays down is nobody's business."""
        file = self._place(name)
        if not self._systemd and (mode := file.stat().st_mode & 0o777) & 0o007:
            what = f"every user of this machine can read it (mode {mode:o}): sudo chmod o= {file}"
            self._findings.warn(f"{path} = {name}", what)

    def _place(self, name: str) -> Path:
        laid_down = self._folder / f"secrets_{name}"
        return laid_down if self._systemd and laid_down.exists() else self._folder / name

    def _hint(self, name: str) -> str:
        unit = ", and restart the service: systemd reads it at a start" if self._systemd else ""
        return f"make it: sudo install -D -m 600 /dev/stdin {FOLDER / name}{unit}"


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(argument) for argument in get_args(annotation))
