"""Every question with its answer, at the API and as a page: one line each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Annotated, Any, Literal, get_args, get_type_hints
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from ganpo_cloud.store.described import Listing
from ganpo_cloud.web import faces
from ganpo_cloud.web.answers import (
    assessment,
    banned,
    commissioned,
    compare,
    days,
    dual_control,
    energy,
    enterprises,
    equipment,
    front_runners,
    gateways,
    indicators,
    moves,
    onboarded,
    plan,
    quantities,
    ranking,
    reference,
    reports,
    silent,
    tags,
    taken,
    targets,
    trees,
    why,
)
from ganpo_cloud.web.asking import MOST_ROWS, Listed, Placed, Question, Tagged, names, question, strict
from ganpo_cloud.web.exports.forms import CONTENT, Format
from ganpo_cloud.web.pages import assessment as assessment_page
from ganpo_cloud.web.pages import banned as banned_page
from ganpo_cloud.web.pages import compare as compare_page
from ganpo_cloud.web.pages import device, enterprise, firms, overview, published
from ganpo_cloud.web.pages import dual_control as dual_page
from ganpo_cloud.web.pages import energy as energy_page
from ganpo_cloud.web.pages import front_runners as front_runners_page
from ganpo_cloud.web.pages import moves as moves_page
from ganpo_cloud.web.pages import plan as plan_page
from ganpo_cloud.web.pages import ranking as ranking_page
from ganpo_cloud.web.pages import tags as tags_page
from ganpo_cloud.web.pages import trees as trees_page
from ganpo_cloud.web.pages.rendering import Item, Rendering, Site
from ganpo_cloud.web.problems import ERRORS

PER_PAGE = 100
"""Rows of a list on a page."""
Beside = Callable[[Connection, Rendering, Any], Item]
Answer = Callable[..., Any]
"""Of a connection, the question and its parameters: a list or a Listing is a table, in three forms."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its path, and the function that answers; what it may be asked and its rows are read off that.

    `page`: the template of its page at the same path, which gets what `beside` finds more.
    """

    path: str
    answer: Answer
    page: str = ""
    beside: Beside | None = None

    @property
    def asks(self) -> Any:
        """The class of its parameters."""
        return _asks(self.answer)

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
    Resource("/subjects", gateways.subjects),
    Resource("/subjects/{enterprise}/{asset_no}/day", days.day),
    Resource("/gateways", gateways.gateways, "gateways.html", firms.of_gateways),
    Resource("/gateways/{id}/transitions", gateways.transitions),
    Resource("/overview", indicators.overview),
    Resource("/indicators/{id}", indicators.indicator),
    Resource("/plan", plan.plan),
    Resource("/targets", targets.targets, "targets.html", plan_page.names),
    Resource("/front-runners", front_runners.front_runners),
    Resource("/capacity-use", front_runners.capacity_use),
    Resource("/definitions", reference.definitions, "definitions.html", published.coefficients),
    Resource("/areas", reference.areas),
    Resource("/industries", reference.industries),
    Resource("/equipment", equipment.equipment, "equipment.html"),
    Resource("/enterprises", enterprises.enterprises, "enterprises.html"),
    Resource("/moves", moves.moves, "moves.html", moves_page.beside),
    Resource("/energy", energy.energy, "energy.html", energy_page.beside),
    Resource("/assessment", assessment.assessment, "assessment.html", assessment_page.beside),
    Resource("/dual-control", dual_control.dual_control, "dual_control.html", dual_page.beside),
    Resource("/energy/{month}", taken.carrier, "taken.html", energy_page.of_month),
    Resource("/ranking", ranking.ranked, "ranking.html", ranking_page.beside),
    Resource("/compare", compare.compared, "compare.html", compare_page.beside),
    Resource("/onboarded", onboarded.onboarded, "onboarded.html"),
    Resource("/silent", silent.silent, "silent.html"),
    Resource("/reports", reports.reports, "reports.html", published.months),
    Resource("/reports/{month}", reports.report, "report.html", published.month),
    Resource("/trees", trees.trees, "trees.html", trees_page.beside),
    Resource("/nodes", trees.nodes, "nodes.html"),
    Resource("/banned", banned.banned, "banned.html", banned_page.beside),
    Resource("/banned/energy", banned.used),
    Resource("/banned/{enterprise}/{asset_no}", banned.evidence),
    Resource("/tags", tags.tags, "tags.html", tags_page.beside),
    Resource("/tags/{id}", tags.marks, "marks.html", tags_page.of_tag),
    Resource("/commissioned/{enterprise}", commissioned.commissioned),
    Resource("/commissioned/{enterprise}/{asset_no}", commissioned.commissioned_device),
    Resource("/why/{enterprise}", why.enterprise),
    Resource("/why/{enterprise}/{asset_no}", why.device),
)

PAGES: tuple[tuple[str, str, Answer], ...] = (
    ("/", "enterprise.html", enterprise.home),
    ("/overview", "overview.html", overview.overview),
    ("/plan", "plan.html", plan_page.plan),
    ("/front-runners", "front_runners.html", front_runners_page.front_runners),
    ("/capacity-use", "capacity_use.html", front_runners_page.capacity_use),
    ("/indicators/{number}", "indicator.html", overview.indicator),
    ("/enterprises/{enterprise}", "enterprise.html", enterprise.enterprise),
    ("/enterprises/{enterprise}/{asset_no}", "device.html", device.device),
)
"""Pages that are no resource: path, template, and what finds its model: of connection, rendering, what is asked."""


@cache
def router() -> APIRouter:
    """The routes below `/api/v1`. They read the `Site` that the application has as `state.site`."""
    api = APIRouter(prefix="/api/v1", responses=ERRORS)
    for resource in RESOURCES:
        api.add_api_route(
            resource.path,
            _endpoint(resource),
            response_model=list[resource.kind] if resource.table else resource.kind,  # type: ignore[name-defined]
            responses=CONTENT if resource.table else {},
            summary=(resource.answer.__doc__ or "").rstrip("."),
            name=resource.answer.__name__,
        )
    return api


@cache
def pages() -> APIRouter:
    """The pages, those of resources among them; of the same `Site`."""
    router = APIRouter(include_in_schema=False)
    for path, template, make in PAGES:
        page = _page(template, make, _asks(make), _asks(make))
        router.add_api_route(path, page, response_class=HTMLResponse)
    for resource in RESOURCES:
        if resource.page:
            place = Tagged if issubclass(resource.asks, Tagged) else Placed
            page = _page(resource.page, partial(_shown, resource), resource.asks, place)
            router.add_api_route(resource.path, page, response_class=HTMLResponse)
    return router


def _asks(answer: Answer) -> Any:
    """The class of the parameters that a function takes third."""
    return list(get_type_hints(answer, include_extras=True).values())[2]


def _page(template: str, make: Answer, asks: Any, place: Any) -> Callable[..., Response]:
    """`place`: the class of what says where and when; a page of a resource keeps that, asked for or not."""

    def page(
        request: Request, asked: Annotated[Any, Depends(asks)], placed: Annotated[Any, Depends(place)]
    ) -> Response:
        site = _site(request)
        scope = site.scope(request, placed, names(asks))
        return site.answer(template, scope, lambda c, f: make(c, f, asked))

    return page


def _shown(resource: Resource, connection: Connection, rendering: Rendering, asked: Any) -> Item:
    """What a template gets: what is asked and found, and where to download it."""
    if isinstance(asked, Listed):
        asked = replace(asked, limit=min(asked.limit, PER_PAGE))
    elif hasattr(asked, "area"):
        asked = replace(asked, area=rendering.scope.area)
    found = resource.answer(connection, rendering.scope, asked)
    model: Item = {"asked": asked, "found": found}
    link = {name: value for name, value in rendering.kept().items() if name in names(resource.asks)}
    if isinstance(found, Listing):
        last = max(-(-found.total // asked.limit), 1)
        model["pages"] = {
            "page": asked.page,
            "last": last,
            "before": rendering.href(page=str(asked.page - 1)) if asked.page > 1 else "",
            "after": rendering.href(page=str(asked.page + 1)) if asked.page < last else "",
        }
        model["firms"] = firms.named(
            connection, rendering.day, (getattr(row, "enterprise", None) for row in found.rows)
        )
        link["limit"] = str(MOST_ROWS)
    for form in ("xlsx", "csv"):
        model[form] = (
            f"/api/v1{rendering.scope.path}?{urlencode(link | {'format': form, 'lang': rendering.lang}, doseq=True)}"
        )
    return model | (resource.beside(connection, rendering, found) if resource.beside else {})


def _site(request: Request) -> Site:
    """Whose database a request reads."""
    site: Site = request.app.state.site
    return site


def _endpoint(resource: Resource) -> Callable[..., Response]:
    known = names(resource.asks) | ({"format", "lang"} if resource.table else set())

    def told(request: Request, asked: Any) -> tuple[Site, Question]:
        strict(request, known)
        site = _site(request)
        return site, question(site.province, site.clock.utc(), asked)

    Asked = Annotated[Any, Depends(resource.asks)]  # noqa: N806 - a type
    Chosen = Annotated[  # noqa: N806
        Format | None,
        Query(alias="format", description="form of the answer; absent: what Accept says", examples=["xlsx"]),
    ]
    Language = Annotated[  # noqa: N806
        Literal["zh", "en"] | None,
        Query(
            alias="lang",
            description="heads and words of a file for people; absent: a CSV is for programs",
            examples=["zh"],
        ),
    ]
    if resource.table:

        def table(request: Request, asked: Asked, chosen: Chosen = None, lang: Language = None) -> Response:
            site, of = told(request, asked)
            reading, find = site.database.read(), lambda connection: resource.answer(connection, of, asked)
            return faces.table(request, resource.kind, reading, find, of, asked, chosen, lang, demo=site.demo)

        return table

    def one(request: Request, asked: Asked) -> Response:
        site, of = told(request, asked)
        with site.database.read() as connection:
            return faces.one(resource.kind, resource.answer(connection, of, asked))

    return one
