"""The faces of an answer that are no page: JSON, CSV, XLSX; by `Accept`, or `format` in the address. A long list is
sent as it is read."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import cache
from itertools import islice
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter
from sqlalchemy import Connection

from ganpo_cloud.store.described import Listing
from ganpo_cloud.web.asking import Question
from ganpo_cloud.web.exports import plain
from ganpo_cloud.web.exports.conditions import conditions
from ganpo_cloud.web.exports.csvs import to_csv
from ganpo_cloud.web.exports.forms import CSV, XLSX, Format, Sheet, wanted
from ganpo_cloud.web.exports.people import Names, Table
from ganpo_cloud.web.heads import bare
from ganpo_service.pages import spoken

_CHUNK = 1000
"""Rows that are read, written and sent together."""
_MEDIA = {"json": "application/json", "csv": CSV, "xlsx": XLSX}
Chunks = Iterator[Sequence[Any]]


def one(kind: Any, found: Any) -> Response:
    """An answer that is no table."""
    return Response(_adapter(kind).dump_json(found, by_alias=True), media_type="application/json")


def table(
    request: Request,
    kind: Any,
    reading: AbstractContextManager[Connection],
    find: Callable[[Connection], Any],
    question: Question,
    asked: Any,
    chosen: Format | None,
    lang: str | None,
    *,
    demo: bool,
) -> Response:
    """A table in the form that is asked for. `kind`: of a row; `lang`: for whom heads and words are; None: a CSV is for
    programs, a workbook for whom the browser speaks."""
    form = chosen or wanted(request.headers.get("accept", ""))
    if form == "xlsx":
        lang = spoken.choose(lang, request.headers.get("accept-language", ""))
    with ExitStack() as open_:
        connection = open_.enter_context(reading)
        found = find(connection)
        rows, headers, whole = found, {}, None
        if isinstance(found, Listing):
            rows, whole = found.rows, found.total
            headers = {"X-Total-Count": str(whole)}
        name = re.sub(r"[^\w.-]+", "-", request.url.path.removeprefix("/api/v1/"), flags=re.ASCII)[:80]
        chunks = _chunks(rows)
        if form == "json":
            body = _json(kind, chunks)
        else:
            filename = "-".join(["demo-data"] * demo + [name, *_narrower(question)])
            headers["Content-Disposition"] = f'attachment; filename="{filename}.{form}"'
            body = _file(form, kind, chunks, connection, question, asked, whole, lang, Sheet(name, demo))
        if bare(request) and (form != "json" or not isinstance(rows, Sequence) or len(rows) > _CHUNK):
            return StreamingResponse(iter(()), headers=headers, media_type=_MEDIA[form])
        if isinstance(rows, Sequence):
            return Response(b"".join(body), headers=headers, media_type=_MEDIA[form])
        return StreamingResponse(_closing(body, open_.pop_all()), headers=headers, media_type=_MEDIA[form])


def _file(
    form: Format,
    kind: Any,
    chunks: Chunks,
    connection: Connection,
    question: Question,
    asked: Any,
    whole: int | None,
    lang: str | None,
    sheet: Sheet,
) -> Iterator[bytes]:
    if lang is None:
        heads = plain.columns(kind)
        flat = (_adapter(list[kind]).dump_python(chunk, mode="json", by_alias=True) for chunk in chunks)
        lines = ([[plain.cell(row, column) for column in heads] for row in rows] for rows in flat)
        return to_csv(heads, lines, sheet)
    names = Names(connection, question.province, question.day, lang)
    of = Table(kind, names)
    cells = map(of.cells, chunks)
    if form == "csv":
        rows = (zip(*columns, strict=True) for columns in cells)
        return to_csv([column.head for column in of.columns], rows, sheet)
    from ganpo_cloud.web.exports.workbook import to_xlsx

    told = Sheet(sheet.name, sheet.demo, conditions(question, asked, names, whole))
    return to_xlsx(of.columns, cells, told, names)


def _json(kind: Any, chunks: Chunks) -> Iterator[bytes]:
    """A list, a chunk of it at a time."""
    between = b"["
    for chunk in chunks:
        yield between + _adapter(list[kind]).dump_json(list(chunk), by_alias=True)[1:-1]
        between = b","
    yield b"[]" if between == b"[" else b"]"


def _narrower(question: Question) -> Iterator[str]:
    """What a file is of, where it is less than the whole as it is now: ten of them lie in one folder."""
    if question.area != question.province.whole:
        yield question.area
    if question.industry:
        yield question.industry
    if question.tag:
        yield question.tag
    if question.past:
        yield question.past.isoformat()


def _chunks(rows: Iterable[Any]) -> Chunks:
    coming = iter(rows)
    while chunk := list(islice(coming, _CHUNK)):
        yield chunk


def _closing(body: Iterator[bytes], open_: ExitStack) -> Iterator[bytes]:
    """The same, and then what was read from is let go, also where nobody wants the rest."""
    with open_:
        yield from body


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
