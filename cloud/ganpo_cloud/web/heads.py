"""HEAD is GET without its body (RFC 9110, 9.3.2), for every address; what is sent while it is made, is not made."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ASKED = "head"


def bare(request: Request) -> bool:
    """Whether the head of an answer is asked for, and no more."""
    return bool(request.scope.get(_ASKED))


class Heads:
    """Middleware: the headers are those that GET would have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def bodiless(message: Message) -> None:
            await send({**message, "body": b""} if "body" in message else message)

        await self._app({**scope, "method": "GET", _ASKED: True}, receive, bodiless)
