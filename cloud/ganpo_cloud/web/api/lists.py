"""Lists behind the numbers: devices, enterprises, carriers, reports, and why something is not counted."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import select

from ganpo_cloud.days import periods
from ganpo_cloud.province import lists, publishing
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.ledger import FLAGS
from ganpo_cloud.store.counted_tables import ALL, NOWHERE, area_carrier
from ganpo_cloud.store.database import Reader
from ganpo_cloud.store.tables import transition
from ganpo_cloud.web.api.asking import Area, Asking, AsOf, Chosen, Industry, Limit, Offset
from ganpo_cloud.web.api.exports import CONTENT, Sheet, answer
from ganpo_cloud.web.api.problems import ERRORS, Problem, Refused
from ganpo_cloud.web.api.province_answers import (
    CarrierModel,
    DeviceModel,
    EnterpriseModel,
    LineModel,
    RatioModel,
    ReasonModel,
    ReportModel,
    TransitionModel,
)
from ganpo_cloud.web.why import REASONS, why
from ganpo_model import reference
from ganpo_model.clock import Clock, from_ms, iso
from ganpo_model.coverage import MEASURES, Evidence
from ganpo_model.errors import ConfigError

_TEXT = r"^[^\x00]*$"
_Enterprise = Annotated[
    str,
    Path(
        max_length=80,
        pattern=_TEXT,
        description="unified social credit code",
        examples=["91360000625912173B"],
    ),
]
_AssetNo = Annotated[
    str, Path(max_length=80, pattern=_TEXT, description="the plant's own number", examples=["SB-0141"])
]
_Search = Annotated[
    str,
    Query(max_length=80, pattern=_TEXT, description="a part of number or name", examples=["VMC"]),
]
_MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


def router(database: Reader, clock: Clock, province: Province, *, demo: bool) -> APIRouter:
    """The routes below `/api/v1`."""
    api = APIRouter(prefix="/api/v1", responses=ERRORS)
    asking = Asking(clock, province)

    @api.get(
        "/equipment",
        response_model=list[DeviceModel],
        responses=CONTENT,
        summary="The devices behind the numbers, as of the day of an instant",
    )
    def get_equipment(
        request: Request,
        area: Area = None,
        industry: Industry = None,
        as_of: AsOf = None,
        measure: Annotated[
            str | None,
            Query(max_length=40, description="only what this measure counts", examples=["nc_checked"]),
        ] = None,
        q: _Search = "",
        limit: Limit = 1000,
        offset: Offset = 0,
        chosen: Chosen = None,
    ) -> Response:
        if measure is not None and measure not in MEASURES:
            raise Refused(422, "measure", f"none of {', '.join(MEASURES)}", "measure")
        day = asking.day(asking.at(as_of))
        place, of = asking.place(area, industry, day)
        query = lists.devices(province, lists.Filter(place, of, day, q), measure)
        with database.read() as connection:
            rows = connection.execute(query.limit(limit).offset(offset)).all()
        return answer(request, [_device(row) for row in rows], chosen, Sheet("equipment", demo))

    @api.get(
        "/enterprises",
        response_model=list[EnterpriseModel],
        responses=CONTENT,
        summary="The enterprises of the registry, as of the day of an instant",
    )
    def get_enterprises(
        request: Request,
        area: Area = None,
        industry: Industry = None,
        as_of: AsOf = None,
        q: _Search = "",
        limit: Limit = 1000,
        offset: Offset = 0,
        chosen: Chosen = None,
    ) -> Response:
        day = asking.day(asking.at(as_of))
        place, of = asking.place(area, industry, day)
        query = lists.enterprises(province, lists.Filter(place, of, day, q))
        with database.read() as connection:
            rows = connection.execute(query.limit(limit).offset(offset)).all()
        return answer(request, [_enterprise(row) for row in rows], chosen, Sheet("enterprises", demo))

    @api.get(
        "/energy",
        response_model=list[CarrierModel],
        responses=CONTENT,
        summary="Energy and water of a place by month and carrier",
    )
    def get_energy(
        request: Request,
        area: Area = None,
        industry: Industry = None,
        first: Annotated[
            str | None,
            Query(
                alias="from", pattern=_MONTH, description="first month; absent: 24 back", examples=["2026-01"]
            ),
        ] = None,
        last: Annotated[
            str | None,
            Query(
                alias="to", pattern=_MONTH, description="last month; absent: this one", examples=["2026-11"]
            ),
        ] = None,
        chosen: Chosen = None,
    ) -> Response:
        today = asking.day(None)
        place, of = asking.place(area, industry, today)
        months = periods.months(today, 24)
        begin, end = first or months[0], last or months[-1]
        if begin > end:
            raise Refused(422, "period", "from has to lie before to", "from")
        mine = (area_carrier.c.area == place) & (area_carrier.c.industry == (of or ALL))
        query = select(area_carrier).where(mine & area_carrier.c.month.between(begin, end))
        with database.read() as connection:
            rows = connection.execute(query.order_by(area_carrier.c.month, area_carrier.c.carrier)).all()
        return answer(request, [_carrier(row, province) for row in rows], chosen, Sheet("energy", demo))

    @api.get(
        "/gateways/{id}/transitions",
        response_model=list[TransitionModel],
        summary="Every time a gateway went online or offline, the newest first",
    )
    def get_transitions(
        number: Annotated[
            str,
            Path(
                alias="id",
                max_length=80,
                pattern=_TEXT,
                description="id of a gateway",
                examples=["gw-nc-0007"],
            ),
        ],
        limit: Limit = 1000,
    ) -> list[TransitionModel]:
        mine = select(transition).where(transition.c.gateway == number).order_by(transition.c.at.desc())
        with database.read() as connection:
            rows = connection.execute(mine.limit(limit)).all()
        return [TransitionModel(at=iso(from_ms(row.at)), online=row.online) for row in rows]

    @api.get("/reports", response_model=list[ReportModel], summary="The months that are published")
    def get_reports() -> list[ReportModel]:
        with database.read() as connection:
            found = publishing.reports(connection)
        return [
            ReportModel(
                month=item.month, published_at=iso(from_ms(item.published_at)), checksum=item.checksum
            )
            for item in found
        ]

    @api.get(
        "/reports/{month}",
        response_model=list[LineModel],
        responses={
            **CONTENT,
            409: {"model": Problem, "description": "its rows are not those of the checksum"},
        },
        summary="A published month, and what it comes to today",
    )
    def get_report(
        request: Request,
        month: Annotated[str, Path(pattern=_MONTH, description="the month", examples=["2026-10"])],
        chosen: Chosen = None,
    ) -> Response:
        with database.read() as connection:
            try:
                found = publishing.read(connection, month)
            except ConfigError as error:
                raise Refused(409, "damaged", str(error), "month") from error
            if found is None:
                hint = f"ganpo-cloud publish {month}"
                raise Refused(404, "report", "this month is not published", "month", hint)
            now = publishing.keyed(publishing.report(connection, province, month, clock.utc()))
        before = publishing.keyed(found.lines)
        rows = [
            LineModel(
                metric=key[0],
                area=key[1],
                industry=key[2] or None,
                published=_line(before.get(key)),
                revised=_line(now.get(key)),
            )
            for key in sorted(before.keys() | now.keys())
        ]
        return answer(request, rows, chosen, Sheet(f"report-{month}", demo))

    @api.get(
        "/why/{enterprise}", response_model=list[ReasonModel], summary="Why an enterprise is not counted"
    )
    def get_why_enterprise(enterprise: _Enterprise) -> list[ReasonModel]:
        return reasons(enterprise, None)

    @api.get(
        "/why/{enterprise}/{asset_no}",
        response_model=list[ReasonModel],
        summary="Why a device is not counted",
    )
    def get_why(enterprise: _Enterprise, asset_no: _AssetNo) -> list[ReasonModel]:
        return reasons(enterprise, asset_no)

    def reasons(enterprise: str, asset_no: str | None) -> list[ReasonModel]:
        with database.read() as connection:
            found = why(connection, enterprise, asset_no, clock.utc(), province.holidays)
        return [
            ReasonModel(
                code=reason.code,
                what=REASONS[reason.code].format(**reason.details),
                since=None if reason.since is None else iso(from_ms(reason.since)),
                command=reason.command,
            )
            for reason in found
        ]

    return api


def _device(row: Any) -> DeviceModel:
    levels = {flag: getattr(row, flag) for flag in FLAGS}
    return DeviceModel(
        enterprise=row.enterprise,
        asset_no=row.asset_no,
        name=row.name,
        site=row.site,
        area=row.area if row.area != NOWHERE else None,
        industry=row.industry,
        status=row.status,
        counts=row.in_service,
        flags={flag: Evidence(level).name.lower() for flag, level in sorted(levels.items()) if level},
        networked=row.networked,
        cloud=row.cloud,
        age=row.age,
    )


def _enterprise(row: Any) -> EnterpriseModel:
    return EnterpriseModel(
        code=row.enterprise,
        name=row.name,
        area=row.area,
        industry=row.industry,
        above_scale=row.above_scale,
        **{name.removesuffix("_devices"): getattr(row, name) or 0 for name in lists.COUNTS},
    )


def _carrier(row: Any, province: Province) -> CarrierModel:
    tce = None
    if row.millionths is not None and row.carrier in province.coefficients.carriers:
        first = periods.span(row.month)[0]
        tce = int(province.coefficients.tce({row.carrier: row.millionths}, first) * 10**6)
    return CarrierModel(
        area=row.area,
        industry=row.industry or None,
        month=row.month,
        carrier=row.carrier,
        unit=reference.carriers()[row.carrier].unit,
        millionths=row.millionths,
        tce_millionths=tce,
        spread_ms=row.spread_ms,
        open=row.open,
        enterprises=row.enterprises,
        declared=row.declared,
        covered=row.covered,
    )


def _line(found: publishing.Line | None) -> RatioModel | None:
    return None if found is None else RatioModel(numerator=found["checked"], denominator=found["denominator"])
