"""The gateway page in a real browser, over answers of an invented gateway, beside the design's pictures."""

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette

from ganpo_agent.page import pages
from support.browsing import Watched, chromium
from support.gateway_answers import ZONE, answers
from support.serving import Served

SHOTS = os.environ.get("GANPO_SHOTS")
"""A folder for screenshots, to look at beside the design."""
EVERY_MS = 5000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the gateway answers: change it, and it answers otherwise."""
    told = answers()

    async def ask(_agent: object) -> dict[str, Any]:
        return told

    monkeypatch.setattr(pages, "_ask", ask)
    return told


async def nothing(_agent: object) -> None:
    """There is no machine to examine."""


@pytest.fixture
def served(given: dict[str, Any]) -> Iterator[Served]:
    gateway = SimpleNamespace(is_legible=True)
    agent: Any = SimpleNamespace(
        plant=SimpleNamespace(site=SimpleNamespace(timezone=ZONE), gateway=gateway), demo=True
    )
    examined: Any = SimpleNamespace(checks=given["doctor"], at=given["examined"], fresh=nothing)
    with Served(Starlette(routes=pages.routes(agent, examined))) as found:
        yield found


@pytest.mark.parametrize("lang", ["zh", pytest.param("en", marks=pytest.mark.slow)])
def test_it_fits_every_window_has_every_glyph_and_no_barrier(
    browser: Browser, served: Served, lang: str
) -> None:
    watched = Watched(browser, 1280)
    page = watched.open(f"{served.url}/?lang={lang}")
    assert watched.missing_glyphs() == []
    for width in (1440, 1280, 1181, 1180, 861, 860, 390, 360, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert watched.sideways() == 0, width
        if width in (1280, 390):
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            if SHOTS:
                page.screenshot(path=f"{SHOTS}/gateway-{lang}-{width}.png", full_page=True)
    low = page.evaluate("""() => [...document.querySelectorAll("header a, button, main a")].filter(
        item => item.checkVisibility() && item.getBoundingClientRect().height < 42).map(item => item.outerHTML)""")
    assert low == [], "a finger needs more"
    page.evaluate("document.querySelector('h1').style.minWidth = '3000px'")
    assert watched.sideways() > 0, "the test would see it"
    watched.context.close()
    assert not watched.trouble


def wait(page: Page) -> None:
    """Five seconds later, as the page's clock sees it; the answer is there."""
    with page.expect_response(lambda response: response.url.startswith(page.url.split("/?")[0])):
        page.clock.run_for(EVERY_MS)


def test_it_moves_by_itself_says_only_new_needs_can_be_paused_and_keeps_what_is_marked(
    browser: Browser, served: Served, given: dict[str, Any]
) -> None:
    watched = Watched(browser)
    watched.page.clock.install()
    page = watched.open(f"{served.url}/?lang=en")
    value = page.locator("#rows tr", has_text="WM-01/water_volume").locator(".val")
    expect(value).to_have_text("102")
    page.evaluate("scrollTo(0, 400)")
    point = next(point for point in given["points"] if point["name"] == "WM-01/water_volume")
    point["value"] = 103.5
    wait(page)
    expect(value).to_have_text("103.5")
    assert page.evaluate("scrollY") == 400
    expect(page.locator("#said")).to_have_text("")

    given["status"]["needs"].pop()
    wait(page)
    expect(page.locator("#said")).to_have_text(
        "Needs a person: 1. plc-lb01 10.12.4.31:502: unit 1: no answer in 1 s; "
    )

    page.get_by_role("button", name="Pause").click()
    point["value"] = 104
    page.clock.run_for(EVERY_MS)
    page.get_by_role("button", name="Resume").click()
    expect(value).to_have_text("103.5")
    wait(page)
    expect(value).to_have_text("104")

    page.evaluate("getSelection().selectAllChildren(document.querySelector('#needs code'))")
    given["status"]["needs"][0]["since"] = None
    wait(page)
    expect(page.locator("#needs .since")).to_have_count(1)
    assert page.evaluate("getSelection().toString()") == "ganpo ping plc-lb01"
    page.evaluate("getSelection().removeAllRanges()")
    wait(page)
    expect(page.locator("#needs .since")).to_have_count(0)
    assert not watched.trouble

    page.route("**/*", lambda route: route.abort())
    page.clock.run_for(EVERY_MS)
    expect(page.locator("#away")).to_contain_text("It is asked again every 5 s. Mon 23 Nov 2026, 09:42:16")
    expect(page.locator("#rows .said.ok").first).to_be_hidden()
    expect(page.locator("#rows .age").first).to_be_hidden()
    expect(value).to_have_text("104")
    page.unroute("**/*")
    wait(page)
    expect(page.locator("#away")).to_be_hidden()
    expect(page.locator("#rows .said.ok").first).to_be_visible()
    watched.context.close()


def test_without_javascript_it_is_the_same_and_every_way_goes(browser: Browser, served: Served) -> None:
    watched = Watched(browser, 390, java_script_enabled=False, locale="zh-CN")
    page = watched.open(served.url)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator(".lead")).to_contain_text("10台设备有9台正在读取，")
    assert page.locator("noscript meta[http-equiv=refresh]").count() == 1
    assert not page.locator("#pause").is_visible()
    assert not page.locator("#pages").is_visible()
    page.get_by_role("link", name="菜单").click()
    page.locator("#pages").get_by_role("link", name="诊断").click()
    assert page.url.endswith("#doctor")

    page.get_by_role("link", name="只看异常（3）").click()
    expect(page.locator("#rows tbody tr:not(.why)")).to_have_count(3)
    page.locator("input[type=search]").fill("temperature")
    page.get_by_role("button", name="搜索").click()
    expect(page.locator("#rows tbody tr:not(.why)")).to_have_count(1)
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#rows tbody tr:not(.why)")).to_have_count(1)
    expect(page.locator("input[type=search]")).to_have_value("temperature")
    page.get_by_role("link", name="all", exact=True).click()
    expect(page.locator("#rows tbody tr:not(.why)")).to_have_count(9)
    watched.context.close()
    assert not watched.trouble


def test_what_is_dangerous_is_red_and_a_demo_is_marked_first(browser: Browser, served: Served) -> None:
    watched = Watched(browser, 1280)
    page = watched.open(f"{served.url}/?lang=en")
    expect(page.locator("body > :not(.skip)").first).to_contain_text("演示数据 DEMO DATA")
    expect(page.locator(".exposed")).to_have_css("background-color", "rgb(179, 38, 30)")
    expect(page.locator(".exposed")).to_contain_text("can be read on the wire")
    insecure = page.locator("#connections tr", has_text="plc-zj").locator(".insecure")
    expect(insecure).to_have_css("color", "rgb(179, 38, 30)")
    assert page.locator("[aria-live]").count() == 1
    watched.context.close()
    assert not watched.trouble
