"""What the province must ask about, alarms first; and how far its numbers can be trusted."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, func, select

from ganpo_cloud.inlet import lives
from ganpo_cloud.province import lists, publishing
from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.store.counted_tables import ALL, area_carrier
from ganpo_cloud.store.tables import gateway, live, quarantine, register_day
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.frame import Frame, Item
from ganpo_model.clock import to_ms

LONG_OFFLINE = timedelta(hours=72)


def needs(connection: Connection, frame: Frame, parts: Sequence[Item]) -> list[Item]:
    """Each with who, what, how much, and where to look; alarms first."""
    t, found = frame.t, []
    for part in parts:
        if part["falling"]:
            text = t("CNC coverage fell by {points} points in six months")
            points = part["change"].removeprefix("−")
            found.append(_line("warn", part["word"], text.format(points=points), part["href"]))
    blind = [part for part in parts if part["rank"] == numbers.NONE and part["main"] and part["href"]]
    for part in blind:
        text = t("{m} enterprises in the ledger: not comparable")
        found.append(_line("warn", part["word"], text.format(m=part["behind"]), part["href"]))
    gone = _offline(connection, frame)
    if gone:
        text = t("offline for more than 72 hours")
        who = t("{n} gateways").format(n=gone)
        found.insert(0, _line("alarm", who, text, frame.href("/equipment", measure="silent")))
    if late := _late(connection, frame):
        text = t("declared carriers are not covered for {month}")
        month = numbers.month(publishing.month_before(frame.day), frame.lang)
        who = t("{n} reports").format(n=late)
        found.append(_line("warn", who, text.format(month=month), frame.href("/energy")))
    if frame.scope.area == frame.province.whole:
        waiting = connection.execute(select(func.count()).select_from(quarantine)).scalar_one()
        if waiting:
            who = t("{n} frames").format(n=f"{waiting:,}")
            found.insert(0, _line("alarm", who, t("are in quarantine"), frame.href("/")))
    return found


def trust(connection: Connection, frame: Frame, items: Sequence[Indicator]) -> list[Item]:
    """How much is known, and what waits."""
    t = frame.t
    by_id = {item.definition.id: item for item in items}
    nc, whole, energy = by_id["nc_rate_main"], by_id["completeness"], by_id["comprehensive_energy"]
    known = numbers.rate(nc.behind, nc.of)
    covered, declared = energy.completeness or (0, 0)
    found = [
        _cell(t("enterprises in the ledger"), known, f"{numbers.count(nc.behind)} / {numbers.count(nc.of)}"),
        _cell(
            t("known of planned time"),
            numbers.rate(whole.checked, whole.denominator),
            numbers.month(whole.period, frame.lang) if whole.period else "",
        ),
        _cell(t("declared carriers covered"), numbers.rate(covered, declared), f"{covered:,} / {declared:,}"),
    ]
    if frame.scope.area == frame.province.whole:
        online, all_of = _online(connection, frame)
        waits = (register_day.c.open > 0) | register_day.c.aside_since.is_not(None)
        open_of = connection.execute(
            select(func.count(func.distinct(register_day.c.register))).where(waits)
        ).scalar_one()
        waiting = connection.execute(select(func.count()).select_from(quarantine)).scalar_one()
        found += [
            _cell(t("gateways online"), numbers.count(online), t("of {n}").format(n=f"{all_of:,}")),
            _cell(t("registers with something open"), numbers.count(open_of), ""),
            _cell(t("frames in quarantine"), numbers.count(waiting), ""),
        ]
    return found


def _line(level: str, who: str, what: str, href: str) -> Item:
    return {"level": level, "who": who, "what": what, "href": href}


def _cell(word: str, value: str, sub: str) -> Item:
    return {"word": word, "value": value, "sub": sub}


def _offline(connection: Connection, frame: Frame) -> int:
    """Gateways of the place that said nothing for so long."""
    mine = select(gateway.c.id, live.c.heard_at).outerjoin(live, live.c.gateway == gateway.c.id)
    codes = lists.codes(frame.province, lists.Filter(frame.scope.area, frame.scope.industry, frame.day))
    rows = connection.execute(mine.where(gateway.c.enterprise.in_(codes))).all()
    limit = to_ms(frame.now - LONG_OFFLINE)
    return sum(row.heard_at is not None and row.heard_at < limit for row in rows)


def _online(connection: Connection, frame: Frame) -> tuple[int, int]:
    rows = connection.execute(select(live)).all()
    now = to_ms(frame.now)
    online = sum(lives.online(row.heard_at, row.interval_ms, row.offline, now) for row in rows)
    return online, int(connection.execute(select(func.count()).select_from(gateway)).scalar_one())


def _late(connection: Connection, frame: Frame) -> int:
    """Declared carriers of the month before that are not covered."""
    month = publishing.month_before(frame.day)
    mine = (area_carrier.c.area == frame.scope.area) & (
        area_carrier.c.industry == (frame.scope.industry or ALL)
    )
    query = select(func.sum(area_carrier.c.declared - area_carrier.c.covered)).where(
        mine & (area_carrier.c.month == month)
    )
    return int(connection.execute(query).scalar() or 0)
