"""What package and bundle have in common: our wheel, and who we are."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = "3.11"
"""What Debian 12 has."""


def project() -> dict[str, str]:
    """Name, version, description as in pyproject.toml."""
    found: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def wheel(into: Path) -> Path:
    """Build the wheel of the project as it lies here, with the charts of its pages."""
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(into), str(ROOT))
    return next(into.glob("ganpo-*.whl"))


def run(*words: str) -> None:
    """One Python module or script, silently; what it said where it fails. Raises SystemExit."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")


def changed() -> int:
    """When the last commit was made, in s since 1970: what is packed says so, and not when it was packed."""
    words = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    return int(said) if re.fullmatch(r"\d+", said) else 1_764_028_800
