"""What one box cannot have sent is told to people: a copied card, an image that was set back; numbers stay right."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from ganpo_cloud.days import days
from ganpo_cloud.days.consumed import of_carrier
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.gateways import known_gateways
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.web.application import create_app
from ganpo_model.clock import to_ms
from ganpo_model.facts import Event, EventKind, Inventory, MeterItem, Reading, RegisterItem
from ganpo_model.frame import pack
from support import seeding
from support.seeding import ENTERPRISE, NOW, ONLINE
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
RUNS = [f"01HF7YAT00V3RS3DTR98H6BC{n:02}" for n in range(6)]
MINUTE = timedelta(minutes=1)


class Line:
    """What boxes with one id send; `now` moves a minute with each frame."""

    def __init__(self, folder: Path) -> None:
        self.database = seeding.empty(folder)
        registry.add(self.database, ONLINE, ENTERPRISE, "plant-1")
        self.now = NOW - timedelta(hours=3)

    def send(self, stream: str, seq: int, raw: int | None = None, meter: str = "DB-1") -> None:
        """One frame: a reading of a meter."""
        self.now += MINUTE
        raw = 100 * seq if raw is None else raw
        reading = Reading("reading", f"{meter}/energy_import#0123abcd", self.now, raw)
        assert ingest(self.database, [(ONLINE, pack(stream, seq, [reading]))], self.now)

    def begin(self, stream: str, previous: str | None, last_seq: int | None, meter: str = "DB-1") -> None:
        """A run of a box that reads one meter."""
        self.now += MINUTE
        data = {"previous": previous, "last_seq": last_seq}
        begun = Event("event", self.now, EventKind.BEGUN, None, data)
        frames = [pack(stream, 1, [begun]), pack(stream, 2, [described(self.now, meter)])]
        assert len(ingest(self.database, [(ONLINE, frame) for frame in frames], self.now)) == 2

    def told(self, now: datetime | None = None) -> list[tuple[str, str, int, bool]]:
        """What speaks for a second box."""
        with self.database.read() as connection:
            (view,) = [one for one in known_gateways(connection, now or self.now) if one.id == ONLINE]
        return [(clone.kind, clone.stream, clone.seq, clone.both) for clone in view.clones]

    def page(self) -> str:
        """The page, in English."""
        with Served(create_app(self.database, seeding.TestClock(self.now))) as served:
            return httpx.get(f"{served.url}/?lang=en", timeout=10).text


def described(at: datetime, meter: str) -> Inventory:
    number = f"{meter}/energy_import#0123abcd"
    item = MeterItem(meter, f"Meter {meter}", "electricity", "boundary_in", None, None)
    register = RegisterItem(
        number, meter, "energy_import", "electricity", "kWh", 1, 1, None, 80_000, resets=False
    )
    return seeding.inventory(at, [], [item], [register])


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    yield line
    line.database.close()


def test_one_box_that_starts_again_and_sends_what_waited_is_one_box(line: Line) -> None:
    line.begin(RUNS[0], None, None)
    line.send(RUNS[0], 3)
    line.begin(RUNS[1], RUNS[0], 5)
    for seq in (4, 5):
        line.send(RUNS[0], seq)
    line.begin(RUNS[2], RUNS[1], 2)
    line.begin(RUNS[3], None, None)  # installed anew
    assert line.told() == []


def test_a_copied_card_is_told_while_both_send_and_the_sums_of_both_are_right(line: Line) -> None:
    """The second box reads another meter; its inventory names that one alone."""
    line.begin(RUNS[0], None, None)
    line.send(RUNS[0], 3, 1000)
    line.begin(RUNS[1], RUNS[0], 3, "DB-2")  # the copy, while the first goes on
    assert line.told() == []
    for n in range(4):
        line.send(RUNS[0], 4 + n, 1100 + 100 * n)
        line.send(RUNS[1], 3 + n, 5000 + 10 * n, "DB-2")
    assert line.told() == [("beyond", RUNS[0], 7, True)]
    page = line.page()
    assert "two boxes send with this id" in page
    assert "Meter DB-1 is still read, though the newest inventory of its gateway does not name it" in page
    line.begin(RUNS[2], RUNS[0], 7)  # the first is started anew
    line.send(RUNS[1], 7, 5040, "DB-2")
    assert ("runs", RUNS[0], 3, True) in line.told()
    assert "Meter DB-2 is still read" in line.page()
    while days.recompute(line.database, line.now):
        pass
    with line.database.read() as connection:
        for meter, used in (("DB-1", 400), ("DB-2", 40)):
            span = (to_ms(line.now) - 4 * 3_600_000, to_ms(line.now))
            found = of_carrier(connection, ENTERPRISE, meter, "electricity", *span)
            assert found is not None
            assert found.millionths == used * 1_000_000
    assert line.told(line.now + timedelta(hours=25)) == [], "nobody sends any more"


def test_an_image_that_was_set_back_is_told_for_a_day(line: Line) -> None:
    line.begin(RUNS[0], None, None)
    for seq in range(3, 9):
        line.send(RUNS[0], seq)
    line.begin(RUNS[1], RUNS[0], 5)  # the image knew of five
    assert line.told() == [("beyond", RUNS[0], 8, False)]
    assert f"frames up to 8 of {RUNS[0]} lie behind the end it tells" in line.page()
    for n in range(26):
        line.now += timedelta(hours=1)
        line.send(RUNS[1], 3 + n)
    assert line.told() == []


def test_one_number_with_two_contents_is_told(line: Line) -> None:
    line.begin(RUNS[0], None, None)
    line.send(RUNS[0], 3, 1000)
    line.send(RUNS[0], 3, 1001)
    assert line.told() == [("contents", RUNS[0], 3, False)]
    assert f"number 3 of {RUNS[0]} came with two contents" in line.page()


def test_runs_that_follow_each_other_in_a_circle_end(line: Line) -> None:
    line.begin(RUNS[0], RUNS[1], 2)
    line.begin(RUNS[1], RUNS[0], 2)
    assert line.told() == []
