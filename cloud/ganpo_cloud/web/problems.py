"""Errors of the API: RFC 9457 problem documents with `code`, `where`, `hint`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DatabaseError
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong, where, and what to do."""

    type: str = Field(default="about:blank", description="kind of problem")
    title: str = Field(description="what is wrong, one sentence", examples=["no such subject"])
    status: int = Field(description="HTTP status", examples=[404])
    code: str = Field(description="stable word for programs", examples=["subject"])
    where: str = Field(
        default="", description="the parameter or path", examples=["91360000625912173B/SB-9999"]
    )
    hint: str = Field(default="", description="what to do", examples=["GET /api/v1/subjects"])


ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "no such thing"},
    422: {"model": Problem, "description": "a parameter is wrong"},
    503: {"model": Problem, "description": "the database does not answer"},
}
"""What any request may be answered with instead."""


class Refused(Exception):
    """Answer with this problem."""

    def __init__(self, status: int, code: str, title: str, where: str = "", hint: str = "") -> None:
        super().__init__(title)
        self.problem = Problem(title=title, status=status, code=code, where=where, hint=hint)


def install(app: FastAPI) -> None:
    """One error shape for everything."""

    async def refused(_request: Request, error: Exception) -> JSONResponse:
        return _answer(error.problem if isinstance(error, Refused) else _unknown())

    async def invalid(_request: Request, error: Exception) -> JSONResponse:
        first = (
            error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "msg": str(error)}
        )
        where = ".".join(str(part) for part in first["loc"][1:])
        return _answer(Problem(title=first["msg"], status=422, code="invalid", where=where))

    async def http(request: Request, error: Exception) -> JSONResponse:
        status = error.status_code if isinstance(error, HTTPException) else 500
        title = error.detail if isinstance(error, HTTPException) else "error"
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        problem = Problem(title=str(title), status=status, code="http", where=request.url.path[:200])
        return _answer(problem, headers)

    async def database(_request: Request, error: Exception) -> JSONResponse:
        title = f"the database does not answer: {getattr(error, 'orig', error)}"
        return _answer(
            Problem(title=title, status=503, code="database", hint="it is tried again with the next request")
        )

    app.openapi = partial(_described, app.openapi)  # type: ignore[method-assign]
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(DatabaseError, database)


def _described(generate: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The OpenAPI document with the errors' true media type."""
    document = generate()
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if status >= "4" and "application/json" in answer.get("content", {}):
                    answer["content"][MEDIA_TYPE] = answer["content"].pop("application/json")
    return document


def _unknown() -> Problem:
    return Problem(title="error", status=500, code="error")


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(), problem.status, headers, MEDIA_TYPE)
