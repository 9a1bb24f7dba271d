"""The HTTP server: who sends half a request, or opens too many connections, keeps nobody else out."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ganpo_model.errors import ConfigError
from ganpo_service.asking import get
from ganpo_service.http import Server, listen

LATE_S = 0.5
ASK = b"GET /slow HTTP/1.1\r\nHost: x\r\n"


async def slow(request: Request) -> Response:
    await asyncio.sleep(2 * LATE_S)
    return PlainTextResponse("done")


@asynccontextmanager
async def served(connections: int = 100) -> AsyncIterator[tuple[str, int]]:
    app = Starlette(routes=[Route("/slow", slow), Route("/", lambda _: PlainTextResponse("here"))])
    server = Server(app, connections=connections, half_written_s=LATE_S)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.run_at(sock))
        while not server.started:
            await asyncio.sleep(0.01)
        yield sock.getsockname()
        task.cancel()
        await asyncio.wait([task])


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def at(cls, address: tuple[str, int]) -> "Client":
        return cls(*await asyncio.open_connection(*address))

    async def over(self, seconds: float = 20) -> bytes:
        """What it still heard, once the other side ended it."""
        try:
            return await asyncio.wait_for(self.reader.read(), seconds)
        except ConnectionResetError:
            return b""
        finally:
            self.writer.close()


def test_an_address_that_is_not_ours_is_told_as_such() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen: .*; an address of this machine is needed"):
        listen("203.0.113.1:8700", "http.listen")


async def test_a_request_that_is_not_whole_is_closed_and_one_that_is_worked_on_is_not() -> None:
    async with served() as address:
        clients = {
            name: await Client.at(address)
            for name in ("nothing", "half", "trickle", "body", "second", "whole")
        }
        clients["half"].writer.write(ASK)
        clients["body"].writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        clients["second"].writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        clients["whole"].writer.write(ASK + b"Connection: close\r\n\r\n")
        assert await clients["second"].reader.readuntil(b"here")
        clients["second"].writer.write(b"GET /")

        async def trickle() -> None:
            for byte in ASK:
                clients["trickle"].writer.write(bytes([byte]))
                await asyncio.sleep(LATE_S / 4)

        async with asyncio.TaskGroup() as group:
            trickling = group.create_task(trickle())
            for name in ("nothing", "half", "trickle", "second"):
                assert await clients[name].over() == b"", name
            trickling.cancel()
        assert b"405" in await clients["body"].over()
        assert (await clients["whole"].over()).endswith(b"done")


async def test_beyond_the_bound_the_oldest_that_asks_nothing_is_closed_for_the_new_one() -> None:
    async with served(connections=5) as address:
        working = await Client.at(address)
        working.writer.write(ASK + b"Connection: close\r\n\r\n")
        idle = [await Client.at(address) for _ in range(10)]
        began = time.monotonic()
        assert await get(address, "/", 10) == (200, "text/plain; charset=utf-8", b"here")
        assert time.monotonic() - began < 10
        assert (await working.over()).endswith(b"done")
        for client in idle:
            await client.over()


async def test_while_nobody_asks_the_loop_sleeps_and_who_asks_is_told_the_date_of_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with served() as address:
        loop, timers = asyncio.get_running_loop(), []
        call_at = loop.call_at

        def noted(when: float, *given: Any, **more: Any) -> asyncio.TimerHandle:
            timers.append(when)
            return call_at(when, *given, **more)

        monkeypatch.setattr(loop, "call_at", noted)
        await asyncio.sleep(1.2)
        assert len(timers) == 1, "this test's own"
        client = await Client.at(address)
        client.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        (told,) = re.findall(rb"(?m)^date: (.*)\r$", await client.over())
        assert abs(parsedate_to_datetime(told.decode()) - datetime.now(UTC)) < timedelta(seconds=30)
