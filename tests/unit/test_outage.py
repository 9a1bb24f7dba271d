"""What fails again and again is told once, and once that it is over."""

import logging

import pytest

from ganpo_service.outage import Outage
from support import seeding


def test_it_is_told_once_again_for_another_reason_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    waiting = Outage(logging.getLogger("days"), "days wait", seeding.TestClock())
    waiting.over()
    for why in ("locked", "locked", "full", "full"):
        waiting.failed(why)
        assert waiting.why == why
    waiting.over()
    waiting.over()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "days wait: locked"),
        ("DEBUG", "days wait: locked"),
        ("WARNING", "days wait: full"),
        ("DEBUG", "days wait: full"),
        ("INFO", "days wait no more, after 0 s"),
    ]
