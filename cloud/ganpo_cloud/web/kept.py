"""An answer that cannot have changed is not worked out again."""

import asyncio
from collections.abc import Sequence

from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import DatabaseError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ganpo_cloud.store.database import Reader
from ganpo_model.clock import Clock

_NEVER = ("/static/", "/health", "/metrics")
_LARGE = 4_000_000
"""Bytes: longer answers are sent as they come."""
_MOST = 32_000_000
"""Bytes of all answers that are kept."""

_Question = tuple[object, ...]
_Answer = Sequence[Message] | None
"""What was answered; None where it is not kept."""


class Answers:
    """Middleware: within one second of the clock, and while nobody wrote into the database, the same question has the
    same answer. Who asks while it is worked out waits for it.

    A question is an address with what the client accepts; what is not kept is every answer but 200, and long ones.
    """

    def __init__(self, app: ASGIApp, database: Reader, clock: Clock) -> None:
        self._app = app
        self._database = database
        self._clock = clock
        self._asking = CapacityLimiter(1)
        self._as_of: tuple[str, int] | None = None
        self._kept: dict[_Question, asyncio.Future[_Answer]] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith(_NEVER):
            await self._app(scope, receive, send)
            return
        try:
            version = await to_thread.run_sync(self._database.version, limiter=self._asking)
        except DatabaseError:  # the answer will say so
            await self._app(scope, receive, send)
            return
        as_of = (version, int(self._clock.utc().timestamp()))
        if as_of != self._as_of:
            self._as_of, self._kept, self._bytes = as_of, {}, 0
        headers = Headers(scope=scope)
        names = ("accept", "accept-language")
        question = (scope["path"], scope["query_string"], *(headers.get(name) for name in names))
        if (known := self._kept.get(question)) is None:
            await self._work_out(question, scope, receive, send)
        elif (answer := await asyncio.shield(known)) is None:
            await self._app(scope, receive, send)
        else:
            for message in answer:
                await send(message)

    async def _work_out(self, question: _Question, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and keep the answer for whoever waits for it or asks again."""
        kept: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._kept[question] = kept
        held: list[Message] = []
        size = 0

        async def hold(message: Message) -> None:
            nonlocal size
            held.append(message)
            size += len(message.get("body", b""))
            if size > _LARGE:
                _settle(kept, None)
                while held:
                    await send(held.pop(0))

        try:
            await self._app(scope, receive, hold)
            if held and held[0].get("status") == 200 and self._bytes + size <= _MOST:
                self._bytes += size
                _settle(kept, tuple(held))
        finally:
            _settle(kept, None)
        for message in held:
            await send(message)


def _settle(kept: asyncio.Future[_Answer], answer: _Answer) -> None:
    if not kept.done():
        kept.set_result(answer)
