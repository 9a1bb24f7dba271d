"""The parts of a place side by side: tile grid and ranked table of areas, dot rows of industries (ui.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.store.counted_tables import ALL, NOWHERE
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.frame import Frame, Item
from ganpo_cloud.web.pages.words import BADGES

PARTIAL = Fraction(3, 10)
"""Below so much of its enterprises in the ledger a place is not ranked."""
_STEPS = (60, 55, 50, 45)


@dataclass(frozen=True, slots=True)
class Part:
    """One area or industry with its numbers."""

    number: str
    items: Mapping[str, Indicator]
    row: Item

    @property
    def partial(self) -> bool:
        """So little of it is known that its rate says nothing."""
        nc = self.items["nc_rate_main"]
        return bool(nc.of) and nc.behind is not None and nc.behind < PARTIAL * (nc.of or 0)


def areas(frame: Frame, found: Indicators, parent: str) -> Item:
    """The areas of a place: ranked, with the line that reconciles them."""
    industry = frame.scope.industry
    numbers_of = frame.parts(parent)
    every = found.all([parent, *numbers_of, NOWHERE], [industry])
    parts = [_part(frame, n, every[n, industry or ALL]) for n in numbers_of]
    ranked = sorted((p for p in parts if _ranked(p)), key=_order)
    rest = [p for p in parts if not _ranked(p)]
    rows = []
    for rank, part in enumerate(ranked, start=1):
        rows.append(part.row | {"rank": str(rank)})
    rows += [part.row | {"rank": numbers.NONE} for part in rest]
    lost = _part(frame, NOWHERE, every[NOWHERE, industry or ALL])
    if parent == frame.province.whole and lost.items["nc_rate_main"].denominator:
        rows.append(lost.row | {"rank": numbers.NONE, "href": ""})
    total = _part(frame, parent, every[parent, industry or ALL])
    return {
        "rows": rows,
        "total": total.row,
        "tiles": _tiles(frame, [*ranked, *rest]) if parent == frame.province.whole else [],
        "title": _title(frame, parts),
        "reconciled": _reconciled(frame, parts, lost, total),
        "xlsx": frame.api("indicators/nc_rate_main", by="area", format="xlsx"),
    }


def industries(frame: Frame, found: Indicators) -> Item:
    """The industries of a place, best first."""
    area = frame.scope.area
    every = found.all([area], [None, *frame.province.industries])
    parts = [_part(frame, n, every[area, n], industry=True) for n in frame.province.industries]
    parts.sort(key=_order)
    rows = [part.row | {"rank": str(rank)} for rank, part in enumerate(parts, start=1)]
    total = _part(frame, ALL, every[area, ALL], industry=True)
    reached = [p.row["word"] for p in parts if p.items["nc_rate_main"].status == "reached"]
    return {
        "rows": rows,
        "total": total.row | {"word": frame.t("all industries"), "href": ""},
        "goal_x": next((row["goal_x"] for row in [total.row, *rows] if row["goal_x"]), ""),
        "title": _reached(frame, reached),
        "xlsx": frame.api("indicators/nc_rate_main", by="industry", format="xlsx"),
    }


def _part(frame: Frame, number: str, items: Sequence[Indicator], *, industry: bool = False) -> Part:
    by_id = {item.definition.id: item for item in items}
    nc, cloud = by_id["nc_rate_main"], by_id["enterprise_onboarded"]
    change = nc.change
    word = frame.industry(number) if industry else frame.area(number)
    href = frame.href("/overview", industry=number) if industry else frame.href("/overview", area=number)
    row: Item = {
        "id": number,
        "word": word,
        "href": href,
        "checked": numbers.rate(nc.checked, nc.denominator, nc.goal),
        "declared": numbers.rate(nc.declared, nc.denominator, nc.goal),
        "proven": numbers.rate(nc.proven, nc.denominator, nc.goal),
        "x": numbers.share(nc.checked, nc.denominator),
        "declared_x": numbers.share(nc.declared, nc.denominator),
        "proven_x": numbers.share(nc.proven, nc.denominator),
        "goal_x": (nc.target.value if nc.target is not None else None) or "",
        "change": numbers.points(change),
        "falling": change is not None and numbers.points(change).startswith("−"),
        "arrow": _arrow(change),
        "reach": _reach(frame, nc),
        "behind": f"{nc.behind:,} / {nc.of:,}" if nc.of is not None else numbers.count(nc.behind),
        "known_x": numbers.share(nc.behind, nc.of) if nc.of else "",
        "main": nc.denominator or 0,
        "onboarded": numbers.count(cloud.checked),
        "availability": numbers.rate(by_id["availability"].checked, by_id["availability"].denominator),
        "energy": _quantity(by_id["comprehensive_energy"], frame.lang),
        "water": _quantity(by_id["water"], frame.lang),
    }
    return Part(number, by_id, row)


def _reach(frame: Frame, nc: Indicator) -> Item:
    """The month in which the target is reached at this pace, or why there is none."""
    if nc.verdict in ("no_target", "no_number", "no_data"):
        return {"word": numbers.NONE, "warn": False}
    if nc.pace is not None and nc.verdict in ("in_time", "late"):
        return {"word": nc.pace.month, "warn": nc.verdict == "late"}
    mark = "✓ " if nc.verdict == "reached" else ""
    return {"word": mark + frame.t(BADGES[nc.verdict]), "warn": nc.verdict in ("still", "falling")}


def _quantity(item: Indicator, lang: str) -> str:
    return numbers.quantity(None if item.checked is None else Fraction(item.checked, 10**6), lang)


def _ranked(part: Part) -> bool:
    return bool(part.items["nc_rate_main"].denominator) and not part.partial


def _order(part: Part) -> tuple[bool, Fraction, str]:
    value = part.items["nc_rate_main"].value
    return (value is None, -(value or Fraction(0)), part.number)


def _tiles(frame: Frame, parts: Sequence[Part]) -> list[Item]:
    found = []
    for part in parts:
        if part.number not in frame.province.tiles:
            continue
        column, line = frame.province.tiles[part.number]
        value = part.items["nc_rate_main"].value
        step = 0 if value is None else sum(value >= limit for limit in _STEPS) + 1
        known = value is not None and not part.partial
        found.append(
            part.row
            | {
                "column": column,
                "line": line,
                "step": step if known else 0,
                "told": part.row["checked"] if known else frame.t("partial"),
                "select": frame.href(selected=part.number),
                "selected": dict(frame.scope.more).get("selected") == part.number,
            }
        )
    return found


def _title(frame: Frame, parts: Sequence[Part]) -> str:
    reached = sum(p.items["nc_rate_main"].status == "reached" for p in parts if _ranked(p))
    blind = [p.row["word"] for p in parts if not _ranked(p)]
    text = frame.t("{n} of {all} have reached the target").format(n=reached, all=len(parts))
    if blind:
        names = "、".join(blind) if frame.lang == "zh" else ", ".join(blind)
        text += frame.t("; not comparable: {names}").format(names=names)
    return text


def _reconciled(frame: Frame, parts: Sequence[Part], lost: Part, total: Part) -> str:
    """The parts and what belongs to none of them come to the whole."""
    told = [part.row["main"] for part in parts if part.row["main"]]
    nowhere = lost.row["main"] if total.number == frame.province.whole else 0
    text = frame.t("main equipment: {parts} + place unknown {lost} = {whole}")
    shown = f"{sum(told):,}"
    return text.format(parts=shown, lost=f"{nowhere:,}", whole=f"{total.row['main']:,}")


def _arrow(change: Fraction | None) -> str:
    if change is None:
        return ""
    least = Fraction(1, 20)
    return "▼" if change < -least else "▲" if change > least else "▬"


def _reached(frame: Frame, names: Sequence[str]) -> str:
    if not names:
        return frame.t("Industries by CNC coverage")
    told = "、".join(names) if frame.lang == "zh" else ", ".join(names)
    return frame.t("Reached by: {names}").format(names=told)
