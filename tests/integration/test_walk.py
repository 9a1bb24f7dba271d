"""The walk: every number of every page in both languages against every other place that names the same measure, place
and time: other pages, the lists behind it, API and CSV."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.web.application import create_app
from ganpo_demo.fleet import fleet
from ganpo_demo.seeding import Seeding
from support import databases
from support.plants import TestClock
from support.province import NOW, PROVINCE
from support.serving import Served

TODAY = NOW.date()
CITY, INDUSTRY, DAY, MONTH = "360700", "FOOD", "2026-11-10", "2026-10-31"
CITIES = [area for area, rows in PROVINCE.areas.items() if rows[-1].kind == "city"]
COUNTIES = [area for area in PROVINCE.areas if PROVINCE.above(area)[1:2] == [CITY]]
SPOKEN = [{}, {"area": CITY}, {"industry": INDUSTRY}, {"as_of": DAY}]
"""What is read in both languages."""
PLACES = [*SPOKEN, *({"area": area} for area in (*CITIES, *COUNTIES[:3]) if area != CITY), {"as_of": MONTH}]
PLACES.append({"area": CITY, "industry": INDUSTRY, "as_of": DAY})
"""What is asked for of the overview and of the API."""
OURS = ("/overview", "/indicators/")
"""Pages of which no number is without its mark."""
UNTOLD = ("script", "style", "svg", "form", "nav", "time", "code", "summary", "footer", "aside", "header")
PLAIN = re.compile(
    r"24 months|近24个月|30 days|30天|6 months|six months|6个月|(last|over) \d months|近\d个月|72 hours|72小时"
    r"|less than 30% of|不足30%|不足\d+台|than \d+ main|10,000 CNY|[≥>] [\d,]+%?|≥ 60|5[05]–|45–|< 45"
    r"|(target of|距|达到)\s?[\d.]+%|\d+ months after|晚\d+个月|\d+ of \d+ comparable|可比的\d+个地区中\d+个"
    r"|\d{1,2} [A-Z][a-z]{2} \d{4}|[A-Z][a-z]{2} \d{4}|\d{4}年\d+月(\d+日)?|20\d\d(-\d\d)*"
    r"|To ask about: \d+|过问的事项（\d+|and \d+ more|另有\d+项|^\d+$|m[³3]|axis begins at \d+%|纵轴自\d+%"
)
"""What has digits and counts nothing of a place: words, dates, targets and the number of lines beside it."""


@dataclass
class Told:
    """One number as it stands on a page. `link`: the list behind it."""

    number: str
    value: str
    text: str = ""
    link: str = ""


class Reader(HTMLParser):
    """Marked numbers of a page, and what has digits in it and no mark."""

    VOID = ("meta", "link", "input", "br", "img", "hr")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.told: list[Told] = []
        self.plain: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag not in self.VOID:
            self.open.append((tag, named))
        if (number := named.get("data-number")) is not None:
            links = [str(of["href"]) for name, of in self.open if name == "a" and "href" in of]
            value = named.get("value") or named.get("data-value") or ""
            self.told.append(Told(number, value, link=links[-1] if links else ""))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = [name for name, _ in self.open]
        if "data" in tags:
            self.told[-1].text += data
        elif "main" in tags and re.search(r"\d", data) and not self._exempt(tags):
            self.plain.append(data.strip())

    def _exempt(self, tags: list[str]) -> bool:
        classes = {word for _, of in self.open for word in (of.get("class") or "").split()}
        return bool({"asof", "definition", "rank", "charted"} & classes) or any(tag in UNTOLD for tag in tags)


@dataclass
class Walk:
    """What was read so far: of each number what it is, how it is written in a language, and where it stood first."""

    http: httpx.Client
    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    texts: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    links: set[tuple[str, str, str]] = field(default_factory=set)
    numbers: int = 0
    comparisons: int = 0
    wrong: list[str] = field(default_factory=list)

    def page(self, path: str, lang: str, **asked: str) -> Reader:
        """Read a page and compare every number of it."""
        answer = self.http.get(path, params={**{k: v for k, v in asked.items() if v}, "lang": lang})
        assert answer.status_code == 200, (path, asked)
        found = Reader(answer.text)
        for told in found.told:
            self.numbers += 1
            where = f"{path} {asked} {lang}"
            self.compare(told.number, told.value, where)
            if told.text:
                self._same(self.texts, (told.number, lang), told.text, where)
            if told.link.startswith("/equipment"):
                self.links.add((told.link, told.number, told.value))
        if path.startswith(OURS):
            bare = [text for text in found.plain if re.search(r"\d", PLAIN.sub("", text))]
            self.wrong += [f"{path} {asked} {lang}: {text!r} says a number without a mark" for text in bare]
        return found

    def compare(self, number: str, value: str, where: str) -> None:
        """Whether a number is what it is elsewhere."""
        self._same(self.values, number, value, where)

    def _same(self, known: dict[Any, tuple[str, str]], key: Any, said: str, where: str) -> None:
        before, first = known.setdefault(key, (said, where))
        if first is not where:
            self.comparisons += 1
        if before != said:
            self.wrong.append(f"{key}: {before!r} at {first}, {said!r} at {where}")


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Four months of an invented province."""
    database = databases.database(tmp_path_factory.mktemp("walk"))
    whole = fleet(20180615, TODAY - timedelta(days=1), PROVINCE, months=4, enterprises=30, devices=70)
    seeding = Seeding(database, PROVINCE, whole)
    seeding.registry(NOW)
    for _ in seeding.days(NOW):
        pass
    with (
        Served(create_app(database, TestClock(wall=NOW), demo=True)) as running,
        httpx.Client(base_url=running.url, timeout=60) as client,
    ):
        yield client
    database.close()


def test_every_number_is_the_same_wherever_it_stands(http: httpx.Client) -> None:
    walk = Walk(http)
    for asked in PLACES:
        langs = ("en", "zh") if asked in SPOKEN else ("en",)
        read = [walk.page("/overview", lang, **asked) for lang in langs]
        both = [sorted((told.number, told.value) for told in page.told) for page in read]
        assert both[0] == both[-1], "both languages say the same"
        _api(walk, asked)
    for number in DEFINITIONS:
        walk.page(f"/indicators/{number}", "en")
        walk.page(f"/indicators/{number}", "zh", by="industry")
        walk.page(f"/indicators/{number}", "en", area=CITY, as_of=DAY)
    for lang in ("en", "zh"):
        walk.page("/energy", lang)
        walk.page("/overview", lang, selected=CITY)
    lists = _lists(walk)
    print(f"{walk.numbers} numbers, {walk.comparisons} comparisons, {lists} lists behind them")
    assert walk.wrong == [], "\n".join(walk.wrong[:60])
    assert walk.numbers > 5000
    assert walk.comparisons > walk.numbers
    assert lists > 20


def _api(walk: Walk, asked: dict[str, str]) -> None:
    """The same numbers as the API and its CSV tell them."""
    params = {name: value for name, value in asked.items() if value}
    items = walk.http.get("/api/v1/overview", params=params).json()
    table = walk.http.get("/api/v1/overview", params=params | {"format": "csv"}).content.decode("utf-8-sig")
    for item, row in zip(items, csv.DictReader(io.StringIO(table)), strict=True):
        of, kind = DEFINITIONS[item["id"]], DEFINITIONS[item["id"]].kind
        day = asked.get("as_of", str(TODAY))
        time = f"{item['period']}..{day}" if item["period"] and kind == "rate" else item["period"] or day
        here = f"{item['area']} {item['industry'] or '*'} {time}"
        for level, measure in zip(("declared", "checked", "proven"), of.measures, strict=True):
            if (told := item[level]) is None or told["numerator"] is None or kind not in ("rate", "count"):
                continue
            name, value = (measure, str(told["numerator"]))
            if kind == "rate":
                name, value = f"{measure}/{of.among}", f"{told['numerator']}/{told['denominator']}"
            if kind == "count" or told["denominator"]:
                walk.compare(f"{name} {here}", value, f"API {asked}")
            assert row[f"{level}.numerator"] == str(told["numerator"])
        verdict = walk.values.get(f"{measure_of(item['id'])}:verdict {here}")
        if verdict is not None:
            status = verdict[0] if verdict[0] in ("reached", "no_target", "no_number", "no_data") else "below"
            assert item["status"] == status == row["status"], (asked, item["id"])
            walk.comparisons += 1


def measure_of(number: str) -> str:
    """As pages mark an indicator."""
    of = DEFINITIONS[number]
    if of.kind in ("quantity", "intensity"):
        return of.id
    return f"{of.measures[1]}/{of.among}" if of.kind == "rate" else of.measures[1]


def _lists(walk: Walk) -> int:
    """The list behind a number has as many lines as the number says."""
    seen: dict[str, int] = {}
    for link, number, value in sorted(walk.links)[::4]:
        asked = dict(parse_qsl(urlsplit(link).query)) | {"lang": "en"}
        key = str(sorted(asked.items()))
        if key not in seen:
            page = walk.http.get("/equipment", params=asked).text
            total = re.search(r'<h2 class="title">\D*([\d,]+) devices', re.sub("</?data[^>]*>", "", page))
            assert total is not None, link
            seen[key] = int(total[1].replace(",", ""))
        walk.comparisons += 1
        if seen[key] != int(value):
            walk.wrong.append(f"{number}: {value} on a page, {seen[key]} in the list {link}")
    return len(seen)


@pytest.mark.parametrize("asked", ["area=999999", "industry=STEAL"])
@pytest.mark.parametrize("path", ["/overview", "/indicators/water", "/enterprises", "/equipment", "/energy"])
def test_what_does_not_exist_is_said_and_nothing_else_is_shown_for_it(
    http: httpx.Client, path: str, asked: str
) -> None:
    answer = http.get(f"{path}?{asked}&lang=en")
    assert answer.status_code == 404
    assert asked.partition("=")[2] in answer.text
    assert http.get(f"{path}?lang=en").status_code == 200


@pytest.mark.parametrize("day", ["yesterday", "2099-01-01", "1999-01-01"])
def test_a_day_that_nothing_is_known_of_is_no_today(http: httpx.Client, day: str) -> None:
    answer = http.get(f"/overview?as_of={day}&lang=en")
    assert answer.status_code == 422
    assert day in answer.text
