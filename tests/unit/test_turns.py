"""Messages that wait: who sends much delays himself alone."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from ganpo_service.turns import OVERHEAD, Turns

ROOM = 1 << 20


def test_of_each_topic_one_is_taken_in_turn_and_a_topic_keeps_its_order() -> None:
    turns = Turns(ROOM)
    for n in range(100):
        turns.put("loud", "loud", b"%d" % n)
    turns.put("quiet", "quiet", b"a")
    turns.put("calm", "calm", b"b")
    turns.put("quiet", "quiet", b"c")
    assert turns.take(4) == [("loud", b"0"), ("quiet", b"a"), ("calm", b"b"), ("loud", b"1")]
    turns.put("calm", "calm", b"d")
    assert turns.take(3) == [("quiet", b"c"), ("loud", b"2"), ("calm", b"d")]
    assert turns.take() == [("loud", b"%d" % n) for n in range(3, 100)]
    assert turns.take() == []


def test_topics_of_one_share_its_turn_and_its_order() -> None:
    turns = Turns(ROOM)
    for n in range(4):
        turns.put("loud", f"loud/{n % 2}", b"%d" % n)
    turns.put("quiet", "quiet", b"a")
    assert turns.take(3) == [("loud/0", b"0"), ("quiet", b"a"), ("loud/1", b"1")]
    assert turns.take() == [("loud/0", b"2"), ("loud/1", b"3")]


def test_no_more_bytes_are_taken_at_once_than_asked_for_but_always_one_message() -> None:
    turns = Turns(ROOM)
    for _ in range(3):
        turns.put("a", "a", bytes(1000))
    assert len(turns.take(64, most=500)) == 1
    assert len(turns.take(64, most=1001)) == 2


def test_without_room_the_one_with_most_gives_its_newest_up() -> None:
    turns = Turns(10 * (OVERHEAD + 4))
    assert sum(turns.put("loud", "loud", b"%04d" % n) for n in range(30)) == 20
    assert turns.put("quiet", "quiet", b"here") == 1
    assert turns.put("loud", "loud", b"more") == 1
    assert [payload for topic, payload in turns.take() if topic == "loud"] == [b"%04d" % n for n in range(9)]
    assert turns.put("wide", "wide", bytes(20 * OVERHEAD)) == 1, "what never fits costs itself alone"
    assert turns.take() == []


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from("abcd"), st.integers(0, 2000)),
            st.tuples(st.none(), st.integers(1, 5)),
        ),
        max_size=200,
    )
)
def test_what_waits_is_bounded_and_every_message_is_taken_in_its_order_or_counted(
    did: list[tuple[str | None, int]],
) -> None:
    bound = 8 * OVERHEAD
    turns, number, given_up = Turns(bound), 0, 0
    put: dict[str, deque[bytes]] = {topic: deque() for topic in "abcd"}
    taken = 0

    def take(limit: int | None) -> int:
        found = turns.take(limit)
        assert sum(OVERHEAD + len(payload) for _, payload in found) <= bound
        for topic, payload in found:
            while put[topic].popleft() != payload:
                pass
        return len(found)

    for topic, size in did:
        if topic is None:
            taken += take(size)
        else:
            number += 1
            payload = number.to_bytes(4, "big") + bytes(size)
            put[topic].append(payload)
            given_up += turns.put(topic, topic, payload)
    taken += take(None)
    assert taken + given_up == number
