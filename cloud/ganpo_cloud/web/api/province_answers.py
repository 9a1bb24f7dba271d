"""What the province's part of the API answers, field by field."""

from typing import Literal

from pydantic import BaseModel, Field


class RatioModel(BaseModel):
    """A count over its denominator; percentages are made at display."""

    numerator: int | None = Field(description="how many; null: nobody knows", examples=[39])
    denominator: int | None = Field(description="of how many; null: a plain count", examples=[60])


class BehindModel(BaseModel):
    """How many enterprises stand behind a number."""

    with_data: int | None = Field(
        description="with at least one main equipment in the ledger; null of a quantity: its completeness says it",
        examples=[12],
    )
    of: int | None = Field(description="as many as there are; null where nobody said", examples=[14])


class TargetModel(BaseModel):
    """What the plan asks for."""

    id: str = Field(description="of the plan's table", examples=["T01"])
    comparator: str = Field(description=">=, >, <=, <, = or increase_vs_baseline", examples=[">="])
    value: str | None = Field(description="null: no number in the plan", examples=["60"])
    deadline: str = Field(description="local date", examples=["2020-12-31"])


class IndicatorModel(BaseModel):
    """One number of an area and an industry."""

    id: str = Field(description="of the definition", examples=["nc_rate_main"])
    area: str = Field(description="id of the area", examples=["360000"])
    industry: str | None = Field(description="id of the industry; null: all", examples=["NONFERROUS"])
    definition: str = Field(
        description="what is counted, and among what",
        examples=["N(main and numerical_control and in service) / N(main and in service)"],
    )
    unit: str = Field(
        description="of what it comes to: quantities are in millionths, value added in hundredths of a CNY",
        examples=["%"],
    )
    period: str | None = Field(
        description="month, months (2026-01/2026-10) or year that it is of; null: it is as of an instant",
        examples=["2026-11"],
    )
    as_of: str = Field(description="the instant", examples=["2026-11-28T02:00:00.000Z"])
    declared: RatioModel | None = Field(
        description="what the plants say, or better; null: it is observed, evidence has no meaning",
        examples=[{"numerator": 39, "denominator": 60}],
    )
    checked: RatioModel = Field(
        description="what a document or the machine proves, or was observed: it stands against the target",
        examples=[{"numerator": 39, "denominator": 60}],
    )
    proven: RatioModel | None = Field(
        description="what the machine itself proves; null as `declared` is",
        examples=[{"numerator": 39, "denominator": 60}],
    )
    enterprises: BehindModel = Field(
        description="who stands behind it", examples=[{"with_data": 12, "of": 14}]
    )
    completeness: RatioModel | None = Field(
        description="known of planned time, or covered of declared carriers; null: it has none",
        examples=[{"numerator": 94, "denominator": 100}],
    )
    missing: list[str] = Field(
        description="carriers that are declared and not covered", examples=[["raw_coal"]]
    )
    target: TargetModel | None = Field(
        description="of the place itself; of a ratio else of all industries or of the next place above; null: none",
        examples=[{"id": "T01", "comparator": ">=", "value": "60", "deadline": "2020-12-31"}],
    )
    status: Literal["reached", "below", "no_number", "no_target", "no_data"] = Field(
        description="the checked count against the target", examples=["below"]
    )


class DefinitionModel(BaseModel):
    """What a number means."""

    id: str = Field(description="stable word for programs", examples=["nc_rate_main"])
    word: str = Field(description="for people, in English", examples=["CNC coverage"])
    text: str = Field(
        description="what is counted, and among what",
        examples=["N(main and numerical_control and in service) / N(main and in service)"],
    )
    unit: str = Field(description="of what it comes to", examples=["%"])
    source: str = Field(
        description="who says so", examples=["the province's plan of 2018; the formula is ours"]
    )
    target: str | None = Field(description="of the plan's table", examples=["T01"])


class AreaModel(BaseModel):
    """One area as it is called at an instant."""

    id: str = Field(description="stays through changes of name and code", examples=["360100"])
    parent: str | None = Field(description="the area it lies in", examples=["360000"])
    kind: Literal["province", "city", "county"] = Field(description="what it is", examples=["city"])
    code: str = Field(description="the number of the national table then", examples=["360100"])
    name_zh: str = Field(description="in Chinese", examples=["南昌市"])
    name_en: str = Field(description="in English", examples=["Nanchang"])


class IndustryModel(BaseModel):
    """One industry."""

    id: str = Field(description="of the province's file", examples=["NONFERROUS"])
    name_zh: str = Field(description="in Chinese", examples=["有色"])
    name_en: str = Field(description="in English", examples=["Nonferrous metals"])


class DeviceModel(BaseModel):
    """One device of the ledger at an instant, and what is known of it."""

    enterprise: str = Field(description="unified social credit code", examples=["91360000625912173B"])
    asset_no: str = Field(description="the plant's own number", examples=["SB-0141"])
    name: str = Field(description="what people call it", examples=["立式加工中心 VMC850"])
    site: str = Field(description="id of its site", examples=["plant-1"])
    area: str | None = Field(description="county of its site; null where nobody said", examples=["360681"])
    industry: str = Field(description="of the enterprise", examples=["NONFERROUS"])
    status: str = Field(description="in the ledger", examples=["in_use"])
    counts: bool = Field(description="it is in service, and in every denominator", examples=[True])
    flags: dict[str, Literal["claimed", "document", "controller"]] = Field(
        description="those that hold, with their strongest evidence",
        examples=[{"main": "claimed", "numerical_control": "controller"}],
    )
    networked: bool = Field(description="a Good value was observed", examples=[True])
    cloud: bool = Field(description="a Good value was stored", examples=[True])
    age: Literal["active", "seen", "silent", "gone"] | None = Field(
        description="of its last Good value; null: there was none", examples=["active"]
    )


class ReasonModel(BaseModel):
    """One thing that is missing of an enterprise or a device."""

    code: str = Field(description="stable word for programs", examples=["device"])
    what: str = Field(description="for people, in English", examples=["it does not answer: no answer"])
    since: str | None = Field(description="where it is known", examples=["2026-11-25T02:15:00.000Z"])
    command: str = Field(description="what closes it", examples=["curl http://127.0.0.1:8780/health"])


class EnterpriseModel(BaseModel):
    """One enterprise of the registry at an instant."""

    code: str = Field(description="unified social credit code", examples=["91360000625912173B"])
    name: str = Field(description="of the enterprise", examples=["江西铜业"])
    area: str = Field(description="its statistical home", examples=["360681"])
    industry: str = Field(description="of the enterprise", examples=["NONFERROUS"])
    above_scale: bool = Field(description="规上", examples=[True])
    devices: int = Field(description="in the ledger and in service", examples=[3])
    main: int = Field(description="of them main equipment", examples=[3])
    nc: int = Field(description="of that numerically controlled, checked", examples=[2])
    networked: int = Field(description="on the network, neither retired nor gone", examples=[2])
    cloud: int = Field(description="in the cloud, neither retired nor gone", examples=[2])
    active: int = Field(description="active of them", examples=[1])


class CarrierModel(BaseModel):
    """A carrier at a place in a month: what is metered or stated of it."""

    area: str = Field(description="id of the area", examples=["360000"])
    industry: str | None = Field(description="id of the industry; null: all", examples=["NONFERROUS"])
    month: str = Field(description="the month", examples=["2026-11"])
    carrier: str = Field(description="id of the carrier", examples=["electricity"])
    unit: str = Field(description="of the quantity", examples=["kWh"])
    millionths: int | None = Field(
        description="boundary_in + generation - boundary_out, and statements; null: nobody knows",
        examples=[521199760000],
    )
    tce_millionths: int | None = Field(
        description="of it in tonnes of coal equivalent; null: no energy, or not known", examples=[64055450]
    )
    spread_ms: int = Field(description="how much of it is spread over holes, in ms of all days", examples=[0])
    open: int = Field(
        description="steps of registers that count nothing until they are explained", examples=[0]
    )
    enterprises: int = Field(description="with a quantity", examples=[2])
    declared: int = Field(description="enterprises that declare to use it", examples=[3])
    covered: int = Field(description="of them, measured or stated for 90 % of the month", examples=[2])


class TransitionModel(BaseModel):
    """A gateway went online or offline."""

    at: str = Field(description="when", examples=["2026-11-25T02:15:00.000Z"])
    online: bool = Field(description="what it was from then on", examples=[True])


class ReportModel(BaseModel):
    """A published month."""

    month: str = Field(description="the month", examples=["2026-10"])
    published_at: str = Field(description="when", examples=["2026-11-05T00:01:00.000Z"])
    checksum: str = Field(description="SHA-256 of its lines", examples=["0" * 64])


class LineModel(BaseModel):
    """One number of a published month, as it was published and as it comes to today."""

    metric: str = Field(description="id of the definition", examples=["nc_rate_main"])
    area: str = Field(description="id of the area", examples=["360000"])
    industry: str | None = Field(description="id of the industry; null: all", examples=["NONFERROUS"])
    published: RatioModel | None = Field(
        description="checked, as it was published; null: it was not in the report",
        examples=[{"numerator": 39, "denominator": 60}],
    )
    revised: RatioModel | None = Field(
        description="checked, as it comes to today; null: nothing",
        examples=[{"numerator": 40, "denominator": 60}],
    )
