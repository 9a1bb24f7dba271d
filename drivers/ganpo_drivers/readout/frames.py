"""Frames between 68H and 16H with an arithmetic sum: whole ones, wherever they lie in what came over the line."""

from collections.abc import Iterator

START, END, WAKE_UP = 0x68, 0x16, 0xFE
_TAIL = 2
"""The sum and 16H."""


def closed(content: bytes) -> bytes:
    """The frame of what stands from 68H up to the last byte of data: sum and end added."""
    return content + bytes((sum(content) & 0xFF, END))


def whole_frames(data: bytes, header: int, most: int) -> Iterator[tuple[bytes, int]]:
    """Every whole frame in `data`, from 68H to 16H, and where it ends.

    `header`: the bytes before a frame's data, of which the last says how many follow, at most `most`. Noise, wake-up
    bytes and broken frames are passed over: a frame may begin within what looked like another.
    """
    at = 0
    while (at := data.find(START, at)) >= 0:
        first = at + header
        end = first + data[first - 1] + _TAIL if first <= len(data) else len(data) + 1
        if end <= len(data) and data[first - 1] <= most and closed(data[at : end - _TAIL]) == data[at:end]:
            yield data[at:end], end
            at = end
        else:
            at += 1
