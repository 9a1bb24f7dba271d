"""Answers of the running gateway on terminals of 80 and of 40 columns."""

from typing import Any

import pytest

from ganpo_agent.cli import showing
from ganpo_agent.device.machine import ALARM, LOOK, OK, UNKNOWN
from ganpo_agent.device.online import FAILED, SUSPICIOUS
from ganpo_service import words

LONG = "tcp://10.12.4.31:502: no connection within 1 s, or refused; is the device on, is this its address and port?"
STATUS: dict[str, Any] = {
    "gateway": "gw-nc-0007",
    "site": {"id": "plant-1", "name": "二号车间"},
    "version": "1.0.2",
    "released": "2026-11-25",
    "now": "2026-11-29T09:42:16.000Z",
    "time": {"trusted": True, "source": "timesync"},
    "connections": {"total": 2, "up": 1},
    "machines": {"total": 10, "read": 9},
    "points": {"bound": 42, "good": 40, "at_fault": 1},
    "needs": [
        {
            "level": "alarm",
            "of": "connection",
            "who": "plc-lb01",
            "what": LONG,
            "since": "2026-11-29T09:16:16.000Z",
            "command": "ganpo ping plc-lb01",
        },
        {
            "level": "look",
            "of": "gateway",
            "who": "outbox",
            "what": "it is old",
            "since": None,
            "command": "",
        },
    ],
    "outbox": {"waiting": 2, "bytes": 11_200, "oldest": "2026-11-29T09:41:16.000Z", "lasts_days": 214.2},
    "uplink": {
        "broker": "mqtts://ganpo.example:8883",
        "connected": True,
        "last_ack": "2026-11-29T09:42:08.000Z",
    },
}
LINK: dict[str, Any] = {
    "name": "plc-th01",
    "url": "tcp://10.12.4.35:502",
    "state": "up",
    "error": None,
    "notes": ["10:78330011223344: battery low (status 04 00)"],
    "last_answer": "2026-11-29T09:42:15.200Z",
    "round_trip_ms": 14.04,
    "points": {"bound": 32, "good": 31},
    "units": [{"silent": False}],
}
DOWN = LINK | {"name": "plc-lb01", "state": "down", "error": LONG, "last_answer": None, "round_trip_ms": None}
POINT: dict[str, Any] = {
    "name": "TH-01/temperature",
    "value": 748.3,
    "unit": "℃",
    "quality": "good",
    "raw": "7483",
    "age_s": 0.8,
    "fault": None,
}
BAD = POINT | {"name": "总表-01/power", "value": None, "quality": "fault", "raw": None, "fault": LONG}


def of(room: int) -> list[str]:
    found = [*showing.status(STATUS, [LINK, DOWN], room), *showing.points([POINT, BAD, BAD], room)]
    return found + showing.screen(STATUS, [POINT, BAD], 24, room)


@pytest.mark.parametrize("room", [80, 40])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_line_is_wider_than_the_terminal_but_a_command_that_is_to_be_copied(room: int, lang: str) -> None:
    with words.speaking(lang):
        for line in of(room):
            assert words.width(line) <= room or line.startswith("    $ "), line


def test_what_must_be_done_stands_before_what_is_well_with_its_command_and_its_age() -> None:
    lines = list(showing.status(STATUS, [LINK, DOWN], 80))
    assert lines[2:5] == [
        "1 of 2 connections is up",
        "9 of 10 machines are read",
        "40 of 42 points have a good value",
    ]
    assert "the collector acknowledged 8.0 s ago" in lines
    assert "2 frames wait, 11 kB, the oldest for 60 s" in lines
    assert "without the collector there is room for about 214 days" in lines
    at = lines.index("! plc-lb01  for 26 min")
    assert "    $ ganpo ping plc-lb01" in lines[at:]
    assert at < lines.index("* outbox")
    shown = [line.split()[0] for line in lines if line.startswith("plc-")]
    assert shown == ["plc-lb01", "plc-th01"], "what is down comes first"
    assert lines[-1] == f"    {LINK['notes'][0]}", "what its driver noted of the device"


def test_whose_need_it_is_and_how_a_check_ended_are_said_in_the_language() -> None:
    with words.speaking("zh"):
        lines = list(showing.status(STATUS, [LINK, DOWN], 80))
        assert any(line.startswith("* 待发") for line in lines), lines
        of_a_name = STATUS["needs"][1] | {"of": "connection"}
        lines = list(showing.status(STATUS | {"needs": [of_a_name]}, [LINK, DOWN], 80))
        assert "* outbox" in lines, "a connection of that name keeps it"
        levels = [words.tell(word) for word in (OK, LOOK, ALARM, UNKNOWN, SUSPICIOUS, FAILED)]
    assert levels == ["正常", "请留意", "告警", "未知", "可疑", "失败"]


def test_a_reason_that_many_points_share_is_said_once() -> None:
    lines = list(showing.points([BAD, BAD, POINT], 80))
    assert sum(LONG[:40] in line for line in lines) == 1
    assert lines[0].split()[:2] == ["总表-01/power", "-"], "unknown is never shown as zero"


def test_a_picture_is_as_high_as_the_terminal_and_says_what_it_leaves_out() -> None:
    lines = showing.screen(STATUS, [POINT | {"name": f"P-{n}/power"} for n in range(100)], 24, 80)
    assert len(lines) == 23
    assert lines[-1].startswith("and 82 lines more")
