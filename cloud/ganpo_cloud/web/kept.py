"""An answer that cannot have changed is not worked out again, and who has it already is told so."""

import asyncio
import hashlib
from collections.abc import Sequence

from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import DatabaseError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ganpo_cloud.store.database import Reader
from ganpo_model.clock import Clock

_NEVER = ("/static/", "/health", "/metrics")
_TAGGED = "/api/"
_LARGE = 4_000_000
"""Bytes: longer answers are sent as they come, and so are those whose length nobody knows before."""
_MOST = 32_000_000
"""Bytes of all answers that are kept."""

_Question = tuple[object, ...]
_Answer = Sequence[Message] | None
"""What was answered; None where it is not kept."""


class Answers:
    """Middleware: within one second of the clock, and while nobody wrote into the database, the same question has the
    same answer. Who asks while it is worked out waits for it.

    A question is an address with what the client accepts; what is not kept is every answer but 200, and long ones. What
    the API answers has an ETag: 304 where the client names it.
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
            await _send(answer, scope, send)

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
            if size > _LARGE or not _whole(held[0]):
                _settle(kept, None)
                while held:
                    await send(held.pop(0))

        try:
            await self._app(scope, receive, hold)
            if held and held[0].get("status") == 200:
                if scope["path"].startswith(_TAGGED):
                    _tag(held)
                if self._bytes + size <= _MOST:
                    self._bytes += size
                    _settle(kept, tuple(held))
        finally:
            _settle(kept, None)
        await _send(held, scope, send)


def _whole(first: Message) -> bool:
    """Whether an answer is sent in one piece, and not as it is made."""
    return "content-length" in Headers(raw=first.get("headers", []))


def _tag(held: Sequence[Message]) -> None:
    """Name an answer by its body."""
    body = hashlib.sha256(b"".join(message.get("body", b"") for message in held[1:]))
    headers = MutableHeaders(scope=held[0])
    headers["etag"], headers["cache-control"] = f'"{body.hexdigest()[:32]}"', "no-cache"


async def _send(answer: Sequence[Message], scope: Scope, send: Send) -> None:
    """The answer, or that it is the one that the client has."""
    tag = Headers(raw=answer[0]["headers"]).get("etag") if answer and "headers" in answer[0] else None
    known = Headers(scope=scope).get("if-none-match", "")
    if tag and tag in (part.strip().removeprefix("W/") for part in known.split(",")):
        headers = [(name, value) for name, value in answer[0]["headers"] if name != b"content-length"]
        answer = (
            {**answer[0], "status": 304, "headers": headers},
            {"type": "http.response.body", "body": b""},
        )
    for message in answer:
        await send(message)


def _settle(kept: asyncio.Future[_Answer], answer: _Answer) -> None:
    if not kept.done():
        kept.set_result(answer)
