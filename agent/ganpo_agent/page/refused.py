"""What is not there, and what went wrong: at the API as the API says errors, to a browser as a page with a way back."""

import logging
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ganpo_agent.local import API, routes
from ganpo_agent.page import pages

Handler = Callable[[Request, Exception], Awaitable[Response]]
_FOR_PROGRAMS = (API, "/health", "/metrics", "/static/")
log = logging.getLogger(__name__)


def handlers(agent: pages.Shown) -> dict[type[Exception], Handler]:
    """For an application that has a page."""

    async def refused(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(_FOR_PROGRAMS):
            return await routes.refused(request, error)
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 500:
            log.error("the page failed path=%s", request.url.path, exc_info=error)
        asked, path = pages.asked_of(request), request.url.path
        answer = await pages.answered(
            request, lambda: pages.render_refused(agent, asked, status, path), status
        )
        answer.headers.update(getattr(error, "headers", None) or {})
        return answer

    return {HTTPException: refused, Exception: refused}
