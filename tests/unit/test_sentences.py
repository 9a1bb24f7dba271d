"""The sentence a page begins with, in both languages: what is there, what is not, and never more than that."""

from datetime import date

import pytest

from ganpo_cloud import i18n
from ganpo_cloud.overview import DEFINITIONS, Indicator, Target
from ganpo_cloud.sentences import lead, points
from ganpo_model.coverage import Count

TODAY = date(2026, 11, 28)
PASSED, AHEAD = date(2020, 12, 31), date(2027, 12, 31)


def told(lang: str, count: Count, target: Target | None, status: str) -> str:
    item = Indicator(DEFINITIONS[0], count, 3, None, target, status)
    return ("" if lang == "zh" else " ").join(lead(item, TODAY, i18n.translator(lang)))


@pytest.mark.parametrize(
    ("count", "value", "deadline", "status", "en", "zh"),
    [
        (
            Count(0, 0, 0, 0),
            "60",
            PASSED,
            "no_data",
            "No main production equipment is registered here yet.",
            "这里还没有登记主要生产装备。",
        ),
        (
            Count(50, 40, 26, 5),
            "60",
            AHEAD,
            "below",
            "CNC coverage of main equipment is 52.0% (checked). That is 8.0 points below the target of 60%.",
            "主要生产装备数控化率为52.0%（已核验）。距60%的目标还差8.0个点。",
        ),
        (
            Count(2500, 1600, 1499, 5),
            "60",
            AHEAD,
            "below",
            "CNC coverage of main equipment is 59.9% (checked). That is 0.1 points below the target of 60%.",
            "主要生产装备数控化率为59.9%（已核验）。距60%的目标还差0.1个点。",
        ),
        (
            Count(5, 4, 3, 0),
            "60",
            PASSED,
            "reached",
            (
                "CNC coverage of main equipment is 60.0% (checked). The target of 60% is reached. "
                "The deadline of the plan, 2020-12-31, has passed."
            ),
            "主要生产装备数控化率为60.0%（已核验）。已达到60%的目标。计划的期限2020-12-31已过。",
        ),
        (
            Count(5, 4, 0, 0),
            None,
            PASSED,
            "no_number",
            "CNC coverage of main equipment is 0.0% (checked). The plan has no number for it.",
            "主要生产装备数控化率为0.0%（已核验）。计划未设数值。",
        ),
    ],
)
def test_what_is_said(count: Count, value: str | None, deadline: date, status: str, en: str, zh: str) -> None:
    target = Target("T01", ">=" if value else "increase_vs_baseline", value, deadline)
    assert told("en", count, target, status) == en
    assert told("zh", count, target, status) == zh


def test_without_a_target_it_says_so() -> None:
    assert told("en", Count(4, 1, 1, 1), None, "no_target").endswith("(checked). There is no target for it.")


@pytest.mark.parametrize(
    ("rate", "target", "gap"), [("52.2", "60", "7.8"), ("59.9", "60", "0.1"), ("0.0", "60.05", "60.1")]
)
def test_the_gap_and_the_rate_come_to_the_target_as_they_are_shown(rate: str, target: str, gap: str) -> None:
    assert points(rate, target) == gap
