"""The sentence a page begins with, in both languages: what is there, what is not, and never more than that."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from types import SimpleNamespace

import pytest

from ganpo_cloud.days import open_items
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.province.pace import pace
from ganpo_cloud.province.targets import Target
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.templating import environments

TODAY = date(2026, 11, 28)
PASSED, AHEAD = date(2020, 12, 31), date(2027, 12, 31)
NC = DEFINITIONS["nc_rate_main"]


def target(
    number: str | None = "60", deadline: date = AHEAD, plan: date = PASSED, comparator: str = ">="
) -> Target:
    asked = (comparator if number else "increase_vs_baseline", number, deadline)
    return Target("T01", *asked, "plan", "Wang", 0, plan=plan)


def item(
    checked: int, among: int, wanted: Target | None, behind: int = 3, of: int | None = None
) -> Indicator:
    return Indicator(NC, "360000", "", "", among, checked, 0, among, behind, of, None, wanted)


def moving(found: Indicator, values: Sequence[float | None]) -> Indicator:
    """The same with what it was at the ends of months."""
    exact = tuple(None if number is None else Fraction(str(number)) for number in values)
    if found.target is None or found.goal is None:
        return found
    down = found.target.down(exact[-1]) if exact else False
    return replace(found, pace=pace(exact, found.goal, TODAY, found.target.deadline, down=down))


def said(lang: str, name: str, *of: object, unpaced: bool = False) -> str:
    """What a macro of the judged numbers says, with its marks."""
    names = SimpleNamespace(area=str, unpaced=unpaced)
    context = {"n": Figures(TODAY), "rendering": names, "link": str, "scope": names}
    module = environments(exposed=False)[lang].get_template("judged.html").make_module(context)
    return str(getattr(module, name)(*of))


def told(lang: str, found: Indicator, values: Sequence[float | None] = ()) -> str:
    phrases = re.findall(r'<span class="nw[^>]*>(.*?)</span>', said(lang, "lead", moving(found, values)))
    return re.sub("<[^>]+>", "", ("" if lang == "zh" else " ").join(phrases))


RISING = (49.4, 49.9, 50.3, 50.8, 51.2, 51.7, 52.2)
CASES = {
    "nothing registered": (
        item(0, 0, target()),
        (),
        "No main production equipment is registered here yet.",
        "这里还没有登记主要生产装备。",
    ),
    "no target": (
        item(26, 50, None),
        RISING,
        "CNC coverage of main equipment is 52.0% (checked). There is no target for it.",
        "主要生产装备数控化率为52.0%（已核验）。没有对应的目标。",
    ),
    "no number in the plan": (
        item(0, 5, target(None)),
        (),
        "CNC coverage of main equipment is 0.0% (checked). The plan has no number for it.",
        "主要生产装备数控化率为0.0%（已核验）。计划未设数值。",
    ),
    "reached exactly": (
        item(3, 5, target()),
        RISING,
        "CNC coverage of main equipment is 60.0% (checked). The target of 60% is reached.",
        "主要生产装备数控化率为60.0%（已核验）。已达到60%的目标。",
    ),
    "reached long ago": (
        item(7, 7, target(deadline=PASSED)),
        (),
        "CNC coverage of main equipment is 100.0% (checked). The target of 60% is reached.",
        "主要生产装备数控化率为100.0%（已核验）。已达到60%的目标。",
    ),
    "59.96 % is not 60 %": (
        item(1499, 2500, target()),
        (59.8, 59.85, 59.96),
        (
            "CNC coverage of main equipment is 59.9% (checked). That is 0.1 points below the target of 60%. "
            "At the pace of the last 2 months it is reached in Dec 2026, within the deadline."
        ),
        (
            "主要生产装备数控化率为59.9%（已核验）。距60%的目标还差0.1个百分点。"
            "按近2个月的步速，预计2026年12月达到，在期限之内。"
        ),
    ),
    "no history": (
        item(26, 50, target()),
        (),
        (
            "CNC coverage of main equipment is 52.0% (checked). That is 8.0 points below the target of 60%. "
            "It is too early to tell a pace."
        ),
        "主要生产装备数控化率为52.0%（已核验）。距60%的目标还差8.0个百分点。数据月份不足，暂不判断步速。",
    ),
    "two points are too few": (
        item(26, 50, target()),
        (51.0, 52.0),
        (
            "CNC coverage of main equipment is 52.0% (checked). That is 8.0 points below the target of 60%. "
            "It is too early to tell a pace."
        ),
        "主要生产装备数控化率为52.0%（已核验）。距60%的目标还差8.0个百分点。数据月份不足，暂不判断步速。",
    ),
    "months without a number": (
        item(26, 50, target()),
        (None, None, None, None, 51.0, 51.5, 52.0),
        (
            "CNC coverage of main equipment is 52.0% (checked). That is 8.0 points below the target of 60%. "
            "At the pace of the last 2 months it is reached in Mar 2028, 3 months after the deadline."
        ),
        (
            "主要生产装备数控化率为52.0%（已核验）。距60%的目标还差8.0个百分点。"
            "按近2个月的步速，预计2028年3月达到，比期限晚3个月。"
        ),
    ),
    "too slow": (
        item(522, 1000, target()),
        RISING,
        (
            "CNC coverage of main equipment is 52.2% (checked). That is 7.8 points below the target of 60%. "
            "At the pace of the last 6 months it is reached in Apr 2028, 4 months after the deadline."
        ),
        (
            "主要生产装备数控化率为52.2%（已核验）。距60%的目标还差7.8个百分点。"
            "按近6个月的步速，预计2028年4月达到，比期限晚4个月。"
        ),
    ),
    "fast enough": (
        item(522, 1000, target()),
        (45.0, 46.2, 47.4, 48.6, 49.8, 51.0, 52.2),
        (
            "CNC coverage of main equipment is 52.2% (checked). That is 7.8 points below the target of 60%. "
            "At the pace of the last 6 months it is reached in Jun 2027, within the deadline."
        ),
        (
            "主要生产装备数控化率为52.2%（已核验）。距60%的目标还差7.8个百分点。"
            "按近6个月的步速，预计2027年6月达到，在期限之内。"
        ),
    ),
    "in the month of the deadline": (
        item(47, 100, target()),
        (41.0, 42.0, 43.0, 44.0, 45.0, 46.0, 47.0),
        (
            "CNC coverage of main equipment is 47.0% (checked). That is 13.0 points below the target of 60%. "
            "At the pace of the last 6 months it is reached in Dec 2027, within the deadline."
        ),
        (
            "主要生产装备数控化率为47.0%（已核验）。距60%的目标还差13.0个百分点。"
            "按近6个月的步速，预计2027年12月达到，在期限之内。"
        ),
    ),
    "only the plan's deadline, passed": (
        item(522, 1000, target(deadline=PASSED)),
        RISING,
        (
            "CNC coverage of main equipment is 52.2% (checked). That is 7.8 points below the target of 60%. "
            "At the pace of the last 6 months it is reached in Apr 2028, after a deadline that has passed."
        ),
        (
            "主要生产装备数控化率为52.2%（已核验）。距60%的目标还差7.8个百分点。"
            "按近6个月的步速，预计2028年4月达到，期限已过。"
        ),
    ),
    "falling": (
        item(522, 1000, target()),
        (52.8, 52.7, 52.6, 52.5, 52.4, 52.3, 52.2),
        (
            "CNC coverage of main equipment is 52.2% (checked). That is 7.8 points below the target of 60%. "
            "Over the last 6 months it fell by 0.6 points."
        ),
        "主要生产装备数控化率为52.2%（已核验）。距60%的目标还差7.8个百分点。近6个月下降0.6个百分点。",
    ),
    "standing still": (
        item(522, 1000, target()),
        (52.2,) * 7,
        (
            "CNC coverage of main equipment is 52.2% (checked). That is 7.8 points below the target of 60%. "
            "Over the last 6 months it hardly moved."
        ),
        "主要生产装备数控化率为52.2%（已核验）。距60%的目标还差7.8个百分点。近6个月基本持平。",
    ),
    "a hair upwards": (
        item(522, 1000, target()),
        (52.18, 52.18, 52.18, 52.19, 52.19, 52.19, 52.2),
        (
            "CNC coverage of main equipment is 52.2% (checked). That is 7.8 points below the target of 60%. "
            "Over the last 6 months it hardly moved."
        ),
        "主要生产装备数控化率为52.2%（已核验）。距60%的目标还差7.8个百分点。近6个月基本持平。",
    ),
    "in a century": (
        item(5, 100, target()),
        (4.4, 4.5, 4.6, 4.7, 4.8, 4.9, 5.0),
        (
            "CNC coverage of main equipment is 5.0% (checked). That is 55.0 points below the target of 60%. "
            "At the pace of the last 6 months it is reached in Sep 2072, 537 months after the deadline."
        ),
        (
            "主要生产装备数控化率为5.0%（已核验）。距60%的目标还差55.0个百分点。"
            "按近6个月的步速，预计2072年9月达到，比期限晚537个月。"
        ),
    ),
    "older months do not count": (
        item(522, 1000, target()),
        (10.0, 90.0, *RISING),
        (
            "CNC coverage of main equipment is 52.2% (checked). That is 7.8 points below the target of 60%. "
            "At the pace of the last 6 months it is reached in Apr 2028, 4 months after the deadline."
        ),
        (
            "主要生产装备数控化率为52.2%（已核验）。距60%的目标还差7.8个百分点。"
            "按近6个月的步速，预计2028年4月达到，比期限晚4个月。"
        ),
    ),
    "nothing of it is checked": (
        item(0, 40, target()),
        (0.0, 0.0, 0.0, 0.0),
        (
            "CNC coverage of main equipment is 0.0% (checked). That is 60.0 points below the target of 60%. "
            "Over the last 3 months it hardly moved."
        ),
        "主要生产装备数控化率为0.0%（已核验）。距60%的目标还差60.0个百分点。近3个月基本持平。",
    ),
    "a target with decimals": (
        item(522, 1000, target("52.25")),
        RISING,
        (
            "CNC coverage of main equipment is 52.2% (checked). That is 0.1 points below the target of 52.25%. "
            "At the pace of the last 6 months it is reached in Dec 2026, within the deadline."
        ),
        (
            "主要生产装备数控化率为52.2%（已核验）。距52.25%的目标还差0.1个百分点。"
            "按近6个月的步速，预计2026年12月达到，在期限之内。"
        ),
    ),
}
CASES |= {
    "within a limit": (
        item(30, 50, target(comparator="<=")),
        RISING,
        "CNC coverage of main equipment is 60.0% (checked). The target of 60% is reached.",
        "主要生产装备数控化率为60.0%（已核验）。已达到60%的目标。",
    ),
    "above a limit and coming down in time": (
        item(66, 100, target(comparator="<=")),
        (72.0, 71.0, 70.0, 69.0, 68.0, 67.0, 66.0),
        (
            "CNC coverage of main equipment is 66.0% (checked). That is 6.0 points above the target of 60%. "
            "At the pace of the last 6 months it is reached in May 2027, within the deadline."
        ),
        (
            "主要生产装备数控化率为66.0%（已核验）。比60%的目标高出6.0个百分点。"
            "按近6个月的步速，预计2027年5月达到，在期限之内。"
        ),
    ),
    "above a limit and coming down too slowly": (
        item(66, 100, target(comparator="<")),
        (67.2, 67.0, 66.8, 66.6, 66.4, 66.2, 66.0),
        (
            "CNC coverage of main equipment is 66.0% (checked). That is 6.0 points above the target of 60%. "
            "At the pace of the last 6 months it is reached in May 2029, 17 months after the deadline."
        ),
        (
            "主要生产装备数控化率为66.0%（已核验）。比60%的目标高出6.0个百分点。"
            "按近6个月的步速，预计2029年5月达到，比期限晚17个月。"
        ),
    ),
    "above a limit by a hair, and rising": (
        item(60_001, 100_000, target(comparator="<=")),
        (57.0, 57.5, 58.0, 58.5, 59.0, 59.5, 60.001),
        (
            "CNC coverage of main equipment is 60.0% (checked). That is 0.1 points above the target of 60%. "
            "Over the last 6 months it rose by 3.0 points."
        ),
        "主要生产装备数控化率为60.0%（已核验）。比60%的目标高出0.1个百分点。近6个月上升3.0个百分点。",
    ),
    "exactly, from above": (
        item(63, 100, target(comparator="=", deadline=PASSED)),
        (66.0, 65.5, 65.0, 64.5, 64.0, 63.5, 63.0),
        (
            "CNC coverage of main equipment is 63.0% (checked). That is 3.0 points above the target of 60%. "
            "At the pace of the last 6 months it is reached in May 2027, after a deadline that has passed."
        ),
        (
            "主要生产装备数控化率为63.0%（已核验）。比60%的目标高出3.0个百分点。"
            "按近6个月的步速，预计2027年5月达到，期限已过。"
        ),
    ),
}


def test_a_pace_is_judged_in_the_direction_of_its_target() -> None:
    """What has to come down is as far off as what has to rise; nothing is needed once a deadline has passed."""
    for deadline in (PASSED, AHEAD):
        for values in (RISING, RISING[::-1], (52.2,) * 7, (52.21, 52.2, 52.2)):
            exact = [Fraction(str(number)) for number in values]
            up = pace(exact, Fraction(60), TODAY, deadline)
            down = pace([100 - number for number in exact], Fraction(40), TODAY, deadline, down=True)
            assert up is not None
            assert down is not None
            assert (down.months, down.left) == (up.months, up.left)
            assert {"falling": "rising"}.get(up.verdict, up.verdict) == down.verdict
            assert (up.needed is None) == (down.needed is None) == (deadline is PASSED)
            assert down.needed is None or down.needed == -(up.needed or 0)
    found = item(70, 100, target(comparator="<=", deadline=PASSED))
    assert (found.status, found.verdict) == ("above", "above"), (
        "missed, however little is known of its months"
    )
    assert "above the target" in said("en", "verdict", found)
    assert "over it by 10.0 pts" in re.sub("<[^>]+>", "", said("en", "missed", found))


@pytest.mark.parametrize("case", CASES)
def test_the_sentence_is_right_in_both_languages(case: str) -> None:
    found, values, en, zh = CASES[case]
    assert told("en", found, values) == en
    assert told("zh", found, values) == zh


def test_what_is_late_is_marked_and_what_is_in_time_is_not() -> None:
    for case, late in (
        ("too slow", True),
        ("falling", True),
        ("fast enough", False),
        ("reached exactly", False),
    ):
        found, values, _, _ = CASES[case]
        assert ('class="nw late"' in said("en", "lead", moving(found, values))) is late


def test_a_tag_of_which_no_month_before_is_worked_out_is_not_too_early() -> None:
    found = item(26, 50, target())
    assert "too early" in said("en", "verdict", found)
    assert "no pace of this tag" in said("en", "verdict", found, unpaced=True)
    assert "Of this tag no pace is worked out." in said("en", "lead", found, unpaced=True)


@pytest.mark.parametrize(
    ("wanted", "of", "lines"),
    [
        (target(), 14, ["against 31 Dec 2027", "3 of 14 enterprises"]),
        (target(deadline=PASSED), None, ["no other was entered", "how many there are nobody said"]),
        (target(plan=AHEAD), 14, ["3 of 14 enterprises"]),
        (None, 14, ["3 of 14 enterprises"]),
    ],
)
def test_what_stands_below_says_who_is_behind_it_and_that_the_plan_has_passed(
    wanted: Target | None, of: int | None, lines: list[str]
) -> None:
    found = [
        re.sub("<[^>]+>", "", line)
        for line in re.findall("<p.*?</p>", said("en", "caveats", item(1, 2, wanted, 3, of), TODAY))
    ]
    assert len(found) == len(lines)
    for text, part in zip(found, lines, strict=True):
        assert part in text


@pytest.mark.parametrize(
    ("checked", "wanted", "gap"), [(522, "60", "7.8"), (599, "60", "0.1"), (0, "60.05", "60.1")]
)
def test_the_gap_and_the_rate_come_to_the_target_as_they_are_shown(
    checked: int, wanted: str, gap: str
) -> None:
    assert Figures(TODAY).reckoned(item(checked, 1000, target(wanted)), "gap").text("en") == gap


@pytest.mark.parametrize(
    ("per_hour", "told"),
    [
        (Fraction(332, 100), "3.32 kWh"),
        (Fraction(8640), "8,640 kWh"),
        (Fraction(999_994, 10), "99,999.4 kWh"),
        (Fraction(333_308_019, 100), "3,333,080 kWh"),
        (Fraction(10**15), "1,000,000,000,000,000 kWh"),
    ],
)
def test_a_rate_has_no_exponent(per_hour: Fraction, told: str) -> None:
    assert open_items.rate(per_hour, "kWh") == told
