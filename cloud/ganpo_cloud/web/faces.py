"""The faces of an answer that are no page: JSON, CSV, XLSX; by `Accept`, or `format` in the address."""

import re
from functools import cache
from typing import Any

from fastapi import Request, Response
from pydantic import TypeAdapter

from ganpo_cloud.store.described import Listing
from ganpo_cloud.web.exports import CSV, XLSX, Format, Sheet, columns, to_csv, to_xlsx, wanted


def face(request: Request, kind: Any, found: Any, chosen: Format | None, *, demo: bool) -> Response:
    """An answer in the form that is asked for. `kind`: of a row of a table, else of the one thing that it is."""
    rows = found.rows if isinstance(found, Listing) else found
    form = chosen or wanted(request.headers.get("accept", ""))
    headers = {"X-Total-Count": str(found.total)} if isinstance(found, Listing) else {}
    if form == "json" or not isinstance(rows, list):
        body = _adapter(list[kind] if isinstance(rows, list) else kind).dump_json(rows, by_alias=True)
        return Response(body, headers=headers, media_type="application/json")
    name = re.sub(r"[^\w.-]+", "-", request.url.path.removeprefix("/api/v1/"), flags=re.ASCII)
    flat = _adapter(list[kind]).dump_python(rows, mode="json", by_alias=True)
    write = to_csv if form == "csv" else to_xlsx
    file = f"{'demo-data-' if demo else ''}{name[:80]}.{form}"
    headers["Content-Disposition"] = f'attachment; filename="{file}"'
    media = CSV if form == "csv" else XLSX
    return Response(write(columns(kind), flat, Sheet(name, demo)), headers=headers, media_type=media)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
