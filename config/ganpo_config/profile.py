"""A profile as it is written: the signals, addresses and state rules of a kind of equipment (formats.md)."""

from typing import Any, Literal

from pydantic import Field

from ganpo_config.parameters import Number
from ganpo_config.settings import Section

Word = bool | int | float | str


class Words(Section):
    """A text in both languages."""

    zh: str = Field(description="in Chinese")
    en: str = Field(description="in English")


class Parameter(Words):
    """What a plant has to say of its own machine."""

    default: str | None = Field(default=None, description="what holds where nothing is said")


class Range(Section):
    """Bounds of a number, both included; either may be a parameter."""

    min: Number | None = Field(default=None, description="the least that can be true")
    max: Number | None = Field(default=None, description="the most that can be true")


class ProfilePart(Section):
    """A register of a value that is a sum."""

    address: str = Field(description="with `{parameter}`s; without a unit it is that of the parameter `unit`")
    type: str = Field(default="", description="of this part, where the signal's own does not hold")
    times: str = Field(default="1", description="how often it counts: 10000, -1, 1/3600")


class ProfileSignal(Section):
    """How one signal is read, and what its values mean."""

    address: str | None = Field(
        default=None, description="with `{parameter}`s; without one it is bound in `[[points]]`"
    )
    parts: list[ProfilePart] = Field(
        default=[], description="registers that are added, read with one request; instead of an address"
    )
    exponent: str = Field(
        default="",
        description="address of the power of ten by which it is multiplied; `scale` is what 1 is then",
    )
    meter: str | None = Field(default=None, description="asset_no of the meter whose point it reads instead")
    type: str = Field(default="", description="of the value, where the protocol needs it")
    order: str = Field(default="", description="of the bytes of two registers or more")
    scale: str = Field(default="1", description="unit per count, exact: 0.01")
    offset: Number = Field(default=0.0, description="added after scaling; for signals that are numbers")
    unit: str = Field(default="", description="of the scaled value, where it is not the signal's own")
    modulus: int | None = Field(
        default=None, gt=1, lt=2**63, description="values after which a register begins at 0 again"
    )
    max_rate: str = Field(default="", description="the most a register can count in an hour, in its unit")
    update: str = Field(
        default="",
        description="how often a new number is shown, where that is seldom: 24h; at most 7d",
    )
    resets: bool = Field(default=False, description="a counter that people set to 0")
    enum: dict[str, int | str] | list[str] | None = Field(
        default=None, description="word = the device's value, or a list of texts that stand for themselves"
    )
    unavailable: list[int | float | str] = Field(
        default=[], description="values with which the device itself says that it does not know"
    )
    valid: Range | None = Field(default=None, description="`{ min = , max = }`; outside is a fault")
    absent: Word | None = Field(
        default=None, description="what holds where the device does not have this item"
    )
    interval_s: float | None = Field(
        default=None, gt=0, le=86_400, description="seconds between two polls; 5, of registers 10"
    )
    stale_s: float | None = Field(
        default=None,
        gt=0,
        le=86_400,
        description="how long a value holds without an answer; 3 intervals, at least 60",
    )
    mode: Literal["poll", "subscribe"] = Field(
        default="poll", description="poll, or subscribe: the device speaks when the value changes (OPC UA)"
    )
    sampling_ms: int | None = Field(
        default=None,
        ge=10,
        le=86_400_000,
        description="subscribed: how often the device itself looks at the value; interval_s without it",
    )
    deadband: float | None = Field(
        default=None,
        gt=0,
        description="subscribed: by how much of the device's unit a number has to change",
    )

    @property
    def cell(self) -> str | None:
        """Where it is read, as the address of a list's row says it; None: the profile does not say."""
        terms = [f"{part.address}{f':{part.type}' if part.type else ''}*{part.times}" for part in self.parts]
        if not terms and self.address is None:
            return None
        return (" + ".join(terms) or f"{self.address}") + (f" e {self.exponent}" if self.exponent else "")


class Band(Section):
    """min <= number < below; either may be a parameter."""

    min: Number | None = Field(default=None, description="from here on")
    below: Number | None = Field(default=None, description="up to here, not included")


class StateRule(Section):
    """All conditions must hold."""

    state: Literal["OFF", "MAINTENANCE", "FAULT", "SETUP", "HELD", "PRODUCING"] = Field(
        description="rules stand in the order OFF, MAINTENANCE, FAULT, SETUP, HELD, PRODUCING"
    )
    when: dict[str, Word | list[Word] | Band] = Field(
        min_length=1,
        description="signal = a value, a list of values, or `{ min = , below = }`; all must hold",
    )


class Factory(Section):
    """How a device comes out of its box."""

    speaks: Literal["modbus-tcp", "modbus-rtu", "modbus-ascii", "dlt645-2007", "none"] = Field(
        description="protocol; none: it has to be switched on"
    )
    line: str = Field(
        default="", pattern=r"^([1-9][0-9]{2,5} [78][NEO][12])?$", description="of a serial line: 9600 8N1"
    )
    unit: int | None = Field(default=None, ge=0, le=255, description="unit id")


class Profile(Section):
    """One profile file."""

    format: Literal[1] = Field(description="of this file; always 1")
    id: str = Field(pattern=r"^[a-z0-9_]{1,64}$", description="what `profile` of equipment and meters names")
    base: str = Field(
        default="",
        description="id of the profile whose keys hold where this one has none; `title` is its own",
    )
    title: Words = Field(description="what people call it: `{ zh = , en = }`")
    origin: str = Field(min_length=1, description="where names, numbers and mapping come from")
    confidence: Literal["", "high", "medium", "low"] = Field(
        default="", description="high: two independent sources that agree, or the maker's manual"
    )
    vendor: str = Field(default="", description="who makes the device")
    device: str = Field(default="", description="its name, as it stands on the nameplate")
    note: list[Words] = Field(
        default=[], description="what a good guess gets wrong about it: `{ zh = , en = }`"
    )
    factory: Factory | None = Field(
        default=None, description="how it comes: `{ speaks = , line = , unit = }`"
    )
    reads: Literal["", "primary", "secondary"] = Field(
        default="",
        description="which side of its current transformers its registers count, where that is fixed",
    )
    driver: str = Field(default="", description="of the connection, if it reads a device")
    addressing: str = Field(default="", description="of its addresses, where the protocol has several")
    max_registers: int | None = Field(
        default=None,
        ge=2,
        le=125,
        description="the most that the device answers in one request, where that is less than the protocol's 125",
    )
    debounce_s: Number = Field(
        default=0.0, description="seconds without interruption after which a state counts, from its beginning"
    )
    parameters: dict[str, Parameter] = Field(
        default={}, description="name = `{ zh = , en = , default = }`: what a plant has to say"
    )
    namespaces: dict[str, str] = Field(default={}, description="OPC UA: prefix = namespace URI")
    signals: dict[str, ProfileSignal] = Field(description="by id, of the table of signals")
    states: list[StateRule] = Field(default=[], description="tried in this order; none holds: IDLE")
    proves: dict[str, list[str]] = Field(
        default={}, description="flag = the signals whose good value is evidence for it"
    )


def profile_schema() -> dict[str, Any]:
    """The JSON Schema of a profile: for editors. One with a `base` need not repeat what stands there."""
    schema = Profile.model_json_schema()
    schema["title"] = "a profile"
    own = [key for key in schema["required"] if key not in ("origin", "signals")]
    schema["if"] = {"required": ["base"]}
    schema["else"] = {"required": schema["required"]}
    schema["required"] = own
    for name in ("Parameter", "ProfileSignal"):
        schema["$defs"][name].pop("required", None)
    return schema
