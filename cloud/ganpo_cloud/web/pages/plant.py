"""The page: machines with their painted day, meters with their registers, what needs a person, gateways."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError

from ganpo_cloud.days import painting, quantities
from ganpo_cloud.days.open_items import NOT_BELIEVED_MS
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds
from ganpo_cloud.store.tables import gateway
from ganpo_cloud.web import i18n, views
from ganpo_cloud.web.pages import timeline
from ganpo_cloud.web.pages.frame import Site, seeding
from ganpo_cloud.web.pages.needs import Needs
from ganpo_cloud.web.pages.words import STATES
from ganpo_cloud.web.why import STALE_MS
from ganpo_model.clock import from_ms, to_ms
from ganpo_model.paint import Slot, Span, paint
from ganpo_model.states import State
from ganpo_model.units import decimal_text, millionths

DEMO_WINDOW_MS = 600_000
"""The demo's bars show ten minutes: a day of it would be a hair."""
DEMO_STALE_MS = 20_000
"""The demo's slots are short; a value that is older stands with its age."""
PARTS = 24
_ORDER = (State.FAULT, State.HELD, State.UNKNOWN)
"""Machines in these states stand first; ui.md, State timeline."""

Item = dict[str, Any]


def router(site: Site) -> APIRouter:
    """The route `/`. `fragment` gives the moving part alone."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/", response_class=HTMLResponse)
    def show(
        request: Request,
        lang: Annotated[str | None, Query(max_length=10)] = None,
        fragment: Annotated[bool, Query()] = False,
    ) -> HTMLResponse:
        chosen = i18n.choose(lang, request.headers.get("accept-language", ""))
        view = _View(chosen, site.clock.utc(), demo=site.demo)
        try:
            with site.database.read() as connection:
                model = view.model(connection)
        except DatabaseError as error:
            model = view.broken(str(getattr(error, "orig", error)))
        template = site.environments[chosen].get_template("main.html" if fragment else "page.html")
        return HTMLResponse(template.render(model), headers={"Cache-Control": "no-store"})

    return pages


class _View:
    """One rendering: everything the template shows, in one language, as of one instant."""

    def __init__(self, lang: str, now: datetime, *, demo: bool) -> None:
        self._lang, self._now, self._demo = lang, now, demo
        self._ms = to_ms(now)
        self._t = i18n.translator(lang)
        self._zone = DEFAULT_ZONE

    def model(self, connection: Connection) -> Item:
        mine = _first_enterprise(connection)
        known = views.subjects(connection, self._now, mine)
        subjects = [view for view in known if not view.withdrawn]
        gateways = views.gateways(connection, self._now, mine)
        if subjects:
            self._zone = subjects[0].timezone
        needs = Needs(self._t, self._lang, self._ms, self._told).all(connection, known, gateways, mine)
        machines = [view for view in subjects if view.kind == "equipment"]
        machines.sort(key=_urgency)
        return self._frame() | {
            "machines": [self._machine(connection, view) for view in machines],
            "meters": [self._meter(connection, view) for view in subjects if view.kind == "meter"],
            "gateways": [self._gateway(view) for view in gateways],
            "needs": needs,
            "lead": self._lead(machines, gateways),
            "counts": self._counts(machines),
            "seeding": seeding(connection) if self._demo else None,
            "error": "",
        }

    def broken(self, why: str) -> Item:
        empty: Item = {"machines": [], "meters": [], "gateways": [], "needs": [], "lead": [], "counts": []}
        return self._frame() | empty | {"error": why}

    def _frame(self) -> Item:
        return {
            "demo": self._demo,
            "here": "/",
            "seeding": None,
            "keep": "",
            "as_of": i18n.instant(self._ms, self._lang, self._zone),
            "zone": self._zone,
            "window": self._t("last 10 minutes") if self._demo else self._t("today"),
        }

    def _machine(self, connection: Connection, view: views.SubjectView) -> Item:
        if view.state is None:
            return _subject(view) | {"state": None}
        start, end = self._window(view.timezone)
        until = min(end, self._ms)
        spans = painting.painted(connection, view.enterprise, view.asset_no, start, until)
        spans = self._with_now(spans, view, start, until)
        spent = painting.ms_per_state(spans)
        known = until - start - spent.get(State.UNKNOWN, 0)
        told = "; ".join(
            self._count(word, i18n.age(spent[state], self._lang))
            for state, word in STATES.items()
            if state in spent
        )
        return _subject(view) | {
            "state": view.state,
            "word": self._t(STATES[view.state]),
            "since": i18n.age(self._ms - view.state_since, self._lang) if view.state_since else "",
            "bar": timeline.pieces(spans, start, end, self._ms),
            "now_x": (until - start) * 1000 // (end - start),
            "ticks": self._ticks(start, end, view.timezone),
            "known": f"{known * 1000 // (until - start) / 10:.1f}%" if until > start else "—",
            "finding": f"{view.asset_no} {view.name}: {self._t(STATES[view.state])}; {told}",
        }

    def _with_now(self, spans: list[Span], view: views.SubjectView, start: int, until: int) -> list[Span]:
        """What a gateway says now reaches back to where its state began; slots come only when they end."""
        if view.state is None or view.state_since is None or max(view.state_since, start) >= until:
            return spans
        slots = [Slot((0, n), s.start, s.end, ((0, s.state),)) for n, s in enumerate(spans)]
        slots.append(Slot((1,), max(view.state_since, start), until, ((0, view.state),)))
        return paint(slots, start, until)

    def _meter(self, connection: Connection, view: views.SubjectView) -> Item:
        begin, end = bounds(views.today(self._now, view.timezone), view.timezone)
        rows = []
        for register in view.registers:
            if register.raw is None or register.at is None:
                continue
            day = quantities.of_register(connection, view.enterprise, register.id, begin, end)
            used = day.millionths if day is not None else None
            rows.append(
                {
                    "id": register.id,
                    "value": decimal_text(millionths(register.raw, register.num, register.den), 2),
                    "unit": register.unit.replace("m3", "m³"),
                    "at": self._told(register.at),
                    "day": "—" if used is None else decimal_text(used, 2),
                    "open": bool(day and day.open),
                    "doubted": self._doubted(register),
                    "stale": self._ms - register.at > (DEMO_STALE_MS if self._demo else STALE_MS),
                    "age": i18n.age(self._ms - register.at, self._lang),
                    "bars": self._bars(connection, view, register),
                }
            )
        return _subject(view) | {"registers": rows}

    def _doubted(self, register: views.RegisterView) -> str:
        """Since when a register is not believed, where that is long enough to be told."""
        since = register.doubted_since
        return "" if since is None or self._ms - since < NOT_BELIEVED_MS else self._told(since)

    def _bars(
        self, connection: Connection, view: views.SubjectView, register: views.RegisterView
    ) -> list[Item]:
        """The window in 24 bars: consumption, spread over a hole or not; what is open or not believed has none."""
        start, end = self._window(view.timezone)
        borders = [start + (end - start) * n // PARTS for n in range(PARTS + 1)]
        parts = quantities.in_parts(connection, view.enterprise, register.id, borders)
        last = self._ms if register.doubted_since is not None else register.at or 0
        known = [
            (n, part, part.millionths or 0)
            for n, (part, (begin, _)) in enumerate(zip(parts, pairwise(borders), strict=True))
            if (part.millionths is not None or part.unknown_ms) and begin < min(last, self._ms)
        ]
        top = max((amount for _, _, amount in known), default=0) or 1
        return [
            {
                "n": n,
                "height": max(amount * 24 // top, 1),
                "spread": part.spread_ms > 0,
                "open": bool(part.open or part.unknown_ms),
            }
            for n, part, amount in known
        ]

    def _gateway(self, view: views.GatewayView) -> Item:
        return {
            "id": view.id,
            "enterprise": view.enterprise,
            "site": view.site,
            "online": view.online,
            "last": i18n.age(self._ms - view.last_word, self._lang) if view.last_word else "—",
            "counts": [
                (self._t("issued"), sum(s.issued for s in view.streams)),
                (self._t("stored"), sum(s.stored for s in view.streams)),
                (self._t("missing"), sum(s.missing for s in view.streams)),
                (self._t("lost"), sum(s.lost for s in view.streams)),
            ],
            "quarantined": view.quarantined,
            "dropped": view.quarantine_dropped,
            "reasons": [f"{kept.frames} × {kept.reason}: {kept.detail}" for kept in view.kept],
            "connections": [
                {"name": name, "state": str(item.get("state") or "—"), "error": item.get("error")}
                for name, item in sorted(view.connections.items())
                if isinstance(item, dict)
            ],
        }

    def _lead(
        self, machines: Sequence[views.SubjectView], gateways: Sequence[views.GatewayView]
    ) -> list[str]:
        """Phrases of one sentence: lines break between them alone."""
        registered = [view for view in gateways if view.enterprise is not None]
        if not registered:
            return []
        connected = [view for view in machines if view.state is not None]
        seen = sum(view.state is not State.UNKNOWN for view in connected)
        online = sum(view.online for view in registered)
        told = []
        if connected:
            told.append(
                self._t("{seen} of {all} machines are observed;").format(seen=seen, all=len(connected))
            )
        last = self._t("{online} of {gateways} gateways are online.")
        return [*told, last.format(online=online, gateways=len(registered))]

    def _counts(self, machines: Sequence[views.SubjectView]) -> list[str]:
        """How many machines are in each state now."""
        now = [view.state for view in machines]
        found = [self._count(word, now.count(state)) for state, word in STATES.items() if state in now]
        return found + ([self._t("no connection: {n}").format(n=now.count(None))] if None in now else [])

    def _count(self, word: str, n: object) -> str:
        return self._t("{state} {n}").format(state=self._t(word), n=n)

    def _window(self, zone: str) -> tuple[int, int]:
        """The stretch that the bars show."""
        if self._demo:
            return self._ms - DEMO_WINDOW_MS, self._ms
        return bounds(views.today(self._now, zone), zone)

    def _ticks(self, start: int, end: int, zone: str) -> list[str]:
        count = 5 if self._demo else 6
        times = [from_ms(start + (end - start) * n // count).astimezone(ZoneInfo(zone)) for n in range(count)]
        last = f"{self._now.astimezone(ZoneInfo(zone)):%H:%M}" if self._demo else "24:00"
        return [*(f"{time:%H:%M}" for time in times), last]

    def _told(self, ms: int) -> str:
        """An instant in the site's time: of today without its date."""
        local, now = (from_ms(at).astimezone(ZoneInfo(self._zone)) for at in (ms, self._ms))
        return f"{local:%H:%M:%S}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M}"


def _first_enterprise(connection: Connection) -> str | None:
    """Whose plant is shown: of many enterprises the one with the first gateway; the others have pages of their own."""
    first = select(gateway.c.enterprise).order_by(gateway.c.id).limit(1)
    return connection.execute(first).scalar()


def _urgency(view: views.SubjectView) -> tuple[int, str]:
    return (_ORDER.index(view.state) if view.state in _ORDER else len(_ORDER), view.asset_no)


def _subject(view: views.SubjectView) -> Item:
    several = ", ".join(view.gateways) if len(view.gateways) > 1 else ""
    return {"asset_no": view.asset_no, "name": view.name, "several": several}
