"""`agent.toml` as it is written: tables and rows, before anything is bound."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ganpo_config.settings import GatewaySettings, Section, UplinkSettings
from ganpo_model import tables
from ganpo_model.bounds import day_wrong
from ganpo_model.facts import SITE

_NUMBER = re.compile(r"[^\x00-\x1f\s/#,]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", re.ASCII)


def _asset_no(value: Any) -> Any:
    if isinstance(value, float) or (isinstance(value, str) and tables.numbered(value)):
        raise ValueError(f"{tables.NUMBERED}: {tables.AS_TEXT}")
    if isinstance(value, str) and _NUMBER.fullmatch(value) is None:
        raise ValueError("an asset_no has 1 to 64 characters without space, comma, / and #")
    return value


def day_of(text: str) -> date:
    """The date of `2025-03-01` or `2025/3/1`. Raises ValueError."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise ValueError("no date (2025-03-01)")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise ValueError("no day of the calendar") from None


def _day(value: Any) -> Any:
    if value == "":
        return None
    found = day_of(value) if isinstance(value, str) else value
    if isinstance(found, date) and not isinstance(found, datetime) and (why := day_wrong(found)) is not None:
        raise ValueError(why)
    return found


def _text(value: Any) -> Any:
    if isinstance(value, str) and _CONTROL.search(value) is not None:
        raise ValueError("has control characters in it")
    return value


def _dates(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


AssetNo = Annotated[str, BeforeValidator(_asset_no)]
Day = Annotated[date | None, BeforeValidator(_day)]
Text = Annotated[str, BeforeValidator(_text)]
Role = Literal["boundary_in", "boundary_out", "generation", "sub", "process"]
Status = Literal["in_use", "idle", "under_repair", "sealed", "not_commissioned", "leased_out", "retired"]


class Row(BaseModel):
    """A row of a list: the columns of formats.md, text; numbers may be written as numbers."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, str_strip_whitespace=True
    )


class EquipmentRow(Row):
    """One production unit."""

    asset_no: AssetNo = Field(description="the plant's own number, unique in the enterprise")
    name: Text = Field(min_length=1, max_length=200, description="what people call it")
    profile: str = Field(default="", description="id of its profile; empty: it stands in the ledger only")
    connection: str = Field(default="none", description="name of its connection, or none")
    parameters: str = Field(
        default="", description="`key=value` of the profile's parameters, as a shell splits"
    )
    flags: str = Field(default="", description="main, numerical_control, digital, intelligent")
    since: Day = Field(default=None, description="in service since")
    status: Status = Field(
        default="in_use",
        description="in_use, idle, under_repair, sealed, not_commissioned, leased_out, retired",
    )
    planned_run_time_s: str = Field(
        default="", pattern=r"^[0-9]{0,9}$", description="planned run time per part, in whole seconds"
    )


class MeterRow(Row):
    """One meter."""

    asset_no: AssetNo = Field(description="the plant's own number, unique in the enterprise")
    name: Text = Field(min_length=1, max_length=200, description="what people call it")
    carrier: str = Field(description="what it measures: electricity, water_fresh, natural_gas ...")
    role: Role = Field(
        description="place in the balance: boundary_in, boundary_out, generation, sub, process"
    )
    parent: str = Field(default="", description="asset_no of the meter above it")
    profile: str = Field(default="", description="id of its profile; empty: its points stand in `[[points]]`")
    connection: str = Field(default="none", description="name of its connection, or none")
    parameters: str = Field(
        default="", description="`key=value` of the profile's parameters; `pipe=DN50`, `voltage=400`"
    )
    ct: str = Field(default="", description="current transformer as the nameplate says it: 400/5")
    pt: str = Field(default="", description="voltage transformer: 10000/100")
    reads: Literal["", "primary", "secondary"] = Field(
        default="",
        description="what the meter counts: primary or secondary; with a ct or pt it has to be said",
    )
    pulse: str = Field(default="", description="unit per pulse of a pulse meter: 0.01")
    max_rate: str = Field(default="", description="the most it can count in an hour, in the signal's unit")
    update: str = Field(
        default="",
        description="how often a new number is shown, where that is seldom: 24h; at most 7d",
    )
    since: Day = Field(default=None, description="in service since")


class PointRow(Row):
    """One point, bound by hand."""

    asset_no: AssetNo = Field(description="of the equipment or meter")
    signal: str = Field(description="what it means: channel_state, alarm, energy_import ...")
    connection: str = Field(description="name of its connection")
    address: str = Field(description="in the protocol's short form")
    type: str = Field(default="", description="of the value, where the protocol needs it: uint32")
    order: str = Field(default="", description="of the bytes of two registers or more: ABCD, CDAB")
    scale: str = Field(default="1", description="unit per count, exact: 0.01")
    offset: str = Field(default="", description="added after scaling; for signals that are numbers")
    unit: str = Field(default="", description="of the scaled value, where it is not the signal's own: MWh")
    interval_s: str = Field(default="", description="seconds between two polls; 5, of registers 10")
    stale_s: str = Field(
        default="", description="how long a value holds without an answer; 3 intervals, at least 60"
    )
    modulus: str = Field(
        default="", pattern=r"^[0-9]{0,19}$", description="values after which a register begins at 0 again"
    )
    max_rate: str = Field(default="", description="the most a register can count in an hour, in its unit")
    update: str = Field(
        default="",
        description="how often a new number is shown, where that is seldom: 24h; at most 7d",
    )
    resets: Literal["", "yes", "no"] = Field(default="", description="yes: a counter that people set to 0")
    note: Text = Field(default="", description="for people")
    mode: Literal["", "poll", "subscribe"] = Field(
        default="", description="poll, or subscribe: the device speaks when the value changes (OPC UA)"
    )
    sampling_ms: str = Field(
        default="",
        pattern=r"^[0-9]{0,8}$",
        description="subscribed: how often the device itself looks at the value; interval_s without it",
    )
    deadband: str = Field(
        default="", description="subscribed: by how much of the device's unit a number has to change"
    )


class ListsTable(Section):
    """What plants have in a spreadsheet anyway: files beside this one, with the columns of the rows below."""

    equipment: str | None = Field(
        default=None, description="CSV file or workbook with rows of `[[equipment]]`"
    )
    meters: str | None = Field(default=None, description="CSV file or workbook with rows of `[[meters]]`")
    points: str | None = Field(default=None, description="CSV file or workbook with rows of `[[points]]`")


class ShiftTable(Section):
    """A shift: it belongs to the day on which it starts."""

    days: str = Field(description="mon-fri, sat, or mon,wed")
    from_: str = Field(alias="from", description="HH:MM")
    to: str = Field(description="HH:MM; before `from` it ends on the next day; at most 16 h")
    breaks: tuple[str, ...] = Field(default=(), description="HH:MM-HH:MM, within the shift")


class ExceptionTable(Section):
    """Days that differ."""

    dates: Annotated[str, BeforeValidator(_dates)] = Field(
        description="2027-02-05, or 2027-02-05..2027-02-11"
    )
    plan: Literal["off"] | None = Field(
        default=None, description="off: the shifts that start on these days are dropped"
    )
    like: str | None = Field(default=None, description="the weekday whose shifts hold instead: mon")
    why: Text = Field(default="", max_length=200, description="for people")


class SiteTable(Section):
    """The site. The registry decides whose it is; what stands here is checked against it."""

    id: str = Field(pattern=f"^{SITE}$", description="id of the site in the enterprise")
    name: Text = Field(min_length=1, max_length=200, description="what people call it")
    timezone: str = Field(description="IANA name: Asia/Shanghai")
    slot: str = Field(default="15min", description="how runs are packed: 1s ... 60min; it means nothing")
    shifts: dict[str, ShiftTable] = Field(default={}, description="weekly shifts by name")
    exceptions: tuple[ExceptionTable, ...] = Field(default=(), description="holidays and make-up days")


class Document(Section):
    """All of `agent.toml`."""

    model_config = ConfigDict(defer_build=True)  # read section by section: the whole is for the schema alone

    format: Literal[1] = Field(description="of this file; always 1")
    gateway: GatewaySettings = Field(description="who this gateway is")
    uplink: UplinkSettings = Field(description="how facts travel")
    site: SiteTable = Field(description="where it stands")
    lists: ListsTable = Field(default=ListsTable(), description="rows as CSV files or workbooks")
    connections: dict[str, dict[str, Any]] = Field(default={}, description="protocol sessions by name")
    equipment: tuple[EquipmentRow, ...] = Field(default=(), description="production units")
    meters: tuple[MeterRow, ...] = Field(default=(), description="meters")
    points: tuple[PointRow, ...] = Field(default=(), description="points bound by hand")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `agent.toml`: for editors. What binds one place to another is checked by `ganpo check`."""
    schema = Document.model_json_schema(by_alias=True)
    schema["title"] = "agent.toml"
    for model in (GatewaySettings, UplinkSettings):
        for name, about in model.model_fields.items():
            if about.exclude:  # set from its file
                del schema["$defs"][model.__name__]["properties"][name]
    for row in ("EquipmentRow", "MeterRow", "PointRow"):
        for about in schema["$defs"][row]["properties"].values():
            if about.get("type") == "string" and "enum" not in about:
                about["type"] = ["string", "number"]
    return schema
