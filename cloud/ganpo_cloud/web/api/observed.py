"""The API (`/api/v1`): JSON over what is stored. Numbers are integers; percentages are made at display."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy import Connection, select

from ganpo_cloud.days import machines, painting, quantities
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.database import Reader
from ganpo_cloud.store.tables import subject
from ganpo_cloud.web import views
from ganpo_cloud.web.api.instants import instant
from ganpo_cloud.web.api.observed_answers import (
    CloneModel,
    DayModel,
    GatewayModel,
    KpiModel,
    PlannedModel,
    QuantityModel,
    RegisterModel,
    SpanModel,
    StreamModel,
    SubjectModel,
)
from ganpo_cloud.web.api.problems import ERRORS, Refused
from ganpo_model.clock import Clock, from_ms, iso, to_ms
from ganpo_model.registers import Step
from ganpo_model.states import State

LONGEST = timedelta(days=366 * 3)


def router(database: Reader, clock: Clock, province: Province) -> APIRouter:
    """The routes below `/api/v1`."""
    api = APIRouter(prefix="/api/v1", responses=ERRORS)

    @api.get("/quantities", response_model=QuantityModel, summary="Consumption of one carrier over a period")
    def get_quantities(
        subject: Annotated[
            str,
            Query(max_length=200, description="ENTERPRISE/ASSET_NO", examples=["91360000625912173B/DB-0101"]),
        ],
        from_: Annotated[
            str,
            Query(
                alias="from",
                max_length=40,
                description="instant with time zone",
                examples=["2026-11-25T00:00:00+08:00"],
            ),
        ],
        to: Annotated[
            str,
            Query(
                max_length=40, description="instant with time zone", examples=["2026-11-26T00:00:00+08:00"]
            ),
        ],
        carrier: Annotated[
            str, Query(max_length=64, description="id of a carrier", examples=["water_fresh"])
        ] = "electricity",
    ) -> QuantityModel:
        enterprise, _, asset_no = subject.partition("/")
        start, end = instant(from_, "from"), instant(to, "to")
        if not start < end:
            raise Refused(422, "period", "from has to lie before to", "from")
        if end - start > LONGEST:
            raise Refused(422, "period", "at most three years at once", "to")
        with database.read() as connection:
            _known(connection, enterprise, asset_no)
            found = quantities.of_subject(connection, enterprise, asset_no, to_ms(start), to_ms(end))
        total = quantities.total(found, carrier)
        if total is None:
            raise Refused(404, "carrier", f"{asset_no} does not measure {carrier[:64]}", "carrier")
        return _quantity(total, to_ms(start), to_ms(end))

    @api.get(
        "/subjects", response_model=list[SubjectModel], summary="All subjects, with state or registers now"
    )
    def get_subjects() -> list[SubjectModel]:
        with database.read() as connection:
            return [_subject(view) for view in views.subjects(connection, clock.utc())]

    @api.get(
        "/subjects/{enterprise}/{asset_no}/day", response_model=DayModel, summary="One subject's local day"
    )
    def get_day(
        enterprise: Annotated[
            str,
            Path(max_length=80, description="unified social credit code", examples=["91360000625912173B"]),
        ],
        asset_no: Annotated[
            str, Path(max_length=80, description="the plant's own number", examples=["SB-0141"])
        ],
        date: Annotated[
            str | None,
            Query(max_length=10, description="local date; today where absent", examples=["2026-11-25"]),
        ] = None,
    ) -> DayModel:
        with database.read() as connection:
            zone = _known(connection, enterprise, asset_no)
            day = _date(date) if date else views.today(clock.utc(), zone)
            start, end, spans = views.painted_day(connection, enterprise, asset_no, day, zone)
            found = quantities.of_subject(connection, enterprise, asset_no, start, end)
            made = machines.day(connection, enterprise, asset_no, day, province.holidays, to_ms(clock.utc()))
        carriers = sorted({item.carrier for item in found if item.carrier is not None})
        totals = [quantities.total(found, carrier) for carrier in carriers]
        totals += [quantities.total([item], None) for item in found if item.carrier is None]
        return DayModel(
            enterprise=enterprise,
            asset_no=asset_no,
            date=day.isoformat(),
            timezone=zone,
            start=iso(from_ms(start)),
            end=iso(from_ms(end)),
            spans=[
                SpanModel(start=iso(from_ms(s.start)), end=iso(from_ms(s.end)), state=s.state) for s in spans
            ],
            ms={State(state): ms for state, ms in painting.ms_per_state(spans).items()},
            planned=made
            and PlannedModel(
                ms=made.production.planned_ms,
                states=dict(made.production.spent),
                outside_ms=made.production.outside_ms,
                confirmed=made.confirmed,
            ),
            kpis=made
            and {
                name: ratio and KpiModel(numerator=ratio[0], denominator=ratio[1])
                for name, ratio in made.kpis.items()
            },
            quantities=[_quantity(total, start, end) for total in totals if total is not None],
        )

    @api.get(
        "/gateways", response_model=list[GatewayModel], summary="All gateways, with what is missing of them"
    )
    def get_gateways() -> list[GatewayModel]:
        with database.read() as connection:
            return [_gateway(view) for view in views.gateways(connection, clock.utc())]

    return api


def _known(connection: Connection, enterprise: str, asset_no: str) -> str:
    """The time zone of a subject; 404 where there is none."""
    mine = (subject.c.enterprise == enterprise) & (subject.c.asset_no == asset_no)
    # Nothing stored has a NUL in it, and PostgreSQL does not even take the question.
    named = "\x00" not in enterprise + asset_no
    zone = connection.execute(select(subject.c.timezone).where(mine)).scalar() if named else None
    if zone is None:
        raise Refused(
            404, "subject", "no such subject", f"{enterprise[:40]}/{asset_no[:80]}", "GET /api/v1/subjects"
        )
    return str(zone)


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Refused(422, "date", "not a date like 2026-11-25", "date") from error
    if not 2000 < day.year < 2100:
        raise Refused(422, "date", "a date lies between 2001 and 2099", "date")
    return day


def _quantity(total: quantities.Total, start: int, end: int) -> QuantityModel:
    return QuantityModel.model_validate(
        {
            "carrier": total.carrier,
            "unit": total.unit,
            "millionths": total.millionths,
            "spread_ms": total.spread_ms,
            "unknown_ms": total.unknown_ms,
            "open": [_step(register, step) for register, step in total.open],
            "breaks": [_step(register, step) for register, step in total.breaks],
            "from": iso(from_ms(start)),
            "to": iso(from_ms(end)),
        }
    )


def _step(register: str, step: Step) -> dict[str, object]:
    return {
        "register": register,
        "start": iso(from_ms(step.start.at)),
        "end": iso(from_ms(step.end.at)),
        "from_raw": step.start.raw,
        "to_raw": step.end.raw,
        "amount": step.amount,
    }


def _subject(view: views.SubjectView) -> SubjectModel:
    return SubjectModel(
        enterprise=view.enterprise,
        asset_no=view.asset_no,
        kind=view.kind,
        name=view.name,
        withdrawn=view.withdrawn,
        gateways=list(view.gateways),
        state=view.state,
        state_since=_told(view.state_since),
        registers=[
            RegisterModel(
                id=r.id,
                signal=r.signal,
                carrier=r.carrier,
                unit=r.unit,
                num=r.num,
                den=r.den,
                raw=r.raw,
                at=_told(r.at),
            )
            for r in view.registers
        ],
        last_word=_told(view.last_word),
    )


def _gateway(view: views.GatewayView) -> GatewayModel:
    return GatewayModel(
        id=view.id,
        enterprise=view.enterprise,
        site=view.site,
        online=view.online,
        since=_told(view.since),
        last_word=_told(view.last_word),
        streams=[
            StreamModel(stream=s.stream, issued=s.issued, stored=s.stored, missing=s.missing, lost=s.lost)
            for s in view.streams
        ],
        quarantined=view.quarantined,
        quarantine_reason=f"{view.kept[0].reason}: {view.kept[0].detail}" if view.kept else None,
        quarantine_reasons={kept.reason: kept.frames for kept in view.kept},
        clock_off_ms=view.said.get("clock_off_ms"),
        quarantine_dropped=view.quarantine_dropped,
        clones=[
            CloneModel(kind=c.kind, stream=c.stream, seq=c.seq, since=iso(from_ms(c.since)), both=c.both)
            for c in view.clones
        ],
    )


def _told(ms: int | None) -> str | None:
    return None if ms is None else iso(from_ms(ms))
