"""ETag of every answer of the API: who has it already is told so, and gets nothing twice."""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BELOW = "/api/"
_MOST = 8_000_000
"""Longer answers are sent as they come."""


class Etags:
    """Middleware: answers 304 where the body is the one that the client names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(_BELOW):
            await self._app(scope, receive, send)
            return
        known = [part.strip() for part in Headers(scope=scope).get("if-none-match", "").split(",")]
        start: Message | None = None
        body = bytearray()

        async def hold(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is None:
                await send(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body") and len(body) < _MOST:
                return
            whole = not message.get("more_body")
            first, start = start, None
            if whole and first["status"] == 200:
                tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
                headers = MutableHeaders(scope=first)
                headers["etag"] = tag
                headers["cache-control"] = "no-cache"
                if tag in known or f"W/{tag}" in known:
                    del headers["content-length"]
                    await send({**first, "status": 304})
                    await send({"type": "http.response.body", "body": b""})
                    return
            await send(first)
            await send({"type": "http.response.body", "body": bytes(body), "more_body": not whole})

        await self._app(scope, receive, hold)
