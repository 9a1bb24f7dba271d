"""What page and API both show: subjects, gateways, days, as of an instant. Read-only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from ganpo_cloud.days import chains, painting
from ganpo_cloud.inlet import lives, streams
from ganpo_cloud.inlet.quarantine import Held, dropped_name, held
from ganpo_cloud.inlet.streams import Clone, Sent, Stream
from ganpo_cloud.store import slots
from ganpo_cloud.store.localdays import bounds, day_of
from ganpo_cloud.store.tables import (
    counter,
    frame,
    gateway,
    live,
    quarantine,
    reading,
    register,
    states,
    subject,
    transition,
)
from ganpo_model.clock import to_ms
from ganpo_model.paint import Span
from ganpo_model.registers import standing
from ganpo_model.states import State


@dataclass(frozen=True, slots=True)
class GatewayView:
    """One gateway, registered or waiting to be."""

    id: str
    enterprise: str | None
    site: str | None
    online: bool
    last_word: int | None
    since: int | None
    streams: Sequence[Stream]
    kept: Sequence[Held]
    quarantine_dropped: int
    clones: Sequence[Clone]
    connections: dict[str, Any]
    said: dict[str, Any]

    @property
    def quarantined(self) -> int:
        """Frames that are kept as they came, for whatever reason."""
        return sum(kept.frames for kept in self.kept)


@dataclass(frozen=True, slots=True)
class RegisterView:
    """One register of a subject and where it stands."""

    id: str
    signal: str
    carrier: str | None
    unit: str
    num: int
    den: int
    raw: int | None
    at: int | None
    doubted_since: int | None


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A machine with its state now, or a meter with its registers."""

    enterprise: str
    asset_no: str
    kind: str
    name: str
    timezone: str
    withdrawn: bool
    gateways: Sequence[str]
    body: dict[str, Any]
    state: State | None
    state_since: int | None
    last_word: int | None
    registers: Sequence[RegisterView]


def gateways(connection: Connection, now: datetime, enterprise: str | None = None) -> list[GatewayView]:
    """All gateways, or those of one enterprise; those that wait for their registration last, whoever asks. As many
    statements for all as for one."""
    newest = select(frame.c.committed_at).where(frame.c.gateway == gateway.c.id)
    newest = newest.order_by(frame.c.stream.desc(), frame.c.seq.desc()).limit(1)
    since = select(func.max(transition.c.at)).where(transition.c.gateway == gateway.c.id)
    query = select(
        gateway, newest.scalar_subquery().label("stored"), since.scalar_subquery().label("turned")
    ).order_by(gateway.c.id)
    if enterprise is not None:
        query = query.where(gateway.c.enterprise == enterprise)
    rows = {row.id: row for row in connection.execute(query)}
    numbers = [*rows, *strangers(connection)]
    heard = {row.gateway: row for row in connection.execute(select(live).where(live.c.gateway.in_(numbers)))}
    said = {number: lives.picture(row.body) for number, row in heard.items()}
    given_up = {row.name: row.value for row in connection.execute(select(counter))}
    kept = held(connection, numbers)
    sent = streams.of_gateways(connection, list(rows), said, to_ms(now))
    links = lives.items(connection, "connections", numbers)
    found = []
    for number in numbers:
        row, word = rows.get(number), heard.get(number)
        of_it = sent.get(number, Sent([], []))
        times = [word.heard_at if word else None, row.stored if row else None]
        found.append(
            GatewayView(
                number,
                row.enterprise if row else None,
                row.site if row else None,
                word is not None and lives.online(word.heard_at, word.interval_ms, word.offline, to_ms(now)),
                max((at for at in times if at is not None), default=None),
                row.turned if row else None,
                of_it.streams,
                kept.get(number, []),
                given_up.get(dropped_name(number), 0),
                of_it.clones,
                links.get(number, {}),
                said.get(number, {}),
            )
        )
    return found


def strangers(connection: Connection) -> Sequence[str]:
    """Gateways that send, and wait for their registration."""
    waiting = select(quarantine.c.gateway).where(quarantine.c.gateway.not_in(select(gateway.c.id))).distinct()
    return connection.execute(waiting.order_by(quarantine.c.gateway)).scalars().all()


def subjects(
    connection: Connection, now: datetime, enterprise: str | None = None, asset_no: str | None = None
) -> list[SubjectView]:
    """Everything an inventory ever named, or of one enterprise, or one subject of it, by number; what is observed now
    comes from the gateways' own word: from those that are online and know what time it is."""
    heard = select(live).join(gateway, gateway.c.id == live.c.gateway)
    seen = slots.newest(select(slots.END).where(slots.of(subject.c.enterprise, subject.c.asset_no)))
    query = select(subject, seen.scalar_subquery().label("seen"))
    query = query.order_by(subject.c.enterprise, subject.c.asset_no)
    if enterprise is not None:
        heard = heard.where(gateway.c.enterprise == enterprise)
        query = query.where(subject.c.enterprise == enterprise)
    if asset_no is not None:
        query = query.where(subject.c.asset_no == asset_no)
    there = [
        row.gateway
        for row in connection.execute(heard).all()
        if lives.online(row.heard_at, row.interval_ms, row.offline, to_ms(now))
        and lives.picture(row.body).get("trusted") is not False
    ]
    said = lives.items(connection, "subjects", there)
    registers = _registers(connection, enterprise, asset_no)
    return [
        _subject(row, said, registers.get((row.enterprise, row.asset_no), []))
        for row in connection.execute(query).all()
    ]


def observed(connection: Connection, enterprise: str, asset_no: str) -> str:
    """The kind of what no inventory names, by what is stored of it: states are of equipment, readings alone of a meter;
    empty where nothing is."""
    states_of = select(states.c.start).where(slots.of(enterprise, asset_no))
    of_it = func.substr(reading.c.register, 1, len(asset_no) + 1) == f"{asset_no}/"
    readings_of = select(reading.c.at).where((reading.c.enterprise == enterprise) & of_it)
    kinds = (("equipment", states_of), ("meter", readings_of))
    return next((kind for kind, query in kinds if connection.execute(query.limit(1)).first()), "")


def painted_day(
    connection: Connection, enterprise: str, asset_no: str, day: date, zone: str
) -> tuple[int, int, list[Span]]:
    """Begin, end and painted spans of a local day, from the facts as they are now."""
    start, end = bounds(day, zone)
    return start, end, painting.painted(connection, enterprise, asset_no, start, end)


def today(now: datetime, zone: str) -> date:
    """The local date."""
    return day_of(to_ms(now), zone)


def _subject(
    row: Any, said: dict[str, dict[str, Any]], registers: Sequence[tuple[RegisterView, int | None]]
) -> SubjectView:
    """`registers`: each with the time of its newest reading."""
    body = json.loads(row.body)
    state, since = None, None
    if row.kind == "equipment" and body.get("profile"):
        state, since = _state_now(row.asset_no, body.get("gateways", []), said)
    words = [row.seen, *(read_at for _, read_at in registers)]
    return SubjectView(
        row.enterprise,
        row.asset_no,
        row.kind,
        row.name,
        row.timezone,
        bool(row.withdrawn),
        body.get("gateways", []),
        body,
        state,
        since,
        max((at for at in words if at is not None), default=None),
        [view for view, _ in registers],
    )


def _state_now(asset_no: str, of: Sequence[str], said: dict[str, dict[str, Any]]) -> tuple[State, int | None]:
    """What an online gateway says of the machine; nobody there: not observed, UNKNOWN at once."""
    for number in of:
        item = said.get(number, {}).get(asset_no, {})
        if item.get("state") in State.__members__:
            try:
                since = to_ms(datetime.fromisoformat(str(item.get("since"))))
            except ValueError:
                since = None
            return State(item["state"]), since
    return State.UNKNOWN, None


def _registers(
    connection: Connection, enterprise: str | None, asset_no: str | None
) -> dict[tuple[str, str], list[tuple[RegisterView, int | None]]]:
    """By subject its registers, where each stands (at the last accepted reading), and when it was read last."""
    state = chains.newest_states(register.c.enterprise, register.c.id)
    mine = (reading.c.enterprise == register.c.enterprise) & (reading.c.register == register.c.id)
    read_at = select(reading.c.at).where(mine).order_by(reading.c.at.desc()).limit(1).scalar_subquery()
    query = select(register, state.label("state"), read_at.label("read_at")).order_by(register.c.id)
    if enterprise is not None:
        query = query.where(register.c.enterprise == enterprise)
    if asset_no is not None:
        query = query.where(register.c.subject == asset_no)
    found: dict[tuple[str, str], list[tuple[RegisterView, int | None]]] = {}
    for row in connection.execute(query):
        now = standing(row.state) if row.state is not None else None
        raw, at = (now.last.raw, now.last.at) if now is not None and now.last else (None, None)
        doubted = now.doubted_since if now is not None else None
        view = RegisterView(row.id, row.signal, row.carrier, row.unit, row.num, row.den, raw, at, doubted)
        found.setdefault((row.enterprise, row.subject), []).append((view, row.read_at))
    return found
