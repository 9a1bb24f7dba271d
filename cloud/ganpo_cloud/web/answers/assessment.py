"""The assessment of a city or county: its items and their sum, as published and as they come to today."""

from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Connection

from ganpo_cloud.province import assessment as of_province
from ganpo_cloud.province import signing
from ganpo_cloud.province.assessment import Score, Sheet
from ganpo_cloud.province.schemes import TOTAL
from ganpo_cloud.store.described import AreaId, Instant, Ratio, answer, filled, said
from ganpo_cloud.web.asking import Asked, Question, asks
from ganpo_cloud.web.problems import Refused
from ganpo_model.errors import ConfigError
from ganpo_model.scoring import Grade, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class OfYear(Asked):
    """A city or county in a year."""

    area: Annotated[
        str | None, asks("id of a city or county; absent: the province", "360100", max_length=40)
    ] = None
    year: Annotated[
        str | None, asks("the year; absent: the one that runs", "2026", pattern=r"^$|^20[0-9]{2}$")
    ] = None


@answer
class SheetLine:
    """An item of a sheet, or the sum of all."""

    area: AreaId
    year: int = said("year that is assessed", 2026)
    id: str = said("id of the item of the scheme; total: the sum of all", "energy_total")
    zh: str = said("name in Chinese", "用能总量控制")
    en: str = said("name in English", "Energy use within its limit")
    measure: str | None = said("id of the number; null: of the sum", "dual_total_ratio")
    unit: str | None = said("unit of the number", "%")
    value: Ratio | None = said(
        "the number in its unit, exactly; null: nobody knows: not assessed, no points", rate=False
    )
    rule: Rule | None = said("how points follow from it", "linear")
    full: str | None = said("the number that is worth all points", "100")
    zero: str | None = said("the number that is worth none", "110")
    veto: bool = said("below full the grade is the lowest", True)
    most: int = said("points at most", 400, scale=10)
    tenths: int = said("points as they come to today, rounded down to a tenth", 312, scale=10)
    published: int | None = said("points as they were published; null: they are not", 669, scale=10)
    grade: Grade | None = said("grade of the sum; null: of an item", "fulfilled")
    published_grade: Grade | None = said("grade as it was published", "fulfilled")
    by: str | None = said("who published the sheet; null: nobody", "Wang")
    published_at: Instant | None = said("when it was published", "2026-03-01T02:00:00.000Z")
    checksum: str | None = said("SHA-256 of scheme and scores as they were published", "9f2c")


def assessment(connection: Connection, question: Question, asked: OfYear) -> list[SheetLine]:
    """The assessment of a city or county in a year, item by item; of the province the sums of its cities."""
    year = int(asked.year or question.day.year)
    if year > question.day.year:
        raise Refused(422, "date", "this year has not begun", "year", f"year={question.day.year}")
    area = question.province.area(question.area, question.day)
    alone = area is not None and area.kind != "province"
    areas = [question.area] if alone else question.province.parts(question.area, question.day)
    try:
        now = of_province.sheets(connection, question.province, areas, year, question.now)
        then = {one: signing.read(connection, one, year) for one in areas}
    except ConfigError as error:
        raise Refused(409, "damaged", str(error), "area") from error
    return [line for one in areas for line in told(now[one], then[one], alone=alone)]


def told(now: Sheet, then: Sheet | None, *, alone: bool) -> list[SheetLine]:
    """Of one area every item and the sum, else the sum alone. An item that only the published scheme has stands too."""
    before = {score.id: score for score in then.scores} if then else {}
    here = {score.id: score for score in now.scores}
    lines = [_item(now, here.get(name), before.get(name)) for name in {**before, **here}] if alone else []
    of_item = dict.fromkeys(("measure", "unit", "value", "rule", "full", "zero"))
    total = SheetLine(
        **of_item,
        area=now.area,
        year=now.year,
        id=TOTAL,
        zh="合计",
        en="Total",
        veto=now.vetoed,
        most=sum(score.most for score in now.scores),
        tenths=now.tenths,
        published=then.tenths if then else None,
        grade=now.grade,
        published_grade=then.grade if then else None,
        by=then.by if then else None,
        published_at=then.published_at if then else None,
        checksum=then.checksum if then else None,
    )
    return [*lines, total]


def _item(sheet: Sheet, now: Score | None, then: Score | None) -> SheetLine:
    """One item as the scheme has it now, else as it was published."""
    of = now or then
    assert of is not None
    definition = of_province.measures().get(of.measure)
    of_sum = dict.fromkeys(("grade", "published_grade", "by", "published_at", "checksum"))
    return filled(
        SheetLine,
        of,
        **of_sum,
        area=sheet.area,
        year=sheet.year,
        unit=definition and definition.unit,
        tenths=now.tenths if now else 0,
        published=then.tenths if then else None,
    )
