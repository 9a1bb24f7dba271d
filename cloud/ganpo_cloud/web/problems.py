"""What is refused: below `/api/` an RFC 9457 document with `code`, `where` and `hint`, elsewhere a page in words."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DatabaseError
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
SHAPES: Mapping[str, str] = {
    "missing": "is missing",
    "int_parsing": "is no whole number",
    "bool_parsing": "is neither true nor false",
    "literal_error": "is none of {expected}",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
    "string_too_long": "is longer than {max_length} characters",
    "too_long": "is said more than {max_length} times",
    "string_pattern_mismatch": "is not written as it is described",
}
"""What FastAPI finds wrong with the shape of a parameter, by its word for it."""


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


Page = Callable[[Request, Problem], Response]


def install(app: FastAPI, page: Page) -> None:
    """One error shape for everything. `page`: how a problem is told to who is not asking the API."""
    app.openapi = partial(_described, app.openapi)  # type: ignore[method-assign]
    kinds: Mapping[type[Exception], Callable[[Request, Any], Problem]] = {
        Refused: lambda _, error: error.problem,
        RequestValidationError: _misshapen,
        HTTPException: _http,
        DatabaseError: _silent,
    }
    for kind, problem in kinds.items():
        app.add_exception_handler(kind, partial(_answer, page, problem))


async def _answer(
    page: Page, problem: Callable[[Request, Any], Problem], request: Request, error: Exception
) -> Response:
    found = problem(request, error)
    if not request.url.path.startswith("/api/"):
        return page(request, found)
    return JSONResponse(found.model_dump(), found.status, getattr(error, "headers", None), MEDIA_TYPE)


def _misshapen(_request: Request, error: RequestValidationError) -> Problem:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    title = SHAPES.get(first["type"], "cannot be read").format(**first.get("ctx", {}))
    return Problem(title=title, status=422, code="invalid", where=where, hint="GET /api/v1/openapi.json")


def _http(request: Request, error: HTTPException) -> Problem:
    where = request.url.path[:200]
    return Problem(title=str(error.detail), status=error.status_code, code="http", where=where)


def _silent(_request: Request, error: DatabaseError) -> Problem:
    title = f"the database does not answer: {getattr(error, 'orig', error)}"
    return Problem(title=title, status=503, code="database", hint="it is tried again with the next request")


def _described(generate: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The OpenAPI document with the errors' true media type."""
    document = generate()
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if status >= "4" and "application/json" in answer.get("content", {}):
                    answer["content"][MEDIA_TYPE] = answer["content"].pop("application/json")
    return document
