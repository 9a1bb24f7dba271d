"""The province's page in a real browser: what it says, the way to the devices, both languages, desk and phone."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from ganpo_cloud import registry
from ganpo_cloud.web import create_app
from support import databases
from support.browsing import Watched, chromium
from support.plants import TestClock
from support.province import CODES, NOW, Plant, enterprise, inventory, link_up
from support.serving import Served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    watched = Watched(browser)
    yield watched
    watched.context.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    plant = Plant(databases.database(tmp_path_factory.mktemp("province")))
    copper, food = CODES[:2]
    plant.take("enterprises", enterprise(copper), enterprise(food, "360121", "1310", "FOOD"))
    plant.take("sites", f"{copper},plant-1,P,360681,Asia/Shanghai", f"{food},plant-1,P,360121,Asia/Shanghai")
    plant.take("targets", "T01,360000,,>=,60,2020-12-31,,,plan")
    for n, code in enumerate((copper, food)):
        registry.add(plant.database, f"gw-test-000{n}", code, "plant-1")
    plant.send("gw-test-0000", [inventory("SB-1", "SB-2", flags=("main",))])
    plant.send("gw-test-0000", [link_up("SB-1", NOW, "numerical_control")])
    plant.send("gw-test-0001", [inventory("SB-9", flags=("main", "numerical_control"))])
    with Served(create_app(plant.database, TestClock(wall=NOW))) as running:
        yield running
    plant.database.close()


def test_the_sentence_the_cards_and_the_tables_say_what_the_api_says(
    watched: Watched, served: Served
) -> None:
    page = watched.open(f"{served.url}/province?lang=en")
    lead = page.locator(".lead").inner_text().split("\n")
    assert " ".join(lead) == (
        "CNC coverage of main equipment is 33.3% (checked). That is 26.7 points below the target of 60%. "
        "The deadline of the plan, 2020-12-31, has passed."
    )
    found = httpx.get(f"{served.url}/api/v1/overview").json()
    for card, item in zip(page.locator(".cards .card").all(), found, strict=True):
        told = card.inner_text()
        checked = item["checked"]
        assert item["definition"] in told
        if item["id"].endswith(("rate", "rate_main")) and checked["denominator"]:
            assert f"({checked['numerator']} / {checked['denominator']})" in told
    rows = [row.inner_text().split() for row in page.locator("table").first.locator("tbody tr").all()]
    assert rows[0][:3] == ["1", "Yingtan", "50.0%"]
    assert rows[1][:3] == ["2", "Nanchang", "0.0%"]
    assert "main equipment: 2 + 1 = 3" in page.locator("main").inner_text().replace("1 + 2", "2 + 1")


def test_from_the_number_to_the_devices_behind_it_in_three_clicks(watched: Watched, served: Served) -> None:
    page = watched.open(f"{served.url}/province?lang=en")
    page.get_by_role("link", name="Yingtan").click()
    page.get_by_role("link", name="Guixi").click()
    devices = [row.inner_text() for row in page.locator("table").last.locator("tbody tr").all()]
    assert [device.split()[0] for device in devices] == ["SB-1", "SB-2"]
    assert "numerical control: proven by the machine" in devices[0]
    assert "numerical control" not in devices[1]
    page.get_by_role("link", name="中文").click()
    assert page.locator("h1").inner_text() == "贵溪市", "the switch keeps the place"
    assert "控制器实证" in page.locator("main").inner_text()


@pytest.mark.parametrize("width", [1366, 390])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    "at", ["", "&area=360121", "&area=360100&industry=FOOD", "&area=nowhere", "&area=360000&devices=1"]
)
def test_nothing_runs_out_of_the_page_no_glyph_is_missing_and_nobody_else_is_asked(
    watched: Watched, served: Served, width: int, lang: str, at: str
) -> None:
    page = watched.open(f"{served.url}/province?lang={lang}{at}")
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.missing_glyphs() == []
    assert watched.trouble == []


def test_an_empty_registry_says_so(browser: Browser, tmp_path: Path) -> None:
    plant = Plant(databases.database(tmp_path))
    watched = Watched(browser)
    with Served(create_app(plant.database, TestClock(wall=NOW))) as running:
        page = watched.open(f"{running.url}/province?lang=en&devices=1")
        told = page.locator("main").inner_text()
        assert "No main production equipment is registered here yet." in told
        assert "ganpo-cloud import equipment FILE.csv" in told
        assert "0.0%" not in told, "nothing registered is no zero"
    watched.context.close()
    plant.database.close()
