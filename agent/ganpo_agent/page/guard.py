"""Who may read: HTTP Basic with one password, over everything that the gateway serves beside its socket."""

import asyncio
import base64
import binascii
import hmac

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ganpo_agent.local import API
from ganpo_agent.local.routes import as_json
from ganpo_config.settings import GatewaySettings
from ganpo_model.errors import AccessRefused
from ganpo_service import words
from ganpo_service.pages.spoken import choose

WRONG_S = 1.0
"""A wrong password is answered no sooner."""
_SCHEME = ("Basic", 'realm="ganpo", charset="UTF-8"')
_ASK = {"WWW-Authenticate": " ".join(_SCHEME), "Cache-Control": "no-store"}
_SAID = "this gateway asks for the password of gateway.http_password_file; any user name will do"


def guarded(app: ASGIApp, gateway: GatewaySettings) -> ASGIApp:
    """The app, behind the gateway's password where it has one."""
    return app if gateway.http_password is None else Guard(app, gateway.http_password)


class Guard:
    """Middleware: `app` answers who gives the password. There are no users: any name will do."""

    def __init__(self, app: ASGIApp, password: SecretStr, *, wrong_s: float = WRONG_S) -> None:
        self._app = app
        self._password = password.get_secret_value().encode()
        self._wrong_s = wrong_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        headers = Headers(scope=scope)
        given = _given(headers.get("authorization", ""))
        if given is not None and hmac.compare_digest(given, self._password):
            await self._app(scope, receive, send)
            return
        if given is not None:
            await asyncio.sleep(self._wrong_s)
        answer: Response
        if scope["path"].startswith(API):
            answer = JSONResponse(as_json(AccessRefused(_SAID, where=scope["path"][:200])), 401, _ASK)
        else:
            text = words.tell(_SAID, choose(None, headers.get("accept-language", "")))
            answer = PlainTextResponse(f"{text}\n", 401, _ASK)
        await answer(scope, receive, send)


def _given(header: str) -> bytes | None:
    """The password of an Authorization header (RFC 7617); None where there is none."""
    scheme, _, told = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(told.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return None
