"""The page in a real browser, over facts that came through the real ingest."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ganpo_cloud.web.application import create_app
from ganpo_model.facts import Reading
from support import seeding
from support.browsing import Watched, chromium
from support.processes import BIN
from support.seeding import ENTERPRISE, MAIN, NOW, ONLINE, Plant
from support.serving import Served

MACHINES = {
    "zh": {
        "CJ-04": "故障",
        "ZJ-02": "等待",
        "LB-01": "未知",
        "CJ-01": "运行",
        "CJ-03": "调整",
        "JC-01": "—",
        "KY-01": "关机",
        "LB-02": "待机",
        "TH-01": "维护",
    },
    "en": {
        "CJ-04": "Fault",
        "ZJ-02": "Held",
        "LB-01": "Unknown",
        "CJ-01": "Producing",
        "CJ-03": "Setup",
        "JC-01": "—",
        "KY-01": "Off",
        "LB-02": "Idle",
        "TH-01": "Maintenance",
    },
}
SEEN = {
    "zh": "接入设备8台，其中正在观测7台；网关2台，其中在线1台。",
    "en": "7 of 8 machines are observed; 1 of 2 gateways is online.",
}
SHOTS = os.environ.get("GANPO_SHOTS")
"""A folder for screenshots, to look at beside the design."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    plant = seeding.plant(tmp_path_factory.mktemp("page"))
    yield plant
    plant.database.close()


@pytest.fixture(scope="module")
def served(plant: Plant) -> Iterator[Served]:
    with Served(create_app(plant.database, seeding.TestClock())) as served:
        yield served


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    found = Watched(browser)
    yield found
    found.context.close()
    assert not found.trouble


def rows(page: Page, section: int) -> dict[str, str]:
    """The rows of one table by the number in their head."""
    table = page.locator("main table").nth(section)
    return {row.locator("th b").inner_text(): row.inner_text() for row in table.locator("tbody tr").all()}


def test_every_machine_stands_there_with_its_state_in_words_worst_first(
    watched: Watched, served: Served
) -> None:
    for lang, code in (("zh", "zh-CN"), ("en", "en")):
        page = watched.open(f"{served.url}/?lang={lang}")
        found = rows(page, 0)
        assert list(found) == list(MACHINES[lang])
        for asset_no, word in MACHINES[lang].items():
            assert word in found[asset_no]
        assert page.locator(".second").first.inner_text() == SEEN[lang]
        expect(page.locator("html")).to_have_attribute("lang", code)


def test_the_painted_day_survives_without_colour(watched: Watched, served: Served) -> None:
    """Height x fill x outline x mark: no two states are drawn alike, and the bar ends now."""
    page = watched.open(f"{served.url}/?lang=en")
    drawn = page.evaluate("""() => {
      const shapes = {};
      for (const bar of document.querySelectorAll("td.lane svg.bar[aria-label*=':']")) {
        for (const rect of bar.querySelectorAll("rect")) {
          const y = rect.getAttribute("y"), height = rect.getAttribute("height");
          const look = [y, height, rect.hasAttribute("stroke"), rect.getAttribute("stroke-dasharray"),
            rect.getAttribute("fill").startsWith("url")].join();
          shapes[look] = (shapes[look] ?? 0) + 1;
        }
      }
      return shapes;
    }""")
    lanes = ["6,24,false,,false", "14,16,true,,false", "6,24,true,,false", "22,8,true,,false"]
    lanes += ["14,16,true,,true", "28,2,false,,false", "6,24,true,3 2,true"]
    assert set(lanes) <= set(drawn)
    label = page.locator("svg.bar").first.get_attribute("aria-label") or ""
    assert label.startswith("CJ-04 立式加工中心<b>: Fault; Producing ")
    last = page.locator("svg.bar").first.locator("> rect").last
    place, width = (float((last.get_attribute(name) or "").rstrip("%")) for name in ("x", "width"))
    assert place + width == pytest.approx(100)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_runs_out_of_the_page_no_glyph_is_missing_and_nobody_else_is_asked(
    watched: Watched, served: Served, lang: str
) -> None:
    page = watched.open(f"{served.url}/?lang={lang}")
    for width in (1440, 1140, 870, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert watched.sideways() == 0, width
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/page-{lang}-{width}.png", full_page=True)
    assert watched.missing_glyphs() == []
    page.evaluate("document.querySelector('h1').textContent = 'A\u0379中'")
    assert watched.missing_glyphs() == ["\u0379"], "the test would see one"
    page.evaluate("document.querySelector('h1').style.minWidth = '3000px'")
    assert watched.sideways() > 0, "the test would see it"


def test_meters_show_where_they_stand_what_they_counted_and_what_is_only_spread(
    watched: Watched, served: Served
) -> None:
    page = watched.open(f"{served.url}/?lang=en")
    found = rows(page, 1)
    register = r"active energy, import\s+DB-0101/energy_import#1f3a9c02"
    assert re.search(rf"50,403\.00 kWh\s+{register}\s+2,200\.00 kWh", found["DB-0101"])
    assert "2026-11-25 14:40" in found["DB-0101"]
    assert "—" in found["QB-01"]
    assert "no reading yet" in found["QB-01"]
    assert "3.30 m³\nopen" in found["SB-W-01"]
    assert "3 h 32 min" in found["SB-W-01"], "a stale value stands with its age"
    main = page.locator("main table").nth(1).locator("tbody tr").first
    assert main.locator("rect[stroke-dasharray]").count() == 2, "05:00 to 06:40 is spread"
    assert main.locator("rect").count() == 1 + 15, "nothing is drawn of what nobody has read"


def test_gateways_show_their_last_word_and_every_frame_by_where_it_is(
    watched: Watched, served: Served
) -> None:
    page = watched.open(f"{served.url}/?lang=en")
    found = rows(page, 2)
    assert re.search(r"✓ online\s+0 s\s+30\s+25\s+3\s+2", found[ONLINE]), found[ONLINE]
    assert "plc-lb01 waiting" in found[ONLINE]
    assert re.search(r"offline\s+3 h 00 min", found[seeding.SILENT])
    assert "not registered" in found[seeding.STRANGER]
    assert "gateway: gateway gw-new-0003 is not registered" in found[seeding.STRANGER]


def test_what_needs_a_person_stands_alarms_first_with_the_command(watched: Watched, served: Served) -> None:
    page = watched.open(f"{served.url}/?lang=en")
    lines = [line.inner_text() for line in page.locator("#moving .needs li").all()]
    wanted = [
        r"CJ-04 .*: fault · 2026-11-25 14:21 \(21 min\)$",
        r"gw-water-0002 the gateway is offline · 2026-11-25 11:42 \(3 h 00 min\)\nsystemctl status ganpo-agent$",
        r"gw-new-0003 .*: 1\nganpo-cloud gateway add gw-new-0003 --enterprise CODE --site ID$",
        r"plc-lb01 .*: 10\.12\.4\.31:502: no answer in 3 s.*\ncurl http://127\.0\.0\.1:8780/health$",
        r"gw-press-0001 frames missing: 3; .*\nsystemctl status ganpo-agent$",
        r"SB-W-01/water_volume#77aa01bc a step of −48,109 counts is open: .* 10:10 \(.*\)\nganpo-cloud declare ",
        r"DB-0101/energy_import#1f3a9c02 jumps .* 2026-11-25 14:41 \(1 min\)\nganpo check$",
    ]
    for line, pattern in zip(lines, wanted, strict=True):
        assert re.match(pattern, line), line
    levels = [icon.get_attribute("aria-label") for icon in page.locator("#moving .needs svg").all()]
    assert levels == ["act now"] * 2 + ["look"] * 5, "half of the gateways are away"
    assert page.locator("#needs").inner_text() == "Needs a person: 7"


def test_the_commands_on_the_page_close_what_they_stand_beside(browser: Browser, tmp_path: Path) -> None:
    plant = seeding.plant(tmp_path)
    env = os.environ | {"GANPO_CLOUD_DATABASE__URL": f"sqlite:///{plant.database.where}"}
    config = tmp_path / "cloud.toml"
    config.write_text("format = 1\n")
    watched = Watched(browser)
    with Served(create_app(plant.database, seeding.TestClock())) as served:
        page = watched.open(f"{served.url}/?lang=en")
        commands = [
            text for text in page.locator("#moving .needs code").all_inner_texts() if "ganpo-cloud" in text
        ]
        assert len(commands) == 2
        for command in commands:
            told = command.replace("CODE", ENTERPRISE).replace("site ID", "site plant-1")
            told = told.replace("'...'", "'meter exchanged'")
            _, *arguments = shlex.split(told)
            done = subprocess.run(
                [str(BIN / "ganpo-cloud"), *arguments, "--config", str(config)],
                env=env,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        plant.settle()
        page.reload()
        left = page.locator("#moving .needs").inner_text()
        assert "SB-W-01" not in left
        assert "is not registered" not in left
    watched.context.close()
    plant.database.close()


def test_the_page_moves_by_itself_can_be_paused_and_keeps_what_is_marked(
    browser: Browser, tmp_path: Path
) -> None:
    plant = seeding.plant(tmp_path)
    clock = seeding.TestClock()
    watched = Watched(browser)

    def count(minutes: int) -> None:
        plant.now = clock.now = NOW + timedelta(minutes=minutes)
        plant.send(ONLINE, [Reading("reading", MAIN, plant.now, 5_040_300 + minutes * 100)])
        plant.settle()

    with Served(create_app(plant.database, clock)) as served:
        page = watched.open(f"{served.url}/?lang=en")
        value = page.locator(".big").first
        expect(value).to_have_text("50,403.00")
        page.evaluate("scrollTo(0, 400)")
        count(1)
        expect(value).to_have_text("50,404.00", timeout=6000)
        assert page.evaluate("scrollY") == 400
        expect(page.locator("#said")).to_have_text("")

        page.get_by_role("button", name="Pause").click()
        count(2)
        page.wait_for_timeout(2600)
        expect(value).to_have_text("50,404.00")
        page.get_by_role("button", name="Resume").click()
        expect(value).to_have_text("50,405.00", timeout=6000)

        page.evaluate("getSelection().selectAllChildren(document.querySelectorAll('#moving .needs code')[2])")
        count(3)
        page.wait_for_timeout(2600)
        assert page.evaluate("getSelection().toString()") == "curl http://127.0.0.1:8780/health"
        page.evaluate("getSelection().removeAllRanges()")
        expect(value).to_have_text("50,406.00", timeout=6000)
        # three minutes after the gateway's last word its machines are not observed
        expect(page.locator("#said")).to_have_text("Needs a person: 5", timeout=6000)
        assert not watched.trouble

    expect(page.locator("#away")).to_be_visible(timeout=6000)
    expect(value).to_have_text("50,406.00")
    watched.context.close()
    plant.database.close()


def test_without_javascript_the_page_is_the_same_and_reloads_by_itself(
    browser: Browser, served: Served
) -> None:
    watched = Watched(browser, java_script_enabled=False)
    page = watched.open(f"{served.url}/?lang=zh")
    assert "50,403.00" in rows(page, 1)["DB-0101"]
    assert page.locator("noscript meta[http-equiv=refresh]").count() == 1
    assert not page.get_by_role("button").is_visible()
    watched.context.close()


def test_the_switch_changes_the_language_and_the_browsers_own_is_the_first(
    browser: Browser, served: Served
) -> None:
    watched = Watched(browser, locale="zh-CN")
    page = watched.open(served.url)
    needs = page.locator("#needs")
    expect(needs).to_have_text("待处理事项7项")
    page.get_by_role("link", name="English").click()
    expect(needs).to_have_text("Needs a person: 7")
    expect(page.get_by_role("link", name="English")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="中文").click()
    expect(needs).to_have_text("待处理事项7项")
    watched.context.close()
    assert not watched.trouble


def test_a_demo_is_marked_first_of_all_in_both_languages_and_shows_ten_minutes(
    watched: Watched, served: Served, plant: Plant
) -> None:
    with Served(create_app(plant.database, seeding.TestClock(), demo=True)) as demo:
        for lang, window in (("zh", "状态 · 最近10分钟"), ("en", "States · last 10 minutes")):
            page = watched.open(f"{demo.url}/?lang={lang}")
            banner = page.locator("body > :not(.skip)").first
            expect(banner).to_contain_text("演示数据 DEMO DATA")
            assert "DEMO DATA 演示数据" in page.title()
            expect(page.locator("thead .lane").first).to_contain_text(window)
            assert page.locator(".ticks").first.inner_text().split() == [
                f"14:{minute}" for minute in (32, 34, 36, 38, 40, 42)
            ]
    page = watched.open(served.url)
    assert "DEMO" not in page.content()


def test_an_address_that_anybody_reaches_says_so_in_red(watched: Watched, plant: Plant) -> None:
    with Served(create_app(plant.database, seeding.TestClock(), exposed=True)) as exposed:
        page = watched.open(f"{exposed.url}/?lang=en")
        line = page.locator(".exposed")
        expect(line).to_contain_text("no accounts in this version")
        expect(line).to_have_css("background-color", "rgb(179, 38, 30)")


def test_an_empty_collector_says_what_the_first_step_is(browser: Browser, tmp_path: Path) -> None:
    database = seeding.empty(tmp_path)
    watched = Watched(browser, 390)
    with Served(create_app(database, seeding.TestClock())) as served:
        page = watched.open(f"{served.url}/?lang=en")
        expect(page.locator(".lead")).to_have_text("—")
        first = page.locator("code").first
        expect(first).to_have_text("ganpo-cloud gateway add ID --enterprise CODE --site ID")
        expect(page.get_by_text("Nothing needs a person")).to_be_visible()
        assert watched.sideways() == 0
    watched.context.close()
    database.close()
    assert not watched.trouble


@pytest.mark.parametrize("width", [1440, 390])
def test_who_listens_to_the_page_finds_its_way(browser: Browser, served: Served, width: int) -> None:
    watched = Watched(browser, width)
    page = watched.open(f"{served.url}/?lang=en")
    assert page.locator("h1").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert page.locator("th:not([scope])").count() == 0
    unnamed = "svg:not([aria-hidden]):not([role=img][aria-label]):not(svg svg)"
    assert page.locator(unnamed).count() == 0
    assert page.locator("svg[role=img][aria-label='']").count() == 0
    assert page.locator("main").count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    small = page.evaluate("""() => [...document.querySelectorAll("header a, button")].filter(
        item => item.checkVisibility() && item.getBoundingClientRect().height < 24).length""")
    assert small == 0
    if width < 860:
        low = page.evaluate("""() => [...document.querySelectorAll("header a, button")].filter(
            item => item.checkVisibility() && item.getBoundingClientRect().height < 42).map(item => item.outerHTML)""")
        assert low == []
    watched.context.close()
