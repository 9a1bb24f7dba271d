"""Which bytes are taken for an answer, whatever comes and however it is cut into pieces (drivers.md, Modbus)."""

import contextlib
import struct
from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from ganpo_drivers.modbus.mbap import _Hearing as MbapHearing
from ganpo_drivers.modbus.mbap import _NoFrameError
from ganpo_drivers.modbus.requests import identification, read_request
from ganpo_drivers.modbus.rtu import _Hearing as RtuHearing
from ganpo_drivers.modbus.rtu import framed
from support.rtu_line import checked

UNITS = st.integers(1, 247)
COUNTS = st.integers(1, 125)
NOISE = st.binary(max_size=12)


def grown(data: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    """The same bytes as they come: longer each time, the whole at last."""
    yield from (data[:cut] for cut in sorted({cut % len(data) for cut in cuts} - {0}))
    yield data


@given(UNITS, COUNTS, NOISE, st.booleans(), NOISE, st.lists(st.integers(1, 300), max_size=6), st.data())
def test_the_answer_that_is_due_is_found_behind_whatever_came_before_it(
    unit: int, count: int, stray: bytes, echoed: bool, behind: bytes, cuts: list[int], data: st.DataObject
) -> None:
    values = data.draw(st.binary(min_size=2 * count, max_size=2 * count))
    request = read_request(unit, "holding", 0x0300, count)
    frame = framed(unit, request.pdu)
    body = checked(bytes((unit, 3, 2 * count)) + values)
    hearing = RtuHearing(request, frame, set(range(256)))
    end = None
    for came in grown((frame if echoed else b"") + stray + body + behind, cuts):
        end = hearing(came)
        if end is not None:
            break
    assert hearing.answer is not None
    assert hearing.answer == (unit, 3, bytes((2 * count,)) + values)
    assert end == len(frame) * echoed + len(stray) + len(body)


@given(UNITS, COUNTS, st.binary(min_size=1, max_size=300), st.lists(st.integers(1, 300), max_size=6))
def test_noise_is_no_answer(unit: int, count: int, noise: bytes, cuts: list[int]) -> None:
    """Of 2^40 noises one is a whole frame that is due."""
    request = read_request(unit, "holding", 0, count)
    hearing = RtuHearing(request, framed(unit, request.pdu), set())
    assert all(hearing(came) is None or hearing.other is not None for came in grown(noise, cuts))
    assert hearing.answer is None


@given(UNITS, COUNTS, st.integers(0, 7), st.integers(0, 10_000))
def test_one_bit_that_fell_over_makes_it_no_answer(unit: int, count: int, bit: int, place: int) -> None:
    request = read_request(unit, "input", 7, count)
    body = bytearray(checked(bytes((unit, 4, 2 * count)) + bytes(2 * count)))
    body[place % len(body)] ^= 1 << bit
    hearing = RtuHearing(request, framed(unit, request.pdu), set())
    hearing(bytes(body))
    assert hearing.answer is None


@given(UNITS, st.lists(st.binary(max_size=40), max_size=6), NOISE, st.lists(st.integers(1, 300), max_size=6))
def test_an_identification_of_any_length_is_found_whole(
    unit: int, texts: list[bytes], stray: bytes, cuts: list[int]
) -> None:
    said = b"".join(bytes((number, len(text))) + text for number, text in enumerate(texts))
    body = checked(bytes((unit, 0x2B, 0x0E, 1, 1, 0, 0, len(texts))) + said)
    request = identification(unit)
    hearing = RtuHearing(request, framed(unit, request.pdu), set(range(256)))
    for came in grown(stray + body, cuts):
        hearing(came)
    assert hearing.answer is not None
    assert hearing.answer.data == body[2:-2]


def _mbap(transaction: int, unit: int, values: bytes) -> bytes:
    return struct.pack(">HHHBBB", transaction, 0, 3 + len(values), unit, 3, len(values)) + values


@given(
    st.integers(1, 65535),
    st.lists(st.tuples(st.integers(1, 100), st.binary(max_size=20)), max_size=5),
    st.lists(st.integers(1, 300), max_size=8),
)
def test_only_the_frame_with_the_id_asked_answers_also_where_ids_begin_again(
    asked: int, late: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    """65535 is followed by 1: what is late may have a higher id."""
    older = b"".join(_mbap((asked - 1 - ago) % 65535 + 1, 1, values) for ago, values in late)
    hearing = MbapHearing(asked, sent=200)
    for came in grown(older + _mbap(asked, 1, b"\x00\x07"), cuts):
        hearing(came)
    assert hearing.frame is not None
    assert hearing.frame.transaction == asked
    assert hearing.late == len(late)


@given(st.binary(max_size=300), st.lists(st.integers(1, 300), max_size=6))
def test_whatever_comes_over_tcp_is_a_frame_or_told_as_none(data: bytes, cuts: list[int]) -> None:
    hearing = MbapHearing(5, sent=5)
    with contextlib.suppress(_NoFrameError):
        for came in grown(data or b"\x00", cuts):
            if (end := hearing(came)) is not None:
                assert 0 < end <= len(came)
                break
