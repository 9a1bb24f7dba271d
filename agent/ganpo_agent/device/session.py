"""A device as a person asks it: through a session of our own, or by the running agent where that owns the line (I2)."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from ganpo_config.plant import BoundConnection
from ganpo_config.target import is_url
from ganpo_drivers import Address, Browses, FaultKind, Identifies, Identity, Point, PointFault, Traces, Value
from ganpo_model.clock import iso
from ganpo_model.errors import ConfigError, ConnectionLost

_CALL_S = 60.0
"""Longer than any timeout of a driver."""
_AT_MOST = 500
"""Addresses in one question to the agent."""
_AT_ONCE = 25
"""Addresses that are browsed before their values are read and shown."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one read gave: a value or a fault per address, the device's own times; `trace`: the bytes, if asked for."""

    values: Sequence[Value | PointFault]
    source_times: Sequence[str | None]
    took_s: float
    trace: Sequence[tuple[str, bytes]] | None = None


class Found(NamedTuple):
    """An address as lists take it, and what it holds now."""

    address: str
    value: Value | PointFault


class Agent(Protocol):
    """The local API of a running agent."""

    async def get(self, what: str) -> Any:
        """A resource. Raises GanpoError."""

    async def post(self, what: str, body: Mapping[str, Any]) -> Any:
        """What is asked for. Raises the GanpoError that the agent met."""


class Device(Protocol):
    """One line to a device. `held`: the agent owns the line, and sees to it that questions leave it in peace."""

    bound: BoundConnection
    held: bool

    async def read(self, addresses: Sequence[Address], *, raw: bool = False) -> Answer:
        """Read addresses of one key once. Raises UnitError, TransientError, PermanentError."""

    async def identify(self, address: Address | None) -> Identity:
        """Who the device is; `address`: any of the unit that is meant. Raises ConfigError where its driver cannot ask,
        else as `read`."""

    def browse(self, start: str) -> AsyncIterator[Found]:
        """What the device offers below `start`. Raises ConfigError, and as `read`."""

    async def close(self) -> None:
        """Leave the line clean."""


class Own:
    """A session of our own, opened by the first question."""

    held = False

    def __init__(self, bound: BoundConnection) -> None:
        self.bound = bound
        self._driver = bound.driver(bound.settings)
        self._open = False

    async def open(self) -> None:
        """Raises TransientError, PermanentError."""
        if not self._open:
            await self._driver.open()
            self._open = True

    async def read(self, addresses: Sequence[Address], *, raw: bool = False) -> Answer:
        """As `Device` has it."""
        return await self._whole(self._read(addresses, raw=raw))

    async def _read(self, addresses: Sequence[Address], *, raw: bool) -> Answer:
        driver = self._driver
        if raw and not isinstance(driver, Traces):
            raise ConfigError(
                f"the driver {self.bound.driver_id} does not show its bytes", where=self.bound.name
            )
        await self.open()
        query = driver.prepare([Point(str(place), address) for place, address in enumerate(addresses)])
        began = time.monotonic()
        scan = await driver.read(query)
        took_s = time.monotonic() - began
        times = scan.source_times or [None] * len(scan.values)
        trace = driver.trace() if raw and isinstance(driver, Traces) else None
        return Answer(scan.values, [None if at is None else iso(at) for at in times], took_s, trace)

    async def identify(self, address: Address | None) -> Identity:
        """As `Device` has it."""
        driver = self._driver
        if not isinstance(driver, Identifies):
            raise _cannot(self.bound, "say who they are")
        if address is not None:
            driver.prepare([Point("it", address)])  # it asks the only unit that it knows

        async def ask() -> Identity:
            await self.open()
            return await driver.identify()

        return await self._whole(ask())

    async def browse(self, start: str) -> AsyncIterator[Found]:
        """As `Device` has it."""
        driver = self._driver
        if not isinstance(driver, Browses):
            raise _cannot(self.bound, "say what they have")
        await self.open()
        some: list[str] = []
        try:
            async for text in driver.browse(start):
                some.append(text)
                if len(some) == _AT_ONCE:
                    for found in await self._found(some):
                        yield found
                    some = []
        except ValueError as error:
            raise ConfigError(str(error), where=f"connections.{self.bound.name}") from error
        for found in await self._found(some):
            yield found

    async def _found(self, texts: Sequence[str]) -> list[Found]:
        """With what they hold; those of several keys are several questions."""
        addresses = [parsed(self.bound, text, addressing="0-based") for text in texts]
        values: dict[int, Value | PointFault] = {}
        for key in dict.fromkeys(address.key for address in addresses):
            places = [place for place, address in enumerate(addresses) if address.key == key]
            answer = await self.read([addresses[place] for place in places])
            values |= dict(zip(places, answer.values, strict=True))
        return [Found(text, values[place]) for place, text in enumerate(texts)]

    async def close(self) -> None:
        """As `Device` has it."""
        self._open = False
        await self._driver.close()

    async def _whole(self, work: Coroutine[Any, Any, _T]) -> _T:
        """What `work` gives. Who breaks it off waits until the answer under way is there: on a line without ids it
        would be taken for the next one's, whoever asks then."""
        task = asyncio.create_task(work)
        try:
            async with asyncio.timeout(_CALL_S):
                return await asyncio.shield(task)
        except TimeoutError as error:
            raise ConnectionLost(f"no end within {_CALL_S:g} s", where=self.bound.name) from error
        except ConnectionLost:
            await self.close()  # the next question opens it anew
            raise
        finally:
            await _ended(task)


class Held:
    """A line that the running agent owns: it does the asking, between two of its polls."""

    held = True

    def __init__(self, bound: BoundConnection, agent: Agent) -> None:
        self.bound = bound
        self._agent = agent

    async def read(self, addresses: Sequence[Address], *, raw: bool = False) -> Answer:
        """As `Device` has it; addresses of several types are several questions."""
        groups: dict[tuple[tuple[str, Any], ...], list[int]] = {}
        for place, address in enumerate(addresses):
            groups.setdefault(tuple(sorted(columns_of(address).items())), []).append(place)
        values: list[Value | PointFault] = [PointFault(FaultKind.MISSING, "not read")] * len(addresses)
        times: list[str | None] = [None] * len(addresses)
        trace: list[tuple[str, bytes]] = []
        took_s = 0.0
        questions = [
            (columns, places[begin : begin + _AT_MOST])
            for columns, places in groups.items()
            for begin in range(0, len(places), _AT_MOST)
        ]
        for columns, places in questions:
            asked = {
                "connection": self.bound.name,
                "addresses": [str(addresses[place]) for place in places],
                "columns": dict(columns) or None,
                "raw": raw,
            }
            said = await self._agent.post("read", asked)
            for place, one in zip(places, said["values"], strict=True):
                fault = one.get("fault")
                values[place] = one["value"] if fault is None else PointFault(FaultKind.BAD, fault)
                times[place] = one.get("source_time")
            trace += [(way, bytes.fromhex(data)) for way, data in said.get("trace") or ()]
            took_s += said["took_s"]
        return Answer(values, times, took_s, trace if raw else None)

    async def identify(self, address: Address | None) -> Identity:
        """As `Device` has it."""
        body = {"connection": self.bound.name, "unit": address.key if address is not None else None}
        said = await self._agent.post("identify", body)
        return Identity(**{key: said.get(key) or "" for key in ("vendor", "model", "serial", "controller")})

    async def browse(self, start: str) -> AsyncIterator[Found]:
        """As `Device` has it."""
        said = await self._agent.post("browse", {"connection": self.bound.name, "start": start})
        for one in said["addresses"]:
            fault = one["fault"]
            yield Found(one["address"], one["value"] if fault is None else PointFault(FaultKind.BAD, fault))
        if said["more"]:
            hint = f"browse below one of these: ganpo browse {self.bound.name} START"
            raise ConfigError("there is more than one answer holds", where=self.bound.name, hint=hint)

    async def close(self) -> None:
        """The line stays the agent's."""


async def reach(
    bound: BoundConnection, agent: Agent | None, connections: Sequence[BoundConnection] = ()
) -> Device:
    """Who asks the device. `connections`: those of the agent's configuration, by which a line is known that it holds
    under another name."""
    if agent is not None:
        held = {one["name"] for one in await agent.get("connections")}
        for other in connections:
            if other.name in held and (other.name == bound.name or _same_line(other, bound)):
                return Held(other, agent)
    return Own(bound)


def parsed(bound: BoundConnection, text: str, **columns: Any) -> Address:
    """The address of a text as lists write it, on this connection. A register of Modbus whose type is not said is shown
    as it is: uint16. Raises ConfigError."""
    given = bound.settings.columns() | {key: value for key, value in columns.items() if value}
    parse = bound.driver.address_type.parse
    try:
        try:
            return parse(text, **given)
        except ValueError:
            if bound.driver_id != "modbus" or "type" in given:
                raise
            return parse(text, **given, type="uint16")
    except ValueError as error:
        raise ConfigError(str(error).partition("\n")[0], where=f"{bound.name}, {text}") from error


def columns_of(address: Address) -> dict[str, Any]:
    """What `Address.parse` has to know beside the short form, which has the protocol's own numbers."""
    found: dict[str, Any] = {}
    if hasattr(address, "area"):  # of Modbus: whatever the connection's list is written in
        found["addressing"] = "0-based"
    for key in ("type", "order", "form"):
        if value := getattr(address, key, ""):
            found["type" if key == "form" else key] = value
    return found


def _same_line(one: BoundConnection, other: BoundConnection) -> bool:
    if one.settings.line and one.settings.line == other.settings.line:
        return True
    return getattr(one.settings, "url", None) == getattr(other.settings, "url", "")


def _cannot(bound: BoundConnection, what: str) -> ConfigError:
    hint = "`ganpo driver list` shows which drivers can"
    if bound.driver_id == "modbus":
        hint = "`ganpo scan` looks for what answers, `ganpo identify --guess` for what it may be"
    where = bound.name if is_url(bound.name) else f"connections.{bound.name}"
    return ConfigError(f"devices of the driver {bound.driver_id} do not {what}", where=where, hint=hint)


async def _ended(task: "asyncio.Task[Any]") -> None:
    if not task.done():
        done, _ = await asyncio.wait({task}, timeout=_CALL_S)
        task.cancel()
        for ended in done:
            if not ended.cancelled():
                ended.exception()  # nobody waits for it any more
