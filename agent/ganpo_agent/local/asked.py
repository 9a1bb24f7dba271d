"""What the socket alone takes, by POST: a device is asked through the task that owns its line."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.routing import Route

from ganpo_agent.device import by_hand
from ganpo_agent.device.session import parsed
from ganpo_agent.local import API
from ganpo_agent.local.body import Body, question
from ganpo_agent.local.commissioning import commission
from ganpo_agent.local.routes import told
from ganpo_agent.local.running import Running, task_of
from ganpo_config.plant import BoundConnection
from ganpo_drivers import Address, FaultKind, PointFault, Value
from ganpo_model.clock import iso
from ganpo_model.errors import ConfigError, UnitError

MOST_ADDRESSES = 500
"""In one question."""
MOST_BROWSED = 5000
"""Addresses in one answer."""
SLICE_S = 0.2
"""The line is browsed for so long at a time."""


class _Question(Body):
    connection: str


class _Reload(Body):
    wait: bool = False


class _Read(_Question):
    addresses: list[str] = Field(min_length=1, max_length=MOST_ADDRESSES)
    columns: dict[str, Any] | None = None
    raw: bool = False


class _Identify(_Question):
    unit: str | None = None


class _Browse(_Question):
    start: str = ""


async def read(agent: Running, body: bytes) -> dict[str, Any]:
    """Addresses, once. A unit that does not answer is the fault of its addresses, where others answer."""
    asked = question(_Read, body)
    task = task_of(agent, asked.connection)
    try:
        addresses = [parsed(task.bound, text, **asked.columns or {}) for text in asked.addresses]
    except TypeError as error:
        raise ConfigError(f"no columns of an address: {error}", where="body, columns") from error
    values: list[by_hand.Told | None] = [None] * len(addresses)
    trace: list[tuple[str, bytes]] | None = [] if asked.raw else None
    failed: list[UnitError] = []
    took_s = 0.0
    for places in (groups := by_hand.by_unit(addresses)):
        wanted = [addresses[place] for place in places]

        async def work(
            driver: by_hand.AnyDriver, wanted: list[Address] = wanted
        ) -> tuple[by_hand.Answered, float]:
            began = agent.time.monotonic()
            found = await by_hand.read(driver, wanted)
            return found, agent.time.monotonic() - began

        try:
            answered, took = await task.ask(work)
        except UnitError as error:
            failed.append(error)
            if len(failed) == len(groups):
                raise
            told_of = by_hand.silent(error, len(places))
        else:
            took_s, told_of = took_s + took, answered.told
            if trace is not None:
                trace = None if answered.trace is None else [*trace, *answered.trace]
        for place, one in zip(places, told_of, strict=True):
            values[place] = one
    return {
        "values": [
            _value(text, one) for text, one in zip(asked.addresses, values, strict=True) if one is not None
        ],
        "trace": None if trace is None else [[way, data.hex()] for way, data in trace],
        "took_s": round(took_s, 4),
    }


async def identify(agent: Running, body: bytes) -> dict[str, Any]:
    """Who the device is, or one unit of its line."""
    asked = question(_Identify, body)
    task = task_of(agent, asked.connection)
    unit = None if asked.unit is None else _unit(task.bound, asked.unit)
    return asdict(await task.ask(lambda driver: by_hand.identity(driver, unit)))


async def browse(agent: Running, body: bytes) -> dict[str, Any]:
    """What the device offers below an address, each with its value; the line is given back again and again."""
    asked = question(_Browse, body)
    task = task_of(agent, asked.connection)
    found: list[dict[str, Any]] = []
    under_way: Any = None

    async def work(driver: by_hand.AnyDriver) -> bool:
        """Some more; whether there is more yet."""
        nonlocal under_way
        under_way = under_way or by_hand.browsed(driver, asked.start)
        texts: list[str] = []
        until, ended = agent.time.monotonic() + SLICE_S, False
        while not ended and (not texts or agent.time.monotonic() < until):
            try:
                text = await anext(under_way, None)
            except ValueError as error:
                raise ConfigError(str(error), where=f"connections.{asked.connection}") from error
            ended = text is None
            texts += [] if text is None else [text]
        found.extend(await _with_values(driver, task.bound, texts))
        return not ended

    try:
        while len(found) < MOST_BROWSED and await task.ask(work):
            pass
    finally:
        if under_way is not None:
            await under_way.aclose()
    return {"addresses": found, "more": len(found) >= MOST_BROWSED}


async def reload(agent: Running, body: bytes) -> dict[str, Any]:
    """The configuration file, read anew; `wait`: until what came of it has shown that it works."""
    asked = question(_Reload, body)
    return (await agent.reloading.reload(wait=asked.wait)).as_json()


ASKED: dict[str, Callable[[Running, bytes], Awaitable[dict[str, Any]]]] = {
    "read": read,
    "identify": identify,
    "browse": browse,
    "commission": commission,
    "reload": reload,
}
"""What is taken, by name: whoever adds a word adds a line."""


def asked(agent: Running) -> list[Route]:
    """The routes of `ASKED`."""

    def route(name: str, answer: Callable[[Running, bytes], Awaitable[dict[str, Any]]]) -> Route:
        async def take(request: Request) -> dict[str, Any]:
            return await answer(agent, await request.body())

        return Route(API + name, told(take), methods=["POST"])

    return [route(name, answer) for name, answer in ASKED.items()]


async def _with_values(
    driver: by_hand.AnyDriver, bound: BoundConnection, texts: list[str]
) -> list[dict[str, Any]]:
    """Addresses with what they read now, or why that is nothing."""
    values: dict[str, Value | PointFault] = {}
    readable = []
    for text in texts:
        try:
            readable.append((text, parsed(bound, text)))
        except ConfigError as error:
            values[text] = PointFault(FaultKind.ABSENT, error.what)
    for places in by_hand.by_unit([address for _, address in readable]):
        answered = await by_hand.read(driver, [readable[place][1] for place in places])
        for place, one in zip(places, answered.told, strict=True):
            values[readable[place][0]] = one.value
    return [
        {"address": text, "value": None, "fault": value.text}
        if isinstance(value := values[text], PointFault)
        else {"address": text, "value": value, "fault": None}
        for text in dict.fromkeys(texts)
    ]


def _unit(bound: BoundConnection, key: str) -> Address:
    """An address of a unit: of any of its points, of Modbus also where it has none. Raises ConfigError."""
    for point in bound.points:
        if point.address.key == key:
            return point.address
    if bound.driver_id == "modbus":
        return parsed(bound, f"{key}:holding:0", addressing="0-based")
    known = ", ".join(sorted({point.address.key for point in bound.points})) or "none"
    raise ConfigError(
        f"no point is of unit {key}", where=f"connections.{bound.name}", hint=f"there are: {known}"
    )


def _value(text: str, one: by_hand.Told) -> dict[str, Any]:
    lacks = isinstance(one.value, PointFault)
    return {
        "address": text,
        "value": None if lacks else one.value,
        "fault": one.value.text if isinstance(one.value, PointFault) else None,
        "source_time": iso(one.source_time) if one.source_time is not None else None,
    }
