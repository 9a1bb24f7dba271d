"""What every page of the province has: language, place, instant, navigation; and how it says that nothing answers."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError

from ganpo_cloud.province import tagged
from ganpo_cloud.province.divisions import Area, Industry, Province
from ganpo_cloud.province.snapshots import Snapshot, added_up, snapshot
from ganpo_cloud.store.counted_tables import NOWHERE
from ganpo_cloud.store.database import Reader
from ganpo_cloud.store.localdays import DEFAULT_ZONE
from ganpo_cloud.store.tables import counter
from ganpo_cloud.web import i18n
from ganpo_cloud.web.asking import Listed, Placed, Question, Tagged, names, question
from ganpo_cloud.web.marked import only
from ganpo_cloud.web.pages.templating import environments
from ganpo_cloud.web.problems import Problem
from ganpo_model import reference
from ganpo_model.clock import Clock, to_ms
from ganpo_service.pages import spoken

Item = dict[str, Any]
PAPERS = 3
"""Documents of a tag that a page names which it filters."""
LONGEST = 80
"""Letters of an enterprise's code or a device's number."""
SEEDING = "demo seeding"
"""The counter in which the demo says how many percent of its province are there."""
_OWN = names(Listed) - {"q"} | {"fragment"}
"""What an address says of place, time and page: no link keeps it as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope(Question):
    """The question of a page: at which path, in which language. `filtered`: tags filter it; `aside`: a tag that its
    links keep and that does not filter it; `more`: what else the address asks, kept in its links."""

    path: str
    lang: str
    filtered: bool = False
    aside: str | None = None
    more: Mapping[str, str | list[str]] = field(default_factory=dict)


class Site:
    """What all pages share: database, clock, province, templates; and when the database last answered."""

    def __init__(
        self, database: Reader, clock: Clock, province: Province, *, demo: bool = False, exposed: bool = False
    ) -> None:
        self.database, self.clock, self.province, self.demo = database, clock, province, demo
        self.environments = environments(exposed=exposed)
        self._answered: datetime | None = None

    def scope(self, request: Request, placed: Any, known: Set[str] = frozenset()) -> Scope:
        """What is asked for; `known`: what else may be asked. Raises Refused where it does not exist."""
        found = question(self.province, self.clock.utc(), placed)
        query = request.query_params
        said = {name: [one for one in query.getlist(name) if one] for name in sorted(known - _OWN)}
        more = {name: of if len(of) > 1 else of[0] for name, of in said.items() if of}
        lang = spoken.choose(query.get("lang"), request.headers.get("accept-language", ""))
        at = (found.province, found.now, found.area, found.industry, found.past, found.tag)
        filtered, tag = isinstance(placed, Tagged), query.get("tag")
        aside = tag if isinstance(placed, Placed) and not filtered and tag in reference.tags() else None
        return Scope(*at, path=request.url.path, lang=lang, filtered=filtered, aside=aside, more=more)

    def answer(
        self, template: str, scope: Scope, make: Callable[[Connection, "Rendering"], Item]
    ) -> HTMLResponse:
        """A page, 404 of what is not `known`; where the database does not answer, that, and when it last did."""
        rendering = Rendering(self, scope)
        try:
            with self.database.read() as connection:
                model = rendering.base(connection) | make(connection, rendering)
            template = model.get("template", template)
            status = 200 if model.get("known", True) else 404
            self._answered = self.clock.utc()
        except DatabaseError as error:
            model = rendering.broken(str(getattr(error, "orig", error)), self._answered)
            template, status = "broken.html", 503
        page = self.environments[scope.lang].get_template(template).render(model)
        return HTMLResponse(page, status, headers={"Cache-Control": "no-store"})

    def refused(self, request: Request, problem: Problem) -> HTMLResponse:
        """A page that says in words why there is none of this address."""
        scope = self.scope(request, Placed())
        asked = problem.where if problem.code == "http" else request.url.path
        if (given := request.query_params.get(problem.where)) is not None:
            asked = f"{problem.where} = {given}"
        model = Rendering(self, scope).bare() | {"code": problem.code, "asked": asked[:LONGEST]}
        page = self.environments[scope.lang].get_template("refused.html").render(model)
        return HTMLResponse(page, problem.status, headers={"Cache-Control": "no-store"})


class Rendering:
    """One rendering: words, names and addresses in its language."""

    def __init__(self, site: Site, scope: Scope) -> None:
        self.site, self.scope, self.province = site, scope, scope.province
        self.lang, self.t = scope.lang, i18n.translator(scope.lang)
        self.now, self.ms, self.today, self.day = scope.now, to_ms(scope.now), scope.today, scope.day
        self.unpaced = False
        """Its tag marks so much that no month before was worked out."""

    def snapshot(self, connection: Connection) -> Snapshot:
        """The sums of the scope's instant, of what its tag marks."""
        found = snapshot(connection, self.province, self.scope.past, self.now, only(connection, self.scope))
        self.unpaced = found.large
        return found

    def bare(self) -> Item:
        """What a page shows without any number."""
        above = list(reversed(self.province.above(self.scope.area)[1:]))
        first = f"/{self.scope.path.strip('/').partition('/')[0]}"
        return {
            "rendering": self,
            "demo": self.site.demo,
            "here": first,
            "keep": "".join(f"&{urlencode({k: v}, doseq=True)}" for k, v in self.kept().items()),
            "place": self.area(self.scope.area),
            "path": [{"name": self.area(area), "href": self.href("/overview", area=area)} for area in above],
            "industry": self.industry(self.scope.industry) if self.scope.industry else "",
            "scope": self.scope,
            "whole": self.province.whole,
            "tags": [(tag.id, self.tag(tag.id)) for tag in reference.tags().values()],
            "tagged": None,
            "industries": [(number, self.industry(number)) for number in self.province.industries],
            "link": self.href,
            "api": self.api,
            "seeding": None,
            "as_of": spoken.instant(to_ms(self.now), self.lang),
            "zone": DEFAULT_ZONE,
            "chosen_day": self.scope.past.isoformat() if self.scope.past else "",
            "yesterday": (self.today - timedelta(days=1)).isoformat(),
        }

    def base(self, connection: Connection) -> Item:
        """The same, with the time of what is shown."""
        at = self.scope.at or added_up(connection) or self.now
        found = seeding(connection) if self.site.demo else None
        more = {"seeding": found, "as_of": spoken.instant(to_ms(at), self.lang)}
        return self.bare() | more | {"tagged": self._tagged(connection)}

    def _tagged(self, connection: Connection) -> Item | None:
        """The tag that filters the page: of how many enterprises or areas, and which documents say so."""
        if self.scope.tag is None:
            return None
        marks = tagged.tags(connection, self.day, tag=self.scope.tag)
        papers = {(mark.document, mark.by): mark for mark in reversed(marks)}
        return {
            "name": self.tag(self.scope.tag),
            "marks": len(marks),
            "latest": list(papers.values())[: -1 - PAPERS : -1],
            "papers": len(papers),
        }

    def broken(self, why: str, answered: datetime | None) -> Item:
        """What is shown while the database does not answer."""
        last = "" if answered is None else spoken.instant(to_ms(answered), self.lang)
        return self.bare() | {"error": why, "last_good": last}

    def area(self, number: str) -> str:
        """The name of an area on the day."""
        if number == NOWHERE or number not in self.province.areas:
            return self.t("place unknown")
        return self._name(self.province.area(number, self.day) or self.province.areas[number][-1])

    def industry(self, number: str) -> str:
        """The name of an industry."""
        found = self.province.industries.get(number)
        return number if found is None else self._name(found)

    def tag(self, number: str) -> str:
        """The name of a tag."""
        return self._name(reference.tags()[number])

    def _name(self, of: Area | Industry | reference.Tag) -> str:
        return of.name_zh if self.lang == "zh" else of.name_en

    def parts(self, parent: str) -> list[str]:
        """The areas next below one, on the day."""
        return self.province.parts(parent, self.day)

    def places(self) -> Mapping[str, list[str]]:
        """The province and its cities on the day, each city with its counties."""
        whole = self.province.whole
        return {whole: [], **{city: self.parts(city) for city in self.parts(whole)}}

    def kept(self, **changes: str | list[str] | None) -> dict[str, str | list[str]]:
        """What the address says beside the language, with something changed; what is at its default is left out."""
        scope = self.scope
        at: dict[str, str | list[str] | None] = {
            "area": scope.area,
            "industry": scope.industry,
            "as_of": scope.past.isoformat() if scope.past else None,
            "tag": scope.tag or scope.aside,
            **scope.more,
        }
        at |= changes
        if at.get("area") == self.province.whole:
            at["area"] = None
        return {name: value for name, value in at.items() if value}

    def href(self, path: str | None = None, **changes: str | list[str] | None) -> str:
        """The address of a page with something changed; another page forgets what only this one asks."""
        dropped = () if path in (None, self.scope.path) else self.scope.more
        query = {"lang": self.lang} | self.kept(**{**dict.fromkeys(dropped), **changes})
        return f"{path or self.scope.path}?{urlencode(query, doseq=True)}"

    def api(self, path: str, **more: str) -> str:
        """The address of the same at the API; of a file in the language of the page."""
        of = ("area", "industry", "as_of", "tag") if self.scope.filtered else ("area", "industry", "as_of")
        query = {k: v for k, v in self.kept().items() if k in of} | more
        query |= {"lang": self.lang} if "format" in more else {}
        return f"/api/v1/{path}?{urlencode(query)}"


def seeding(connection: Connection) -> int | None:
    """How many percent of the demo's province are there; None: all of it, or there is none."""
    percent = connection.execute(select(counter.c.value).where(counter.c.name == SEEDING)).scalar()
    return percent if percent is not None and percent < 100 else None
