"""Simulated devices on a pseudo terminal, as a serial port is to the agent."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable

Answering = Callable[[bytes], bytes]
"""What the devices of a line answer to the bytes that came since they last answered or gave up; empty: nothing yet."""
_LONGEST = 4096


class PtyLine:
    """`path`: the device file to open."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        # Open here too: without anybody at the other end ours would report an error all the time.
        self.path = os.ttyname(self._theirs)

    def start(self) -> None:
        """Answer from now on, in the running loop."""
        os.set_blocking(self._ours, False)
        asyncio.get_running_loop().add_reader(self._ours, self._came)

    def stop(self) -> None:
        """The port is gone."""
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)

    def _came(self) -> None:
        answer = self._answering(os.read(self._ours, _LONGEST))
        with contextlib.suppress(BlockingIOError):  # nobody takes what was said: it is lost, as on a wire
            os.write(self._ours, answer)
