"""`ganpo ping`: every step on the way to a device by itself, with its time, and a plain word where it ends."""

import asyncio
import socket
import ssl
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ganpo_agent.device.registers import exception_of
from ganpo_agent.device.session import Device, Own, parsed
from ganpo_config.plant import BoundConnection
from ganpo_drivers import Address, PointFault
from ganpo_model.errors import (
    AccessRefused,
    CertificateNotTrusted,
    ConfigError,
    GanpoError,
    PermanentError,
    UnitError,
    UnitSilent,
    UnsupportedProtocol,
)

WITHIN_S = 4.0
"""For name and TCP; the driver has a patience of its own."""
_PORTS = {"tcp": 502, "tls": 802, "opc.tcp": 4840}
_UNIT = {"modbus": "1", "dlt645": "AAAAAAAAAAAA", "cjt188": "10:AAAAAAAAAAAAAA"}
_ASKED = {
    "modbus": "{unit}:holding:0",
    "dlt645": "{unit}:00010000",
    "cjt188": "{unit}:total",
    "opcua": "i=2258",
}
"""What every device of a protocol answers, if only with a refusal."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `word` says how it ended; `ms`: None where it took no time of its own, or did not end."""

    step: str
    ok: bool
    word: str
    ms: float | None = None
    what: str = ""


async def ping(device: Device, units: Sequence[str] = (), count: int = 3) -> AsyncIterator[Step]:
    """The steps in their order; after one that failed there is none, but every unit has its own round trip.

    `units`: those of a URL; a connection of the configuration knows its own.
    Raises ConfigError: a unit that there cannot be.
    """
    asked = questions(device.bound, units)
    if isinstance(device, Own):
        async for step in _way(device):
            yield step
            if not step.ok:
                return
    else:
        yield Step("session", ok=True, word="held", what="the running gateway has it, and does the asking")
    for unit, address in asked.items():
        yield await _round_trip(device, unit, address, count)


def questions(bound: BoundConnection, units: Sequence[str] = ()) -> dict[str, Address]:
    """What each unit is asked for: its first point; of a URL what every device of the protocol answers."""
    found: dict[str, Address] = {}
    if not units:
        for point in bound.points:
            found.setdefault(point.address.key, point.address)
    if found:
        return found
    if bound.driver_id not in _ASKED:
        return {}
    for unit in units or [_UNIT.get(bound.driver_id, "")]:
        found[unit] = parsed(bound, _ASKED[bound.driver_id].format(unit=unit), addressing="0-based")
    return found


def address_of(bound: BoundConnection, unit: str | None) -> Address | None:
    """Any of a unit: of the one that is said, or of the only one. Raises ConfigError."""
    unit = unit or only_unit(bound)
    return None if unit is None else next(iter(questions(bound, [unit]).values()), None)


def only_unit(bound: BoundConnection) -> str | None:
    """The unit of a line that has one."""
    units = {point.address.key for point in bound.points} - {""}
    return units.pop() if len(units) == 1 else None


def first_unit(bound: BoundConnection) -> str:
    """Of a device that is alone on its line, mostly."""
    return _UNIT.get(bound.driver_id, "").rpartition(":")[2]


async def _way(device: Own) -> AsyncIterator[Step]:
    url = str(getattr(device.bound.settings, "url", ""))
    parts = urlsplit(url)
    if parts.hostname is not None:
        step, address = await _name(parts.hostname)
        yield step
        if not step.ok:
            return
        port = parts.port or _PORTS.get(parts.scheme, 0)
        async for step in _connected(device.bound, address, port):
            yield step
            if not step.ok:
                return
    name = "port" if parts.hostname is None and parts.path else "session"
    began = time.monotonic()
    try:
        await device.open()
    except GanpoError as error:
        yield Step(name, ok=False, word=word_of(error), what=f"{error.what}{_hint(error)}")
        return
    yield Step(name, ok=True, word="open", ms=_ms(began))


async def _name(host: str) -> tuple[Step, str]:
    began = time.monotonic()
    try:
        async with asyncio.timeout(WITHIN_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except TimeoutError:
        return Step(
            "name", ok=False, word="no answer", what=f"who knows {host} does not answer: /etc/resolv.conf"
        ), ""
    except (OSError, UnicodeError):
        return Step(
            "name",
            ok=False,
            word="unknown",
            what=f"nobody knows {host}: write its number, or ask who runs DNS",
        ), ""
    address = str(found[0][4][0])
    return Step(
        "name", ok=True, word="known" if address != host else "a number", ms=_ms(began), what=address
    ), address


async def _connected(bound: BoundConnection, address: str, port: int) -> AsyncIterator[Step]:
    """TCP with a connection of its own, which is left at once, and TLS or the hello of OPC UA on another."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(WITHIN_S):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        what = f"nothing comes back from {address}: is it on, is its network this one, does a firewall keep silent?"
        yield Step("tcp", ok=False, word="no answer", what=what)
        return
    except ConnectionRefusedError:
        what = f"{address} is there, and nothing listens at port {port}: is this its port, does it take one more?"
        yield Step("tcp", ok=False, word="refused", what=what)
        return
    except OSError as error:
        yield Step("tcp", ok=False, word="no way", what=f"{address}: {error.strerror or error}")
        return
    took = _ms(began)
    writer.transport.abort()
    yield Step("tcp", ok=True, word="connected", ms=took, what=f"port {port}")
    if bound.driver_id == "opcua":
        yield await _hello(bound)
    elif getattr(bound.settings, "scheme", "") == "tls":
        yield await _tls(bound, address, port)


async def _tls(bound: BoundConnection, address: str, port: int) -> Step:
    """Who is there and how it is secured; nothing is trusted here, the session verifies it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    began = time.monotonic()
    try:
        async with asyncio.timeout(WITHIN_S):
            _, writer = await asyncio.open_connection(address, port, ssl=context)
    except TimeoutError:
        return Step(
            "handshake", ok=False, word="no answer", what="it takes the connection, and no TLS comes back"
        )
    except (ssl.SSLError, OSError) as error:
        what = f"what answers there speaks no TLS: {getattr(error, 'reason', '') or error}"
        return Step("handshake", ok=False, word="something else", what=what)
    took, version = _ms(began), writer.get_extra_info("ssl_object").version()
    writer.transport.abort()
    return Step("handshake", ok=True, word="done", ms=took, what=str(version))


async def _hello(bound: BoundConnection) -> Step:
    from ganpo_drivers.opcua.discovery import discover
    from ganpo_drivers.opcua.settings import OpcUaSettings

    assert isinstance(bound.settings, OpcUaSettings)
    began = time.monotonic()
    try:
        shown = await discover(bound.settings)
    except GanpoError as error:
        return Step("handshake", ok=False, word=word_of(error), what=f"{error.what}{_hint(error)}")
    return Step(
        "handshake",
        ok=True,
        word="done",
        ms=_ms(began),
        what=f"it offers {'; '.join(shown.offers) or 'nothing'}",
    )


async def _round_trip(device: Device, unit: str, address: Address, count: int) -> Step:
    name = f"unit {unit}" if unit else "round trip"
    took: list[float] = []
    for _ in range(count):
        try:
            answer = await device.read([address])
        except ConfigError:
            raise
        except GanpoError as error:
            word = word_of(error)
            what = f"{error.what.removeprefix(f'{word}: ')}{_hint(error)}"
            if word == "silent" and not error.hint:
                what = f"{what}; is it on, are its unit id and its rate these?"
            return Step(name, ok=False, word=word, what=what)
        took.append(answer.took_s * 1000)
        (value,) = answer.values
        if isinstance(value, PointFault):  # it is not asked for that again so soon
            return Step(name, ok=True, word="answers", ms=took[0], what=f"{address}: {value.text}")
    spread = f"{count} times, {min(took):.1f} to {max(took):.1f} ms" if count > 1 else ""
    return Step(name, ok=True, word="answers", ms=statistics.median(took), what=spread)


def word_of(error: GanpoError) -> str:
    """One plain word for what went wrong."""
    if isinstance(error, UnitSilent):
        # drivers call a unit silent that gave no whole answer: something came all the same
        if "broke off" in error.what:
            return "broken off"
        return "something else" if "bytes that came" in error.what else "silent"
    if isinstance(error, UnitError):
        code = exception_of(error.what)
        return "busy" if code is None else f"exception {code:02X}"
    if isinstance(error, AccessRefused):
        return "not allowed"
    if isinstance(error, CertificateNotTrusted):
        return "not trusted"
    if isinstance(error, UnsupportedProtocol):
        return "something else"
    return "refused" if isinstance(error, PermanentError) else "broken off"


def _hint(error: GanpoError) -> str:
    return f"; {error.hint}" if error.hint else ""


def _ms(began: float) -> float:
    return (time.monotonic() - began) * 1000
