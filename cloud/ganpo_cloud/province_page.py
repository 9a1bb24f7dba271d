"""The province's page: where it stands against the plan, area by area and industry by industry, down to the devices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from ganpo_cloud import i18n
from ganpo_cloud.database import Database
from ganpo_cloud.divisions import Province
from ganpo_cloud.ledger import Device, Ledger, ledger
from ganpo_cloud.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.overview import Indicator, by_area, overview
from ganpo_cloud.sentences import lead
from ganpo_model.clock import Clock, to_ms
from ganpo_model.coverage import Count, Evidence, connected, flagged, percent

Item = dict[str, Any]
STATUS = {
    "in_use": "in use",
    "idle": "idle",
    "under_repair": "under repair",
    "sealed": "sealed",
    "not_commissioned": "not commissioned",
    "leased_out": "leased out",
    "retired": "retired",
}
FLAGS = {
    "main": "main equipment",
    "numerical_control": "numerical control",
    "digital": "digital",
    "intelligent": "intelligent",
}
LEVELS = {
    Evidence.CLAIMED: "claimed",
    Evidence.DOCUMENT: "checked by a person",
    Evidence.CONTROLLER: "proven by the machine",
}


def router(
    database: Database, clock: Clock, province: Province, environment: Environment, *, demo: bool
) -> APIRouter:
    """The route `/province`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/province", response_class=HTMLResponse)
    def show(
        request: Request,
        lang: Annotated[str | None, Query(max_length=10)] = None,
        area: Annotated[str | None, Query(max_length=40)] = None,
        industry: Annotated[str | None, Query(max_length=40)] = None,
        devices: Annotated[bool, Query()] = False,
    ) -> HTMLResponse:
        chosen = i18n.choose(lang, request.headers.get("accept-language", ""))
        asked = Asked(chosen, area or province.whole, industry or None, devices)
        view = _View(asked, province, clock.utc(), demo=demo)
        if not view.exists():
            asked = Asked(chosen, province.whole, None, devices=False)
            view = _View(asked, province, clock.utc(), demo=demo)
        try:
            with database.read() as connection:
                model = view.model(connection)
        except DatabaseError as error:
            model = view.frame() | {"error": str(getattr(error, "orig", error))}
        page = environment.get_template("province.html").render(model)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    return pages


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    lang: str
    area: str
    industry: str | None
    devices: bool


class _View:
    """One rendering, in one language, as of one instant."""

    def __init__(self, asked: Asked, province: Province, now: datetime, *, demo: bool) -> None:
        self._asked, self._province, self._now, self._demo = asked, province, now, demo
        self._t = i18n.translator(asked.lang)
        self._day = day_of(to_ms(now), DEFAULT_ZONE)

    def exists(self) -> bool:
        """Whether there is such an area and such an industry now."""
        asked = self._asked
        there = self._province.area(asked.area, self._day) is not None
        return there and (asked.industry is None or asked.industry in self._province.industries)

    def frame(self) -> Item:
        """What the page shows without any number."""
        asked = self._asked
        above = list(reversed(self._province.above(asked.area)[1:]))
        return {
            "t": self._t,
            "lang": asked.lang,
            "demo": self._demo,
            "here": "province",
            "keep": "".join(f"&{quote(name)}={quote(value)}" for name, value in self._kept().items()),
            "place": self._name(asked.area),
            "path": [{"name": self._name(area), "href": self._href(area=area)} for area in above],
            "industry": self._industry(asked.industry) if asked.industry is not None else "",
            "all_industries": self._href(industry=None),
            "as_of": i18n.instant(self._now.astimezone(ZoneInfo(DEFAULT_ZONE)), asked.lang),
            "zone": DEFAULT_ZONE,
            "error": "",
        }

    def model(self, connection: Connection) -> Item:
        """Everything."""
        found, asked = ledger(connection, self._now), self._asked
        indicators = overview(connection, found, self._province, asked.area, asked.industry)
        target = indicators[0].target
        goal = target.value if target is not None else None
        parts = self._parts(found, goal)
        mine = list(found.within(self._province, asked.area, asked.industry))
        at_the_end = not parts or asked.devices
        return self.frame() | {
            "lead": lead(indicators[0], self._day, self._t),
            "behind": self._behind(indicators[0]),
            "indicators": [self._indicator(item) for item in indicators],
            "parts": parts,
            "parts_title": self._t("Cities") if asked.area == self._province.whole else self._t("Counties"),
            "reconciled": self._reconciled(parts, indicators[0].count),
            "industries": [] if asked.industry is not None else self._industries(found, goal),
            "devices": [self._device(device, found) for device in mine] if at_the_end else None,
            "devices_href": self._href(devices="1"),
        }

    def _parts(self, found: Ledger, goal: str | None) -> list[Item]:
        asked = self._asked
        parts = by_area(found, self._province, asked.area, asked.industry)
        rows = [
            self._row(self._name(area), devices, goal) | {"href": self._href(area=area), "area": area}
            for area, devices in parts.items()
            if area is not None
        ]
        rows.sort(key=lambda row: (-row["order"], row["area"]))
        for rank, row in enumerate(rows, start=1):
            row["rank"] = rank if row["order"] >= 0 else "—"
        if parts.get(None):
            lost = self._row(self._t("place unknown"), parts[None], goal)
            rows.append(lost | {"href": "", "rank": "—"})
        return rows

    def _industries(self, found: Ledger, goal: str | None) -> list[Item]:
        rows = []
        for industry in self._province.industries:
            devices = [d for d in found.within(self._province, self._asked.area, industry) if d.counts]
            row = self._row(self._industry(industry), devices, goal)
            rows.append(row | {"href": self._href(industry=industry)})
        return rows

    def _row(self, word: str, devices: Sequence[Device], goal: str | None) -> Item:
        units = [device.unit for device in devices]
        count, cloud = flagged(units, "numerical_control", "main"), connected(units, cloud=True)
        return self._bar(word, count, goal) | {
            "declared": _rate(count.declared, count),
            "proven": _rate(count.proven, count),
            "counts": f"{count.denominator:,}",
            "cloud": f"{cloud.proven:,} / {cloud.denominator:,}",
            "order": count.checked / count.denominator if count.denominator else -1,
        }

    def _bar(self, word: str, count: Count, goal: str | None) -> Item:
        return {
            "word": word,
            "told": _rate(count.checked, count),
            "x": percent(count.checked, count.denominator) if count.denominator else "",
            "declared_x": percent(count.declared, count.denominator) if count.denominator else "",
            "target_x": goal or "",
        }

    def _indicator(self, item: Indicator) -> Item:
        count, target = item.count, item.target
        rate = item.definition.rate
        word = self._t(item.definition.word)
        goal = target.value if target is not None else None

        def told(number: int) -> str:
            return f"{_rate(number, count)} ({number:,} / {count.denominator:,})" if rate else f"{number:,}"

        return self._bar(word, count, goal if rate else None) | {
            "rate": rate,
            "value": _rate(count.checked, count) if rate else f"{count.checked:,}",
            "checked": told(count.checked),
            "declared": told(count.declared),
            "proven": told(count.proven),
            "definition": item.definition.text,
            "badge": self._badge(item),
            "late": item.status == "below",
            "target": self._target(item),
        }

    def _badge(self, item: Indicator) -> str:
        t = self._t
        words = {
            "reached": t("reached"),
            "below": t("below the target"),
            "no_number": t("no number in the plan"),
            "no_target": t("no target"),
            "no_data": t("nothing registered"),
        }
        return words[item.status]

    def _target(self, item: Indicator) -> str:
        target = item.target
        if target is None:
            return ""
        what = self._t("no number in the plan")
        if target.value is not None:
            what = f"{target.comparator} {target.value}{'%' if item.definition.rate else ''}"
        return f"{what} · {target.deadline.isoformat()}"

    def _behind(self, item: Indicator) -> str:
        if item.of is None:
            text = self._t(
                "{m} enterprises have main equipment in the ledger; how many there are nobody said."
            )
            return text.format(m=f"{item.with_data:,}")
        text = self._t("{m} of {n} enterprises have main equipment in the ledger.")
        return text.format(m=f"{item.with_data:,}", n=f"{item.of:,}")

    def _reconciled(self, parts: Sequence[Item], count: Count) -> str:
        if not parts:
            return ""
        told = " + ".join(part["counts"] for part in parts if part["counts"] != "0") or "0"
        return self._t("main equipment: {parts} = {whole}").format(parts=told, whole=f"{count.denominator:,}")

    def _device(self, device: Device, found: Ledger) -> Item:
        about = found.enterprises.get(device.enterprise)
        return {
            "asset_no": device.asset_no,
            "name": device.name,
            "enterprise": about["name"] if about is not None else device.enterprise,
            "status": self._t(STATUS.get(device.status, device.status)),
            "counts": device.counts,
            "flags": [
                f"{self._t(FLAGS.get(flag, flag))}: {self._t(LEVELS[level])}"
                for flag, level in sorted(device.unit.flags.items())
            ],
            "networked": device.unit.networked,
            "cloud": device.unit.cloud,
        }

    def _name(self, area: str) -> str:
        found = self._province.area(area, self._day) or self._province.areas[area][-1]
        return found.name_zh if self._asked.lang == "zh" else found.name_en

    def _industry(self, number: str) -> str:
        found = self._province.industries[number]
        return found.name_zh if self._asked.lang == "zh" else found.name_en

    def _kept(self, **changes: str | None) -> dict[str, str]:
        """What the address says beside the language, with something changed; what is at its default is left out."""
        asked = self._asked
        at: dict[str, str | None] = {"area": asked.area, "industry": asked.industry} | changes
        if at["area"] == self._province.whole:
            at["area"] = None
        return {name: value for name, value in at.items() if value is not None}

    def _href(self, **changes: str | None) -> str:
        """The address of this page with something changed."""
        return "/province?" + urlencode({"lang": self._asked.lang} | self._kept(**changes))


def _rate(number: int, count: Count) -> str:
    return f"{percent(number, count.denominator)}%" if count.denominator else "—"
