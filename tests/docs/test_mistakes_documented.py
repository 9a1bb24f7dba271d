"""docs/mistakes.md is written from the mistakes of the tests."""

from pathlib import Path

import pytest

from support.mistakes import page

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("place", "lang"), [("mistakes.md", "en"), ("zh/mistakes.md", "zh")])
def test_the_page_of_mistakes_is_the_present_one(place: str, lang: str) -> None:
    stored = (DOCS / place).read_text(encoding="utf-8")
    assert stored == page(lang), "from tests: python -m support.mistakes"
