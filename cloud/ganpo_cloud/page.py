"""The page: machines with their painted day, meters with their registers, what needs a person, gateways."""

from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from ganpo_cloud import days, declarations, i18n, quantities, timeline, views
from ganpo_cloud.database import Database
from ganpo_cloud.localdays import DEFAULT_ZONE, bounds
from ganpo_model.clock import Clock, from_ms, to_ms
from ganpo_model.paint import Slot, paint
from ganpo_model.states import State
from ganpo_model.units import decimal_text, millionths

DEMO_WINDOW_MS = 600_000
"""The demo's bars show ten minutes: a day of it would be a hair."""
WORDS = {
    State.PRODUCING: "Producing",
    State.SETUP: "Setup",
    State.HELD: "Held",
    State.IDLE: "Idle",
    State.FAULT: "Fault",
    State.MAINTENANCE: "Maintenance",
    State.OFF: "Off",
    State.UNKNOWN: "Unknown",
}
_ORDER = {State.FAULT: 0, State.HELD: 1, State.UNKNOWN: 2}

Item = dict[str, Any]


def router(database: Database, clock: Clock, *, demo: bool) -> APIRouter:
    """The route `/`. `fragment` gives the moving part alone."""
    pages = APIRouter(include_in_schema=False)
    environment = Environment(
        loader=PackageLoader("ganpo_cloud"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["css"] = (
        files("ganpo_cloud").joinpath("static", "page.css").read_text(encoding="utf-8")
    )

    @pages.get("/", response_class=HTMLResponse)
    def show(
        request: Request,
        lang: Annotated[str | None, Query(max_length=10)] = None,
        fragment: Annotated[int, Query()] = 0,
    ) -> HTMLResponse:
        chosen = i18n.choose(lang, request.headers.get("accept-language", ""))
        view = _View(chosen, clock.utc(), demo=demo)
        try:
            with database.read() as connection:
                model = view.model(connection)
        except DatabaseError as error:
            model = view.broken(str(getattr(error, "orig", error)))
        template = environment.get_template("main.html" if fragment else "page.html")
        return HTMLResponse(template.render(model), headers={"Cache-Control": "no-store"})

    return pages


class _View:
    """One rendering: everything the template shows, in one language, as of one instant."""

    def __init__(self, lang: str, now: datetime, *, demo: bool) -> None:
        self._lang, self._now, self._demo = lang, now, demo
        self._ms = to_ms(now)
        self._t: Callable[[str], str] = i18n.translator(lang)
        self._zone = DEFAULT_ZONE

    def model(self, connection: Connection) -> Item:
        found = [view for view in views.subjects(connection, self._now) if not view.withdrawn]
        gateways = views.gateways(connection, self._now)
        if found:
            self._zone = found[0].timezone
        machines = [self._machine(connection, view) for view in found if view.kind == "equipment"]
        machines.sort(key=lambda item: (_ORDER.get(item["state"], 3), item["asset_no"]))
        meters = [self._meter(connection, view) for view in found if view.kind == "meter"]
        needs = self._needs(machines, gateways, declarations.open_items(connection, self._now))
        return self._frame() | {
            "machines": machines,
            "meters": meters,
            "gateways": [self._gateway(view) for view in gateways],
            "needs": needs,
            "lead": self._lead(machines, gateways),
            "error": "",
        }

    def broken(self, why: str) -> Item:
        empty: Item = {"machines": [], "meters": [], "gateways": [], "needs": [], "lead": ""}
        return self._frame() | empty | {"error": why}

    def _frame(self) -> Item:
        states = [{"state": state, "word": self._t(word)} for state, word in WORDS.items()]
        as_of = self._clock_text(self._ms)
        return {
            "t": self._t,
            "lang": self._lang,
            "demo": self._demo,
            "as_of": as_of,
            "legend": states,
            "zone": self._zone,
        }

    def _machine(self, connection: Connection, view: views.SubjectView) -> Item:
        start, end, label = self._window(view.timezone)
        spans = days.painted(connection, view.enterprise, view.asset_no, start, min(end, self._ms))
        state = view.state
        if state is None and view.body.get("profile") is None:
            return self._subject(view) | {
                "state": None,
                "word": self._t("no connection"),
                "since": "",
                "bar": [],
                "ticks": [],
            }
        shown = state or State.UNKNOWN
        past = min(end, self._ms) - start
        known = past - days.ms_per_state(spans).get(State.UNKNOWN, 0)
        return self._subject(view) | {
            "state": shown,
            "word": self._t(WORDS[shown]),
            "since": i18n.age(self._ms - view.state_since, self._lang) if view.state_since else "",
            "bar": timeline.pieces(self._with_now(spans, view, start, end), start, end, self._ms),
            "now_x": round(min(max(self._ms - start, 0) / (end - start), 1) * 1000),
            "ticks": self._ticks(start, end, view.timezone),
            "window": label,
            "known": f"{known * 1000 // past / 10:.1f}%" if past > 0 else "—",
            "finding": self._finding(view, shown),
        }

    def _with_now(self, spans: Sequence[Any], view: views.SubjectView, start: int, end: int) -> list[Any]:
        """What a gateway says now reaches back to where its state began; slots come only when they end."""
        if view.state in (None, State.UNKNOWN) or view.state_since is None:
            return list(spans)
        slots = [Slot((0, n), s.start, s.end, ((0, s.state),)) for n, s in enumerate(spans)]
        slots.append(
            Slot(
                (1,), max(view.state_since, start), max(self._ms, start), ((0, view.state or State.UNKNOWN),)
            )
        )
        return paint([slot for slot in slots if slot.start < slot.end], start, min(end, self._ms))

    def _finding(self, view: views.SubjectView, state: State) -> str:
        return f"{view.asset_no} {view.name}: {self._t(WORDS[state])}"

    def _meter(self, connection: Connection, view: views.SubjectView) -> Item:
        start, end, _ = self._window(view.timezone, always_day=True)
        found = quantities.of_subject(connection, view.enterprise, view.asset_no, start, end)
        rows = []
        for register in view.registers:
            if register.raw is None or register.at is None:
                continue
            total = quantities.total(
                [item for item in found if item.register == register.id], register.carrier
            )
            rows.append(
                {
                    "id": register.id,
                    "value": decimal_text(millionths(register.raw, register.num, register.den), 2),
                    "unit": register.unit,
                    "at": self._clock_text(register.at),
                    "day": decimal_text(total.millionths, 2)
                    if total and total.millionths is not None
                    else "—",
                    "stale": self._ms - register.at > 1_800_000,
                    "age": i18n.age(self._ms - register.at, self._lang),
                    "hours": self._hours(connection, view, register, start, end),
                }
            )
        return self._subject(view) | {"registers": rows}

    def _hours(
        self,
        connection: Connection,
        view: views.SubjectView,
        register: views.RegisterView,
        start: int,
        end: int,
    ) -> list[Item]:
        """Twenty-four bars of the day: consumption, hatched where it is spread over a hole."""
        if self._demo:
            end, start = self._ms, self._ms - DEMO_WINDOW_MS
        step = (end - start) // 24
        bars = []
        for n in range(24):
            a, b = start + n * step, start + (n + 1) * step
            if a >= self._ms or register.at is None or a >= register.at:
                break
            found = quantities.of_register(connection, view.enterprise, register.id, a, b)
            amount = found.millionths if found is not None else None
            bars.append({"n": n, "amount": amount or 0, "spread": bool(found and found.spread_ms)})
        top = max((bar["amount"] for bar in bars), default=0) or 1
        return [bar | {"height": max(round(bar["amount"] * 24 / top), 1)} for bar in bars]

    def _gateway(self, view: views.GatewayView) -> Item:
        streams = [s for s in view.streams if s.missing or s.lost][:3] or view.streams[:1]
        return {
            "id": view.id,
            "enterprise": view.enterprise,
            "site": view.site,
            "online": view.online,
            "last": i18n.age(self._ms - view.last_word, self._lang) if view.last_word else "—",
            "streams": streams,
            "missing": sum(s.missing for s in view.streams),
            "lost": sum(s.lost for s in view.streams),
            "stored": sum(s.stored for s in view.streams),
            "quarantined": view.quarantined,
            "reason": view.quarantine_reason,
            "connections": [
                {"name": name, "state": item.get("state"), "error": item.get("error")}
                for name, item in sorted(view.connections.items())
                if isinstance(item, dict)
            ],
        }

    def _needs(
        self,
        machines: list[Item],
        gateways: Sequence[views.GatewayView],
        items: Sequence[declarations.OpenItem],
    ) -> list[Item]:
        """What a person must look at, alarms first, each with the command that closes it."""
        t = self._t
        found = [
            {
                "level": "alarm",
                "who": m["asset_no"],
                "what": f"{m['name']} {m['word']} {m['since']}",
                "command": "",
            }
            for m in machines
            if m["state"] is State.FAULT
        ]
        for view in gateways:
            if view.enterprise is None:
                command = f"ganpo-cloud gateway add {view.id} --enterprise CODE --site ID"
                what = t("is not registered; its frames wait: {n}").format(n=view.quarantined)
                found.append({"level": "warn", "who": view.id, "what": what, "command": command})
                continue
            if not view.online:
                last = i18n.age(self._ms - view.last_word, self._lang) if view.last_word else "—"
                what = t("gateway is offline; last word {age} ago").format(age=last)
                found.append(
                    {"level": "warn", "who": view.id, "what": what, "command": "systemctl status ganpo-agent"}
                )
            for name, item in sorted(view.connections.items()):
                if view.online and isinstance(item, dict) and item.get("error"):
                    command = "curl http://127.0.0.1:8780/health"
                    found.append(
                        {"level": "warn", "who": name, "what": str(item["error"])[:160], "command": command}
                    )
            if view.quarantined:
                what = t("{n} frames in quarantine: {why}").format(
                    n=view.quarantined, why=view.quarantine_reason or ""
                )
                found.append(
                    {
                        "level": "warn",
                        "who": view.id,
                        "what": what[:200],
                        "command": "ganpo-cloud quarantine list",
                    }
                )
        for item in items:
            if item.kind == "open":
                what = t(
                    "step of {n} counts is open since {at}: it counts nothing until somebody says what it was"
                )
                told = what.format(n=f"{item.amount or 0:,}", at=self._clock_text(item.since))
            else:
                what = t("not believed since {at}: check max_rate, unit, decoding")
                told = what.format(at=self._clock_text(item.since))
            found.append({"level": "warn", "who": item.register, "what": told, "command": item.command})
        return found[:12]

    def _lead(self, machines: list[Item], gateways: Sequence[views.GatewayView]) -> str:
        with_state = [m for m in machines if m["state"] is not None]
        seen = [m for m in with_state if m["state"] is not State.UNKNOWN]
        online = sum(view.online for view in gateways)
        registered = sum(view.enterprise is not None for view in gateways)
        if not registered:
            return ""
        told = self._t("{seen} of {all} machines are observed; {online} of {gateways} gateways are online.")
        return told.format(seen=len(seen), all=len(with_state), online=online, gateways=registered)

    def _subject(self, view: views.SubjectView) -> Item:
        several = len(view.gateways) > 1
        return {
            "asset_no": view.asset_no,
            "name": view.name,
            "several": several,
            "gateways": ", ".join(view.gateways),
        }

    def _window(self, zone: str, *, always_day: bool = False) -> tuple[int, int, str]:
        if self._demo and not always_day:
            return self._ms - DEMO_WINDOW_MS, self._ms, self._t("last 10 minutes")
        day = views.today(self._now, zone)
        start, end = bounds(day, zone)
        return start, end, day.isoformat()

    def _ticks(self, start: int, end: int, zone: str) -> list[Item]:
        count = 5 if self._demo else 6
        found = []
        for n in range(count + 1):
            at = start + (end - start) * n // count
            text = from_ms(at).astimezone(ZoneInfo(zone)).strftime("%H:%M")
            found.append(
                {"x": round(n * 100 / count), "text": "24:00" if n == count and not self._demo else text}
            )
        return found

    def _clock_text(self, ms: int) -> str:
        local = from_ms(ms).astimezone(ZoneInfo(self._zone))
        same_day = local.date() == self._now.astimezone(ZoneInfo(self._zone)).date()
        return local.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M")
