"""Answers of the running gateway as lines for a terminal: 80 columns or 40, in the language of the person."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ganpo_service.words import filled, language, tell, width, wrapped

NARROW = 64
"""Columns below which a row of a table has two lines."""
_QUALITIES = {
    "good": "is good",
    "open": "to be judged",
    "fault": "has a fault",
    "stale": "is stale",
    "waiting": "nothing yet",
    "absent": "not fitted",
}
_STATES = {"up": "is up", "connecting": "it connects", "down": "is down", "parked": "needs a person"}
_SOURCES = {
    "timesync": "this machine's clock, which NTP sets",
    "collector": "the collector's acknowledgements",
    "own clock": "this machine's own clock",
}
_LEVELS = {"alarm": "!", "look": "*"}
Told = Mapping[str, Any]


def status(told: Told, connections: Sequence[Told], room: int) -> Iterator[str]:
    """How the gateway is: what is read, what is to be done, what waits, and each connection."""
    now = _when(told["now"])
    yield from _wrapped(
        f"{told['gateway']}  {told['site']['name']}  ganpo {told['version']} ({told['released']})", room
    )
    yield ""
    links, machines, points = told["connections"], told["machines"], told["points"]
    yield from _sentence(f"{links['up']} of {links['total']} connections are up", room)
    if machines["total"]:
        yield from _sentence(f"{machines['read']} of {machines['total']} machines are read", room)
    yield from _sentence(f"{points['good']} of {points['bound']} points have a good value", room)
    yield from (line for text in _sending(told, now) for line in _sentence(text, room))
    yield ""
    if not told["needs"]:
        yield tell("nothing needs a person")
    for need in told["needs"]:
        yield from _need(need, now, room)
    yield ""
    for link in sorted(connections, key=lambda link: link["state"] == "up" and not link["error"]):
        yield from _connection(link, now, room)


def points(told: Sequence[Told], room: int) -> Iterator[str]:
    """A row a point; why it has no value stands below, once for those in a row that have the same reason."""
    if not told:
        yield tell("every point has a good value")
    longest = max((width(one["name"]) for one in told), default=0)
    named, said = min(max(longest, 8), room - 50), None
    for one in told:
        value = "-" if one["value"] is None else _value(one["value"])
        unit, name = one["unit"] or "", printable(one["name"])
        quality, age = tell(_QUALITIES[one["quality"]]), "" if one["age_s"] is None else _age(one["age_s"])
        if room < NARROW:
            yield _cut(name, room)
            yield _cut(f"  {f'{value} {unit}'.rstrip()}  {quality}  {age}".rstrip(), room)
        else:
            raw = "" if one["raw"] is None else printable(one["raw"])
            end = f"{_padded(unit, 6)} {_padded(quality, 13)} {_right(age, 8)}  {raw}"
            yield _cut(f"{_padded(name, named)} {_right(value, 14)} {end}".rstrip(), room)
        if one["fault"] and one["fault"] != said:
            yield from _wrapped(tell(one["fault"]), room, "    ")
        said = one["fault"]


def screen(told: Told, found: Sequence[Told], rows: int, room: int) -> list[str]:
    """One picture of `watch`, as high as the terminal: what is wrong first."""
    now = _when(told["now"])
    clock = f"{now:%Y-%m-%d %H:%M:%S} UTC" if now is not None else tell("waiting for time")
    alarms = sum(need["level"] == "alarm" for need in told["needs"])
    head = [
        _cut(f"{told['gateway']}  {clock}", room),
        _cut(tell(f"{told['points']['good']} of {told['points']['bound']} points have a good value"), room),
        _cut(tell(f"{len(told['needs'])} things to do, {alarms} of them now: `ganpo status`"), room),
        "",
    ]
    order = sorted(found, key=lambda one: one["quality"] == "good")
    lines = list(points(order, room))
    left = rows - len(head) - 1
    if len(lines) > left:
        lines = [
            *lines[: left - 1],
            tell(f"and {len(lines) - left + 1} lines more: a higher terminal shows them"),
        ]
    return head + lines


def printable(text: str) -> str:
    """The text with everything that would spoil a line of a terminal as `?`."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def columns() -> int:
    """Of this terminal."""
    return max(20, shutil.get_terminal_size().columns)


def _sending(told: Told, now: datetime | None) -> Iterable[str]:
    uplink, outbox, time = told["uplink"], told["outbox"], told["time"]
    last = _since(uplink["last_ack"], now)
    if not uplink["connected"]:
        yield f"no session with the broker {uplink['broker']}"
    yield f"the collector acknowledged {last} ago" if last else "the collector has acknowledged nothing yet"
    if outbox["waiting"]:
        oldest = _since(outbox["oldest"], now)
        what = f"{outbox['waiting']} frames wait, {_bytes(outbox['bytes'])}"
        yield f"{what}, the oldest for {oldest}" if oldest else what
    elif outbox["waiting"] == 0:
        yield "no frame waits"
    if outbox["lasts_days"] is not None:
        yield f"without the collector there is room for about {outbox['lasts_days']:.0f} days"
    if time["trusted"]:
        yield f"time: {_SOURCES[time['source']]}"


def _need(need: Told, now: datetime | None, room: int) -> Iterator[str]:
    age = _since(need["since"], now)
    mark = _LEVELS[need["level"]]
    # A connection may be called time; an agent that still runs after an upgrade says no `of`.
    who = need["who"] if need.get("of") == "connection" else tell(need["who"])
    yield from _wrapped(f"{mark} {who}" + (f"  {filled(language(), 'for {}', age)}" if age else ""), room)
    yield from _wrapped(tell(need["what"]), room, "    ")
    if need["command"]:
        yield f"    $ {need['command']}"  # to be copied: never wrapped


def _connection(link: Told, now: datetime | None, room: int) -> Iterator[str]:
    counts = f"{link['points']['good']}/{link['points']['bound']}"
    state = tell(_STATES[link["state"]])
    silent = sum(unit["silent"] for unit in link["units"])
    if link["state"] == "up" and silent:
        state = tell(f"units silent: {silent}")
    last = _since(link["last_answer"], now)
    trip = "" if link["round_trip_ms"] is None else f"{link['round_trip_ms']:.3g} ms"
    if room < NARROW:
        yield _cut(f"{link['name']}  {state}  {counts}", room)
    else:
        begin = (
            f"{_padded(link['name'], 16)} {_padded(state, 16)} {_right(counts, 9)} {_right(last or '', 9)}"
        )
        yield _cut(f"{begin} {_right(trip, 9)}  {link['url']}", room)
    for what in dict.fromkeys((link["error"], *link["notes"])):
        if what:
            yield from _wrapped(tell(what), room, "    ")


def _when(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _since(text: str | None, now: datetime | None) -> str:
    then = _when(text)
    return "" if then is None or now is None else _age(max((now - then).total_seconds(), 0))


def _age(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} d"


def _bytes(number: int) -> str:
    for unit in ("bytes", "kB"):
        if number < 10_000:
            return f"{number:,} {unit}"
        number = round(number / 1000)
    return f"{number:,} MB"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,.10g}" if isinstance(value, float) else printable(str(value))


def _sentence(text: str, room: int) -> Iterator[str]:
    yield from _wrapped(tell(text), room)


def _wrapped(text: str, room: int, indent: str = "") -> Iterator[str]:
    yield from (f"{indent}{line}" for line in wrapped(printable(text), max(room - len(indent), 10)))


def _padded(text: str, room: int) -> str:
    text = _cut(text, room)
    return text + " " * (room - width(text))


def _right(text: str, room: int) -> str:
    text = _cut(text, room)
    return " " * (room - width(text)) + text


def _cut(text: str, room: int) -> str:
    """What fits; that something is missing is shown."""
    if width(text) <= room:
        return text
    while width(text) > room - 1:
        text = text[:-1]
    return f"{text}~"
