"""How numbers are written for people: rounding, signs, what nobody knows, and counts that stay whole."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_cloud.web.pages import numbers, templating


@pytest.mark.parametrize(
    ("numerator", "denominator", "goal", "told"),
    [
        (2, 3, Fraction(60), "66.7%"),
        (2, 3, None, "66.7%"),
        (5996, 10_000, Fraction(60), "59.9%"),
        (522_799, 1_000_000, Fraction(60), "52.2%"),
        (99_999, 100_000, None, "99.9%"),
        (100, 100, None, "100.0%"),
        (0, 7, Fraction(60), "0.0%"),
        (0, 0, None, "—"),
        (None, 7, None, "—"),
    ],
)
def test_a_rate_is_rounded_and_down_only_below_its_target(
    numerator: int | None, denominator: int, goal: Fraction | None, told: str
) -> None:
    assert numbers.rate(numerator, denominator, goal) == told


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(1, 1000).map(lambda n: Fraction(n, 10)))
def test_no_rate_below_its_target_reads_as_if_it_had_reached_it(n: int, d: int, goal: Fraction) -> None:
    n = min(n, d)
    shown = Fraction(numbers.percent(n, d, goal))
    assert (shown >= goal) == (Fraction(100 * n, d) >= goal)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Fraction(-1, 2), "−0.50"),
        (Fraction(-3, 2), "−1.50"),
        (Fraction(1, 2), "0.50"),
        (Fraction(-1, 1000), "0.00"),
        (Fraction(12345678, 10), "1,234,567.80"),
        (None, "—"),
    ],
)
def test_a_negative_number_keeps_its_digits(value: Fraction | None, told: str) -> None:
    assert numbers.decimals(value, 2) == told


@pytest.mark.parametrize(
    ("value", "unit", "zh", "en"),
    [
        (137, "", "137", "137"),
        (Fraction(137), "", "137.0", "137.0"),
        (Fraction(12_146_000), "tce", "1,215万 tce", "12.15 million tce"),
        (Fraction(287 * 10**6), "m3", "2.87亿 m³", "287.0 million m³"),
        (Fraction(-5, 2), "kWh", "−2.50 kWh", "−2.50 kWh"),
        (None, "kWh", "—", "—"),
    ],
)
def test_a_quantity_is_short_a_count_whole_and_nothing_has_no_unit(
    value: Fraction | int | None, unit: str, zh: str, en: str
) -> None:
    assert (numbers.quantity(value, "zh", unit), numbers.quantity(value, "en", unit)) == (zh, en)


def test_a_register_is_written_exactly() -> None:
    assert numbers.exact(50_403_000_000, "kWh") == "50,403.00 kWh"
    assert numbers.exact(None, "kWh") == "—"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_templates_speak_through_words_and_filters(lang: str) -> None:
    """Every filter takes what nobody knows or is never given it; gettext fills names and its result is escaped."""
    environment = templating.environments(exposed=False)[lang]
    for name in ("count", "quantity", "exact", "signed", "age", "minute"):
        assert environment.from_string(f"{{{{ none | {name} }}}}").render() == "—"
    template = environment.from_string('{{ _("page {n} of {all}", n="<b>", all=3 | count) }}')
    assert template.render() == {"zh": "第&lt;b&gt;页，共3页", "en": "page &lt;b&gt; of 3"}[lang]


def test_a_register_is_named_by_what_it_means_and_by_its_id_where_no_table_knows_it() -> None:
    assert numbers.signal("DB-1/energy_export#3b14a10d", "zh") == "反向有功电能"
    assert numbers.signal("DB-1/energy_export#3b14a10d", "en") == "active energy, export"
    assert numbers.signal("DB-1/of_later#3b14a10d", "en") == "of_later"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1.2442964315414429, "1.2443"),
        (-3.0, "−3"),
        (31_104_000, "31,104,000"),
        (True, "true"),
        ("Active", "Active"),
    ],
)
def test_what_a_device_said_is_as_short_as_it_can_be_read(value: object, told: str) -> None:
    assert numbers.observed(value) == told
