"""The log of refused frames: a line per gateway and minute."""

import pytest

from ganpo_cloud.inlet.refusals import Refusals, Refused
from ganpo_model.errors import FrameError


def refused(gateway: str, what: str, *, kept: bool = True, reason: str = "schema") -> Refused:
    return Refused(gateway, FrameError(what, reason=reason), kept)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return found


def test_the_first_frame_is_told_at_once_and_those_of_a_minute_together(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = Refusals()
    for n in range(5000):
        told.add(refused("gw-a", f"a{n}"), n / 1000)
        told.tell(n / 1000)
    told.add(refused("gw-b", "b0", kept=False), 5.0)
    assert lines(caplog) == [
        "quarantined gateway=gw-a frames=1 reason=schema why=a0",
        "refused gateway=gw-b frames=1 reason=schema why=b0",
    ]
    told.tell(59.0)
    assert lines(caplog) == []
    told.tell(60.0)
    assert lines(caplog) == ["quarantined gateway=gw-a frames=4999 reason=schema why=a4999"]
    told.tell(130.0)
    assert lines(caplog) == []
    told.add(refused("gw-a", "again"), 131.0)
    assert lines(caplog) == ["quarantined gateway=gw-a frames=1 reason=schema why=again"]


def test_a_bug_of_ours_is_told_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    bug = FrameError("ZeroDivisionError: ours", reason="bug")
    bug.__cause__ = ZeroDivisionError("ours")
    Refusals().add(Refused("gw-a", bug, kept=True), 0.0)
    assert caplog.records[0].exc_info is not None
    assert "ZeroDivisionError" in caplog.text


def test_gateways_that_are_invented_share_the_lines_of_one(caplog: pytest.LogCaptureFixture) -> None:
    told = Refusals()
    for n in range(5000):
        told.add(refused(f"gw-{n}", "x", kept=False), 0.0)
    assert len(lines(caplog)) == 1001
    told.tell(61.0)
    assert lines(caplog) == ["refused gateway=gw-4999 frames=3999 reason=schema why=x"]
    told.tell(122.0)
    told.add(refused("gw-1", "x"), 123.0)
    assert len(lines(caplog)) == 1
