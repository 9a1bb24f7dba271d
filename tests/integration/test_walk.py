"""The walk: every number of every page in both languages against every other place that names the same measure, place
and time: other pages, the lists behind it, API and CSV."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from html import unescape
from html.parser import HTMLParser
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from ganpo_cloud.province import publishing
from ganpo_cloud.province.definitions import DEFINITIONS
from ganpo_cloud.province.ranking import RANKED_FROM
from ganpo_cloud.web.application import create_app
from ganpo_cloud.web.pages.terms import TERMS
from ganpo_demo.fleet import fleet
from ganpo_demo.seeding import Seeding
from support import databases
from support.campaign import LONG
from support.plants import TestClock
from support.province import NOW, PROVINCE
from support.serving import Served

TODAY = NOW.date()
CITY, INDUSTRY, DAY, MONTH = "360700", "FOOD", "2026-11-10", "2026-10-31"
CITIES = [area for area, rows in PROVINCE.areas.items() if rows[-1].kind == "city"]
COUNTIES = [area for area in PROVINCE.areas if PROVINCE.above(area)[1:2] == [CITY]]
SPOKEN = [{}, {"area": CITY}, {"industry": INDUSTRY}, {"as_of": DAY}, {"tag": "technology_centre"}]
"""What is read in both languages."""
OTHERS = [*CITIES, *COUNTIES[:3]] if LONG else [CITIES[0], COUNTIES[0]]
PLACES = [*SPOKEN, *({"area": area} for area in OTHERS if area != CITY), {"as_of": MONTH}]
PLACES.append({"area": CITY, "industry": INDUSTRY, "as_of": DAY})
"""What is asked for of the overview and of the API."""
OURS = ("/overview", "/indicators/", "/reports/", "/plan", "/ranking", "/compare")
"""Pages of which no number is without its mark."""
UNTOLD = ("script", "style", "svg", "form", "nav", "time", "code", "summary", "footer", "aside", "header")
PLAIN = re.compile(
    r"24 months|近24个月|30 days|30天|6 months|six months|6个月|(last|over) \d months|近\d个月|72 hours|72小时"
    r"|less than [39]0% of|不足[39]0%|90 days|90天|有5户可比"
    r"|不足\d+台|than \d+ main|10,000 CNY|[≥>≤<] [\d,.]+%?|≥ 60|5[05]–|45–|< 45"
    r"|(target of|距|比|达到)\s?[\d.]+%|\d+ months after|晚\d+个月|\d+ of \d+ comparable|可比的\d+个地区中\d+个"
    r"|\d{1,2} [A-Z][a-z]{2} \d{4}|[A-Z][a-z]{2} \d{4}|\d{4}年\d+月(\d+日)?|20\d\d(-\d\d)*"
    r"|To ask about: \d+|过问的事项（\d+|and \d+ more|另有\d+项|另录入\d+份|^\d+$|m[³3]|axis begins at \d+%|纵轴自\d+%"
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

    def page(self, path: str, lang: str, **asked: str | list[str]) -> Reader:
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
    publishing.publish(database, PROVINCE, MONTH[:7], NOW)
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
        _enterprises(walk, asked)
    for number in DEFINITIONS:
        walk.page(f"/indicators/{number}", "en")
        walk.page(f"/indicators/{number}", "zh", by="industry")
        if LONG:
            walk.page(f"/indicators/{number}", "en", area=CITY, as_of=DAY)
    for lang in ("en", "zh"):
        walk.page("/energy", lang)
        for path in ("/dual-control", "/assessment"):
            walk.page(path, lang, area=CITY)
        for asked in SPOKEN if LONG else (SPOKEN[0], SPOKEN[-1]):
            walk.page("/plan", lang, **asked)
        walk.page("/overview", lang, selected=CITY)
        walk.page("/moves", lang, area=CITY)
        walk.page("/enterprises", lang)
        walk.page("/moves", lang, indicator="equip_network_rate")
        walk.page("/ranking", lang, by="county" if lang == "en" else "city")
        walk.page("/ranking", lang, by="industry", area=CITY, indicator="equip_cloud_rate")
        walk.page("/compare", lang, of=[CITY, INDUSTRY])
        for number in ("comprehensive_energy", "availability", "enterprise_onboarded"):
            walk.page("/compare", lang, of=[CITY, CITIES[0]], indicator=number)
        for asked in ({}, {"industry": INDUSTRY}):
            for path in ("/energy", f"/energy/{MONTH[:7]}", "/silent", "/onboarded"):
                walk.page(path, lang, **asked)
        for asked in ({}, {"area": CITY}):
            assert len(walk.page(f"/reports/{MONTH[:7]}", lang, **asked).told) > 12
    _firms(walk)
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
        here = f"{where(item['area'], asked)} {item['industry'] or '*'} {time}"
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
            moves = verdict[0] in ("in_time", "late", "still", "falling", "rising", "too_early")
            assert row["status"] == item["status"], (asked, item["id"])
            assert item["status"] == verdict[0] or (moves and item["status"] in ("below", "above"))
            walk.comparisons += 1


def _enterprises(walk: Walk, asked: dict[str, str]) -> None:
    """The list of enterprises has as many as the overview counts."""
    page = walk.http.get("/enterprises", params=asked | {"lang": "en"}).text
    total = re.search(r'<h2 class="title">([\d,]+) enterprises?', re.sub("</?data[^>]*>", "", page))
    assert total is not None
    area = where(asked.get("area", PROVINCE.whole), asked)
    place = f"{area} {asked.get('industry', '*')} {asked.get('as_of', TODAY)}"
    walk.compare(f"enterprises {place}", total[1].replace(",", ""), f"/enterprises {asked}")


def where(area: str, asked: dict[str, str]) -> str:
    """A place as numbers name it."""
    return f"{area}@{asked['tag']}" if "tag" in asked else area


def _firms(walk: Walk) -> None:
    """What an enterprise counts for on its page is what the list of enterprises says, as a page and as the API."""
    counted = {"devices": "units", "registered": "now_registered", "main": "main", "nc": "nc_checked"}
    counted |= {"networked": "now_networked", "cloud": "now_cloud", "active": "now_active"}
    for firm in walk.http.get("/api/v1/enterprises", params={"limit": 20}).json():
        told = walk.page(f"/enterprises/{firm['code']}", "en").told
        assert len(told) >= (8 if firm["devices"] else 0)
        for name, measure in counted.items():
            walk.compare(f"{measure} {firm['code']} * {TODAY}", str(firm[name]), "API of enterprises")


def measure_of(number: str) -> str:
    """As pages mark an indicator."""
    of = DEFINITIONS[number]
    if of.kind in ("quantity", "intensity"):
        return of.id
    return f"{of.measures[1]}/{of.among}" if of.kind == "rate" else of.measures[1]


def _lists(walk: Walk) -> int:
    """The list behind a number has as many lines as the number says."""
    seen: dict[str, int] = {}
    for link, number, value in sorted(walk.links)[:: 1 if LONG else 12]:
        asked = dict(parse_qsl(urlsplit(link).query)) | {"lang": "en"}
        key = str(sorted(asked.items()))
        if key not in seen:
            page = walk.http.get("/equipment", params=asked).text
            total = re.search(r'<h2 class="title">\D*([\d,]+) devices?', re.sub("</?data[^>]*>", "", page))
            assert total is not None, link
            seen[key] = int(total[1].replace(",", ""))
        walk.comparisons += 1
        if seen[key] != int(value):
            walk.wrong.append(f"{number}: {value} on a page, {seen[key]} in the list {link}")
    return len(seen)


def test_every_list_that_comes_page_by_page_says_on_each_how_many_rows_it_has(http: httpx.Client) -> None:
    """Of a page that holds all of them they are seen; of another they are asked for."""
    longer = 0
    for named, operation in http.get("/api/v1/openapi.json").json()["paths"].items():
        if not {"limit", "page"} <= {of["name"] for of in operation["get"].get("parameters", ())}:
            continue
        path = named.format(month=MONTH[:7], id="technology_centre")
        whole, *parts = (
            http.get(path, params={"limit": limit, "page": page})
            for limit, page in ((1000, 1), (1, 1), (1, 2))
        )
        assert {answer.status_code for answer in (whole, *parts)} == {200}, path
        rows, total = whole.json(), whole.headers["x-total-count"]
        assert len(rows) == min(int(total), 1000), path
        assert [answer.headers["x-total-count"] for answer in parts] == [total, total], path
        assert [row for answer in parts for row in answer.json()] == rows[:2], path
        longer += len(rows) > 1
    assert longer > 5


@pytest.mark.parametrize("asked", ["area=999999", "industry=STEAL"])
@pytest.mark.parametrize(
    "path", ["/overview", "/plan", "/indicators/water", "/enterprises", "/equipment", "/energy"]
)
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


def text(html: str) -> str:
    """What people read of it."""
    bare = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", html, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", bare)).strip()


def row(http: httpx.Client, number: str, lang: str = "en") -> str:
    """A line of the table of every number."""
    page = http.get(f"/overview?lang={lang}").text
    found = re.search(rf'<tr id="row-{number}">.*?</tr>', page, re.DOTALL)
    assert found is not None
    return found[0]


def test_a_place_is_judged_against_the_target_of_the_whole_in_lead_card_table_and_api(
    http: httpx.Client,
) -> None:
    item = http.get(f"/api/v1/overview?area={CITY}").json()[0]
    assert (item["target"]["value"], item["status"]) != (None, "no_target")
    for path in (f"/overview?area={CITY}", "/overview?", "/indicators/nc_rate_main?"):
        told = Reader(http.get(f"{path}&lang=en").text).told
        mine = {one.value for one in told if one.number == f"nc_checked/main:verdict {CITY} * {TODAY}"}
        assert len(mine) == 1
        assert mine != {"no_target"}
    sets = next(item for item in http.get(f"/api/v1/overview?area={CITY}").json() if item["unit"] == "sets")
    assert sets["target"] is None, "how many the whole shall have says nothing of a part"


def test_where_evidence_has_no_meaning_there_is_one_number(http: httpx.Client) -> None:
    assert len(re.findall(r"%</data>", row(http, "nc_rate_main"))) == 3
    assert len(re.findall(r"%</data>", row(http, "equip_network_rate"))) == 1
    items = {item["id"]: item for item in http.get("/api/v1/overview").json()}
    assert items["equip_network_rate"]["declared"] is items["equip_network_rate"]["proven"] is None
    assert items["nc_rate_main"]["declared"] is not None


def test_of_a_quantity_it_is_said_what_is_covered_and_no_enterprises_that_have_nothing_to_do_with_it(
    http: httpx.Client,
) -> None:
    item = next(item for item in http.get("/api/v1/overview").json() if item["unit"] == "tce")
    covered, declared = item["completeness"]["numerator"], item["completeness"]["denominator"]
    told = text(row(http, "comprehensive_energy"))
    assert f"{covered:,} of {declared:,} carrier-months covered" in told
    assert "enterprises" not in told
    assert item["enterprises"] == {"with_data": None, "of": None}


def test_most_gateways_offline_need_a_person(http: httpx.Client) -> None:
    page = text(http.get("/overview?lang=en").text)
    found = re.search(r"(\d+) of (\d+) gateways are offline", page)
    assert found is not None
    assert found[1] == found[2], "nobody ever heard of one of them"
    assert f"0 of {found[2]}" in page, "and the same stands where it is said how far to trust this"
    every = http.get("/api/v1/gateways").json()
    for area in (None, CITY):
        asked = {"area": area} if area else {}
        told = http.get("/overview", params={"lang": "en", **asked}).text
        counted = re.search(r"(\d+) of (\d+) gateways are offline", text(told))
        link = re.search(r'href="(/gateways[^"]*)"', told)
        assert counted is not None
        assert link is not None
        listed = text(http.get(unescape(link[1])).text)
        assert f"0 of {counted[2]} gateways are online" in listed, (
            "the list is of the gateways that were counted"
        )
        assert len(http.get("/api/v1/gateways", params=asked).json()) == int(counted[2])
        assert (int(counted[2]) < len(every)) is (area is not None)
        silent = http.get("/api/v1/silent", params=asked).headers["x-total-count"]
        assert (f"{silent} enterprises have gone silent" in text(told)) is (silent != "0")


def test_what_is_few_is_not_ranked_and_a_place_that_is_opened_has_no_word_of_open_registers(
    http: httpx.Client,
) -> None:
    for area in (CITY, CITIES[0], ""):
        page = http.get("/overview", params={"area": area, "lang": "zh", "selected": CITY}).text
        table = page[page.index('<section id="parts"') : page.index('<h2 id="industries"')]
        assert ('<tr class="chosen">' in table) is ('aria-current="true"' in table) is (not area)
        ranks = []
        for line in re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]:
            main = re.search(r'value="\d+/(\d+)" data-number="nc_checked/main ', line)
            rank = re.search(r'<td class="num rank">(\d+|—)</td>', line)
            assert rank is not None
            if rank[1] != "—":
                assert main is not None
                assert int(main[1]) >= RANKED_FROM
                ranks.append(int(rank[1]))
        assert ranks == sorted(ranks)
        assert "待说明" not in table


def test_a_report_reads_as_the_overview_of_the_end_of_its_month(http: httpx.Client) -> None:
    report = http.get(f"/reports/{MONTH[:7]}?lang=en").text
    shown = {}
    for line in re.findall(r"<tr>.*?</tr>", report, re.DOTALL)[1:]:
        name, rate = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL)[:2]
        shown[text(name)] = text(rate).split(" ")[0]
    overview = Reader(http.get(f"/overview?as_of={MONTH}&lang=en").text).told
    rates = {
        one.number.split()[1]: one.text for one in overview if one.number.startswith("nc_checked/main 36")
    }
    assert len(rates) > 5
    for area, rate in rates.items():
        assert shown[PROVINCE.areas[area][-1].name_en] == rate


def test_enterprises_have_no_decimals(http: httpx.Client) -> None:
    for told in Reader(http.get("/overview?lang=en").text).told:
        if told.number.startswith("enterprises") and "/" not in told.number:
            assert "." not in told.text, told


def test_a_bar_of_energy_is_hatched_only_where_too_little_is_covered(http: httpx.Client) -> None:
    months: dict[str, list[int]] = {}
    for line in http.get("/api/v1/energy?from=2024-01&to=2026-11").json():
        if line["tce_millionths"] is not None or line["carrier"] != "water_fresh":
            of = months.setdefault(line["month"], [0, 0])
            of[0] += line["covered"]
            of[1] += line["declared"]
    page = http.get("/energy?lang=en").text
    chart = json.loads(unescape(unescape(re.findall(r'data-chart="([^"]*)"', page)[0])))
    hatched = dict(zip(chart["labels"], chart["pending"], strict=True))
    for month, (covered, declared) in months.items():
        word = f"{date.fromisoformat(month + '-01'):%b %Y}"
        if word in hatched:
            assert hatched[word] == (10 * covered < 9 * declared), month
    assert months


def test_every_word_of_onboarding_leads_to_what_it_means(http: httpx.Client) -> None:
    meant = set(re.findall(r'<dt id="(term-\w+)">', http.get("/definitions?lang=zh").text))
    assert meant == {f"term-{term}" for term in TERMS}
    firm = http.get("/api/v1/enterprises", params={"limit": 1}).json()[0]["code"]
    device = http.get("/api/v1/equipment", params={"limit": 1}).json()[0]
    places = ["/overview", "/plan", "/equipment", "/enterprises", f"/enterprises/{firm}"]
    places += [
        f"/enterprises/{device['enterprise']}/{device['asset_no']}",
        "/indicators/enterprise_onboarded",
    ]
    for lang, path in product(("zh", "en"), places):
        main = http.get(path, params={"lang": lang}).text.partition('<main id="main">')[2]
        bare = re.sub(r"<(a|option|svg|code|summary|button)\b.*?</\1>|<[^>]*>", "", main, flags=re.DOTALL)
        for term, said in TERMS.items():
            if re.search(said[lang], bare):
                assert f'#term-{term}"' in main, (path, lang, term)
