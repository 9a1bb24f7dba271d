"""What the page shows of the answers, in which order, and how a value reads. Pure; texts are English until they are
told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from ganpo_agent.local.answers import FINE
from ganpo_model.clock import DAY_MS, HOUR_MS, from_ms, to_ms
from ganpo_model.paint import Span
from ganpo_model.states import State
from ganpo_service.pages.spoken import NONE
from ganpo_service.pages.timeline import Piece, pieces

Answer = Mapping[str, Any]
FIRST = 15
"""Points of the first view: those with a fault, and others to see that it reads."""
MANY = 100
"""Points of a page of all."""
NEEDS = 5
NAMED = 12
"""Machines in a sentence."""
MACHINES = METERS = 60
"""So many are shown, those that need somebody first."""
_STATES = (State.FAULT, State.HELD, State.UNKNOWN)
_NO_REASON = ("", "", "")
_QUALITIES = ("fault", "open", "stale", "waiting", "good", "absent")
_LEVELS = ("alarm", "look", "unknown", "ok")
_PROTOCOLS = {
    "dlt645": "DL/T 645",
    "cjt188": "CJ/T 188",
    "opcua": "OPC UA",
    "modbus": "Modbus TCP",
    "modbus/rtu": "Modbus RTU",
    "modbus/rtu+tcp": "Modbus RTU",
}
_BYTES = (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks of the page: `points` is "", `faulty` or `all`; `page` counts from 1."""

    lang: str
    points: str = ""
    q: str = ""
    page: int = 1

    @classmethod
    def of(cls, lang: str, query: Mapping[str, str]) -> "Asked":
        """What can be understood of a query; the rest is as if it were not there."""
        points, page = query.get("points", ""), query.get("page", "")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
        known = points if points in ("faulty", "all") else ""
        return cls(lang, known, query.get("q", "").strip()[:80], max(number, 1))

    def link(self, **changed: str | int) -> str:
        """The address of the same page with something else in it."""
        all_of_it = {"lang": self.lang, "points": self.points, "q": self.q, "page": self.page} | changed
        return "/?" + urlencode({key: value for key, value in all_of_it.items() if value not in ("", 1)})


@dataclass(frozen=True, slots=True)
class Group:
    """Points of one connection with one and the same `why` not good (`level`: look, alarm), and the command that shows
    or mends it; those that are good have none of it."""

    connection: str
    level: str
    why: str
    command: str
    rows: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Points:
    """The rows that are shown, of how many that were asked for, of how many there are."""

    groups: Sequence[Group]
    shown: int
    found: int
    bound: int
    faulty: int
    last: int
    """Pages."""


def points(
    all_of_them: Sequence[Answer], links: Iterable[Answer], asked: Asked, *, whole: bool = False
) -> Points:
    """Those without a good value first, those of one reason together. A search looks at names, titles, subjects,
    connections and addresses. `whole`: all on one page."""
    by_name = {link["name"]: link for link in links}
    found = [point for point in all_of_them if _has(point, asked.q)] if asked.q else all_of_them
    if asked.points == "faulty":
        found = [point for point in found if is_faulty(point)]
    reasons = {
        point["name"]: reason(point, by_name.get(point["connection"])) for point in found if is_faulty(point)
    }

    def place(point: Answer) -> tuple[bool, int, str, str, str]:
        level, why, _ = reasons.get(point["name"], _NO_REASON)
        quality = _QUALITIES.index(point["quality"])
        return level != "alarm", quality, point["connection"] if why else "", level, why

    size = len(found) if whole else MANY if asked.points or asked.q else FIRST
    last = -(-len(found) // size) or 1 if size == MANY else 1
    begin = 0 if whole else (min(asked.page, last) - 1) * size
    rows = sorted(found, key=place)[begin : begin + size]
    groups = [
        Group(name, level, why, reasons[alike[0]["name"]][2] if why else "", alike)
        for (_, _, name, level, why), alike in ((key, list(some)) for key, some in groupby(rows, place))
    ]
    faulty = sum(is_faulty(point) for point in all_of_them)
    return Points(groups, len(rows), len(found), len(all_of_them), faulty, last)


def is_faulty(point: Answer) -> bool:
    """As `?faulty=1` of the API."""
    return point["quality"] not in FINE


def reason(point: Answer, link: Answer | None) -> tuple[str, str, str]:
    """How urgent it is that a point has no good value, why, and the command that shows or mends it: its connection's
    reason, else that of its unit, else its own; `open`: its last step does not fit."""
    name, address = point["connection"], str(point["address"])
    if link is not None and link["error"] and link["state"] != "up":
        return "alarm", link["error"], f"ganpo ping {name}"
    for unit in link["units"] if link is not None else ():
        if unit["silent"] and unit["why"] and (not unit["key"] or address.startswith(f"{unit['key']}:")):
            return (
                "alarm",
                unit["why"],
                f"ganpo ping {name}" + (f" --unit {unit['key']}" if unit["key"] else ""),
            )
    if point["quality"] == "open":
        return "look", "open", f"ganpo-cloud why {point['subject']}"
    return ("alarm", point["fault"], f"ganpo read {name} {address} --raw") if point["fault"] else _NO_REASON


def _has(point: Answer, q: str) -> bool:
    title = point["title"] or {}
    text = (point["name"], title.get("zh"), title.get("en"), point["connection"], point["address"])
    return q.casefold() in " ".join(map(str, text)).casefold()


def level(connection: Answer) -> str:
    """`ok`, or what a person has to do about it: look, alarm."""
    silent = [unit for unit in connection["units"] if unit["silent"]]
    if connection["state"] in ("down", "parked") or (silent and len(silent) == len(connection["units"])):
        return "alarm"
    whole = connection["points"]["good"] == connection["points"]["bound"]
    return (
        "ok" if connection["state"] == "up" and whole and not silent and not connection["error"] else "look"
    )


def state(connection: Answer) -> str:
    """Which word says how it is."""
    return str(connection["state"]) if connection["state"] in ("connecting", "parked") else level(connection)


def connections(all_of_them: Iterable[Answer]) -> list[Answer]:
    """Those with a problem first, then by name."""
    return sorted(all_of_them, key=lambda one: (_LEVELS.index(level(one)), one["name"]))


def protocol(connection: Answer) -> str:
    """What is spoken, as the device's sheet calls it."""
    scheme = urlsplit(connection["url"]).scheme
    driver = connection["driver"]
    return _PROTOCOLS.get(f"{driver}/{scheme}") or _PROTOCOLS.get(driver) or str(driver)


def place(connection: Answer) -> str:
    """Where it is: the URL without what is spoken."""
    url = str(connection["url"])
    return url.partition("://")[2] or url


def seen(connection: Answer) -> list[str]:
    """What was met there, once each: the error, then of units, then what the driver noted."""
    found = [connection["error"]]
    for unit in connection["units"]:
        found += [f"{unit['key']}: {what}" for what in (unit["why"], *unit["holes"]) if what]
    found += connection["notes"]
    told: list[str] = []
    for what in found:
        if what and not any(what in other for other in told):
            told.append(what)
    return told


def busiest(all_of_them: Iterable[Answer]) -> Answer | None:
    """The connection whose scan takes most of its interval."""
    timed = [one for one in all_of_them if one["cycle_s"] is not None and one["interval_s"]]
    return max(timed, key=lambda one: one["cycle_s"] / one["interval_s"], default=None)


def machines(all_of_them: Iterable[Answer]) -> list[Answer]:
    """FAULT, HELD, UNKNOWN, then by number."""
    order = {state: place for place, state in enumerate(_STATES)}
    return sorted(all_of_them, key=lambda one: (order.get(one["state"], len(order)), one["asset_no"]))


def meters(all_of_them: Iterable[Answer]) -> list[Answer]:
    """Those that have a register without a value first, else in their order."""
    return sorted(all_of_them, key=lambda one: all(of["value"] is not None for of in one["registers"]))


def lane(machine: Answer, now: int, day: tuple[int, int]) -> list[Piece]:
    """Today as a bar, from its midnight to the next, painted up to now. Nothing where nothing of it is read."""
    steps = [(ms(at), State(state)) for at, state in machine["lane"]]
    ends = [at for at, _ in steps[1:]] + [now]
    spans = [Span(begin, end, state) for (begin, state), end in zip(steps, ends, strict=False)]
    return pieces(spans, *day, now) if spans else []


def checks(all_of_them: Iterable[Answer]) -> list[Answer]:
    """What doctor found, the worst first, else in its order."""
    return sorted(all_of_them, key=lambda check: _LEVELS.index(check["level"]))


def bars(waited: Iterable[tuple[str, int]], now: int) -> list[tuple[int, int | None]]:
    """The last 24 hours up to now, each with the most frames that waited in it; None: nobody looked."""
    known = {ms(at): most for at, most in waited}
    last = now // HOUR_MS * HOUR_MS
    return [(at, known.get(at)) for at in range(last - DAY_MS + HOUR_MS, last + HOUR_MS, HOUR_MS)]


def top(hours: Iterable[tuple[int, int | None]]) -> int:
    """The top of the axis: 2, 5 or 10 times a power of ten."""
    most = max((number or 0 for _, number in hours), default=0)
    scale = 1
    while True:
        for step in (2, 4, 10):
            if most <= step * scale:
                return step * scale
        scale *= 10


def ms(at: str) -> int:
    """An instant of an answer in ms since 1970."""
    return to_ms(datetime.fromisoformat(at))


def value(of: object) -> str:
    """A value as short as it can be read, with thousands; a dash where there is none."""
    if of is None:
        return NONE
    if isinstance(of, bool):
        return f"{of}".lower()
    if isinstance(of, float):
        short = f"{of:,.4f}".rstrip("0").rstrip(".") if 1e-3 <= abs(of) < 1e15 or of == 0 else f"{of:.4g}"
        return short.replace("-", "−")
    return f"{of:,}".replace("-", "−") if isinstance(of, int) else f"{of}"


def exact(of: str | None, sign: str = "") -> str:
    """A decimal text with thousands and every digit that it has; `sign`: what stands before a rise."""
    if of is None:
        return NONE
    number = Decimal(of)
    return f"{sign if number > 0 else ''}{number:,f}".replace("-", "−")


def unit(of: str | None) -> str:
    """A unit as it is written: m³; nothing for plain counts."""
    return "" if of in (None, "1") else str(of).replace("m3", "m³")


def size(of: int | None) -> str:
    """11 KB, 3.1 MB; a dash where nobody knows."""
    if of is None:
        return NONE
    for name, step in _BYTES:
        if of >= step:
            return f"{of / step:.3g} {name}" if of < 999 * step else f"{of / step:,.0f} {name}"
    return f"{of} B"


def short(seconds: float | None, lang: str) -> str:
    """An age below a minute with a tenth: 0.4秒 / 0.4 s."""
    if seconds is None:
        return NONE
    shown = f"{max(seconds, 0.0):.1f}" if seconds < 10 else f"{seconds:.0f}"
    return f"{shown}秒" if lang == "zh" else f"{shown} s"


def day(now: int, zone: str) -> tuple[int, int]:
    """Begin and end of the site's day in which `now` lies."""
    midnight = from_ms(now).astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return to_ms(midnight), to_ms(midnight + timedelta(days=1))
