"""The province's pages in a real browser: every page in both languages, at desk size and on a phone; the way from a
number to the devices behind it; without JavaScript; and printed."""

import re
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from python_calamine import CalamineWorkbook

from ganpo_cloud.province import publishing
from ganpo_cloud.web.application import create_app
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.rendering import SEEDING
from ganpo_demo.fleet import fleet
from ganpo_demo.seeding import Seeding, tell
from support import databases
from support.browsing import Watched, chromium
from support.campaign import LONG
from support.plants import TestClock
from support.province import NOW, PROVINCE, Plant
from support.serving import Served

LAST = (NOW - timedelta(days=1)).date()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def every(browser: Browser) -> Iterator[Watched]:
    """One window for every page."""
    watched = Watched(browser, reduced_motion="reduce")
    yield watched
    watched.context.close()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    watched = Watched(browser)
    yield watched
    watched.context.close()


@pytest.fixture(scope="module")
def code() -> str:
    """An enterprise with machines that are seen."""
    firms = fleet(20180615, LAST, PROVINCE, months=3, enterprises=40, devices=90).firms
    return next(firm.code for firm in firms if len(firm.watched()) > 1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Three months of an invented province; the month before is published."""
    database = databases.database(tmp_path_factory.mktemp("province"))
    seeding = Seeding(
        database, PROVINCE, fleet(20180615, LAST, PROVINCE, months=3, enterprises=40, devices=90)
    )
    seeding.registry(NOW)
    for _ in seeding.days(NOW):
        pass
    tell(database, 40)
    publishing.publish(database, PROVINCE, "2026-10", NOW)
    with Served(create_app(database, TestClock(wall=NOW), demo=True)) as running:
        yield running
    database.close()


PAGES = (
    "overview",
    "overview?area=360100",
    "overview?industry=FOOD&as_of=2026-11-10",
    "overview?selected=360100",
    "plan",
    "front-runners?from=2026-10&to=2026-10",
    "capacity-use",
    "targets",
    "enterprises",
    "enterprises/CODE",
    "enterprises/CODE/SB-0001",
    "enterprises/CODE/DB-0101",
    "enterprises/91360000NOBODY0000",
    "equipment?measure=nc_checked",
    "energy",
    "energy/2026-10?industry=STEEL",
    "ranking",
    "compare?of=360100&of=360700&of=STEEL",
    "gateways",
    "definitions",
    "indicators/nc_rate_main",
    "indicators/water?by=industry",
    "indicators/none_of_ours",
    "reports",
    "reports/2026-10",
    "reports/2026-09",
    "",
    "dual-control",
    "dual-control?area=360700&tag=technology_centre",
    "assessment",
    "assessment?area=360700",
    "trees",
    "nodes",
    "tags",
    "tags/technology_centre",
    "overview?tag=technology_centre",
    "banned",
    "moves",
    "moves?area=360700&by=device",
    "moves?indicator=enterprise_onboarded",
    "silent",
    "onboarded",
    "indicators/nc_rate_main?area=360700&by=industry",
)
SAME_TO_AXE = {
    "overview",
    "overview?area=360100",
    "overview?industry=FOOD&as_of=2026-11-10",
    "indicators/water?by=industry",
    "indicators/none_of_ours",
    "reports/2026-09",
    "overview?tag=technology_centre",
    "moves?indicator=enterprise_onboarded",
    "indicators/nc_rate_main?area=360700&by=industry",
}
"""What they are built of is all in `overview?selected`, another indicator, or another unknown address."""
QUICK = {
    "overview?selected=360100",
    "plan",
    "enterprises/CODE",
    "enterprises/CODE/SB-0001",
    "energy",
    "reports/2026-10",
}
"""Those that `make test` opens; the others are for `make campaign`."""
OPENED = [path if path in QUICK else pytest.param(path, marks=pytest.mark.slow) for path in PAGES]
EXAMINED = {"zh": 390, "en": 1366}
"""Every page as a phone has it and at desk size, each in one language; but in campaigns one of both: axe is slow."""

CLIPPED = """() => [...document.querySelectorAll("main .card, main .scroll, header, .pages")]
  .filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.className + box.getAttribute("aria-label"))"""
"""Boxes that show less than there is in them."""
HALF_WIDTH = re.compile(r"[一-鿿%] ?\([^)\n]*|\([^)\n]*[一-鿿]|[一-鿿]: .{9}")
"""Brackets and colons that Chinese writes wide."""
SPILT = """() => [...document.querySelectorAll(".tile")]
  .filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)"""
"""Tiles with words beside them."""


@pytest.mark.parametrize("path", OPENED)
def test_every_page_is_accessible_whole_and_asks_nobody_else(
    every: Watched, served: Served, code: str, path: str
) -> None:
    for at, (lang, width) in enumerate(EXAMINED.items(), PAGES.index(path)):
        every.trouble.clear()
        examined = width if path not in SAME_TO_AXE and (LONG or at % 2) else 0
        fits(every, served, path.replace("CODE", code), lang, examined)


def fits(watched: Watched, served: Served, path: str, lang: str, examined: int) -> None:
    """One page in one language at every width; at one of them axe looks at it."""
    watched.page.set_viewport_size({"width": 1366, "height": 900})
    page = watched.open(f"{served.url}/{path}{'&' if '?' in path else '?'}lang={lang}")
    if page.locator("[data-chart]").count():
        page.locator(".chart svg").first.wait_for()
    for width in (1440, 1140, 960, 870, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert watched.sideways() <= 0, (lang, width)
        below = page.evaluate("document.querySelector('header').getBoundingClientRect().top + scrollY")
        assert below >= page.evaluate(
            "document.querySelector('.demo').getBoundingClientRect().bottom + scrollY"
        )
        assert width < 1440 or page.evaluate(CLIPPED) == []
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator(".demo").first.inner_text().startswith("演示数据 DEMO DATA")
        assert watched.sideways() <= 0, (lang, width)
        assert page.evaluate(SPILT) == [], (lang, width)
        if width == examined:
            found = Axe().run(page).response["violations"]
            told = [(item["id"], [node["html"][:120] for node in item["nodes"][:3]]) for item in found]
            assert told == [], (lang, width)
    assert watched.missing_glyphs() == [], lang
    missing = path in ("indicators/none_of_ours", "reports/2026-09", "enterprises/91360000NOBODY0000")
    assert [line for line in watched.trouble if not (missing and "404" in line)] == []
    text = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => e.children.length === 0"
        " && !e.closest('code, [lang=en]')).map(e => e.textContent).join(' ')"
    )
    assert "{" not in text
    if lang == "zh":
        assert not re.findall(r"\b(enterprises|checked|declared|proven|months|points)\b", text)
        assert not HALF_WIDTH.findall(page.inner_text("main")), path


def test_the_page_says_how_far_the_demo_is_filled(watched: Watched, served: Served) -> None:
    page = watched.open(f"{served.url}/overview?lang=en")
    assert "seeding 40 %" in page.locator(".demo").inner_text()
    assert SEEDING == "demo seeding"


def test_every_number_stands_on_the_page_as_the_api_tells_it(watched: Watched, served: Served) -> None:
    page = watched.open(f"{served.url}/overview?lang=en")
    for item in httpx.get(f"{served.url}/api/v1/overview").json():
        told = page.locator(f"#row-{item['id']}").inner_text()
        assert item["definition"] in told
        numerator, denominator = item["checked"]["numerator"], item["checked"]["denominator"]
        first = page.locator(f"#row-{item['id']} data").first
        if item["unit"] == "%" and item["period"] is None:
            goal = Fraction(item["target"]["value"]) if item["target"] else None
            assert first.get_attribute("value") == f"{numerator}/{denominator}"
            assert first.inner_text() == numbers.rate(numerator, denominator, goal)
        elif item["unit"] in ("sets", "enterprises", "devices"):
            assert first.inner_text() == f"{numerator:,}"
            assert item["unit"] in told
    assert httpx.get(f"{served.url}/api/v1/overview").headers["etag"]


def test_from_the_rate_to_the_devices_and_their_spreadsheet_in_three_clicks(
    watched: Watched, served: Served, tmp_path: Path
) -> None:
    found = httpx.get(f"{served.url}/api/v1/overview").json()[0]["checked"]
    for behind, number in (("numerator", found["numerator"]), ("denominator", found["denominator"])):
        page = watched.open(f"{served.url}/overview?lang=en")
        page.locator("#row-nc_rate_main").get_by_role("link", name=behind).first.click()
        assert page.locator("h2.title").inner_text().startswith(f"{number} devices")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download .xlsx").click()
        file = tmp_path / f"{behind}.xlsx"
        download.value.save_as(file)
        assert download.value.suggested_filename == "demo-data-equipment.xlsx"
        book = CalamineWorkbook.from_path(str(file))
        rows: list[list[Any]] = book.get_sheet_by_name("equipment").to_python()
        assert rows[0][0] == "DEMO DATA / 演示数据"
        assert len(rows) - 3 == number
        place = rows[1].index("counted · main equipment, numerical control checked")
        assert rows[-1][place] == sum(row[place] for row in rows[2:-1]) == found["numerator"]
        meaning = {row[1]: row[2] for row in book.get_sheet_by_name("about").to_python()}
        assert str(meaning["nc_rate_main"]).startswith("N(main and numerical_control")


def test_tiles_and_table_drive_each_other_and_the_address_keeps_it(watched: Watched, served: Served) -> None:
    page = watched.open(f"{served.url}/overview?lang=en")
    page.locator(".tile", has_text="Ganzhou").click()
    page.locator("tr.chosen", has_text="Ganzhou").wait_for()
    assert "selected=360700" in page.url
    assert page.locator(".tile[aria-current]").inner_text().startswith("Ganzhou")
    page.reload()
    assert page.locator("tr.chosen").inner_text().split("\t")[1].strip() == "Ganzhou"
    page.get_by_role("link", name="中文").click()
    assert "selected=360700" in page.url
    assert page.locator(".tile[aria-current]").inner_text().startswith("赣州")
    assert watched.trouble == []


def test_charts_are_drawn_and_each_has_its_table(watched: Watched, served: Served) -> None:
    page = watched.open(f"{served.url}/overview?lang=en")
    page.locator(".chart svg").first.wait_for()
    assert page.locator(".chart svg").count() == 2
    assert page.locator("details table").count() == 2


def test_without_javascript_everything_is_there_as_tables(browser: Browser, served: Served) -> None:
    plain = Watched(browser, java_script_enabled=False)
    page = plain.open(f"{served.url}/overview?lang=en")
    page.locator(".tile", has_text="Ganzhou").click()
    assert page.locator("tr.chosen", has_text="Ganzhou").count() == 1
    page.locator("details summary").first.click()
    assert page.locator("details table").first.is_visible()
    page.locator("select[name=industry]").select_option("FOOD")
    page.get_by_role("button", name="Show").click()
    assert "Food" in page.locator("h1").inner_text()
    assert page.locator(".chart").first.is_hidden()
    plain.context.close()


def test_a_past_day_is_asked_for_by_its_address_and_says_so(watched: Watched, served: Served) -> None:
    page = watched.open(f"{served.url}/overview?lang=en&as_of=2026-10-15")
    assert "Fri 16 Oct 2026, 00:00:00" in page.locator(".asof").first.inner_text()
    now = httpx.get(f"{served.url}/api/v1/overview").json()
    then = httpx.get(f"{served.url}/api/v1/overview", params={"as_of": "2026-10-15"}).json()
    assert then[2]["checked"]["numerator"] < now[2]["checked"]["numerator"]
    menu = page.locator("nav.pages a").evaluate_all("links => links.map(link => link.href)")
    assert all("as_of=2026-10-15" in href for href in menu), "the menu keeps the day"
    row = page.locator("#row-enterprise_onboarded").inner_text().split()
    assert str(then[2]["checked"]["numerator"]) in row
    assert str(now[2]["checked"]["numerator"]) not in row


def test_printed_it_keeps_its_mark_and_loses_its_tools(
    watched: Watched, served: Served, tmp_path: Path
) -> None:
    page = watched.open(f"{served.url}/reports/2026-10?lang=zh")
    assert page.get_by_role("button", name="打印").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".print").is_hidden()
    assert page.locator(".demo").is_visible()
    assert page.locator(".pages").is_hidden()
    file = tmp_path / "report.pdf"
    page.pdf(path=str(file), prefer_css_page_size=True)
    assert file.read_bytes().startswith(b"%PDF")


def test_an_empty_registry_says_so(browser: Browser, tmp_path: Path) -> None:
    plant = Plant(databases.database(tmp_path))
    watched = Watched(browser)
    with Served(create_app(plant.database, TestClock(wall=NOW))) as running:
        page = watched.open(f"{running.url}/overview?lang=en")
        told = page.locator("main").inner_text()
        assert "No main production equipment is registered here yet." in told
        assert "0.0%" not in told, "nothing registered is no zero"
        for path, first in (
            ("equipment", "ganpo-cloud import equipment FILE.csv"),
            ("enterprises", "ganpo-cloud import enterprises FILE.csv"),
            ("energy", "ganpo-cloud import statements FILE.csv"),
            ("reports", "ganpo-cloud publish 2026-10"),
        ):
            assert first in watched.open(f"{running.url}/{path}?lang=en").locator("main").inner_text()
    watched.context.close()
    plant.database.close()


def test_a_wrong_address_is_no_server_error_and_runs_no_script(watched: Watched, served: Served) -> None:
    for path in (
        "nothing",
        "overview?area=nowhere",
        "overview?industry=STEAL",
        "overview?as_of=2099-01-01",
        "overview?as_of=yesterday",
        "equipment?measure=none&q=%3Cscript%3Ealert(1)%3C/script%3E",
        "enterprises?q=%E2%80%AE%D7%90",
        "enterprises/%3Cscript%3E",
        "enterprises/x%00y",
        f"enterprises/{'x' * 200}",
    ):
        page = watched.open(f"{served.url}/{path}{'&' if '?' in path else '?'}lang=en")
        assert page.locator("h1").count() == 1, path
        assert [line for line in watched.trouble if "404" not in line and "422" not in line] == [], path
