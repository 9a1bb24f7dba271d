"""What the API answers, field by field. Instants are ISO 8601 in UTC with milliseconds, quantities integers."""

from typing import Literal

from pydantic import BaseModel, Field

from ganpo_model.states import State


class StepModel(BaseModel):
    """A step between two readings that counts nothing."""

    register_id: str = Field(
        alias="register", description="id of the register", examples=["DB-0101/energy_import#1f3a9c02"]
    )
    start: str = Field(description="time of the first reading", examples=["2026-11-25T02:15:03.120Z"])
    end: str = Field(description="time of the second reading", examples=["2026-11-25T02:30:00.480Z"])
    from_raw: int = Field(description="counts at `start`", examples=[80500])
    to_raw: int = Field(description="counts at `end`", examples=[12])
    amount: int = Field(description="difference in counts", examples=[-80488])


class QuantityModel(BaseModel):
    """The quantity of one carrier over a period."""

    carrier: str | None = Field(description="null where a register counts parts", examples=["electricity"])
    unit: str = Field(description="of the quantity", examples=["kWh"])
    millionths: int | None = Field(
        description="of the unit; null where nothing is known of it: before the first reading, or not believed",
        examples=[521199760000],
    )
    spread_ms: int = Field(
        description="length of the parts between border readings further apart than 30 min", examples=[0]
    )
    unknown_ms: int = Field(
        description="length of the part for which a register is not believed; it is not in the quantity",
        examples=[0],
    )
    open: list[StepModel] = Field(description="steps that wait for a person")
    breaks: list[StepModel] = Field(description="declared exchanges")
    from_: str = Field(alias="from", description="begin of the period", examples=["2026-11-24T16:00:00.000Z"])
    to: str = Field(description="end of the period, exclusive", examples=["2026-11-25T16:00:00.000Z"])


class RegisterModel(BaseModel):
    """A register and where it stands."""

    id: str = Field(
        description="asset_no/signal#hash of what it is read from",
        examples=["DB-0101/energy_import#1f3a9c02"],
    )
    signal: str = Field(description="what it counts", examples=["energy_import"])
    carrier: str | None = Field(description="what the meter measures", examples=["electricity"])
    unit: str = Field(description="of the quantity", examples=["kWh"])
    num: int = Field(description="one count is num/den of the unit", examples=[1])
    den: int = Field(description="one count is num/den of the unit", examples=[100])
    raw: int | None = Field(description="counts at the last accepted reading", examples=[4820300])
    at: str | None = Field(
        description="time of the last accepted reading", examples=["2026-11-25T02:15:03.120Z"]
    )


class SubjectModel(BaseModel):
    """A machine or a meter."""

    enterprise: str = Field(description="unified social credit code", examples=["91360000625912173B"])
    asset_no: str = Field(description="the plant's own number", examples=["SB-0141"])
    kind: Literal["equipment", "meter"] = Field(description="what it is", examples=["equipment"])
    name: str = Field(description="as its gateway names it", examples=["立式加工中心 VMC850"])
    withdrawn: bool = Field(description="no inventory names it any more", examples=[False])
    gateways: list[str] = Field(description="whose inventories name it", examples=[["gw-nc-0007"]])
    state: State | None = Field(
        description="of a machine, now; UNKNOWN where nobody observes it; null without a connection",
        examples=["PRODUCING"],
    )
    state_since: str | None = Field(description="since when", examples=["2026-11-25T02:07:12.000Z"])
    registers: list[RegisterModel] = Field(description="what it counts")
    last_word: str | None = Field(
        description="newest observation stored", examples=["2026-11-25T02:15:00.000Z"]
    )


class SpanModel(BaseModel):
    """A stretch of one state, half-open."""

    start: str = Field(description="begin", examples=["2026-11-24T16:00:00.000Z"])
    end: str = Field(description="end, exclusive", examples=["2026-11-25T02:07:12.000Z"])
    state: State = Field(description="the state", examples=["IDLE"])


class PlannedModel(BaseModel):
    """Planned time and what the machine did in it."""

    ms: int = Field(description="planned", examples=[27000000])
    states: dict[State, int] = Field(
        description="milliseconds per state; they add up to `ms`",
        examples=[{"PRODUCING": 20000000, "UNKNOWN": 7000000}],
    )
    outside_ms: int = Field(
        description="PRODUCING of this local day outside any planned time: it enters no rate", examples=[0]
    )
    confirmed: bool = Field(
        description="somebody said which days of the year are off; else the weekly pattern holds",
        examples=[True],
    )


class KpiModel(BaseModel):
    """A ratio; percentages are made at display."""

    numerator: int = Field(description="of the ratio", examples=[18000000])
    denominator: int = Field(description="of the ratio", examples=[28800000])


class DayModel(BaseModel):
    """One subject's local day."""

    enterprise: str = Field(description="unified social credit code", examples=["91360000625912173B"])
    asset_no: str = Field(description="the plant's own number", examples=["SB-0141"])
    date: str = Field(description="local date", examples=["2026-11-25"])
    timezone: str = Field(description="of the site", examples=["Asia/Shanghai"])
    start: str = Field(description="local midnight", examples=["2026-11-24T16:00:00.000Z"])
    end: str = Field(description="the next local midnight", examples=["2026-11-25T16:00:00.000Z"])
    spans: list[SpanModel] = Field(description="the painted day: adjacent, from `start` to `end`")
    ms: dict[State, int] = Field(
        description="milliseconds per state; they add up to the day",
        examples=[{"PRODUCING": 36432000, "UNKNOWN": 49968000}],
    )
    planned: PlannedModel | None = Field(
        description="planned time of the production day, until now; null: nothing is planned",
        examples=[
            {
                "ms": 27000000,
                "states": {"PRODUCING": 20000000, "UNKNOWN": 7000000},
                "outside_ms": 0,
                "confirmed": True,
            }
        ],
    )
    kpis: dict[str, KpiModel | None] | None = Field(
        description="ISO 22400, of the production day; null: nothing is planned, or an input is missing",
        examples=[{"availability": {"numerator": 18000000, "denominator": 28800000}, "oee": None}],
    )
    quantities: list[QuantityModel] = Field(
        description="one per carrier; registers without carrier one by one"
    )


class StreamModel(BaseModel):
    """One run of an agent: issued = stored + missing + lost."""

    stream: str = Field(description="ULID", examples=["01HF7YAT00V3RS3DTR98H6BCFN"])
    issued: int = Field(description="largest number known", examples=[1842])
    stored: int = Field(description="applied or quarantined", examples=[1840])
    missing: int = Field(description="neither stored nor declared lost", examples=[0])
    lost: int = Field(description="declared lost", examples=[2])


class CloneModel(BaseModel):
    """What one box cannot have sent."""

    kind: str = Field(
        description="contents: one number came with two; beyond: frames behind the end that the next run tells;"
        " runs: two follow the same one",
        examples=["runs"],
    )
    stream: str = Field(
        description="of the frames, or which both follow", examples=["01JDN0Q7S0ABCDEFGHJKMNPQRS"]
    )
    seq: int = Field(description="number of the frame, or of the last one before they part", examples=[1842])
    since: str = Field(description="when the second was stored", examples=["2026-11-25T02:15:00.000Z"])
    both: bool = Field(
        description="both still send; else a disk was set back or copied once", examples=[True]
    )


class GatewayModel(BaseModel):
    """A gateway, registered or waiting for it."""

    id: str = Field(description="its name at the broker", examples=["gw-nc-0007"])
    enterprise: str | None = Field(description="null until it is registered", examples=["91360000625912173B"])
    site: str | None = Field(description="null until it is registered", examples=["plant-1"])
    online: bool = Field(description="it spoke within three of its intervals", examples=[True])
    since: str | None = Field(
        description="last change between online and offline", examples=["2026-11-25T01:00:00.000Z"]
    )
    last_word: str | None = Field(description="last heard", examples=["2026-11-25T02:15:00.000Z"])
    streams: list[StreamModel] = Field(description="newest first")
    quarantined: int = Field(description="frames kept as they came", examples=[0])
    quarantine_reason: str | None = Field(description="of the last one", examples=["time: in 1970"])
    quarantine_reasons: dict[str, int] = Field(description="frames by reason", examples=[{"time": 12}])
    quarantine_dropped: int = Field(description="frames that a full quarantine gave up", examples=[0])
    clock_off_ms: int | None = Field(
        description="its clock minus ours as it said last; null where it did not", examples=[-120]
    )
    clones: list[CloneModel] = Field(description="what speaks for a second box with this id, newest first")
