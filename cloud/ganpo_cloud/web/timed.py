"""How long requests take, for `/metrics`."""

import time
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ganpo_service.exposition import Family, Histogram, gauge, process

BOUNDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10)
_KINDS = (("/api/", "api"), ("/static/", "static"))


class Times:
    """What the process of the pages tells of itself."""

    def __init__(self) -> None:
        self.requests = Histogram(
            "ganpo_cloud_http_request_duration_seconds",
            "Time until the last byte of an answer of page or API, in seconds.",
            BOUNDS,
            "kind",
            "code",
        )

    def families(self) -> Iterable[Family]:
        """Its metrics; whoever collects tells the same of its own process by the usual names."""
        held = next((one.samples for one in process() if one.name == "process_resident_memory_bytes"), [])
        yield self.requests.family()
        yield gauge(
            "ganpo_cloud_pages_resident_memory_bytes",
            "Memory that the process of the pages holds, in bytes.",
            held[0][2] if held else None,
        )


class Timed:
    """Middleware: every request but the forwarded ones is timed, by kind (page, api, static) and status."""

    def __init__(self, app: ASGIApp, times: Times) -> None:
        self._app = app
        self._times = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] in ("/health", "/metrics"):
            await self._app(scope, receive, send)
            return
        kind = next((kind for start, kind in _KINDS if scope["path"].startswith(start)), "page")
        code, began = "500", time.perf_counter()

        async def count(message: Message) -> None:
            nonlocal code
            code = str(message.get("status", code))
            await send(message)

        try:
            await self._app(scope, receive, count)
        finally:
            self._times.requests.observe(time.perf_counter() - began, kind, code)
