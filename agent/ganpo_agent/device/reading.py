"""`ganpo read`: addresses and points by name, each unit with one question."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ganpo_agent.device.session import Device, parsed
from ganpo_config.plant import BoundConnection
from ganpo_drivers import Address, PointFault, Value
from ganpo_model.errors import ConfigError


class Asked(NamedTuple):
    """What a person wrote, and the address that it is."""

    text: str
    address: Address


@dataclass(frozen=True, slots=True)
class ReadValue:
    """One of them, as the device has it."""

    text: str
    address: str
    value: Value | PointFault
    source_time: str | None

    @property
    def fault(self) -> str | None:
        """Why there is no value."""
        return self.value.text if isinstance(self.value, PointFault) else None


@dataclass(frozen=True, slots=True)
class Read:
    """One question: values of one key. `trace`: the bytes, where they were asked for."""

    values: Sequence[ReadValue]
    took_s: float
    trace: Sequence[tuple[str, bytes]] | None

    def as_json(self) -> dict[str, Any]:
        """As the local API has it."""
        values = [
            {
                "address": one.address,
                "value": None if one.fault is not None else one.value,
                "fault": one.fault,
                "source_time": one.source_time,
            }
            for one in self.values
        ]
        trace = None if self.trace is None else [[way, data.hex()] for way, data in self.trace]
        return {"values": values, "trace": trace, "took_s": self.took_s}


def asked(bound: BoundConnection, texts: Sequence[str], kind: str = "", order: str = "") -> list[Asked]:
    """Each text as the point of that name, else as an address of this type and order. Raises ConfigError."""
    points = {point.name: point.address for point in bound.points}
    found = []
    for text in texts:
        address = points.get(text)
        if (
            address is None
            and "/" in text
            and any(name.partition("/")[0] == text.partition("/")[0] for name in points)
        ):
            there = ", ".join(name for name in points if name.partition("/")[0] == text.partition("/")[0])
            raise ConfigError("no such point", where=f"{bound.name}, {text}", hint=f"there are: {there}")
        found.append(Asked(text, address or parsed(bound, text, type=kind, order=order)))
    return found


async def read(device: Device, asked: Sequence[Asked], *, raw: bool = False) -> list[Read]:
    """All of them, one question for each key. Raises what `Device.read` does."""
    found = []
    for key in dict.fromkeys(one.address.key for one in asked):
        some = [one for one in asked if one.address.key == key]
        answer = await device.read([one.address for one in some], raw=raw)
        values = [
            ReadValue(one.text, str(one.address), value, at)
            for one, value, at in zip(some, answer.values, answer.source_times, strict=True)
        ]
        found.append(Read(values, answer.took_s, answer.trace))
    return found
