"""The gateway page, rendered from answers: what stands first, what a search finds, and every word in both languages."""

import gzip
import re
from collections.abc import Iterator
from typing import Any

import pytest

from ganpo_agent.page import pages, shown
from ganpo_agent.page.pages import Place, render
from ganpo_agent.page.shown import Asked
from ganpo_cloud.inlet import gateways
from ganpo_service.catalogue import entries
from support.extracting import CATALOGUE, messages
from support.gateway_answers import ZONE, ago, answers
from support.page_text import text_of


def page(changed: dict[str, Any] | None = None, lang: str = "en", **asked: Any) -> str:
    """The text of the page, without its marks."""
    return text_of(render(answers() | (changed or {}), Place(ZONE), Asked(lang, **asked)))


def status(**changed: Any) -> dict[str, Any]:
    """The answer with something else in it: `outbox__waiting=7`."""
    found = answers()["status"]
    for key, value in changed.items():
        first, _, second = key.partition("__")
        if second:
            found[first][second] = value
        else:
            found[first] = value
    return {"status": found}


def test_the_lead_says_what_is_read_what_is_late_and_whether_it_is_acknowledged() -> None:
    told = page()
    assert "9 of 10 machines are read, 1 connection has not answered for 26 min ;" in told
    assert "the uplink works, last acknowledged 8 s ago." in told
    assert "2 frames wait here, the oldest for 1 min. Without a network some 214 days can be kept." in told


def test_the_uplink_is_not_fine_while_it_needs_a_person() -> None:
    assert "Uplink and what waits fine" in page()
    need = {"level": "alarm", "of": "gateway", "who": "uplink", "what": "x", "since": None, "command": None}
    assert "Uplink and what waits act now" in page(status(needs=[need]))
    named = need | {"of": "connection"}
    told = page(status(needs=[named]))
    assert "Uplink and what waits fine" in told, "a connection of that name is not the uplink"
    assert " uplink x " in page(status(needs=[named]), "zh"), "and keeps its name"
    assert "Uplink and what waits not connected" in page(status(uplink__connected=False))


def test_what_nobody_knows_is_a_dash_or_said_and_never_zero() -> None:
    told = page(
        status(outbox__waiting=None, outbox__bytes=None, outbox__lasts_days=None, uplink__last_ack=None)
    )
    assert "nothing was acknowledged yet." in told
    assert "How many frames wait is not known." in told
    assert re.search(r"Waiting — Without a network — \(", told)
    told = page(status(now=None, time__trusted=False, time__why="no time server answered yet"))
    assert "Waiting for time: nothing is stamped yet;" in told
    assert "The time seen is Mon 23 Nov 2026, 09:42:16. no time server answered yet" in told
    nothing: dict[str, Any] = {name: [] for name in ("connections", "points", "machines", "meters", "doctor")}
    told = page(nothing | status(needs=[], machines={"total": 0, "read": 0}))
    assert "Nothing needs a person" in told
    assert "141 of 156 points are good," in told
    assert "No connection is configured. ganpo init" in told


NULLABLE = {
    *("now", "started", "source", "off_ms", "why", "waiting", "bytes", "oldest"),
    *("used_bytes", "lasts_days", "stream", "error", "last_ack", "certificate_days", "since", "last_answer"),
    *("round_trip_ms", "requests", "cycle_s", "interval_s", "value", "unit", "raw", "age_s"),
    *("source_time", "source_age_s", "fault", "reason", "at", "today", "command", "examined"),
}
"""What an answer says null for where nobody knows it (docs/gateway-api.md)."""


def places(of: Any) -> Iterator[tuple[Any, Any]]:
    """Every key of the answers that may be null or is a list, and in what it lies."""
    if isinstance(of, dict):
        yield from ((of, key) for key, value in of.items() if key in NULLABLE or isinstance(value, list))
    for inner in of.values() if isinstance(of, dict) else of if isinstance(of, list) else ():
        yield from places(inner)


def test_whatever_nobody_knows_or_there_is_none_of_the_page_stands() -> None:
    """Each by itself, and all at once: before any device answered, or where none ever does."""
    keys = {key for _, key in places(answers())}
    assert keys > NULLABLE | {"lane", "registers", "units", "notes", "needs", "waited", "points"}
    for wanted in [{key} for key in sorted(keys)] + [NULLABLE, keys]:
        told = answers() | (
            status(uplink__alone=[]) if wanted & NULLABLE else {}
        )  # it is known, or not there
        for of, key in [place for place in places(told) if place[1] in wanted]:
            of[key] = [] if isinstance(of[key], list) else None
        drawn = render(told, Place(ZONE), Asked("en"))
        assert "</html>" in drawn, wanted
        assert "None" not in drawn, wanted
        assert ("requests a round" in drawn) is not bool(wanted & {"requests", "connections"}), wanted


def test_a_thousand_needs_are_five_and_a_number() -> None:
    need = answers()["status"]["needs"][0]
    told = render(answers() | status(needs=[need] * 1000), Place(ZONE), Asked("en"))
    assert told.count(need["what"]) == 2 * shown.NEEDS, "on the page, and for who listens"
    assert "Needs a person: 1,000" in told
    assert "and 995 more:" in told
    given = answers()
    told = render(
        given | {name: given[name] * 500 for name in ("machines", "meters")}, Place(ZONE), Asked("en")
    )
    assert told.count('class="tile ') == told.count('class="bar"') == shown.MACHINES
    assert told.count("the register went from 48,216") == shown.METERS, "those without a value first"
    assert len(gzip.compress(told.encode())) < 20_000


def listed(told: Any, **asked: Any) -> shown.Points:
    return shown.points(told, answers()["connections"], Asked("zh", **asked))


def test_points_without_a_good_value_stand_under_why_and_what_mends_it() -> None:
    given = answers()
    fault = next(point for point in given["points"] if point["quality"] == "fault")
    given["points"] += [
        fault | {"name": "TH-01/temp_zone5"},
        fault | {"name": "TH-01/pressure", "fault": "the device answers NaN"},
        fault | {"name": "TH-01/load", "quality": "absent"},
    ]
    found = listed(given["points"])
    told = [
        (group.connection, group.level, group.why, group.command, [p["name"] for p in group.rows])
        for group in found.groups
    ]
    assert told[:5] == [
        (
            "plc-th01",
            "alarm",
            "no such address",
            f"ganpo read plc-th01 {fault['address']} --raw",
            ["TH-01/temp_zone4", "TH-01/temp_zone5"],
        ),
        (
            "plc-th01",
            "alarm",
            "the device answers NaN",
            f"ganpo read plc-th01 {fault['address']} --raw",
            ["TH-01/pressure"],
        ),
        ("plc-lb01", "alarm", "10.12.4.31:502: no answer in 1 s", "ganpo ping plc-lb01", ["LB-01/run"]),
        ("rs485-1", "look", "open", "ganpo-cloud why WM-01", ["WM-01/water_volume"]),
        ("", "", "", "", [p["name"] for p in answers()["points"] if p["quality"] == "good"]),
    ]
    assert (found.faulty, told[-1][-1]) == (5, ["TH-01/load"]), "what may be missing needs nobody"
    drawn = page(given)
    assert "plc-th01 no such address ganpo read plc-th01 1:holding:210 --raw TH-01/temp_zone4" in drawn
    assert "only the faulty (5)" in drawn
    assert f"Temperature, zone 4 {fault['address']}" in drawn, (
        "where it is; raw has what was said, or nothing"
    )


def test_one_of_anything_is_told_as_one() -> None:
    link = next(one for one in answers()["connections"] if one["name"] == "rs485-1") | {"requests": 1}
    ones: dict[str, Any] = {
        "points": {"bound": 1, "good": 0, "at_fault": 1},
        "machines": {"total": 1, "read": 1},
        "outbox__waiting": 1,
        "outbox__issued": 1,
        "outbox__lasts_days": 1.2,
        "uplink__certificate_days": 1,
    }
    told = page(status(**ones) | {"connections": [link]})
    told += page(status(**ones, units_silent=0) | {"connections": [link]})
    for text in (
        *(
            "1 of 1 machine is read,",
            "1 unit is silent",
            "1 point has a fault",
            "1 frame waits here, the oldest for 1 min",
        ),
        *(
            "some 1 day can be kept",
            "1 day left",
            "1 connection, 1 fine",
            "1 request a round",
            "Issued 1 frame ",
        ),
    ):
        assert text in told, text
    assert not re.search(r"\b1 (machines|points|frames|days|connections|requests|units)\b", told)


def test_what_needs_somebody_stands_first() -> None:
    given = answers()
    assert [one["name"] for one in shown.connections(given["connections"])][:3] == [
        "plc-lb01",
        "plc-th01",
        "cnc-cj01",
    ]
    numbers = [one["asset_no"] for one in shown.machines(given["machines"])]
    assert numbers == [
        "CJ-04",
        "ZJ-02",
        "LB-01",
        "CJ-01",
        "CJ-02",
        "CJ-03",
        "KY-01",
        "LB-02",
        "TH-01",
        "ZJ-01",
    ]
    levels = [one["level"] for one in shown.checks(given["doctor"])]
    assert levels == ["alarm", "look", *["ok"] * 7]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"points": "faulty"}, ["TH-01/temp_zone4", "LB-01/run", "WM-01/water_volume"]),
        ({"q": "CNC-cj02"}, ["CJ-02/parts_total"]),
        ({"q": "累计"}, ["WM-01/water_volume"]),
        ({"q": "temperature", "points": "faulty"}, ["TH-01/temp_zone4"]),
        ({"q": "nothing has this"}, []),
    ],
)
def test_points_are_the_faulty_or_what_is_searched(asked: dict[str, Any], names: list[str]) -> None:
    found = listed(answers()["points"], **asked)
    assert [point["name"] for group in found.groups for point in group.rows] == names
    assert (found.bound, found.faulty) == (9, 3)


def test_many_points_come_in_pages_and_the_first_view_has_the_faulty_and_few_others() -> None:
    some = answers()["points"]
    many = [point | {"name": f"{point['name']}{n}"} for n in range(50) for point in some]
    first = listed(many)
    assert first.shown == shown.FIRST
    assert all(point["quality"] != "good" for group in first.groups for point in group.rows)
    some_pages = [listed(many, points="all", page=n) for n in (1, 2, 3, 4, 5, 9)]
    assert [one.shown for one in some_pages] == [100, 100, 100, 100, 50, 50]
    names = {point["name"] for one in some_pages for group in one.groups for point in group.rows}
    assert names == {point["name"] for point in many}
    assert Asked.of("en", {"page": "x", "points": "?", "q": " a "}) == Asked("en", q="a")
    assert Asked("en", "all", "a&b", 2).link(lang="zh") == "/?lang=zh&points=all&q=a%26b&page=2"


def test_an_hour_in_which_nobody_counted_is_not_an_hour_without_frames() -> None:
    now = shown.ms(ago(seconds=0))
    hours = shown.bars(answers()["status"]["outbox"]["waited"], now)
    assert len(hours) == 24
    assert [number for _, number in hours][:5] == [None] * 4 + [1]
    assert shown.top(hours) == 100
    assert [shown.top([(0, most)]) for most in (0, 2, 3, 10, 11, 480)] == [2, 2, 4, 10, 20, 1000]
    drawn = render(answers(), Place(ZONE), Asked("en"))
    assert drawn.count('y="20" height="80" fill="url(#hatch)"') == 4


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "—"),
        (True, "true"),
        (0, "0"),
        (18406, "18,406"),
        (-3, "−3"),
        (2614382.4, "2,614,382.4"),
        (0.1 + 0.2, "0.3"),
        (2e-7, "2e−07"),
        ("ACTIVE", "ACTIVE"),
    ],
)
def test_values_read_as_short_as_they_can(value: object, told: str) -> None:
    assert shown.value(value) == told


def test_registers_keep_every_digit_and_sizes_are_said_in_their_unit() -> None:
    assert shown.exact("2614382.40") == "2,614,382.40"
    assert [shown.exact(of, "+") for of in ("1203.60", "0.00", "-3", None)] == [
        "+1,203.60",
        "0.00",
        "−3",
        "—",
    ]
    assert [shown.size(of) for of in (None, 12, 11_264, 3_250_585, 536_870_912)] == [
        *("—", "12 B", "11 KB", "3.1 MB", "512 MB")
    ]


def test_what_people_named_is_text_and_an_unsecured_connection_is_marked() -> None:
    told = render(answers(), Place(ZONE), Asked("zh"))
    assert "<b>VMC850</b>" not in told
    assert "&lt;b&gt;VMC850&lt;/b&gt;" in told
    assert told.count("insecure") == 1
    assert "DEMO" not in told
    assert "DEMO DATA" in render(answers(), Place(ZONE, demo=True), Asked("zh"))
    assert "http_cert_file" not in told
    assert "http_cert_file" in render(answers(), Place(ZONE, legible=True), Asked("zh"))


def test_every_word_of_the_page_is_there_in_chinese_with_the_same_holes() -> None:
    said = {text for text, place in messages().items() if place.startswith("agent/ganpo_agent/page/")}
    told = entries(CATALOGUE.read_text(encoding="utf-8"))
    assert len(said) > 90
    assert said - told.keys() == set()
    for text in said:
        assert len(re.findall(r"\{\d?\}", text)) == len(re.findall(r"\{\d?\}", told[text])), text
        assert not re.search(r"[\u4e00-\u9fff] [\w{]|[\w}] [\u4e00-\u9fff]", told[text]), text


def test_the_page_is_small_and_asks_nobody_else() -> None:
    sizes = [len(part.read_bytes()) for _, parts in pages.STATIC.values() for part in parts]
    told = render(answers(), Place(ZONE), Asked("zh"))
    assert len(told.encode()) + sum(sizes) <= 60_000
    assert not re.search(r"https?://|style=|onclick", told)


@pytest.mark.parametrize(
    ("told", "linked"),
    [
        ("https://192.168.10.7:8780/", True),
        ("http://[fd00::7]:8780/", True),
        ("javascript:alert(1)//:1/", False),
        ("http://user@host:1/", False),
        ("http://host:1/elsewhere", False),
        ('http://a:1/"><script>', False),
        (7, False),
        (None, False),
    ],
)
def test_the_collector_links_to_a_page_by_what_is_an_address_alone(told: object, linked: bool) -> None:
    assert gateways._page({"page": told}) == (told if linked else None)
