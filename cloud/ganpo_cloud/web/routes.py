"""Every question of the API with its answer: one line each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_type_hints

from fastapi import APIRouter, Depends, Query, Request, Response

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.database import Reader
from ganpo_cloud.web.answers import (
    days,
    energy,
    enterprises,
    equipment,
    gateways,
    indicators,
    quantities,
    reference,
    reports,
    subjects,
    why,
)
from ganpo_cloud.web.asking import names, question, strict
from ganpo_cloud.web.exports import CONTENT, Format
from ganpo_cloud.web.faces import face
from ganpo_cloud.web.problems import ERRORS
from ganpo_model.clock import Clock

Answer = Callable[..., Any]
"""Of a connection, the question and its parameters: a list or a Listing is a table, in three forms."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its path, and the function that answers; what it may be asked and its rows are read off that."""

    path: str
    answer: Answer

    @property
    def asks(self) -> Any:
        """The class of its parameters."""
        return list(get_type_hints(self.answer, include_extras=True).values())[2]

    @property
    def kind(self) -> Any:
        """The class of its answer, or of a row of it."""
        found = get_type_hints(self.answer)["return"]
        return get_args(found)[0] if get_args(found) else found

    @property
    def table(self) -> bool:
        """It is answered by rows."""
        return bool(get_args(get_type_hints(self.answer)["return"]))


RESOURCES = (
    Resource("/quantities", quantities.quantities),
    Resource("/subjects", subjects.subjects),
    Resource("/subjects/{enterprise}/{asset_no}/day", days.day),
    Resource("/gateways", gateways.gateways),
    Resource("/gateways/{id}/transitions", gateways.transitions),
    Resource("/overview", indicators.overview),
    Resource("/indicators/{id}", indicators.indicator),
    Resource("/definitions", reference.definitions),
    Resource("/areas", reference.areas),
    Resource("/industries", reference.industries),
    Resource("/equipment", equipment.equipment),
    Resource("/enterprises", enterprises.enterprises),
    Resource("/energy", energy.energy),
    Resource("/reports", reports.reports),
    Resource("/reports/{month}", reports.report),
    Resource("/why/{enterprise}", why.enterprise),
    Resource("/why/{enterprise}/{asset_no}", why.device),
)


def router(database: Reader, clock: Clock, province: Province, *, demo: bool) -> APIRouter:
    """The routes below `/api/v1`."""
    api = APIRouter(prefix="/api/v1", responses=ERRORS)
    for resource in RESOURCES:
        api.add_api_route(
            resource.path,
            _endpoint(resource, database, clock, province, demo=demo),
            response_model=list[resource.kind] if resource.table else resource.kind,  # type: ignore[name-defined]
            responses=CONTENT if resource.table else {},
            summary=(resource.answer.__doc__ or "").rstrip("."),
            name=resource.answer.__name__,
        )
    return api


def _endpoint(
    resource: Resource, database: Reader, clock: Clock, province: Province, *, demo: bool
) -> Callable[..., Response]:
    known = names(resource.asks) | ({"format"} if resource.table else set())

    def answer(request: Request, asked: Any, chosen: Format | None) -> Response:
        strict(request, known)
        with database.read() as connection:
            found = resource.answer(connection, question(province, clock.utc(), asked), asked)
        return face(request, resource.kind, found, chosen, demo=demo)

    Asked = Annotated[Any, Depends(resource.asks)]  # noqa: N806 - a type
    Chosen = Annotated[  # noqa: N806
        Format | None,
        Query(alias="format", description="form of the answer; absent: what Accept says", examples=["xlsx"]),
    ]
    if resource.table:

        def table(request: Request, asked: Asked, chosen: Chosen = None) -> Response:
            return answer(request, asked, chosen)

        return table

    def one(request: Request, asked: Asked) -> Response:
        return answer(request, asked, None)

    return one
