"""Which frames are sent when (uplink.md, Delivery)."""

import pytest

from ganpo_agent.keeping.outbox import Row
from ganpo_agent.uplink.window import SIZE, Window
from ganpo_model.frame import MAX_PACKED

ROWS = [Row("01S", seq, "reading", b"") for seq in range(1, 41)]


def seqs(rows: list[Row]) -> list[int]:
    return [row.seq for row in rows]


def opened(now: float = 0.0) -> Window:
    window = Window(repeat_s=30)
    window.connected()
    window.acknowledged((), now)
    return window


def test_only_an_acknowledgement_opens_the_window() -> None:
    window = Window(repeat_s=30)
    window.connected()
    assert window.due(ROWS, 0) == []
    window.acknowledged((), 1)
    assert seqs(window.due(ROWS, 1)) == list(range(1, SIZE + 1))


def test_at_most_sixteen_are_in_flight_and_acks_let_more_follow() -> None:
    window = opened()
    window.due(ROWS, 0)
    assert window.due(ROWS, 1) == []
    window.acknowledged([("01S", 1), ("01S", 2)], 1)
    assert seqs(window.due(ROWS[2:], 1)) == [17, 18]


def test_an_unanswered_frame_is_sent_again_after_thirty_seconds_while_acks_come() -> None:
    window = opened()
    window.due(ROWS[:3], 0)
    for now in range(4, 28, 4):
        window.acknowledged((), now)
    window.acknowledged([("01S", 2), ("01S", 3)], 25)
    assert window.due(ROWS[:1], 29.9) == []
    assert seqs(window.due(ROWS[:1], 30)) == [1]
    assert window.due(ROWS[:1], 31) == []


def test_when_no_ack_comes_one_frame_is_sent_as_a_probe_in_turn() -> None:
    window = opened()
    window.due(ROWS, 0)
    probes = [seqs(window.due(ROWS, now)) for now in range(30, 30 + 30 * 20)]
    sent = [probe[0] for probe in probes if probe]
    assert len(sent) == 20
    assert set(sent) == set(range(1, SIZE + 1))
    window.acknowledged([("01S", 1)], 700)
    assert len(window.due(ROWS[1:], 700)) == SIZE


def test_a_frame_in_flight_at_three_losses_of_the_connection_goes_alone_behind_the_others() -> None:
    window = opened()
    poison = ROWS[0]
    for now in range(3):
        window.due([poison], now)
        window.lost(now)
        window.connected()
        window.acknowledged((), now)
    assert window.suspects() == {
        poison.key: "0 bytes: the broker ended the session 3 times while it was on its way"
    }
    assert seqs(window.due(ROWS[:3], 10)) == [2, 3]
    assert window.due(ROWS[:3], 10.1) == []
    window.acknowledged([("01S", 2), ("01S", 3)], 11)
    assert seqs(window.due(ROWS[:1], 11)) == [1]
    window.lost(12)
    window.connected()
    window.acknowledged((), 13)
    assert seqs(window.due(ROWS[:1], 13)) == [1], "once may be chance"
    window.lost(14)
    window.connected()
    window.acknowledged((), 15)
    assert window.due(ROWS[:1], 58) == []
    assert seqs(window.due(ROWS[:1], 59)) == [1], "within a minute"


def test_frames_that_were_only_in_bad_company_are_delivered_one_after_the_other_at_once() -> None:
    window = opened()
    for now in range(3):
        window.due(ROWS[:4], now)
        window.lost(now)
        window.connected()
        window.acknowledged((), now)
    left = ROWS[:4]
    for now in range(10, 14):
        (row,) = window.due(left, now)
        window.acknowledged([row.key], now)
        left = [other for other in left if other is not row]
    assert left == []


def test_three_pubacks_without_ack_while_others_are_acked_make_a_suspect() -> None:
    window = opened()
    now = 0.0
    for n in range(3):
        window.due([ROWS[0], ROWS[n + 1]], now)
        window.puback(ROWS[0].key)
        window.acknowledged([ROWS[n + 1].key], now + 1)
        now += 30
    assert window.suspects() == {
        ROWS[0].key: "0 bytes: the broker took it 3 times; the collector answers others and not this one"
    }
    asked = []
    for t in range(90, 300):
        window.acknowledged((), t)
        if window.due(ROWS[:1], t):
            asked.append(t)
    assert asked == [90, 135, 180, 225, 270], "alone, and again within a minute"


def test_frames_of_a_slot_that_just_closed_wait_their_turn() -> None:
    window = opened()
    window.hold(ROWS[0].key, 5.0)
    assert seqs(window.due(ROWS[:2], 0)) == [2]
    assert seqs(window.due(ROWS[:2], 5.0)) == [1]


def test_the_first_ack_after_5_s_of_silence_sends_what_is_in_flight_again() -> None:
    window = opened()
    window.due(ROWS[:3], 0)
    assert window.silent_s(4.0) == 4
    window.acknowledged([("01S", 1)], 4.9)
    assert window.due(ROWS[1:3], 4.9) == [], "it was never silent"
    assert window.silent_s(9.8) == pytest.approx(4.9)
    window.acknowledged((), 10)
    assert seqs(window.due(ROWS[1:3], 10)) == [2, 3]
    assert window.silent_s(10) == 0


def test_after_a_long_silence_no_frame_is_suspected_for_what_only_the_broker_took() -> None:
    window = opened()
    window.due(ROWS[:3], 0)
    for now in range(30, 300, 30):
        for row in window.due(ROWS[:3], now):
            window.puback(row.key)
    window.acknowledged([("01S", 1)], 300)
    assert window.suspects() == {}
    assert seqs(window.due(ROWS[1:3], 300)) == [2, 3]


def test_a_frame_that_is_never_acknowledged_is_sent_again_after_its_time_also_while_lives_are_answered() -> (
    None
):
    window = opened()
    poison = ROWS[0]
    for now in range(3):
        window.due([poison], now)
        window.lost(now)
        window.connected()
        window.acknowledged((), now)
    sent = []
    for now in range(10, 300, 3):
        window.acknowledged((), now)
        sent += [now for _ in window.due([poison], now)]
    assert len(sent) >= 3
    assert sent[1] - sent[0] >= 30
    assert set(window.suspects()) == {poison.key}


def sized(*sizes: int) -> list[Row]:
    return [Row("01S", seq, "reading", bytes(size)) for seq, size in enumerate(sizes, 1)]


class Broker:
    """Takes frames of `limit` bytes and ends the session for a larger one; the collector answers the others."""

    def __init__(self, rows: list[Row], limit: int) -> None:
        self.window, self.rows, self.limit = opened(), rows, limit
        self.cuts: list[int] = []

    def second(self, now: int) -> None:
        sent = self.window.due(self.rows, now)
        while sent:
            if any(len(row.packed) > self.limit for row in sent):
                self.cuts.append(now)
                self.window.lost(now)
                self.window.connected()
                self.window.acknowledged((), now)
                return
            self.window.acknowledged([row.key for row in sent], now)
            self.rows = [row for row in self.rows if row not in sent]
            sent = self.window.due(self.rows, now)


def test_frames_larger_than_a_broker_takes_are_named_and_others_pass_them() -> None:
    broker = Broker(sized(*[900, 100] * 20), 500)
    for now in range(30):
        broker.second(now)
    assert {len(row.packed) for row in broker.rows} == {900}, "the others passed"
    assert broker.window.largest == 899
    told = set(broker.window.suspects().values())
    assert "900 bytes: the broker ended the session 1 times while this frame alone was on its way" in told
    assert "900 bytes: the broker ended the session for one of 900 bytes" in told
    broker.rows += [Row("01S", 100 + n, "reading", bytes(100)) for n in range(20)]
    broker.second(30)
    assert len(broker.rows) == 20, "what comes later passes at once"
    for now in range(31, 331):
        broker.second(now)
    assert len([cut for cut in broker.cuts if cut > 30]) <= 7, "one session in 45 s"
    broker.limit = 1000
    for now in range(331, 331 + 46):
        broker.second(now)
    assert broker.rows == [], "all within a minute"
    assert broker.window.largest == MAX_PACKED
    assert broker.window.suspects() == {}


def test_of_several_that_are_too_large_the_smallest_tells_that_a_limit_was_raised() -> None:
    broker = Broker(sized(5000, 3000, 900), 500)
    for now in range(300):
        broker.second(now)
    assert broker.window.largest == 899
    broker.limit = 4000
    for now in range(300, 500):
        broker.second(now)
    assert [len(row.packed) for row in broker.rows] == [5000]
    assert broker.window.largest == 4999


def test_a_frame_that_goes_alone_while_the_collector_is_away_is_not_put_off_for_that() -> None:
    window = opened()
    for now in range(3):
        window.due(ROWS[:1], now)
        window.lost(now)
        window.connected()
        window.acknowledged((), now)
    sent = [now for now in range(50, 200) for _ in window.due(ROWS[:1], now)]
    assert sent == [50, 80, 110, 140, 170]
    window.acknowledged((), 201)
    assert next(now for now in range(201, 300) for _ in window.due(ROWS[:1], now)) <= 201 + 30
