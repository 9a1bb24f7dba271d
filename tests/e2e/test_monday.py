"""The official's Monday: ten questions asked of the pages by clicking alone, each with how many clicks and seconds it
took, and each answer beside what plain loops over lists and facts count."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from fractions import Fraction
from math import ceil, floor
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page
from python_calamine import CalamineWorkbook

from ganpo_cloud.province import publishing
from ganpo_cloud.province.ranking import RANKED_FROM
from ganpo_cloud.web.application import create_app
from ganpo_demo.fleet import Firm, Fleet, Tool
from support import databases
from support.browsing import Watched, chromium
from support.invented import province, seed
from support.plants import TestClock
from support.province import NOW, PROVINCE, Plant
from support.recounting import Recount
from support.serving import Served

TODAY, CITY, STEEL, MONTH = date(2026, 11, 28), "360700", "STEEL", "2026-10"
DOCUMENTED = ("numerical_control", "digital")
"""What a document shows that came after the month was published."""
WORDS = ("registered", "networked", "cloud", "active", "silent", "gone")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    database = databases.filled(tmp_path_factory.mktemp("monday"), seed)
    publishing.publish(database, PROVINCE, MONTH, NOW)
    firm, tool = only_claimed()
    brought = f"yes,document,M-1,Li,{tool.nc_since}"
    plant = Plant(database)
    plant.take("flags", *(f"{firm.code},{tool.asset_no},{of},{brought}" for of in DOCUMENTED))
    plant.settle()
    with Served(create_app(database, TestClock(wall=NOW), demo=True)) as running:
        yield running
    database.close()


def only_claimed() -> tuple[Firm, Tool]:
    """A main machine whose numerical control was only claimed when the month was published."""
    every = ((firm, tool) for firm in province().firms for tool in firm.tools)
    return next(of for of in every if of[1].main and of[1].nc == 1 and of[1].nc_since < date(2026, 10, 1))


def corrected() -> Fleet:
    """The province as it is known now: with the document of that machine."""
    firm, tool = only_claimed()
    tools = [replace(of, nc=2) if of is tool else of for of in firm.tools]
    firms = tuple(replace(of, tools=tools) if of is firm else of for of in province().firms)
    return replace(province(), firms=firms)


class Monday:
    """One window. Of each question how many clicks and seconds it took."""

    def __init__(self, page: Page, home: str) -> None:
        self.page, self._home, self.clicks = page, f"{home}/overview?lang=en", 0
        self.told: list[str] = []
        page.set_default_timeout(60_000)

    @contextmanager
    def asks(self, question: str) -> Iterator[None]:
        """From the overview to the answer, in at most two clicks."""
        self.page.goto(self._home)
        self.clicks, began = 0, time.monotonic()
        yield
        self.told.append(f"{question}: {self.clicks} clicks, {time.monotonic() - began:.1f} s")
        assert self.clicks <= 2, question
        address = self.page.url
        shown = self.number_of_rows()
        self.page.goto(address)
        assert self.number_of_rows() == shown, "the answer is a link that can be sent"

    def click(self, link: Locator) -> None:
        self.clicks += 1
        to, file = (link.first.get_attribute(name) for name in ("href", "download"))
        link.first.click()
        if file is None:
            self.page.wait_for_url(lambda url: url.endswith(str(to)))

    def link(self, path: str, **asked: str) -> Locator:
        """The links to a path that ask for just so much."""
        found = self.page.locator("main a, header a")
        wanted = {name: [value] for name, value in asked.items()}
        for n, href in enumerate(found.evaluate_all("all => all.map(one => one.getAttribute('href'))")):
            at = urlsplit(href)
            if at.path == path and parse_qs(at.query).items() >= wanted.items():
                return found.nth(n)
        raise AssertionError(f"nothing on {self.page.url} leads to {path} {asked}")

    def number(self, measure: str, area: str = PROVINCE.whole, industry: str = "*") -> str:
        """What a marked number says."""
        mark = f'main data[data-number^="{measure} {area} {industry} "]'
        return str(self.page.locator(mark).first.get_attribute("value"))

    def column(self, nth: int) -> list[str]:
        """The texts of a column of the first table."""
        rows = self.page.locator("main table").first.locator("tbody tr")
        return [str(row.locator("th, td").nth(nth).inner_text()) for row in rows.all()]

    def told_revisions(self) -> dict[tuple[str, str, str | None], tuple[str, str]]:
        """What was published and is another number today: by number, area and industry, both as they are told."""
        marks = self.page.locator("#revisions data").evaluate_all(
            "all => all.map(one => [one.dataset.number, one.value])"
        )
        found: dict[tuple[str, str, str | None], dict[str, str]] = {}
        for number, value in marks:
            name, area, industry, _day = number.split()
            metric, _, when = name.partition(":")
            found.setdefault((metric, area, industry.replace("*", "") or None), {})[when] = value
        return {key: (of["as-published"], of["revised"]) for key, of in found.items()}

    def number_of_rows(self) -> int:
        return self.page.locator("main tbody tr").count()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_questions_are_answered_in_two_clicks_each_as_plain_loops_count(served: Served) -> None:
    by_hand = Recount(corrected(), PROVINCE, TODAY)
    with chromium() as browser:
        watched = Watched(browser)
        monday = Monday(watched.open(f"{served.url}/overview?lang=en"), served.url)
        for ask in (
            _new,
            _ranking,
            _target,
            _silent,
            _electricity,
            _excel,
            _report,
            _words,
            _unproven,
            _beside,
        ):
            ask(monday, by_hand)
        print("\n".join(monday.told))
        assert len(monday.told) == 10
        assert watched.trouble == []


def _new(monday: Monday, by_hand: Recount) -> None:
    with monday.asks("new on the cloud this calendar month in Ganzhou"):
        monday.click(monday.link("/overview", area=CITY))
        monday.click(monday.link("/onboarded", area=CITY))
        wanted = by_hand.arrived(CITY, None, TODAY.replace(day=1), TODAY)
        assert monday.number("enterprises_new", CITY) == str(len(wanted))
        assert monday.number_of_rows() == len(wanted)
        if wanted:
            assert sorted(text[:10] for text in monday.column(0)) == sorted(
                f"{day}" for day, _ in wanted.values()
            )


def _ranking(monday: Monday, by_hand: Recount) -> None:
    with monday.asks("counties of the province in order, and why"):
        monday.click(monday.link("/ranking"))
        best = []
        for area in {firm.county for firm in by_hand.fleet.firms}:
            declared, checked, _, main = by_hand.overview(area, None, TODAY)["nc_rate_main"]
            if main:
                assert monday.number("nc_checked/main", area) == f"{checked}/{main}"
                assert monday.number("main-nc_declared", area) == str(main - declared)
                assert monday.number("nc_claimed", area) == str(declared - checked)
            if main >= RANKED_FROM:
                best.append(Fraction(checked, main))
        first = monday.page.locator("main table tbody tr").first.locator("data").first.get_attribute("value")
        assert Fraction(str(first)) == max(best)


def _target(monday: Monday, by_hand: Recount) -> None:
    cities = PROVINCE.parts(PROVINCE.whole, TODAY)
    below = next(area for area in cities if _main(by_hand, area) and _rate(by_hand, area, TODAY) < 60)
    with monday.asks("whether the 60 % is reached, and when at this pace"):
        for area in (PROVINCE.whole, below):
            if area != PROVINCE.whole:
                monday.click(monday.link("/overview", area=area))
            _, checked, _, main = by_hand.overview(area, None, TODAY)["nc_rate_main"]
            assert monday.number("nc_checked/main", area) == f"{checked}/{main}"
            lead = monday.page.locator("section", has=monday.page.locator(".lead")).inner_text()
            for part in _told(by_hand, area):
                assert part in re.sub(r"\s+", " ", lead), (area, part, lead)
        chart = json.loads(str(monday.page.locator("[data-chart]").first.get_attribute("data-chart")))
        deadline = _targets(by_hand)[1]
        assert chart["ahead"]["labels"][-1] == f"{deadline:%b %Y}", "the axis goes on to the deadline"


def _targets(by_hand: Recount) -> list[date]:
    """The deadlines of the plan and of what was entered beside it: that counts, for it was entered last."""
    return [date.fromisoformat(row["deadline"]) for row in by_hand.lists["targets"] if row["id"] == "T01"]


def _rate(by_hand: Recount, area: str, day: date) -> Fraction:
    _, checked, _, main = by_hand.overview(area, None, day)["nc_rate_main"]
    return Fraction(100 * checked, main)


def _told(by_hand: Recount, area: str) -> Iterator[str]:
    """What the first sentences say of a place, worked out by hand."""
    plan, deadline = _targets(by_hand)
    ends = [date(2024 + month // 12, month % 12 + 1, 1) - date.resolution for month in range(11, 34 + 1)]
    now, past = _rate(by_hand, area, TODAY), [_rate(by_hand, area, end) for end in ends]
    same = next((n for n, rate in enumerate(reversed(past)) if (rate >= 60) != (now >= 60)), len(past))
    since = f"{ends[-max(same, 1)]:%b %Y}"
    yield (
        f"The deadline of the plan, {plan:%-d %b %Y}, has passed; the pace is measured against"
        f" {deadline:%-d %b %Y}. Deadline {plan:%-d %b %Y}: no data then"
    )
    if now >= 60:
        yield "The target of 60% is reached."
        if same:
            yield f"; reached since {since}{' or before' if same == len(past) else ''}."
        return
    if same:
        yield (
            f"; not reached since {since} or before." if same == len(past) else f"; below it since {since}."
        )
    yield f"That is {_tenths(60 - Fraction(floor(10 * now), 10))} points below the target of 60%."
    moved = now - past[-6]
    if moved < 0:
        yield f"Over the last 6 months it fell by {_tenths(-moved)} points."
    elif moved < Fraction(1, 20):
        yield "Over the last 6 months it hardly moved."
    else:
        left = 12 * (deadline.year - TODAY.year) + deadline.month - TODAY.month
        needs = ceil((60 - now) * 6 / moved)
        yield f"At the pace of the last 6 months it is reached in {_month(needs)},"
        yield "within the deadline." if needs <= left else f"{needs - left} months after the deadline."


def _tenths(number: Fraction) -> str:
    return f"{float(floor(10 * number)) / 10:.1f}"


def _month(ahead: int) -> str:
    """The month so many ahead of this one."""
    months = 12 * TODAY.year + TODAY.month - 1 + ahead
    return f"{date(months // 12, months % 12 + 1, 1):%b %Y}"


def _silent(monday: Monday, by_hand: Recount) -> None:
    with monday.asks("enterprises gone silent: since when, last word, what the agent said"):
        wanted = by_hand.silent(PROVINCE.whole, None, TODAY)
        assert monday.number("enterprises_silent") == str(len(wanted))
        monday.click(monday.link("/silent"))
        assert {text.splitlines()[-1] for text in monday.column(0)} == set(wanted)
        assert sorted(text[:10] for text in monday.column(4)) == sorted(map(str, wanted.values()))
        assert all(re.match(r"20\d\d-", text) for text in monday.column(5))
        assert all("offline" in text for text in monday.column(6))


def _electricity(monday: Monday, by_hand: Recount) -> None:
    with monday.asks("last month's electricity of the steel industry, and how complete"):
        monday.click(monday.link("/energy", industry=STEEL))
        monday.click(monday.link(f"/energy/{MONTH}", industry=STEEL, carrier="electricity"))
        wanted = by_hand.taken("electricity", PROVINCE.whole, STEEL, MONTH)
        shown = dict(zip((t.splitlines()[-1] for t in monday.column(0)), monday.column(5), strict=True))
        for code, used in wanted.items():
            if used is not None:
                assert Fraction(shown[code].replace(",", "")) == Fraction(int(used * 100), 100)
        missing = sum("missing" in text for text in monday.column(3))
        covered, declared = (
            int(monday.number(f"electricity:{of}", industry=STEEL)) for of in ("covered", "declared")
        )
        assert declared - covered == missing
        assert monday.link(f"/energy/{MONTH[:5]}09", carrier="electricity"), "an earlier month"


def _excel(monday: Monday, by_hand: Recount) -> None:
    with monday.asks("a county's equipment to Excel, sums as on the page"):
        monday.click(monday.link("/ranking"))
        county = max((f.county for f in by_hand.fleet.firms), key=lambda area: _main(by_hand, area))
        with monday.page.expect_download() as download:
            monday.click(monday.page.locator(f'a[download][href*="area={county}"]'))
        sheet = CalamineWorkbook.from_path(download.value.path()).get_sheet_by_index(0).to_python()
        assert _main(by_hand, county) in sheet[-1], "the sum of main equipment stands in the last row"


def _main(by_hand: Recount, area: str) -> int:
    return int(by_hand.overview(area, None, TODAY)["nc_rate_main"][3])


def _report(monday: Monday, by_hand: Recount) -> None:
    end, released = date(2026, 10, 31), Recount(province(), PROVINCE, TODAY)
    with monday.asks("last month's report, what was revised since and why, and the next release"):
        monday.click(monday.link("/reports"))
        monday.click(monday.link(f"/reports/{MONTH}"))
        then = released.overview(PROVINCE.whole, None, end)
        for mark, metric in (
            ("nc_checked/main", "nc_rate_main"),
            ("intelligent_checked", "intelligent_count"),
            ("enterprises_cloud", "enterprise_onboarded"),
        ):
            _, checked, _, among = then[metric]
            said = monday.page.locator(f'main data[data-number="{mark} {PROVINCE.whole} * {end}:published"]')
            assert said.first.get_attribute("value") == (
                str(checked) if among is None else f"{checked}/{among}"
            )
        assert monday.told_revisions() == {
            (metric, area, industry): (f"{one[1]}/{one[3]}", f"{other[1]}/{other[3]}")
            for area in (PROVINCE.whole, *PROVINCE.parts(PROVINCE.whole, TODAY))
            for industry in (None, *PROVINCE.industries)
            for metric, one in released.overview(area, industry, end).items()
            if one != (other := by_hand.overview(area, industry, end)[metric])
        }
        rows = monday.page.locator("#revisions tbody tr").all_inner_texts()
        assert all("lists were corrected or entered later" in row for row in rows)
        assert (
            "Next release: the report of Nov 2026, on 5 Dec 2026." in monday.page.locator("main").inner_text()
        )


def _words(monday: Monday, _by_hand: Recount) -> None:
    with monday.asks("what registered, on the network, in the cloud, active, silent and long offline mean"):
        found = monday.page.locator('main a[href*="#term-"]')
        leads = {
            href.partition("#term-")[2] for href in found.evaluate_all("all => all.map(one => one.href)")
        }
        assert leads >= set(WORDS)
        monday.click(monday.page.locator('main a[href*="#term-silent"]'))
        assert monday.page.locator("#term-silent").is_visible()


def _unproven(monday: Monday, by_hand: Recount) -> None:
    with monday.asks("claimed and not proven, as a list"):
        declared, _, proven, _ = by_hand.overview(PROVINCE.whole, None, TODAY)["nc_rate_main"]
        link = monday.link("/equipment", measure="nc_declared", without="nc_proven")
        assert link.inner_text().split()[0] == f"{declared - proven}"
        monday.click(link)
        assert monday.number_of_rows() == declared - proven


def _beside(monday: Monday, by_hand: Recount) -> None:
    with monday.asks("areas beside each other over 24 months"):
        monday.click(monday.link("/ranking"))
        monday.click(monday.page.get_by_role("link", name="Compare the first four"))
        monday.page.locator(".chart svg").first.wait_for()
        areas = parse_qs(urlsplit(monday.page.url).query)["of"]
        assert 2 <= len(areas) <= 4
        for area in areas:
            for day in (date(2026, 9, 30), date(2026, 10, 31)):
                _, checked, _, main = by_hand.overview(area, None, day)["nc_rate_main"]
                mark = f'main data[data-number="nc_checked/main {area} * {day:%Y-%m}"]'
                told = monday.page.locator(mark).first.get_attribute("value")
                assert told == f"{checked}/{main}"
