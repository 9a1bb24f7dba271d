"""Prometheus' own tool, unpacked by `make promtool`; nothing of its package is installed, and no service of it runs."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMTOOL = ROOT / "build" / "prometheus" / "usr" / "bin" / "promtool"


def promtool(*words: str, given: str = "") -> str:
    """What it says."""
    if not PROMTOOL.exists():
        pytest.skip("promtool is not there: make promtool")
    done = subprocess.run([PROMTOOL, *words], input=given, capture_output=True, text=True, timeout=100)
    return done.stdout + done.stderr


def check_metrics(text: str) -> str:
    """What `promtool check metrics` finds: nothing, where all is well."""
    return promtool("check", "metrics", given=text)
