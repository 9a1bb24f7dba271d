"""Points and grades of an assessment, by hand; and every mistake of a scheme is named."""

from fractions import Fraction
from pathlib import Path

import pytest

from ganpo_cloud.province import schemes
from ganpo_cloud.province.assessment import falling, known
from ganpo_model.scoring import Grade, Rule, grade, points

TABLE: tuple[tuple[str, str | None, int, Rule, int, int | None, bool, int], ...] = (
    # what, value, most, rule, full, zero, less is better, tenths
    ("halfway", "105", 40, "linear", 100, 110, True, 200),
    ("rounded down: 40 x 2/3 = 26.67", "310/3", 40, "linear", 100, 110, True, 266),
    ("at full", "100", 40, "linear", 100, 110, True, 400),
    ("better than full is no more", "90", 40, "linear", 100, 110, True, 400),
    ("at zero", "110", 40, "linear", 100, 110, True, 0),
    ("beyond zero is no less", "130", 40, "linear", 100, 110, True, 0),
    ("more is better", "45", 10, "linear", 60, 0, False, 75),
    ("a hair above full where less is better", "1000001/10000", 40, "all_or_nothing", 100, None, True, 0),
    ("full reached", "100", 40, "all_or_nothing", 100, None, True, 400),
    ("almost", "899/10", 10, "all_or_nothing", 90, None, False, 0),
    ("nobody knows", None, 40, "linear", 100, 110, True, 0),
    ("nobody knows either", None, 40, "all_or_nothing", 0, None, False, 0),
)


def test_points_by_hand() -> None:
    for what, value, most, rule, full, zero, less, tenths in TABLE:
        number, none = (
            (None if value is None else Fraction(value)),
            (None if zero is None else Fraction(zero)),
        )
        assert points(number, Fraction(most), rule, Fraction(full), none, falling=less) == tenths, what
    with pytest.raises(ValueError, match="linear needs a zero"):
        points(Fraction(1), Fraction(1), "linear", Fraction(1), Fraction(1), falling=False)


def test_grades_by_hand_and_a_veto_is_the_lowest() -> None:
    table: dict[int, Grade] = {1000: "exceeded", 950: "exceeded", 949: "fulfilled", 800: "fulfilled"}
    table |= {799: "basically", 600: "basically", 599: "not_fulfilled", 0: "not_fulfilled"}
    for total, name in table.items():
        assert grade([total - total // 3, total // 3], vetoed=False) == name
        assert grade([total], vetoed=True) == "not_fulfilled"


def item(**changes: str) -> str:
    """A table of the file; a change to `` leaves the key out."""
    keys = {
        "id": '"a"',
        "zh": '"甲"',
        "en": '"A"',
        "max": "100",
        "measure": '"nc_rate_main"',
        "rule": '"linear"',
    }
    keys |= {"full": "60", "zero": "0"} | changes
    return "[[item]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value)


WRONG = {
    item(max=""): "item a, max: is missing",
    item(max="90"): "max: all items come to 90 points",
    item(max="true"): "item a, max",
    item(max='"100"'): "item a, max",
    item(max="-5"): "item a, max",
    item(max="50.05") + item(id='"b"', max="49.95"): "has parts of a tenth",
    item(max="nan"): "item a, max",
    item(measure='"nc_rate_mian"'): "did you mean nc_rate_main",
    item(measure='"assessment_points"'): "no such number",
    item(rule='"linaer"'): "item a, rule = linaer: expected all_or_nothing",
    item(zero=""): "item a, zero: is missing: linear",
    item(zero="60"): "item a, zero: is the same as full",
    item(measure='"dual_total_ratio"', full="100", zero="90"): "a, zero: lies below full, and less of it is",
    item(rule='"all_or_nothing"', full="0", zero=""): "a, full: is reached by every number; where less",
    item(id='"A b"'): "expected a word of",
    item(zh='""'): "item a, zh",
    item(zh='"  "'): "item a, zh",
    item(en='"A\\nB"'): "item a, en = A",
    item(id='"total"'): "is what the sum of all is called",
    "item = [1]": "item 1 = 1: expected a table",
    item(veot="true"): "item a, veot: no such key; did you mean veto",
    item(max="50") + item(max="50"): "item a: stands there twice",
    "item = []": "assessment.toml",
    "item = 5": "assessment.toml",
    "items = 5\n": "no such key",
    "[[item]\n": "not TOML",
    "": "assessment.toml",
}


def test_every_mistake_of_a_scheme_is_named_with_item_and_key(tmp_path: Path) -> None:
    file = tmp_path / schemes.FILE
    for text, told in WRONG.items():
        file.write_text(text, encoding="utf-8")
        scheme, errors = schemes.read(tmp_path, known())
        assert scheme is None, text
        assert any(told in str(error) for error in errors), (told, [*map(str, errors)])
    file.write_text(item(max="", rule='"x"', full='"many"', veto='"no"'), encoding="utf-8")
    assert len(schemes.read(tmp_path, known())[1]) == 4, "all at once"
    file.write_bytes(item().encode("gbk"))
    (error,) = schemes.read(tmp_path, known())[1]
    assert "is not UTF-8 (byte 24); save it as UTF-8" in str(error)


def test_less_is_better_where_the_item_or_its_number_says_so(tmp_path: Path) -> None:
    one = {"rule": '"all_or_nothing"', "full": "0"}
    for text, less in (
        (item(), False),
        (item(zero="90"), True),
        (item(measure='"banned"', zero="1", **one), True),
        (item(measure='"banned_ran"', zero="", **one), True),
        (item(measure='"energy_intensity"', zero="", rule='"all_or_nothing"'), True),
        (item(measure='"dual_total_ratio"', full="100", zero="110"), True),
    ):
        (tmp_path / schemes.FILE).write_text(text, encoding="utf-8")
        (of,) = schemes.load(tmp_path, known()).item
        assert falling(of) is less, text


def test_a_scheme_is_kept_exactly_and_ours_is_one(tmp_path: Path) -> None:
    (tmp_path / schemes.FILE).write_text(
        item(max="99.9", full="0.1") + item(id='"b"', max="0.1"), encoding="utf-8"
    )
    scheme = schemes.load(tmp_path, known())
    assert [Fraction(of.max) for of in scheme.item] == [Fraction(999, 10), Fraction(1, 10)]
    assert Fraction(scheme.item[0].full) == Fraction(1, 10)
    assert {of.id for of in schemes.load(None, known()).item} >= {
        "energy_total",
        "energy_intensity",
    }
    assert len(schemes.load(tmp_path / "nowhere", known()).item) == 4, "ours, where a folder has none"
