"""Asking a process beside us by HTTP: one question, one answer, over TCP or a Unix socket."""

import asyncio
from pathlib import Path

import h11

from ganpo_model.errors import ConnectionLost

_ANSWER_BYTES = 1 << 20


async def get(address: tuple[str, int], path: str, timeout_s: float) -> tuple[int, str, bytes]:
    """Ask a process beside us: status, type and body of its answer. Raises ConnectionLost."""
    where = f"http://{address[0]}:{address[1]}{path}"
    return await _exchange(
        address,
        where,
        h11.Request(method="GET", target=path, headers=[("Host", "inlet"), _ONCE]),
        b"",
        timeout_s,
    )


async def ask(
    socket: Path, host: str, method: str, target: str, body: bytes, timeout_s: float
) -> tuple[int, str, bytes]:
    """The same over a Unix socket, with a body of JSON. Raises ConnectionLost."""
    headers = [("Host", host), _ONCE]
    if body:
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    request = h11.Request(method=method, target=target, headers=headers)
    return await _exchange(socket, str(socket), request, body, timeout_s)


_ONCE = ("Connection", "close")


async def _exchange(
    to: tuple[str, int] | Path, where: str, request: h11.Request, body: bytes, timeout_s: float
) -> tuple[int, str, bytes]:
    try:
        async with asyncio.timeout(timeout_s):
            opening = (
                asyncio.open_unix_connection(to) if isinstance(to, Path) else asyncio.open_connection(*to)
            )
            reader, writer = await opening
            try:
                return await _answer(reader, writer, request, body)
            finally:
                writer.close()
    except TimeoutError as error:
        raise ConnectionLost(f"no answer within {timeout_s:g} s", where=where) from error
    except (OSError, h11.ProtocolError) as error:
        raise ConnectionLost(f"no answer: {error}", where=where) from error


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request, body: bytes
) -> tuple[int, str, bytes]:
    link = h11.Connection(h11.CLIENT)
    writer.write(link.send(request) or b"")
    if body:
        writer.write(link.send(h11.Data(body)) or b"")
    writer.write(link.send(h11.EndOfMessage()) or b"")
    status, kind, told = 0, "", bytearray()
    while not isinstance(event := link.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            link.receive_data(await reader.read(_ANSWER_BYTES))
        elif isinstance(event, h11.Response):
            status = event.status_code
            kind = dict(event.headers).get(b"content-type", b"").decode()
        elif isinstance(event, h11.Data):
            told += event.data
    return status, kind, bytes(told)
