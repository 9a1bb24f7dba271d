"""What nobody measured is never a figure: every page and every list over a collector that is empty, over one whose
meters are silent, and over one whose readings are all rejected."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import select

from ganpo_cloud.imports import registry
from ganpo_cloud.province import divisions
from ganpo_cloud.store.tables import quarantine
from ganpo_cloud.web.application import create_app
from ganpo_model.facts import CalendarItem, Fact, Inventory, MeterItem, Reading, RegisterItem, SiteItem
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, Plant, enterprise
from support.serving import Served

GATEWAY = "gw-press-0001"
FIRST = NOW - timedelta(days=2)
FILLED = {
    "enterprise": CODES[0],
    "asset_no": "DB-1",
    "number": "comprehensive_energy",
    "month": "2026-10",
    "id": "green_factory",
}
SECTION = re.compile("|".join({re.escape(aim.section) for aim in divisions.load(None).plan}))
"""Of the plan, where a row of it stands."""
POINTS = re.compile(r"0\.0( not)?")
"""What is not assessed is worth nothing, by rule, and says so."""
FIGURE = re.compile(
    r"(?<![:\d,.])(?:[\d,]*\d\.\d+(?:\s?(?:万|亿|thousand|million))?(?:\s?%|\s?[a-zA-Z³]+)?|\d[\d,]*\s?(?:kWh|m³|tce|GJ)\b)"
)
"""A number with decimals (a rate, a quantity), or one with a unit of energy or water. Counts of what is registered are
known, also where they are 0; so are constants and addresses, which stand in `code` and on the page of definitions.
What needs a person tells what was read, and why it is not believed."""
BELIEVED = "10.00 kWh"
"""Where a register stood at the one reading of the rejected ones that is believed."""
QUANTITIES = ("millionths", "tce_millionths")


HIDDEN = ("code", "script", "style", "ul")


class Text(HTMLParser):
    """What a person reads in `main`: words, labels of pictures, and what charts draw; without code and needs."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.drawn: list[Any] = []
        self._inside, self._hidden = False, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self._inside |= tag == "main"
        self._hidden += tag in HIDDEN and (tag != "ul" or of.get("class") == "needs" or self._hidden > 0)
        if self._inside and of.get("role") == "img":
            self.words.append(of.get("aria-label") or "")
        if of.get("data-chart"):
            self.drawn.append(json.loads(of["data-chart"] or ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "main"
        self._hidden -= tag in HIDDEN and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if self._inside and not self._hidden:
            self.words.append(data)


def register(n: int) -> str:
    return f"DB-{n}/energy_import#1f3a9c0{n}"


def inventory() -> Inventory:
    meters = [MeterItem(f"DB-{n}", f"表{n}", "electricity", "boundary_in", None, None) for n in (1, 2)]
    registers = [
        RegisterItem(
            register(n), f"DB-{n}", "energy_import", "electricity", "kWh", 1, 100, None, 60_000, resets=False
        )
        for n in (1, 2)
    ]
    site = SiteItem("plant-1", "一车间", "Asia/Shanghai", 900_000)
    return Inventory("inventory", FIRST, site, CalendarItem((), ()), (), tuple(meters), tuple(registers))


def empty(_plant: Plant) -> None:
    """Nobody speaks to it yet."""


def silent(plant: Plant) -> None:
    """Two meters are named, and nothing of them was ever read."""
    plant.take("enterprises", enterprise(CODES[0]))
    registry.add(plant.database, GATEWAY, CODES[0], "plant-1")
    plant.send(GATEWAY, [inventory()])
    plant.settle()


def rejected(plant: Plant) -> None:
    """Of every meter one reading is believed, and all that follow contradict it and one another."""
    silent(plant)
    for n in (1, 2):
        wild = [1_000, *(10**9 * (7 * k % 5 + 1) + k for k in range(60))]
        at = [FIRST + timedelta(minutes=45 * k) for k in range(len(wild))]
        plant.send(
            GATEWAY, [Reading("reading", register(n), t, raw) for t, raw in zip(at, wild, strict=True)]
        )
    plant.settle()


def measured(plant: Plant) -> None:
    """The same with readings as they should be."""
    silent(plant)
    for n in (1, 2):
        readings: list[Fact] = [
            Reading("reading", register(n), FIRST + timedelta(hours=k), 1_000 * k) for k in range(48)
        ]
        plant.send(GATEWAY, readings)
    plant.settle()


def pages(app: FastAPI) -> list[str]:
    """The address of every page, as the application knows them."""
    shown = [route for route in app.routes if isinstance(route, APIRoute) and not route.include_in_schema]
    return [route.path.format(**FILLED) for route in shown]


def lists(app: FastAPI) -> list[str]:
    """The address of every list of the API that needs no parameter."""
    document = app.openapi()
    return [
        path
        for path, operation in document["paths"].items()
        if "{" not in path
        and not any(given.get("required") for given in operation["get"].get("parameters", ()))
    ]


def quantities(value: Any) -> Iterator[Any]:
    """Every quantity of an answer, wherever it stands."""
    if isinstance(value, dict):
        yield from (value[name] for name in QUANTITIES if name in value)
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from quantities(item)


def looked_at(
    folder: Path, fill: Callable[[Plant], None], languages: Sequence[str] = ("en",)
) -> tuple[int, int, int, list[tuple[str, str]]]:
    """How many pages, lists and places for figures were opened; and the figures that stand there."""
    plant = Plant(databases.database(folder))
    fill(plant)
    with plant.database.read() as connection:
        assert connection.execute(select(quarantine)).all() == []
    found: list[tuple[str, str]] = []
    opened = places = answered = 0
    app = create_app(plant.database, TestClock(wall=NOW))
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        for lang in languages:
            for path in pages(app):
                answer = client.get(path, params={"lang": lang})
                assert answer.status_code in (200, 404), path
                assert "1900-01-01" not in answer.text, "since ever is no date"
                opened += 1
                text = Text()
                text.feed(answer.text)
                drawn = [n for chart in text.drawn for one in chart["series"] for n in one["data"]]
                places += sum("—" in word for word in text.words) + len(drawn)
                if path != "/definitions":
                    told = SECTION.sub("", " ".join(" ".join(text.words).split()))
                    found += [(path, figure) for figure in FIGURE.findall(told)]
                    found += [(path, f"drawn {n}") for n in drawn if n]
                    found += [
                        (path, "drawn 0")
                        for chart in text.drawn
                        if not chart["percent"]
                        for one in chart["series"]
                        for n in one["data"]
                        if n == 0 and chart["kind"] == "bar"
                    ]
        for path in lists(app):
            answer = client.get(path)
            assert answer.status_code == 200, path
            answered += 1
            told_by = list(quantities(answer.json()))
            places += len(told_by)
            found += [(path, str(number)) for number in told_by if number is not None]
    plant.database.close()
    return opened, answered, places + len(found), found


@pytest.mark.parametrize(
    "fill",
    [pytest.param(empty, marks=pytest.mark.slow), pytest.param(silent, marks=pytest.mark.slow), rejected],
)
def test_what_nobody_measured_is_no_figure_on_any_page_or_list(
    fill: Callable[[Plant], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened, answered, places, found = looked_at(tmp_path, fill, ("zh", "en") if fill is rejected else ("zh",))
    with capsys.disabled():
        print(f"\n{fill.__name__}: {opened} pages, {answered} lists, {places} places for a figure looked at")
    found = [one for one in found if not (one[0] == "/assessment" and POINTS.fullmatch(one[1]))]
    assert [one for one in found if not (fill is rejected and one[1] == BELIEVED)] == []
    assert opened > 20
    assert answered > 5


def test_what_was_measured_is_found_on_the_same_pages(tmp_path: Path) -> None:
    """The test above would see a figure."""
    _, _, _, found = looked_at(tmp_path, measured)
    assert len({path for path, _ in found}) > 5
