"""What the province's part of the API answers, field by field."""

from typing import Literal

from pydantic import BaseModel, Field


class RatioModel(BaseModel):
    """A count over its denominator; percentages are made at display."""

    numerator: int = Field(description="how many", examples=[39])
    denominator: int = Field(description="of how many", examples=[60])


class BehindModel(BaseModel):
    """How many enterprises stand behind a number."""

    with_data: int = Field(description="with at least one main equipment in the ledger", examples=[12])
    of: int | None = Field(description="as many as there are; null where nobody said", examples=[14])


class TargetModel(BaseModel):
    """What the plan asks for."""

    id: str = Field(description="of the plan's table", examples=["T01"])
    comparator: str = Field(description=">=, >, <=, <, = or increase_vs_baseline", examples=[">="])
    value: str | None = Field(description="null: no number in the plan", examples=["60"])
    deadline: str = Field(description="local date", examples=["2020-12-31"])


class IndicatorModel(BaseModel):
    """One number of an area and an industry at an instant."""

    id: str = Field(description="of the definition", examples=["nc_rate_main"])
    definition: str = Field(
        description="what is counted, and among what",
        examples=["N(main and numerical_control and in service) / N(main and in service)"],
    )
    as_of: str = Field(description="the instant", examples=["2026-11-28T02:00:00.000Z"])
    declared: RatioModel = Field(
        description="what the plants say, or better", examples=[{"numerator": 39, "denominator": 60}]
    )
    checked: RatioModel = Field(
        description="what a document or the machine proves: it stands against the target",
        examples=[{"numerator": 39, "denominator": 60}],
    )
    proven: RatioModel = Field(
        description="what the machine itself proves", examples=[{"numerator": 39, "denominator": 60}]
    )
    enterprises: BehindModel = Field(
        description="who stands behind it", examples=[{"with_data": 12, "of": 14}]
    )
    target: TargetModel | None = Field(
        description="null: the plan says nothing for this area and industry",
        examples=[{"id": "T01", "comparator": ">=", "value": "60", "deadline": "2020-12-31"}],
    )
    status: Literal["reached", "below", "no_number", "no_target", "no_data"] = Field(
        description="the checked count against the target", examples=["below"]
    )


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
    cloud: int = Field(description="of them in the cloud", examples=[2])
