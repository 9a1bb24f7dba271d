"""What is counted agrees with its number in English, whoever says it; sources write the plural alone."""

import re

from ganpo_model.errors import ConfigError
from ganpo_service import commands, english, words
from support import extracting

DOES = {
    *(
        "answers",
        "as",
        "begins",
        "belongs",
        "comes",
        "does",
        "fills",
        "has",
        "address",
        "suspicious",
        "is",
        "lies",
        "listens",
        "names",
        "needs",
    ),
    *("passes", "reads", "requires", "says", "stands", "takes", "this", "trust", "waits", "was"),
}
"""Behind the name of something: what it does. No such word counts anything."""


def test_one_is_told_as_one() -> None:
    for many, one in (
        ("ok: 1 connections, 1 points, 1 equipment, 1 meters, 1 warnings", ""),
        ("plant.xlsx: 1 mistakes; nothing was changed", "plant.xlsx: 1 mistake; nothing was changed"),
        ("out.csv: 1 points", "out.csv: 1 point"),
        ("t.csv: 1 tags name no number", "t.csv: 1 tag names no number"),
        ("1 frames wait, 0 B", "1 frame waits, 0 B"),
        ("1 of 3 machines are read", "1 of 3 machines is read"),
        ("1 of 1 connections are up", "1 of 1 connection is up"),
        ("1 units answer, 1 are silent", "1 unit answers, 1 is silent"),
        ("1 waiting frames applied", "1 waiting frame applied"),
        (
            "the certificate of the broker ends in 1 days: then",
            "the certificate of the broker ends in 1 day: then",
        ),
    ):
        assert words.tell(many, "en") == (one or "ok: 1 connection, 1 point, 1 equipment, 1 meter, 1 warning")
    assert words.filled("en", "{} points", 1) == "1 point"


def test_a_name_a_fraction_and_many_stay_as_they_are() -> None:
    for text in (
        "11 points", "0.1 days", "1,001 rows", "unit 1 times out", "row 1 points to x", "x-1 frames", "1 pointsman",
    ):  # fmt: skip
        assert words.tell(text, "en") == text
    assert words.tell("x.xlsx: 1 mistakes; nothing was changed", "zh") == "x.xlsx：1处错误；没有任何改变"


def test_an_english_error_about_a_chinese_word_has_english_signs() -> None:
    error = ConfigError("none of 'sub'", where="role = 总表", hint="which?")
    assert commands.told(error) == "role = 总表: none of 'sub'; which? [config]"


def test_every_noun_behind_a_number_is_known() -> None:
    strange = {
        text: word
        for text in extracting.catalogue()
        for word, more in re.findall(r"\{\} ([a-z]{2,}s)\b(?: ([a-z]+))?", text)
        if word not in DOES and not {word, f"{word} {more}"} & english._COUNTED.keys()
    }
    assert strange == {}, "put what they count into ganpo_service/english.py"
