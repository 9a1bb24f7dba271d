"""Front-runners and capacity use: each product by itself, and who is left out."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from ganpo_cloud.province.front_runners import PER_UNIT, Group
from ganpo_cloud.store.counted_tables import ALL
from ganpo_cloud.store.described import Ratio
from ganpo_cloud.web.answers import front_runners as answers
from ganpo_cloud.web.answers.front_runners import CapacityUse, Leading, Names
from ganpo_cloud.web.asking import Placed
from ganpo_cloud.web.pages.figures import Figure, Figures
from ganpo_cloud.web.pages.numbers import millionths
from ganpo_cloud.web.pages.rendering import Item, Rendering

MOST = 100
"""Enterprises of a product, or left out for one reason, on the page; the files have all."""


def front_runners(connection: Connection, rendering: Rendering, asked: Leading) -> Item:
    """Who leads at a place. `left_out`: by reason, the commonest first."""
    scope = rendering.scope
    found = answers.found(connection, scope, asked)
    named = answers.products(connection)
    n = Figures(rendering.day, scope.area, scope.industry or ALL)
    reasons = Counter(firm.reason for firm in found.left_out)
    months = answers.months(connection, scope, asked)
    asks = {"medium": asked.medium, "from": asked.first, "to": asked.last, "scale": asked.scale}
    more = {name: value for name, value in asks.items() if value}
    return {
        "n": n,
        "most": MOST,
        "asked": asked,
        "months": months,
        "groups": [_group(n, named, asked.medium, months, group) for group in found.groups],
        "left_out": [
            (
                reason,
                n.count(f"left_out:{asked.medium}:{reason}", number, time=_span(months)),
                _firms(found, reason),
            )
            for reason, number in reasons.most_common()
        ],
        "names": {
            product: _name(named, product, rendering.lang) for product in {f.product for f in found.left_out}
        },
        "xlsx": rendering.api("front-runners", **more, format="xlsx"),
        "csv": rendering.api("front-runners", **more, format="csv"),
    }


def _firms(found: Any, reason: Any) -> list[Any]:
    return [firm for firm in found.left_out if firm.reason == reason]


def _span(months: list[str]) -> str:
    return f"{months[0]}/{months[-1]}"


def _name(named: Mapping[str, Names], product: str, lang: str) -> str:
    of = named.get(product, answers.NAMELESS)
    return (of.product_zh if lang == "zh" else of.product_en) or product


def _group(n: Figures, named: Mapping[str, Names], medium: Any, months: list[str], group: Group) -> Item:
    """One table: its quartiles and its enterprises, each number with its mark."""
    name, time, per = f"{medium}:{group.product}:{group.kind}", _span(months), PER_UNIT[medium]
    return {
        "product": group.product,
        "names": named.get(group.product, answers.NAMELESS),
        "kind": group.kind,
        "quartiles": [
            n.count(f"{name}:quartile-{at}", value * per, "specific", time=time)
            for at, value in enumerate(group.ranking.quartiles or (), start=1)
        ],
        "gap": n.count(f"{name}:gap", group.ranking.gap, "quantity", time=time),
        "rows": [
            {
                "firm": place.of.who,
                "rank": place.rank,
                "quarter": place.quarter,
                "specific": n.count(
                    f"{name}:specific", place.of.specific * per, "specific", **_own(place, time)
                ),
                "taken": n.count(f"{name}:taken", place.of.taken, "quantity", **_own(place, time)),
                "output": n.count(
                    f"{group.product}:output", place.of.output, "quantity", **_own(place, time)
                ),
                "gap": n.count(f"{name}:gap", place.gap, "quantity", **_own(place, time)),
            }
            for place in group.ranking.places[:MOST]
        ],
        "more": max(len(group.ranking.places) - MOST, 0),
    }


def _own(place: Any, time: str) -> Mapping[str, str]:
    return {"area": place.of.who.enterprise, "industry": ALL, "time": time}


def capacity_use(connection: Connection, rendering: Rendering, asked: Placed) -> Item:
    """By product what enterprises made of what they are designed for."""
    scope = rendering.scope
    n = Figures(rendering.day, scope.area, scope.industry or ALL)
    products: dict[str, list[CapacityUse]] = {}
    for row in answers.capacity_use(connection, scope, asked):
        products.setdefault(row.product, []).append(row)
    return {
        "n": n,
        "groups": [_product(n, rows) for rows in products.values()],
        "xlsx": rendering.api("capacity-use", format="xlsx"),
        "csv": rendering.api("capacity-use", format="csv"),
    }


def _product(n: Figures, rows: list[CapacityUse]) -> Item:
    """One product: its enterprises, the least used first, and their sum."""
    name, year = f"capacity_use:{rows[0].product}", f"{rows[0].year}"

    def figures(of: Any, **where: str) -> Item:
        used = sum(row.use.numerator or 0 for row in of)
        able = sum(row.use.denominator or 0 for row in of)
        return {
            "use": n.count(name, used, "rate", among=able, time=year, **where),
            "output": n.count(f"{name}:output", millionths(used), "quantity", time=year, **where),
            "capacity": n.count(f"{name}:capacity", millionths(able), "quantity", time=year, **where),
        }

    every: list[Item] = [
        {"of": row, "machines": _machines(n, row)} | figures([row], area=row.enterprise, industry=ALL)
        for row in rows
    ]
    ordered = sorted(every, key=lambda row: row["use"].value)
    return {
        "names": rows[0],
        "rows": ordered[:MOST],
        "more": max(len(rows) - MOST, 0),
        "whole": figures(rows),
    }


def _machines(n: Figures, row: CapacityUse) -> Figure:
    of = row.equipment_use or Ratio(None, None)
    where = {"area": row.enterprise, "industry": ALL, "time": f"{row.year}"}
    return n.count("availability:last-month", of.numerator, "rate", among=of.denominator, **where)
