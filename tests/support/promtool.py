"""Prometheus' own tool, unpacked by `make promtool`; nothing of its package is installed, and no service of it runs."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMTOOL = ROOT / "build" / "prometheus" / "usr" / "bin" / "promtool"


def check_metrics(text: str) -> str:
    """What `promtool check metrics` finds: nothing, where all is well."""
    if not PROMTOOL.exists():
        pytest.skip("promtool is not there: make promtool")
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr
