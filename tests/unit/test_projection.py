"""What a year will come to: hand-worked years, and what holds of all of them."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ganpo_model.projection import METHODS, Course, Light, Method, light

WHOLE = Fraction(1)
TABLE: tuple[tuple[str, Course, Method, Fraction | None], ...] = (
    # 800 now, last year 750 and then 250: 800 + 250 x 800 / 750 = 1066 2/3.
    ("last year's course", Course(800, 750, 250, 200, 250, WHOLE), "last_year", Fraction(3200, 3)),
    (
        "covered for exactly 90 %",
        Course(800, 800, 200, 200, 250, Fraction(9, 10)),
        "last_year",
        Fraction(1000),
    ),
    (
        "one year known too little",
        Course(800, 800, 300, 200, 250, Fraction(899, 1000)),
        "linear",
        Fraction(1000),
    ),
    ("nothing last year", Course(800, None, 0, 200, 250, WHOLE), "linear", Fraction(1000)),
    ("last year it gave to others", Course(800, -5, 300, 200, 250, WHOLE), "linear", Fraction(1000)),
    ("last year nothing until then", Course(800, 0, 300, 200, 250, WHOLE), "linear", Fraction(1000)),
    ("30 planned days are enough", Course(90, 80, 800, 30, 300, WHOLE), "last_year", Fraction(990)),
    ("30 planned days, evenly", Course(90, None, 0, 30, 300, WHOLE), "linear", Fraction(900)),
    ("29 planned days are not", Course(90, 80, 800, 29, 300, WHOLE), "none", None),
    ("nobody knows this year", Course(None, 750, 250, 200, 250, WHOLE), "none", None),
    ("the year is over", Course(1000, 900, 0, 250, 250, WHOLE), "last_year", Fraction(1000)),
    ("it stood still all the year", Course(0, 900, 100, 250, 300, WHOLE), "last_year", Fraction(0)),
)


def test_hand_worked_years() -> None:
    for what, course, method, whole in TABLE:
        assert (course.method, course.whole) == (method, whole), what
    assert {method for _, _, method, _ in TABLE} == set(METHODS)


LIGHTS: tuple[tuple[int | None, int | None, int | None, bool, Light], ...] = (
    # P, limit, used (None: of what may fall again), covered
    (95, 100, 80, True, "green"),
    (96, 100, 80, True, "yellow"),
    (100, 100, 80, True, "yellow"),
    (101, 100, 80, True, "red"),
    (None, 100, 101, True, "red"),
    (None, 100, 100, True, "none"),
    (95, 100, 80, False, "hatched"),
    (101, 100, 80, False, "red"),
    (101, 100, None, True, "red"),
    (101, 100, None, False, "hatched"),
    (None, 100, None, False, "none"),
    (101, None, 80, True, "none"),
)


def test_how_a_year_stands_to_its_limit_by_hand() -> None:
    for whole, limit, so_far, covered, expected in LIGHTS:
        asked = None if limit is None else Fraction(limit)
        assert light(whole, asked, so_far=so_far, covered=covered) == expected, (
            whole,
            limit,
            so_far,
            covered,
        )
    near, above = Fraction(9, 10), Fraction(11, 10)
    own = [light(of, Fraction(100), near=near, above=above) for of in (90, 91, 110, 111)]
    assert own == ["green", "yellow", "yellow", "red"]


amounts = st.fractions(0, 10**9, max_denominator=10**6)
days = st.integers(0, 366)


@given(
    st.none() | amounts, st.none() | amounts, amounts, days, days, st.fractions(0, 1, max_denominator=1000)
)
def test_a_projection_never_falls_below_what_is_used_and_grows_with_it(
    so_far: Fraction | None, before: Fraction | None, rest: Fraction, gone: int, more: int, covered: Fraction
) -> None:
    course = Course(so_far, before, rest, gone, gone + more, covered)
    assert (course.whole is None) == (course.method == "none") == (so_far is None or gone < 30)
    if course.whole is not None and so_far is not None:
        assert course.whole >= so_far, "what is missing only adds"
        double = Course(2 * so_far, before, rest, gone, gone + more, covered)
        assert double.whole == 2 * course.whole, "exactly"
        if course.method == "last_year" and before:
            assert course.whole * before == so_far * (before + rest), (
                "the growth until now is that of the year"
            )
        over = Course(so_far, before, 0, gone, gone, covered)
        assert over.whole == so_far, "a year that is over is what it was"
