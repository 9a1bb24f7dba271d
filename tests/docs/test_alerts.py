"""The alerts of deploy/prometheus: promtool runs their tests, and every number in them is a documented one."""

import re
from pathlib import Path

from support.promtool import promtool

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = (FOLDER / "alerts.yml").read_text()
KNOWN = set(re.findall(r"^\| `(ganpo_\w+)` \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))


def names(text: str) -> set[str]:
    """Metrics of a query, without what a histogram adds to its name."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\bganpo_\w+", text)}


def test_every_alert_fires_where_it_must_and_none_where_nothing_is_wrong() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(FOLDER / "alerts_test.yml"))


def test_every_alert_is_tried() -> None:
    alerts = re.findall(r"- alert: (\w+)", RULES)
    tried = re.findall(r"^  - name: (Ganpo\w+)", (FOLDER / "alerts_test.yml").read_text(), re.MULTILINE)
    assert len(alerts) > 20
    assert sorted(alerts) == sorted(tried)


def test_rules_and_configuration_are_what_prometheus_takes() -> None:
    assert "SUCCESS" in promtool("check", "rules", str(FOLDER / "alerts.yml"))
    assert "SUCCESS" in promtool("check", "config", str(FOLDER / "prometheus.yml"))


def test_alerts_ask_for_metrics_that_are_told() -> None:
    assert names(RULES) <= KNOWN, "docs/metrics.md has all of them"
