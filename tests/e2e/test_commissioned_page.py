"""What was compared at a device and what is at fault, as a browser shows it: wide and narrow, in both languages."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from ganpo_cloud.web.application import create_app
from integration.test_commissioned import commissioned
from integration.test_faults_shown import SAID
from support import seeding
from support.browsing import Watched, chromium
from support.seeding import ENTERPRISE, NOW, ONLINE
from support.serving import Served

pytestmark = pytest.mark.slow

DEVICE = f"/enterprises/{ENTERPRISE}/DB-0101"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    plant = seeding.plant(tmp_path_factory.mktemp("plant"))
    plant.send(ONLINE, [commissioned("482.03", "48203.12")])
    plant.say(ONLINE, NOW, **SAID)
    with Served(create_app(plant.database, seeding.TestClock())) as served:
        yield served.url
    plant.database.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize(("width", "lang"), [(1440, "zh"), (1440, "en"), (390, "zh"), (390, "en")])
def test_the_pages_fit_and_everybody_can_read_them(url: str, browser: Browser, width: int, lang: str) -> None:
    watched = Watched(browser, width)
    for path in ("/gateways", DEVICE):
        page = watched.open(f"{url}{path}?lang={lang}")
        assert watched.sideways() == 0, path
        assert watched.missing_glyphs() == []
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    row = page.locator("#compared + .card tbody tr")
    assert row.locator(".badge.warn").inner_text() == {"zh": "不符", "en": "differs"}[lang]
    assert "48203.12 kWh" in row.inner_text()
    assert watched.trouble == []
    watched.context.close()
