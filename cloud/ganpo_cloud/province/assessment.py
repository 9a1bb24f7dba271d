"""The assessment of a city or county in a year (节能目标责任考核): points by the scheme (metrics.md, Assessment)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from ganpo_cloud.province import schemes
from ganpo_cloud.province.definitions import Definition
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.dual_control import MEASURED as DUAL
from ganpo_cloud.province.dual_control import DualControl
from ganpo_cloud.province.indicators import Indicators, value
from ganpo_cloud.province.measured import At, Measured, Standing
from ganpo_cloud.province.plan_sums import Place
from ganpo_cloud.province.schemes import Item, Scheme
from ganpo_cloud.province.snapshots import last_over, snapshot
from ganpo_cloud.store.counted_tables import ALL, assessed
from ganpo_cloud.store.described import AreaId, Instant, Ratio, answer, said
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds, day_of
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.scoring import Grade, Rule, grade, points, reached
from ganpo_model.units import MILLION

PAGE = "/assessment"
OURS = "a scheme of the province's folder; the grades from memory, unverified"
PER_AREA = "a sheet of every city and county: the province itself has none"
MEASURED: tuple[Measured, ...] = (
    Measured(
        "assessment_points",
        "T24",
        "Points of the energy-saving assessment",
        "sum of the points of the scheme's items, each rounded down to a tenth",
        "points",
        OURS,
        "quantity",
    ),
    Measured(
        "assessments_published",
        "T24",
        "Assessments published of last year",
        "N(areas of the place whose sheet of the last year that is over is published)",
        "areas",
        OURS,
    ),
)
NOTHING = "nothing that the scheme asks for is known"
NOTES: tuple[str, ...] = (PER_AREA, NOTHING)
_UNSIGNED = (None, None, None)
LAST_MONTH = 12
TOO_MUCH = ("banned_ran", "banned_alarms", "energy_gap", "water_gap")
"""Numbers of the plan of which there should be none."""


@answer
class Score:
    """An item of the scheme and what it came to."""

    id: str = said("of the item", "energy_total")
    zh: str = said("name in Chinese", "用能总量控制")
    en: str = said("name in English", "Energy use within its limit")
    measure: str = said("id of the number", "dual_total_ratio")
    rule: Rule = said("how points follow from it", "linear")
    full: str = said("the number that is worth all points, exactly", "100")
    zero: str | None = said("the one that is worth none; null: it is all or nothing", "110")
    veto: bool = said("below full the grade is the lowest", True)
    value: Ratio | None = said(
        "the number in its unit, exactly; null: nobody knows, and it is worth nothing", rate=False
    )
    most: int = said("tenths of a point that it is worth at most", 400)
    tenths: int = said("tenths of a point, rounded down", 312)
    below: bool = said("it has a veto and is below full", False)

    @property
    def assessed(self) -> bool:
        """Whether anybody knows the number."""
        return self.value is not None

    @property
    def number(self) -> Fraction | None:
        """In its unit."""
        return (
            None if self.value is None else Fraction(self.value.numerator or 0, self.value.denominator or 1)
        )


@answer
class Sheet:
    """The assessment of an area in a year."""

    area: AreaId
    year: int = said("of which it is", 2026)
    tenths: int = said("tenths of a point of 1,000", 874)
    grade: Grade = said("from 95, 80 and 60 points on; the lowest where a veto is below full", "fulfilled")
    vetoed: bool = said("a veto is below full", False)
    scores: Sequence[Score] = said("item by item")
    by: str | None = said("who published it; null: it is not published", "Wang")
    published_at: Instant | None = said("when", "2026-03-01T02:00:00.000Z")
    checksum: str | None = said("SHA-256 of scheme and scores as they were published", "9f2c")


def sheets(
    connection: Connection, province: Province, areas: Sequence[str], year: int, now: datetime
) -> dict[str, Sheet]:
    """The sheets of areas as they come to today: of a year that runs until now."""
    scheme = scheme_of(province.folder)
    today = day_of(to_ms(now), DEFAULT_ZONE)
    day = min(date(year, 12, 31), today)
    numbers = _numbers(connection, province, areas, scheme, day, now)
    found = {}
    for area in areas:
        scores = [_score(item, numbers[area].get(item.measure)) for item in scheme.item]
        vetoed = any(score.below for score in scores)
        tenths = [score.tenths for score in scores]
        found[area] = Sheet(area, year, sum(tenths), grade(tenths, vetoed=vetoed), vetoed, scores, *_UNSIGNED)
    return found


def measures() -> Mapping[str, Definition]:
    """The numbers that a scheme may name, by id."""
    from ganpo_cloud.province.plan import EVERY  # it reads this module's own

    return {of.id: of for of in EVERY if of.id not in {mine.id for mine in MEASURED}}


@lru_cache
def known() -> Mapping[str, bool]:
    """The same ids, and whether less of a number is better: of limits, of intensities, and of what is too much."""
    dual = {of.id for of in DUAL}
    return {id_: id_ in dual or id_ in TOO_MUCH or of.kind == "intensity" for id_, of in measures().items()}


def standings(at: At) -> Iterable[Standing]:
    """The points of the year so far, and how many sheets of the last one are published; of industries none."""
    connection, province, day, area, industry = at.connection, at.province, at.day, at.area, at.industry
    of = province.area(area, day)
    points_now, note = None, PER_AREA
    if of is not None and of.kind != "province" and industry == ALL:
        now = from_ms(bounds(day, DEFAULT_ZONE)[1] - 1)
        points_now, note = (
            sheets(connection, province, [area], day.year, now)[area].tenths * MILLION // 10,
            "",
        )
    yield Standing("assessment_points", points_now, None, PAGE, note)
    below = [area, *province.parts(area, day)]
    places = {*below, *(part for one in below for part in province.parts(one, day))}
    mine = (assessed.c.year == day.year - 1) & assessed.c.area.in_(places)
    number = connection.execute(select(func.count()).select_from(assessed).where(mine)).scalar_one()
    yield Standing("assessments_published", number if industry == ALL else None, None, PAGE, "")


@lru_cache
def scheme_of(folder: Path | None) -> Scheme:
    """Read once: another scheme is another start, as with all files of the province. Raises ConfigError."""
    return schemes.load(folder, known())


def _numbers(
    connection: Connection, province: Province, areas: Sequence[str], scheme: Scheme, day: date, now: datetime
) -> dict[str, dict[str, Fraction]]:
    """By area and id the numbers that a scheme asks for, of a year until a day; what nobody knows is not there."""
    wanted = {item.measure for item in scheme.item}
    found: dict[str, dict[str, Fraction]] = {area: {} for area in areas}
    newest = snapshot(connection, province, None, now)
    indicators = Indicators(newest if newest.day <= day else snapshot(connection, province, day, now))
    for item in (item for items in indicators.all([*areas], [None]).values() for item in items):
        whole = item.definition.kind != "intensity" or item.period == f"{day.year}" or day.month < LAST_MONTH
        of_year = item.period[:4] in ("", f"{day.year}") and whole
        if item.definition.id in wanted and item.value is not None and of_year:
            found[item.area][item.definition.id] = item.value
    if wanted & {of.id for of in DUAL} and (month := last_over(connection, day))[:4] == f"{day.year}":
        for course in DualControl(connection, province, month).places(areas, [ALL]):
            if course.light == "hatched":  # what dual control does not judge is worth no points either
                continue
            name = "dual_total" if course.kind == "total_tce" else "dual_intensity"
            here = {
                name: course.value(course.projected),
                f"{name}_ratio": course.share and 100 * course.share,
            }
            found[course.area] |= {of: number for of, number in here.items() if number is not None}
    places = {area: Place(connection, province, area, ALL) for area in areas}
    for area, part in ((area, part) for part in _parts(wanted) for area in areas):
        for standing in part.standings(places[area].at(part, day)):
            number = (
                value(measures()[standing.id], standing.number, standing.among)
                if standing.id in wanted
                else None
            )
            if number is not None:
                found[area][standing.id] = number
    return found


def _parts(wanted: set[str]) -> list[Any]:
    """The other modules of the plan that count what is wanted."""
    from ganpo_cloud.province.plan import PARTS

    others = [part for part in PARTS if part.MEASURED not in (MEASURED, DUAL)]
    return [part for part in others if wanted & {of.id for of in part.MEASURED}]


def falling(item: Item) -> bool:
    """Whether less is better: as `zero` says it, else as the number itself is."""
    return known()[item.measure] if item.zero is None else bool(item.zero > item.full)


def _score(item: Item, number: Fraction | None) -> Score:
    less = falling(item)
    full, zero, most = (None if of is None else Fraction(of) for of in (item.full, item.zero, item.max))
    assert full is not None
    assert most is not None
    ratio = None if number is None else Ratio(number.numerator, number.denominator)
    return Score(
        **{name: getattr(item, name) for name in ("id", "zh", "en", "measure", "rule", "veto")},
        full=_text(full),
        zero=None if zero is None else _text(zero),
        value=ratio,
        most=int(10 * most),
        tenths=points(number, most, item.rule, full, zero, falling=less),
        below=item.veto and (number is None or not reached(number, full, falling=less)),
    )


def _text(of: Fraction) -> str:
    """A decimal number as it was written."""
    return f"{of.numerator}" if of.denominator == 1 else f"{float(of):.12g}"
