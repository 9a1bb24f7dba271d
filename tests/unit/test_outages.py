"""What the log tells of lines and units that go away: each once with its end, though it comes and goes all day."""

import logging

import pytest

from ganpo_agent.reading.outages import Outages


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.message for record in caplog.records if record.levelno >= logging.INFO]
    caplog.clear()
    return found


def test_an_outage_is_told_once_with_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outages = Outages()
    outages.back("bus", 0.0)
    for second in range(10):
        outages.away("bus", "refused", 100.0 + second)
    assert told(caplog) == ["gives nothing connection=bus why='refused'"]
    outages.back("bus", 130.0)
    assert told(caplog) == ["answers again connection=bus after_s=30"]


def test_what_comes_and_goes_is_told_once_an_hour_and_what_stays_away_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    outages = Outages()
    for minute in range(59):
        outages.away("bus/10", "busy", 60.0 * minute)
        outages.back("bus/10", 60.0 * minute + 10)
    assert len(told(caplog)) == 2
    for minute in range(59, 64):
        outages.away("bus/10", "busy", 60.0 * minute)
    assert told(caplog) == ["gives nothing connection=bus/10 why='busy'"], "it is over an hour"
    outages.back("bus/10", 3900.0)
    assert told(caplog) == ["answers again connection=bus/10 after_s=360"]
    for second in range(0, 360, 30):
        outages.away("bus/10", "busy", 4000.0 + second)
    assert told(caplog) == ["gives nothing connection=bus/10 why='busy'"], "it stays away"
    outages.back("bus/10", 4400.0)
    assert told(caplog) == ["answers again connection=bus/10 after_s=400"]


def test_what_only_a_person_can_mend_is_told_although_the_outage_began_otherwise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    outages = Outages()
    outages.away("cell", "refused", 0.0)
    for second in range(1, 100):
        outages.away("cell", "its certificate changed", float(second), for_a_person=True)
    assert told(caplog) == [
        "gives nothing connection=cell why='refused'",
        "gives nothing connection=cell why='its certificate changed'",
    ]
    outages.away("cell", "refused", 100.0)
    outages.back("cell", 101.0)
    assert told(caplog) == ["answers again connection=cell after_s=101"]
    outages.away("cell", "refused", 102.0)
    outages.away("cell", "its certificate changed", 103.0, for_a_person=True)
    assert told(caplog) == [], "within the hour"


def test_what_was_forgotten_has_no_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outages = Outages()
    outages.away("bus/10", "busy", 0.0)
    outages.forget("bus/10")
    outages.back("bus/10", 10.0)
    assert len(told(caplog)) == 1
