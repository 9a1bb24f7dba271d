"""The documentation as a site: strict, in both languages, and nothing of it is fetched from anywhere."""

import json
import re
import subprocess
import sys
from html import escape
from pathlib import Path

import pytest

from ganpo_config.profiles import Profiles
from support.browsing import chromium

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "deploy.docs.site", "--to", str(to)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return to


def test_every_device_has_its_recipe_in_both_languages(site: Path) -> None:
    for profile in Profiles(Path("nowhere")).values():
        for folder, title in (("docs/recipes", profile.title.en), ("zh/docs/recipes", profile.title.zh)):
            assert f">{escape(title, quote=False)}<" in (site / folder / f"{profile.id}.html").read_text()


def test_a_page_without_a_chinese_one_stands_there_in_english(site: Path) -> None:
    page = (site / "zh/CHANGELOG.html").read_text()
    assert ">Changes<" in page
    assert "修改赣鄱" in page


def test_the_reference_is_written_from_the_code(site: Path) -> None:
    for page, held in (
        ("agent-toml", "state_dir"),
        ("cloud-toml", "allow_unauthenticated"),
        ("commands", "ganpo service install"),
        ("error-codes", "unit-silent"),
        ("api", "/api/v1/overview"),
    ):
        assert held in (site / "docs/reference" / f"{page}.html").read_text()


def test_search_finds_chinese_words(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text())
    assert index["config"]["lang"] == ["en", "zh"]
    titles = {found["title"].replace("\u200b", "") for found in index["docs"]}
    assert Profiles(Path("nowhere"))["abb_b21"].title.zh in titles


def test_what_lies_as_files_is_searched_in_chinese_too(site: Path) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.goto((site / "zh/docs/gateway.html").as_uri())
        page.locator(".md-search__input").click()
        page.keyboard.type("电表")
        page.keyboard.press("Shift")  # the theme listens to keys
        page.wait_for_selector(".md-search-result__item", timeout=30_000)
        assert page.locator(".md-search-result__item").count() >= 5


def test_nothing_is_fetched_from_anywhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.search(
            r"<(?:script|img|link rel=.?stylesheet)[^>]*(?:src|href)=.?(?:https?:)?//", page.read_text()
        )
