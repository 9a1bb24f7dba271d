"""Gateways as they are known now: whether they speak, and what is missing of them. Read-only."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from ganpo_cloud.inlet import lives, streams
from ganpo_cloud.inlet.quarantine import dropped_name, held
from ganpo_cloud.inlet.streams import Clone, Sent, Stream
from ganpo_cloud.store.described import Instant, answer, said, unsaid
from ganpo_cloud.store.tables import counter, frame, gateway, live, quarantine, transition
from ganpo_model.clock import to_ms

_PAGE = re.compile(r"https?://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):\d{1,5}/")


@answer
class Gateway:
    """A gateway, registered or waiting for it."""

    id: str = said("its name at the broker", "gw-nc-0007")
    enterprise: str | None = said(
        "enterprise that it belongs to; null until it is registered", "91360000625912173B"
    )
    site: str | None = said("id of its site; null until it is registered", "plant-1")
    online: bool = said("it spoke within three of its intervals", True)
    since: Instant | None = said("last change between online and offline", "2026-11-25T01:00:00.000Z")
    last_word: Instant | None = said("when it was heard last", "2026-11-25T02:15:00.000Z")
    streams: list[Stream] = said("its streams of frames, newest first: one for each run")
    quarantined: int = said("frames that could not be applied and are kept as they came", 0)
    quarantine_reason: str | None = said("why the last of them could not be applied", "time: in 1970")
    quarantine_reasons: dict[str, int] = said("how many of them for each reason", {"time": 12})
    quarantine_dropped: int = said("frames that a full quarantine gave up", 0)
    clock_off_ms: int | None = said("its clock minus ours as it said last; null where it did not", -120)
    points: int | None = said("how many points it reads; null where it does not say", 1000)
    points_at_fault: int | None = said("of them without a usable answer now", 12)
    units: int | None = said("how many units its connections ask", 40)
    units_silent: int | None = said("of them asked less often because they do not answer", 2)
    faults: list[str] = said(
        "the commonest faults of its points, each with the first point",
        ["DB-0107/energy_import: exception 02 (12)"],
    )
    silent: list[str] = said("the first of the units that do not answer", ["line-2/7"])
    holes: int | None = said("stretches that devices were found not to have, and are asked for rarely", 3)
    page: str | None = said(
        "its own page, where it said that others can open one", "https://192.168.10.7:8780/"
    )
    clones: list[Clone] = said("what speaks for a second box with this id, newest first")
    kept: Any = unsaid()
    """A sequence of Held; the document would describe that too."""
    connections: dict[str, Any] = unsaid()
    live: dict[str, Any] = unsaid()
    """What it said of itself last."""


def strangers(connection: Connection) -> Sequence[str]:
    """Gateways that send, and wait for their registration."""
    waiting = select(quarantine.c.gateway).where(quarantine.c.gateway.not_in(select(gateway.c.id))).distinct()
    return connection.execute(waiting.order_by(quarantine.c.gateway)).scalars().all()


def known_gateways(connection: Connection, now: datetime, enterprise: str | None = None) -> list[Gateway]:
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
    pictures = {number: lives.picture(row.body) for number, row in heard.items()}
    given_up = {row.name: row.value for row in connection.execute(select(counter))}
    held_by = held(connection, numbers)
    sent = streams.of_gateways(connection, list(rows), pictures, to_ms(now))
    links = lives.items(connection, "connections", numbers)
    found = []
    for number in numbers:
        row, word, picture = rows.get(number), heard.get(number), pictures.get(number, {})
        times = [word.heard_at if word else None, row.stored if row else None]
        kept, of_it = held_by.get(number, []), sent.get(number, Sent([], []))
        found.append(
            Gateway(
                number,
                row.enterprise if row else None,
                row.site if row else None,
                word is not None and lives.online(word.heard_at, word.interval_ms, word.offline, to_ms(now)),
                row.turned if row else None,
                max((at for at in times if at is not None), default=None),
                of_it.streams,
                sum(one.frames for one in kept),
                f"{kept[0].reason}: {kept[0].detail}" if kept else None,
                {one.reason: one.frames for one in kept},
                given_up.get(dropped_name(number), 0),
                picture.get("clock_off_ms"),
                *lives.of_points(picture),
                _page(picture),
                of_it.clones,
                kept,
                links.get(number, {}),
                picture,
            )
        )
    return found


def _page(picture: dict[str, Any]) -> str | None:
    """Where it says its page is: an address to link to, and nothing else that a stranger may have sent."""
    told = picture.get("page")
    return told if isinstance(told, str) and _PAGE.fullmatch(told) else None
