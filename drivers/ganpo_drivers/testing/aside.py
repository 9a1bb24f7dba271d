"""An event loop in a thread of its own: what stands there is served too while a driver blocks its loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
ANSWER_S = 10.0
"""Within which the thread does what it is told."""


class Aside:
    """`start`, then `do` and `run` from any other thread, then `stop`."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)

    def start(self) -> None:
        """Begin to turn."""
        self._thread.start()

    def do(self, work: Callable[[], T]) -> T:
        """What `work` gives, done between two events."""

        async def done() -> T:
            return work()

        return self.run(done())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives. Raises TimeoutError where that takes more than 10 s."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(ANSWER_S)

    def stop(self) -> None:
        """End; nothing may be under way any more."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(ANSWER_S)
        self.loop.close()
