"""The province's part of the API: numbers by area and industry, opened down to the devices behind them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from ganpo_cloud.days import periods
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.indicators import Indicator, Indicators, Target
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.store.counted_tables import NOWHERE
from ganpo_cloud.store.database import Reader
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds
from ganpo_cloud.web.api.asking import Area, Asking, AsOf, Chosen, Industry
from ganpo_cloud.web.api.exports import CONTENT, Sheet, answer
from ganpo_cloud.web.api.problems import ERRORS, Refused
from ganpo_cloud.web.api.province_answers import (
    AreaModel,
    BehindModel,
    DefinitionModel,
    IndicatorModel,
    IndustryModel,
    RatioModel,
    TargetModel,
)
from ganpo_model.clock import Clock, from_ms, iso


def router(database: Reader, clock: Clock, province: Province, *, demo: bool) -> APIRouter:
    """The routes below `/api/v1`."""
    api = APIRouter(prefix="/api/v1", responses=ERRORS)
    asking = Asking(clock, province)

    @api.get(
        "/overview",
        response_model=list[IndicatorModel],
        responses=CONTENT,
        summary="The numbers of an area and an industry",
    )
    def get_overview(
        request: Request,
        area: Area = None,
        industry: Industry = None,
        as_of: AsOf = None,
        chosen: Chosen = None,
    ) -> Response:
        with database.read() as connection:
            found = asking.snapshot(connection, as_of)
            place, of = asking.place(area, industry, found.day)
            items = Indicators(found).of(place, of)
        return answer(
            request, [_indicator(item, iso(found.at)) for item in items], chosen, Sheet("overview", demo)
        )

    @api.get(
        "/indicators/{id}",
        response_model=list[IndicatorModel],
        responses=CONTENT,
        summary="One number by area, by industry or by month",
    )
    def get_indicator(
        request: Request,
        number: Annotated[
            str, Path(alias="id", max_length=40, description="id of a definition", examples=["nc_rate_main"])
        ],
        by: Annotated[
            Literal["area", "industry", "month"],
            Query(
                description="the parts of the area, the industries, or the last 24 months", examples=["area"]
            ),
        ] = "area",
        area: Area = None,
        industry: Industry = None,
        as_of: AsOf = None,
        chosen: Chosen = None,
    ) -> Response:
        if number not in DEFINITIONS:
            raise Refused(404, "indicator", "no such indicator", "id", "GET /api/v1/definitions")
        with database.read() as connection:
            found = asking.snapshot(connection, as_of)
            place, of = asking.place(area, industry, found.day)
            items: list[tuple[Indicator, str]] = []
            if by == "month":
                for month in periods.months(found.day, 24):
                    end = bounds(periods.span(month)[1], DEFAULT_ZONE)[1]
                    over = month != found.month
                    part = snapshot(connection, province, from_ms(end), clock.utc()) if over else found
                    items += [(item, iso(part.at)) for item in Indicators(part).of(place, of)]
            else:
                areas, industries = [place], [of]
                if by == "area":
                    areas += [n for n, rows in province.areas.items() if _part(rows, place, found.day)]
                    areas += [NOWHERE] if place == province.whole else []
                else:
                    industries = [None, *province.industries]
                every = Indicators(found).all(areas, industries)
                items = [(item, iso(found.at)) for mine in every.values() for item in mine]
        rows = [_indicator(item, at) for item, at in items if item.definition.id == number]
        return answer(request, rows, chosen, Sheet(number, demo))

    @api.get("/definitions", response_model=list[DefinitionModel], summary="What every number means")
    def get_definitions() -> list[DefinitionModel]:
        return [
            DefinitionModel(
                id=item.id,
                word=item.word,
                text=item.text,
                unit=item.unit,
                source=item.source,
                target=item.target,
            )
            for item in DEFINITIONS.values()
        ]

    @api.get("/areas", response_model=list[AreaModel], summary="The areas that exist at an instant")
    def get_areas(as_of: AsOf = None) -> list[AreaModel]:
        day = asking.day(asking.at(as_of))
        return [
            AreaModel(
                id=area.id,
                parent=area.parent,
                kind=area.kind,
                code=area.code,
                name_zh=area.name_zh,
                name_en=area.name_en,
            )
            for rows in province.areas.values()
            for area in rows
            if area.holds(day)
        ]

    @api.get("/industries", response_model=list[IndustryModel], summary="The industries")
    def get_industries() -> list[IndustryModel]:
        return [
            IndustryModel(id=item.id, name_zh=item.name_zh, name_en=item.name_en)
            for item in province.industries.values()
        ]

    return api


def _part(rows: Any, parent: str, day: Any) -> bool:
    """Whether an area is a part of another on a day."""
    return any(area.parent == parent and area.holds(day) for area in rows)


def _indicator(item: Indicator, as_of: str) -> IndicatorModel:
    def ratio(number: int | None) -> RatioModel:
        return RatioModel(numerator=number, denominator=item.denominator)

    whole = item.completeness
    return IndicatorModel(
        id=item.definition.id,
        area=item.area,
        industry=item.industry or None,
        definition=item.definition.text,
        unit=item.definition.unit,
        period=item.period or None,
        as_of=as_of,
        declared=item.declared if item.declared is None else ratio(item.declared),
        checked=ratio(item.checked),
        proven=item.proven if item.proven is None else ratio(item.proven),
        enterprises=BehindModel(with_data=item.behind, of=item.of),
        completeness=whole and RatioModel(numerator=whole[0], denominator=whole[1]),
        missing=list(item.missing),
        target=_target(item.target),
        status=item.status,
    )


def _target(target: Target | None) -> TargetModel | None:
    if target is None:
        return None
    return TargetModel(
        id=target.id, comparator=target.comparator, value=target.value, deadline=target.deadline.isoformat()
    )
