"""A byte line of meters without any port: what is sent is answered by a function, in the test's own loop."""

import asyncio
from collections.abc import Callable, Iterable

from ganpo_drivers.lines import ByteLine
from support.meter_line import noted

Answer = Callable[[bytes], Iterable[bytes]]
"""The pieces that come after a request, one after another."""


class ScriptedLine(ByteLine):
    """Opened and closed as often as the driver likes; what was not read when it is closed is gone."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("serial:///dev/scripted")
        self._answer = answer
        self._watch = noted(lambda _: b"")
        self._open = False
        self.sent: list[bytes] = []

    @property
    def is_open(self) -> bool:
        return self._open

    async def open(self) -> None:
        self._open, self.pending = True, b""

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        self._watch(data)
        for piece in self._answer(data):
            asyncio.get_running_loop().call_soon(self._take, piece)

    def close(self) -> None:
        self._open = False

    def _take(self, piece: bytes) -> None:
        if self._open:
            self._came(piece)
