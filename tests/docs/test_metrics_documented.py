"""docs/metrics.md names every metric that gateway and collector tell, and none that they do not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text()


@pytest.mark.parametrize(("heading", "package"), [("Gateway", "agent"), ("Collector", "cloud")])
def test_every_metric_has_its_line(heading: str, package: str) -> None:
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    sources = "".join(file.read_text() for file in (ROOT / package).rglob("*.py"))
    told = set(re.findall(r'"(ganpo_[a-z0-9_]+)"', sources)) - {f"ganpo_{area}" for area in AREAS}
    assert told
    assert set(re.findall(r"^\| `(ganpo_\w+)` \|", section, re.MULTILINE)) == told


AREAS = ("model", "service", "drivers", "config", "agent", "cloud", "demo")
