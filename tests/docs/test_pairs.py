"""Pages in Chinese beside the English ones: the same commands, headings, tables, codes and links."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
WANTED = {
    *(
        "afternoon.md",
        "broker.md",
        "collector.md",
        "configuration.md",
        "devices.md",
        "drivers.md",
        "errors.md",
    ),
    *("gateway-api.md", "gateway.md", "lists.md", "metrics.md", "mistakes.md", "opcua.md"),
}
PAGES = sorted(page.name for page in (DOCS / "zh").glob("*.md"))
_SAME = re.compile(r"`[^`]+`|^[0-9]+[.]|: [0-9]+$")
HAN = "\u4e00-\u9fff"


def of(name: str) -> tuple[str, str]:
    """A page in English and in Chinese."""
    return (DOCS / name).read_text(encoding="utf-8"), (DOCS / "zh" / name).read_text(encoding="utf-8")


def blocks(page: str) -> list[str]:
    """What is to be copied: blocks in fences, and indented ones."""
    fences = re.findall(r"^```.*?^```$", page, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"(?<=\n\n)    .*(?:\n+    .*)*", rest)
    return fences + indented


def prose(page: str) -> str:
    """The page without what is to be copied."""
    for block in blocks(page):
        page = page.replace(block, "")
    return page


def headings(page: str) -> list[str]:
    """Levels and, of a heading that is code or numbered, what is the same in every language."""
    found = re.findall(r"^(#+) (.*)$", prose(page).replace("：", ": "), re.MULTILINE)
    return [f"{level} {''.join(_SAME.findall(text))}" for level, text in found]


def tables(page: str) -> list[int]:
    """How many cells each row of each table has."""
    return [len(re.split(r"(?<!\\)\|", row)) for row in re.findall(r"^\|.*\|$", prose(page), re.MULTILINE)]


def codes(page: str) -> set[str]:
    """Commands, settings, codes and files."""
    return set(re.findall(r"`([^`\n]+)`", prose(page)))


def test_what_a_plant_engineer_reads_is_there_in_chinese() -> None:
    assert set(PAGES) >= WANTED


@pytest.mark.parametrize("name", PAGES)
def test_both_pages_have_the_same_commands_headings_tables_and_codes(name: str) -> None:
    english, chinese = of(name)
    assert blocks(chinese) == blocks(english)
    assert headings(chinese) == headings(english)
    assert tables(chinese) == tables(english)
    assert codes(chinese) == codes(english)
    assert prose(chinese).count("\n- ") == prose(english).count("\n- ")


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_chinese_page_goes_where_the_english_one_goes(name: str) -> None:
    english, chinese = (set(re.findall(r"\]\(([^)#]+)", page)) for page in of(name))
    assert {
        (DOCS / "zh" / target).resolve() for target in chinese if not (DOCS / "zh" / target).exists()
    } == set()
    meant = {(DOCS / target).resolve() for target in english}
    assert {
        DOCS / target if target in PAGES else (DOCS / "zh" / target).resolve() for target in chinese
    } == meant


@pytest.mark.parametrize("name", PAGES)
def test_chinese_is_set_as_chinese(name: str) -> None:
    text = re.sub(r"`[^`\n]*`|\]\([^)]*\)", "", prose(of(name)[1]))
    text = "\n".join(line for line in text.splitlines() if not line.startswith("|"))
    assert not re.findall(rf"[{HAN}] [0-9A-Za-z]|[0-9A-Za-z%] [{HAN}]", text)
    assert not re.findall(rf"[{HAN}][,;:?!(]|[,;:?!)][{HAN}]", text)
