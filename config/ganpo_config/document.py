"""`agent.toml` as it is written: tables and rows, before anything is bound."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ganpo_config.settings import GatewaySettings, Section, UplinkSettings

PREFIX = "GANPO_"
_EXCEL = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)


def _asset_no(value: Any) -> Any:
    if isinstance(value, str):
        if _EXCEL.fullmatch(value):
            raise ValueError("Excel made a number of it: format the column as text and enter it again")
        if not re.fullmatch(r"[^\x00-\x1f\s/#,]{1,64}", value):
            raise ValueError("an asset_no has 1 to 64 characters without space, comma, / and #")
    return value


def _day(value: Any) -> Any:
    if value == "":
        return None
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", value)):
        year, month, day = map(int, match.groups())
        return date(year, month, day)
    return value


AssetNo = Annotated[str, BeforeValidator(_asset_no)]
Day = Annotated[date | None, BeforeValidator(_day)]
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
    name: str = Field(min_length=1, max_length=200, description="what people call it")
    profile: str = Field(default="", description="id of its profile; empty: it stands in the ledger only")
    connection: str = Field(default="none", description="name of its connection, or none")
    parameters: str = Field(default="", description="key=value of the profile's parameters")
    flags: str = Field(default="", description="main numerical_control digital intelligent")
    since: Day = Field(default=None, description="in service since")
    status: Status = Field(default="in_use", description="status in the ledger")
    planned_run_time_s: str = Field(
        default="", pattern=r"^\d*$", description="planned run time per part, in seconds"
    )


class MeterRow(Row):
    """One meter."""

    asset_no: AssetNo = Field(description="the plant's own number, unique in the enterprise")
    name: str = Field(min_length=1, max_length=200, description="what people call it")
    carrier: str = Field(description="what it measures: electricity, water_fresh, natural_gas ...")
    role: Role = Field(description="its place in the balance")
    parent: str = Field(default="", description="asset_no of the meter above it")
    profile: str = Field(default="", description="id of its profile; empty: its points stand in [[points]]")
    connection: str = Field(default="none", description="name of its connection, or none")
    parameters: str = Field(default="", description="key=value of the profile's parameters")
    ct: str = Field(default="", description="current transformer as the nameplate says it: 400/5")
    pt: str = Field(default="", description="voltage transformer: 10000/100")
    reads: Literal["", "primary", "secondary"] = Field(default="", description="what the meter counts")
    pulse: str = Field(default="", description="unit per pulse")
    max_rate: str = Field(default="", description="the most it can count in an hour, in its unit")
    since: Day = Field(default=None, description="in service since")


class PointRow(Row):
    """One point, bound by hand."""

    asset_no: AssetNo = Field(description="of the equipment or meter")
    signal: str = Field(description="what it means: channel_state, alarm, energy_import ...")
    connection: str = Field(description="name of its connection")
    address: str = Field(description="in the protocol's short form")
    type: str = Field(default="", description="of the value, where the protocol needs it")
    order: str = Field(default="", description="byte order, where the protocol needs it")
    scale: str = Field(default="1", description="unit per count, exact: 0.01")
    offset: str = Field(default="0", description="added to a number after scaling")
    unit: str = Field(default="", description="of the scaled value, where it is not the signal's own")
    interval_s: str = Field(default="", description="seconds between two polls")
    stale_s: str = Field(default="", description="how long a value holds without an answer, in seconds")
    modulus: str = Field(default="", pattern=r"^\d*$", description="counts at which a register wraps")
    max_rate: str = Field(default="", description="the most it can count in an hour, in its unit")
    resets: Literal["", "yes", "no"] = Field(default="", description="a counter that people reset")
    note: str = Field(default="", description="for people")


class ShiftTable(Section):
    """A shift: it belongs to the day on which it starts."""

    days: str = Field(description="mon-fri, sat, or mon,wed")
    from_: str = Field(alias="from", description="HH:MM")
    to: str = Field(description="HH:MM; before `from` it ends on the next day")
    breaks: tuple[str, ...] = Field(default=(), description="HH:MM-HH:MM")


class ExceptionTable(Section):
    """Days that differ."""

    dates: str = Field(description="2027-02-05 or 2027-02-05..2027-02-11")
    plan: Literal["off"] | None = Field(
        default=None, description="off: the shifts that start then are dropped"
    )
    like: str | None = Field(default=None, description="the weekday whose shifts hold instead: mon")
    why: str = Field(default="", description="for people")


class SiteTable(Section):
    """The site. The registry decides whose it is; what stands here is checked against it."""

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$", description="id of the site in the enterprise")
    name: str = Field(min_length=1, max_length=200, description="what people call it")
    timezone: str = Field(description="IANA name: Asia/Shanghai")
    slot: str = Field(default="15min", description="how runs are packed: 10s ... 60min")
    shifts: dict[str, ShiftTable] = Field(default={}, description="weekly shifts by name")
    exceptions: tuple[ExceptionTable, ...] = Field(default=(), description="holidays and make-up days")


class Document(BaseSettings):
    """All of `agent.toml`; the environment sets scalars of [gateway], [uplink] and [site]."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__"
    )

    format: Literal[1] = Field(description="of this file; always 1")
    gateway: GatewaySettings = Field(description="who this gateway is")
    uplink: UplinkSettings = Field(description="how facts travel")
    site: SiteTable = Field(description="where it stands")
    connections: dict[str, dict[str, Any]] = Field(default={}, description="protocol sessions by name")
    equipment: tuple[EquipmentRow, ...] = Field(default=(), description="production units")
    meters: tuple[MeterRow, ...] = Field(default=(), description="meters")
    points: tuple[PointRow, ...] = Field(default=(), description="points bound by hand")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file; nothing else."""
        return env_settings, init_settings


def environment_names() -> set[str]:
    """The names that set something."""
    scalars: dict[str, type[Section]] = {
        "gateway": GatewaySettings,
        "uplink": UplinkSettings,
        "site": SiteTable,
    }
    return {
        f"{PREFIX}{section}__{name}".upper()
        for section, model in scalars.items()
        for name in model.model_fields
        if name not in ("shifts", "exceptions", "password", "ca_path")
    }
