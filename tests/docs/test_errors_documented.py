"""docs/errors.md has a section per error code, and none for an error that is gone."""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from ganpo_model.errors import GanpoError

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()
PACKAGES = ("ganpo_model", "ganpo_drivers", "ganpo_config", "ganpo_agent", "ganpo_cloud", "ganpo_demo")


def kinds(root: type[GanpoError] = GanpoError) -> Iterator[type[GanpoError]]:
    """Every error class of ours."""
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


def test_every_error_code_has_its_section_and_every_section_its_error() -> None:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            import_module(module.name)
    codes = {kind.code for kind in kinds() if kind.__module__.partition(".")[0] in PACKAGES}
    assert set(re.findall(r"^## `([a-z-]+)`$", PAGE, re.MULTILINE)) == codes


def test_every_reason_of_the_quarantine_is_explained() -> None:
    sources = [
        *Path(__file__).parents[2].glob("model/**/*.py"),
        *Path(__file__).parents[2].glob("cloud/**/*.py"),
    ]
    used = {
        reason
        for file in sources
        for reason in re.findall(r'reason(?:: str)? ?= ?"([a-z]+)"', file.read_text())
    }
    assert used
    assert used <= set(re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE))
