"""The official's Monday: ten questions asked of the pages by clicking alone, each with how many clicks and seconds it
took, and each answer beside what plain loops over lists and facts count."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from fractions import Fraction
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page
from python_calamine import CalamineWorkbook

from ganpo_cloud.province import publishing
from ganpo_cloud.province.ranking import RANKED_FROM
from ganpo_cloud.web.application import create_app
from support import databases
from support.browsing import Watched, chromium
from support.invented import province, seed
from support.plants import TestClock
from support.province import NOW, PROVINCE
from support.recounting import Recount
from support.serving import Served

TODAY, CITY, STEEL, MONTH = date(2026, 11, 28), "360700", "STEEL", "2026-10"
WORDS = ("registered", "networked", "cloud", "active", "silent", "gone")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    database = databases.filled(tmp_path_factory.mktemp("monday"), seed)
    publishing.publish(database, PROVINCE, MONTH, NOW)
    with Served(create_app(database, TestClock(wall=NOW), demo=True)) as running:
        yield running
    database.close()


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

    def number_of_rows(self) -> int:
        return self.page.locator("main tbody tr").count()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_questions_are_answered_in_two_clicks_each_as_plain_loops_count(served: Served) -> None:
    by_hand = Recount(province(), PROVINCE, TODAY)
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
    with monday.asks("whether the 60 % is reached, and when at this pace"):
        _, checked, _, main = by_hand.overview(PROVINCE.whole, None, TODAY)["nc_rate_main"]
        assert monday.number("nc_checked/main") == f"{checked}/{main}"
        lead = monday.page.locator(".lead").inner_text()
        assert ("is reached" in lead and "below" not in lead) is (5 * checked >= 3 * main), lead


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
    with monday.asks("last month's report, and what was revised since"):
        monday.click(monday.link("/reports"))
        monday.click(monday.link(f"/reports/{MONTH}"))
        _, checked, _, main = by_hand.overview(PROVINCE.whole, None, date(2026, 10, 31))["nc_rate_main"]
        assert monday.number("nc_checked/main") == f"{checked}/{main}"


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
