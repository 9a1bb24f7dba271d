"""The province's part of the API: numbers by area and industry, opened down to the devices behind them."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy import Connection

from ganpo_cloud.database import Database
from ganpo_cloud.divisions import Province
from ganpo_cloud.instants import instant
from ganpo_cloud.ledger import Device, Ledger, ledger
from ganpo_cloud.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.overview import Indicator, overview
from ganpo_cloud.problems import ERRORS, Refused
from ganpo_cloud.province_answers import (
    AreaModel,
    BehindModel,
    DeviceModel,
    EnterpriseModel,
    IndicatorModel,
    IndustryModel,
    RatioModel,
    ReasonModel,
    TargetModel,
)
from ganpo_cloud.why import WORDS, why
from ganpo_model.clock import Clock, from_ms, iso, to_ms

_Area = Annotated[
    str | None, Query(max_length=40, description="id of an area; absent: the province", examples=["360100"])
]
_Industry = Annotated[
    str | None, Query(max_length=40, description="id of an industry; absent: all", examples=["NONFERROUS"])
]
_AsOf = Annotated[
    str | None,
    Query(
        max_length=40,
        description="instant with time zone; absent: now",
        examples=["2026-11-25T00:00:00+08:00"],
    ),
]


def router(database: Database, clock: Clock, province: Province) -> APIRouter:
    """The routes below `/api/v1`."""
    api = APIRouter(prefix="/api/v1", responses=ERRORS)

    def asked(
        connection: Connection, area: str | None, industry: str | None, as_of: str | None
    ) -> tuple[Ledger, str, str | None]:
        """The ledger of the instant, and area and industry as far as they exist then."""
        now = clock.utc()
        at = now if as_of is None else instant(as_of, "as_of")
        if at > now:
            raise Refused(422, "instant", f"lies in the future (now is {iso(now.astimezone(UTC))})", "as_of")
        place = area if area is not None else province.whole
        if province.area(place, _day(at)) is None:
            raise Refused(404, "area", province.why_not(place[:40], _day(at)), "area", "GET /api/v1/areas")
        if industry is not None and industry not in province.industries:
            raise Refused(404, "industry", "no such industry", "industry", "GET /api/v1/industries")
        return ledger(connection, at), place, industry

    @api.get(
        "/overview", response_model=list[IndicatorModel], summary="The numbers of an area and an industry"
    )
    def get_overview(
        area: _Area = None, industry: _Industry = None, as_of: _AsOf = None
    ) -> list[IndicatorModel]:
        with database.read() as connection:
            found, place, of = asked(connection, area, industry, as_of)
            return [
                _indicator(item, found.as_of) for item in overview(connection, found, province, place, of)
            ]

    @api.get("/areas", response_model=list[AreaModel], summary="The areas that exist at an instant")
    def get_areas(as_of: _AsOf = None) -> list[AreaModel]:
        day = _day(clock.utc() if as_of is None else instant(as_of, "as_of"))
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

    @api.get("/equipment", response_model=list[DeviceModel], summary="The devices behind the numbers")
    def get_equipment(
        area: _Area = None, industry: _Industry = None, as_of: _AsOf = None
    ) -> list[DeviceModel]:
        with database.read() as connection:
            found, place, of = asked(connection, area, industry, as_of)
        return [_device(device) for device in found.within(province, place, of)]

    @api.get("/enterprises", response_model=list[EnterpriseModel], summary="The enterprises of the registry")
    def get_enterprises(
        area: _Area = None, industry: _Industry = None, as_of: _AsOf = None
    ) -> list[EnterpriseModel]:
        with database.read() as connection:
            found, place, of = asked(connection, area, industry, as_of)
        return [
            _enterprise(code, found)
            for code, about in sorted(found.enterprises.items())
            if place in province.above(about["area"]) and of in (None, about["industry"])
        ]

    @api.get(
        "/why/{enterprise}/{asset_no}",
        response_model=list[ReasonModel],
        summary="Why a device is not counted",
    )
    def get_why(
        enterprise: Annotated[
            str,
            Path(max_length=80, description="unified social credit code", examples=["91360000625912173B"]),
        ],
        asset_no: Annotated[
            str, Path(max_length=80, description="the plant's own number", examples=["SB-0141"])
        ],
    ) -> list[ReasonModel]:
        if "\x00" in enterprise + asset_no:
            raise Refused(404, "subject", "no such subject", "why")
        with database.read() as connection:
            found = why(connection, enterprise, asset_no, clock.utc())
        return [
            ReasonModel(
                code=reason.code,
                what=WORDS[reason.code].format(**reason.details),
                since=None if reason.since is None else iso(from_ms(reason.since)),
                command=reason.command,
            )
            for reason in found
        ]

    return api


def _day(at: datetime) -> date:
    return day_of(to_ms(at), DEFAULT_ZONE)


def _indicator(item: Indicator, as_of: datetime) -> IndicatorModel:
    count, target = item.count, item.target
    return IndicatorModel(
        id=item.definition.id,
        definition=item.definition.text,
        as_of=iso(as_of.astimezone(UTC)),
        declared=RatioModel(numerator=count.declared, denominator=count.denominator),
        checked=RatioModel(numerator=count.checked, denominator=count.denominator),
        proven=RatioModel(numerator=count.proven, denominator=count.denominator),
        enterprises=BehindModel(with_data=item.with_data, of=item.of),
        target=target
        and TargetModel(
            id=target.id,
            comparator=target.comparator,
            value=target.value,
            deadline=target.deadline.isoformat(),
        ),
        status=item.status,
    )


def _device(device: Device) -> DeviceModel:
    return DeviceModel(
        enterprise=device.enterprise,
        asset_no=device.asset_no,
        name=device.name,
        site=device.site,
        area=device.area,
        industry=device.industry,
        status=device.status,
        counts=device.counts,
        flags={flag: level.name.lower() for flag, level in sorted(device.unit.flags.items())},
        networked=device.unit.networked,
        cloud=device.unit.cloud,
    )


def _enterprise(code: str, found: Ledger) -> EnterpriseModel:
    about = found.enterprises[code]
    mine = [device for device in found.devices if device.enterprise == code and device.counts]
    return EnterpriseModel(
        code=code,
        name=about["name"],
        area=about["area"],
        industry=about["industry"],
        above_scale=about["above_scale"],
        devices=len(mine),
        cloud=sum(device.unit.cloud for device in mine),
    )
