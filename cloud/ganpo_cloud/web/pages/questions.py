"""What the province must ask about, alarms first; and how far its numbers can be trusted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, func, select

from ganpo_cloud.inlet import lives
from ganpo_cloud.inlet.gateways import strangers
from ganpo_cloud.province import balances, banned, lists, publishing, ranking
from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.store.counted_tables import ALL, ledger, register_day
from ganpo_cloud.store.tables import gateway, live, quarantine
from ganpo_cloud.web import marked
from ganpo_cloud.web.pages.figures import Figure, Figures
from ganpo_cloud.web.pages.rendering import Rendering
from ganpo_model.clock import to_ms

LONG_OFFLINE = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Question:
    """One line. `level`: alarm (act now) or warn (look); `kind`: what is the matter, worded by the template; `who`: a
    place, or how many; `of`: the numbers of what; `names`: which, the first of them; `since`: ms, the first of all."""

    level: str
    kind: str
    who: str | Figure
    href: str
    of: tuple[Figure, ...] = ()
    names: tuple[str, ...] = ()
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits, or is silent, of the scope now. `gone`: gateways that said nothing for 72 hours. For the whole alone:
    `registers`, `frames`: with something open, in quarantine; `strangers`: gateways that send, in no registry."""

    gateways: Figure
    online: Figure
    offline: Figure
    gone: Figure
    registers: Figure | None = None
    frames: Figure | None = None
    strangers: Sequence[str] = ()


def waiting(connection: Connection, rendering: Rendering, n: Figures) -> Waiting | None:
    """Counted anew; None beside a past day: nobody kept what waited then."""
    if rendering.scope.past is not None:
        return None
    codes = lists.codes(rendering.province, marked.wanted(connection, rendering.scope))
    heard = select(live.c.heard_at, live.c.interval_ms, live.c.offline).select_from(
        gateway.outerjoin(live, live.c.gateway == gateway.c.id)
    )
    here = codes.where(ledger.c.enterprise == gateway.c.enterprise, ledger.c.asset_no == "")
    rows = connection.execute(heard.where(here.exists())).all()
    now = to_ms(rendering.now)
    online = sum(
        row.heard_at is not None and lives.online(row.heard_at, row.interval_ms, row.offline, now)
        for row in rows
    )
    limit = to_ms(rendering.now - LONG_OFFLINE)
    gone = sum(row.heard_at is not None and row.heard_at < limit for row in rows)

    found = (
        n.count("gateways", len(rows)),
        n.count("gateways_online", online),
        n.count("gateways_offline", len(rows) - online),
        n.count("gateways_gone", gone),
    )
    scope = rendering.scope
    if scope.area != rendering.province.whole or scope.industry is not None or scope.tag is not None:
        return Waiting(*found)
    waits = (register_day.c.open > 0) | register_day.c.aside_since.is_not(None)
    registers = select(func.count(func.distinct(register_day.c.register))).where(waits)
    frames = select(func.count()).select_from(quarantine)
    return Waiting(
        *found,
        n.count("registers_open", connection.execute(registers).scalar_one()),
        n.count("frames_quarantined", connection.execute(frames).scalar_one()),
        strangers(connection),
    )


def running(connection: Connection, rendering: Rendering, n: Figures) -> list[Question]:
    """What is banned and runs, or ran and nobody has answered it: who, since when, and the list."""
    query = banned.devices(rendering.province, marked.wanted(connection, rendering.scope), "open")
    if not (rows := connection.execute(query).all()):
        return []
    names = tuple(f"{row.firm or row.enterprise} {row.asset_no}" for row in rows[:2])
    who = n.count("banned_alarms", len(rows))
    where, since = rendering.href(banned.PAGE, alarm="open"), min(row.opened_at for row in rows)
    return [Question("alarm", "banned", who, where, names=names, since=since)]


def questions(
    rendering: Rendering,
    n: Figures,
    parts: Sequence[Indicator],
    waits: Waiting | None,
    late: int,
    silent: int | None,
) -> list[Question]:
    """Each with who, what, how much, and where to look; alarms first. `late`: declared carriers not covered; `silent`:
    enterprises."""
    found = [*_now(rendering, n, waits)] if waits else []
    if silent:
        number = n.count("enterprises_silent", silent)
        found.append(Question("warn", "silent", number, rendering.href("/silent")))
    found += _of_day(rendering, n, parts, late)
    return sorted(found, key=lambda question: question.level)


def _now(rendering: Rendering, n: Figures, waits: Waiting) -> Iterable[Question]:
    if waits.frames is not None and waits.frames.number:
        yield Question("alarm", "quarantine", waits.frames, rendering.href("/gateways"))
    if waits.strangers:
        number = n.count("strangers", len(waits.strangers))
        yield Question("warn", "strangers", number, rendering.href("/gateways"))
    offline, gateways = waits.offline.number or 0, waits.gateways.number or 0
    if 2 * offline >= gateways > 0 or waits.gone.number:
        of = (waits.gateways, waits.gone)
        yield Question("alarm", "offline", waits.offline, rendering.href("/gateways"), of)


def _of_day(rendering: Rendering, n: Figures, parts: Sequence[Indicator], late: int) -> Iterable[Question]:
    for nc in parts:
        if ranking.falling(nc):
            yield _of_part(rendering, nc, "falling", n.reckoned(nc, "6-months"))
    for nc in parts:
        if ranking.partial(nc) and nc.denominator:
            yield _of_part(rendering, nc, "partial", *n.behind(nc))
    if late:
        yield Question("warn", "late", n.count("carriers_late", late), rendering.href("/energy"))


def _of_part(rendering: Rendering, nc: Indicator, kind: str, *of: Figure) -> Question:
    where = rendering.href("/overview", area=nc.area)
    return Question("warn", kind, rendering.area(nc.area), where, of)


def late(connection: Connection, rendering: Rendering) -> int:
    """Declared carriers of the month before that are not covered."""
    scope, month = rendering.scope, publishing.month_before(rendering.day)
    here, these = {(scope.area, scope.industry or ALL)}, marked.only(connection, scope)
    rows = balances.of_places(connection, rendering.province, here, (month, month), these, rendering.day)
    return sum(row.declared - row.covered for row in rows)
