"""Both languages say the same: every text of the page has its Chinese, and nothing is left over."""

import csv
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

import ganpo_cloud.province
import ganpo_cloud.web
from ganpo_cloud.days import reasons
from ganpo_cloud.province.plan import EVERY, NOTES
from ganpo_cloud.web.exports.people import Names, Table
from ganpo_cloud.web.pages.templating import environments
from ganpo_cloud.web.routes import RESOURCES
from ganpo_model.clock import to_ms
from ganpo_model.coverage import ENTERPRISES, MEASURES
from ganpo_service.pages import SHARED, spoken
from support import extracting
from support.province import NOW, PROVINCE

PACKAGE = Path(ganpo_cloud.web.__file__).parent
CONNECTION_STATES = {"opening", "up", "waiting", "parked"}
"""Said by gateways (ganpo_agent.reading.connection) and shown as they come."""


def used() -> set[str]:
    """Texts of Python and of templates, as Babel finds them; a template with an error in it is one."""
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    found = extract_from_dir(
        str(PACKAGE),
        method_map=methods,
        options_map={"templates/**.html": {"silent": "false", "trimmed": "true"}},
        keywords=DEFAULT_KEYWORDS | {"t": None, "_t": None},
    )
    return {str(message) for _, _, message, _, _ in found}


def tables() -> set[str]:
    """Words that stand in tables and are translated where they are shown."""
    mappings: list[Mapping[Any, str]] = [reasons.STATUS, reasons.REASONS, reasons.STEPS]
    named = {text for item in EVERY for text in (item.word, item.text, item.source)}
    words: Any = environments(exposed=False)["zh"].globals["words"]
    named |= {item.unit for item in EVERY} - words.UNITS.keys()
    named |= {*NOTES}
    named |= {word for of in MEASURES.values() for word in (of.word, of.rung) if word}
    named |= sources() | columns()
    named |= {of.rung for of in ENTERPRISES.values() if of.rung}
    return named | {word for table in mappings for word in table.values()}


def columns() -> set[str]:
    """What the second sheet says of the columns of every table."""
    return {column.about for table in sheets("zh") for column in table.columns} - {""}


def sheets(lang: str) -> list[Table]:
    """Every table as it is downloaded in a language."""
    connection: Any = None
    names = Names(connection, PROVINCE, NOW.date(), lang)
    return [Table(resource.kind, names) for resource in RESOURCES if resource.table]


def sources() -> set[str]:
    """Who says what carriers come to."""
    with (Path(ganpo_cloud.province.__file__).parent / "coefficients.csv").open() as file:
        return {row["source"] for row in csv.DictReader(file)}


def test_no_text_is_without_its_translation_and_no_translation_is_unused() -> None:
    with (PACKAGE / "locale/zh_CN/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    entries = [message for message in catalogue if message.id]
    assert {message.id for message in entries} == used() | tables() | CONNECTION_STATES
    assert not [message.id for message in entries if message.fuzzy or not message.string]
    for message in entries:
        names = [sorted(re.findall(r"{\w+}", text)) for text in (str(message.id), str(message.string))]
        assert names[0] == names[1], message.id


def test_a_text_has_one_translation() -> None:
    """Of two the one below would hold, wherever the text stands."""
    for file in (PACKAGE / "locale/zh_CN/LC_MESSAGES/messages.po", extracting.CATALOGUE):
        texts = re.findall(r'^msgid ((?:".*"\n)+)', file.read_text(), re.MULTILINE)
        assert not [text for text, number in Counter(texts).items() if number > 1], file.name


def test_no_space_stands_between_chinese_and_digits_or_latin() -> None:
    text = (PACKAGE / "locale/zh_CN/LC_MESSAGES/messages.po").read_text()
    for told in re.findall(r'msgstr "(.*)"', text):
        assert not re.search(r"[\u4e00-\u9fff，；：。] [A-Za-z0-9{]|[A-Za-z0-9}] [\u4e00-\u9fff]", told), told


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        (None, "", "zh"),
        ("en", "zh-CN", "en"),
        ("zh", "en", "zh"),
        ("tlh", "en-GB,en;q=0.9", "en"),
        (None, "de-DE,zh;q=0.8,en;q=0.5", "zh"),
        (None, "de", "zh"),
    ],
)
def test_the_language_is_that_of_the_url_else_the_browsers_else_chinese(
    asked: str | None, accepted: str, chosen: str
) -> None:
    assert spoken.choose(asked, accepted) == chosen


def test_ages_and_instants_are_said_as_people_say_them() -> None:
    ages = [(7_000, "7秒", "7 s"), (2_220_000, "37分", "37 min"), (7_680_000, "2时08分", "2 h 08 min")]
    ages.append((1_100_000_000, "12天17时", "12 d 17 h"))
    for ms, zh, en in ages:
        assert (spoken.age(ms, "zh"), spoken.age(ms, "en")) == (zh, en)
    sunday = to_ms(datetime(2026, 11, 22, 6, 5, 9, tzinfo=UTC))
    assert spoken.instant(sunday, "zh") == "2026年11月22日（周日）14:05:09"
    assert spoken.instant(sunday, "en") == "Sun 22 Nov 2026, 14:05:09"


def test_texts_are_readable_on_every_ground() -> None:
    css = SHARED.joinpath("base.css").read_text(encoding="utf-8")
    tokens = dict(re.findall(r"--([\w-]+): (#[0-9A-F]{6})", css))
    pairs = [(text, ground) for text in ("ink", "ink-2", "ink-3", "accent") for ground in ("surface", "bg")]
    pairs += [("alarm", "surface"), ("warn", "surface"), ("warn", "warn-bg"), ("surface", "ink")]
    for text, ground in [*pairs, ("surface", "alarm")]:
        assert contrast(tokens[text], tokens[ground]) >= 4.5, (text, ground)
    for mark in ("data", "run", "line-2", "hatch", "alarm", "warn-mark"):
        assert contrast(tokens[mark], tokens["surface"]) >= 3, mark


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, 1.4.3."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_column_of_a_sheet_has_a_word_in_both_languages() -> None:
    for lang, said in (("zh", r"[\u4e00-\u9fff]"), ("en", r"[A-Za-z]+")):
        for table in sheets(lang):
            within = [of for table in table.within for of in table.columns]
            for column in (*table.columns, *within):
                assert re.search(said, column.head) or column.head in ("SHA-256", "tce"), column.name
                assert "_" not in column.head, column.head
