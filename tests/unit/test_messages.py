"""Commands and the gateway page speak Chinese: every text of the sources has its translation, and is recognised."""

import re

import pytest

import ganpo_agent.cli.main
import ganpo_cloud.cli.main
import ganpo_demo.cli
from ganpo_service import words
from support import extracting

CATALOGUE = extracting.catalogue()
COMMANDS = {
    "ganpo": ganpo_agent.cli.main.main,
    "ganpo-cloud": ganpo_cloud.cli.main.main,
    "ganpo-demo": ganpo_demo.cli.main,
}
HOLE = re.compile(r"(?<!\{)\{(\d*)\}(?!\})")
HAN = "\u4e00-\u9fff"


def holes(text: str) -> list[int]:
    found = HOLE.findall(text)
    return [int(number) if number else place for place, number in enumerate(found)]


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    wanted = extracting.messages().keys() | extracting.CLICK
    assert CATALOGUE.keys() == wanted, "python -m support.extracting lists them, with --write it puts them in"


def test_words_that_stand_alone_still_stand_in_the_sources() -> None:
    sources = "".join(file.read_text() for file in extracting.files())
    assert not [word for word in extracting.WORDS if not re.search(f"[\"'}}]{word}[\"']", sources)]


@pytest.mark.parametrize("text", [text for text in CATALOGUE if HOLE.search(text)])
def test_a_template_says_as_many_values_in_both_languages(text: str) -> None:
    told = CATALOGUE[text]
    plural = {place for place, part in enumerate(HOLE.split(text)[:-1:2]) if re.search("[a-z]$", part)}
    assert set(holes(text)) - set(holes(told)) <= plural
    assert set(holes(told)) <= set(holes(text))
    assert len({bool(number) for number in HOLE.findall(told)}) <= 1, "either all are numbered or none"


@pytest.mark.parametrize("values", [["Q7"] * 9, ["/dev/ttyS0", "3.5 Q"] * 5, ["", "1:holding:5"] * 5])
@pytest.mark.parametrize("text", [text for text in CATALOGUE if HOLE.search(text)])
def test_what_is_made_from_a_template_is_recognised(text: str, values: list[str]) -> None:
    if re.search(r"\} *\{| \{\}[a-z]", text) or not words._telling(HOLE.split(text)[::2]):
        values = [value.replace(" ", "") for value in values]  # nobody could tell where one ends
    given = iter(values)
    english = HOLE.sub(lambda _: next(given), text).replace("{{", "{").replace("}}", "}")
    told = CATALOGUE[text]
    chinese = HOLE.sub(lambda hole: values[int(hole[1])] if hole[1] else "\0", told)
    given = iter(values)
    chinese = re.sub("\0", lambda _: next(given), chinese).replace("{{", "{").replace("}}", "}")
    assert words.tell(english, "zh") == chinese


@pytest.mark.parametrize("told", [told for told in CATALOGUE.values() if re.search(f"[{HAN}]", told)])
def test_chinese_is_set_as_chinese(told: str) -> None:
    code = re.sub(r"`[^`]*`|\[default.*|unit:area\S*", "`", told)
    assert not re.search(rf"[{HAN}] [\dA-Za-z{{]|[\dA-Za-z}}] [{HAN}]", code), "a blank beside Chinese"
    assert not re.search(rf"[{HAN}][,;:?!]|[,;:?!][{HAN}]|[{HAN}]\(|\)[{HAN}]", code), "a half-width sign"
