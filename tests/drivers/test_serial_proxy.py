"""The kit's serial line: its time by the baud rate, its garbling, its echo and noise, its port that vanishes."""

import contextlib
import os
import select
import termios
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganpo_drivers.testing import SerialProxy

ASKED, ANSWER = b"ask ", b"0123456789abcdef"


@pytest.fixture
def device() -> Iterator[str]:
    """Answers four characters with sixteen; gives its port."""
    line, port = os.openpty()
    tty.setraw(port)
    ended, end = os.pipe()

    def answer() -> None:
        heard = b""
        while ended not in select.select([line, ended], [], [])[0]:
            heard += os.read(line, 99)
            if heard[-4:] == ASKED:
                os.write(line, ANSWER)

    thread = threading.Thread(target=answer)
    thread.start()
    yield os.ttyname(port)
    os.close(end)
    thread.join(5)
    for descriptor in (line, port, ended):
        os.close(descriptor)


@contextlib.contextmanager
def opened(path: str, baud: int = termios.B9600) -> Iterator[int]:
    port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(port)
    found = termios.tcgetattr(port)
    found[4] = found[5] = baud
    termios.tcsetattr(port, termios.TCSANOW, found)
    try:
        yield port
    finally:
        os.close(port)


def heard(port: int, size: int, within_s: float = 5.0) -> bytes:
    found, deadline = b"", time.monotonic() + within_s
    while len(found) < size and select.select([port], [], [], max(deadline - time.monotonic(), 0))[0]:
        found += os.read(port, 99)
    return found


def test_what_passes_takes_the_time_of_its_characters_in_both_directions(device: str) -> None:
    with SerialProxy(device) as proxy, opened(proxy.path) as port:
        assert proxy.baud == 9600
        began = time.monotonic()
        os.write(port, ASKED)
        assert heard(port, len(ANSWER)) == ANSWER
        assert time.monotonic() - began >= (len(ASKED) + len(ANSWER)) * 11 / 9600
        assert proxy.sent == [ASKED]


def test_at_another_baud_rate_than_the_line_nothing_is_what_was_said(device: str) -> None:
    with SerialProxy(device, baud=19200) as proxy:
        with opened(proxy.path) as port:
            os.write(port, ASKED)
            assert heard(port, 1, 0.2) == b"", "the device heard something else"
        with opened(proxy.path, termios.B19200) as port:
            os.write(port, ASKED)
            assert heard(port, len(ANSWER)) == ANSWER


def test_echo_noise_late_answers_and_half_of_one(device: str) -> None:
    with SerialProxy(device, baud=115200) as proxy, opened(proxy.path, termios.B115200) as port:
        proxy.echo()
        proxy.noise(b"\x00")
        os.write(port, ASKED)
        assert heard(port, 21) == ASKED + b"\x00" + ANSWER
        proxy.restore()
        proxy.cut()
        os.write(port, ASKED)
        assert heard(port, 16, 0.2) == ANSWER[:8]
        proxy.delay(0.3)
        began = time.monotonic()
        os.write(port, ASKED)
        assert heard(port, 16) == ANSWER
        assert time.monotonic() - began >= 0.3
        proxy.freeze()
        os.write(port, ASKED)
        assert heard(port, 1, 0.1) == b""
        proxy.restore()
        assert heard(port, 16) == ANSWER, "late"


def test_a_port_that_vanishes_comes_back_under_another_number_at_the_same_path(device: str) -> None:
    with SerialProxy(device, baud=115200) as proxy:
        with opened(proxy.path, termios.B115200) as port:
            number = os.ttyname(port)
            assert proxy.standing == 1
            proxy.refuse()
            with pytest.raises(OSError, match="Input/output error"):
                os.write(port, ASKED)
            with pytest.raises(FileNotFoundError):
                os.open(proxy.path, os.O_RDWR | os.O_NOCTTY)
            proxy.restore()
            assert str(Path(proxy.path).readlink()) != number
        with opened(proxy.path, termios.B115200) as port:
            os.write(port, ASKED)
            assert heard(port, 16) == ANSWER
        assert proxy.standing == 0
        assert proxy.sent == [b"", ASKED]


def test_what_was_said_before_the_port_vanished_arrives_as_it_was_said(device: str) -> None:
    with SerialProxy(device, baud=115200) as proxy:
        proxy.freeze()
        with opened(proxy.path, termios.B115200) as port:
            os.write(port, ASKED)
            deadline = time.monotonic() + 5
            while proxy.sent != [ASKED] and time.monotonic() < deadline:
                time.sleep(0.01)
            proxy.refuse()
        proxy.restore()
        with opened(proxy.path, termios.B9600) as port:
            assert heard(port, 8) == bytes(byte ^ 0xA5 for byte in ANSWER[::2]), "only the answer is garbled"
