"""The parent's hold on the process of the simulated devices."""

import asyncio
import json
import subprocess
import sys
from typing import Any

from ganpo_model.errors import GanpoError

_ANSWER_S = 10.0
_FIRST_ANSWER_S = 60.0


class Devices:
    """Started by the constructor, before our own loop runs, so that it imports while we do.

    `site`: plain or mixed. `ports` by name (meter, cell; secured) and `lines` (device files of the mixed site) are
    filled by `ready`; `stop` ends the process whatever it does.
    """

    def __init__(self, seed: int, site: str = "plain") -> None:
        self.ports: dict[str, int] = {}
        self.lines: dict[str, str] = {}
        self._process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
            [sys.executable, "-m", "ganpo_demo.devices", str(seed), site],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C is for us alone
        )
        self._answers: asyncio.StreamReader | None = None
        self._transport: asyncio.BaseTransport | None = None
        self._asking = asyncio.Lock()

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self._process.pid

    async def ready(self) -> None:
        """Wait until every device can be reached. Raises GanpoError where they do not come up."""
        self._answers = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(self._answers)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: protocol, self._process.stdout)
        told = await self._answer(_FIRST_ANSWER_S)
        self.ports, self.lines = told["ports"], told["lines"]

    async def plug(self, name: str) -> None:
        """Put the plug of `meter` or `cell` in. Raises GanpoError where the process does not answer."""
        await self._ask(f"plug {name}")

    async def unplug(self, name: str) -> None:
        """Pull the plug of `meter` or `cell`. Raises GanpoError where the process does not answer."""
        await self._ask(f"unplug {name}")

    async def truth(self, at_ms: int) -> int | None:
        """The register of the main meter in counts, as it was last read at or before `at_ms`.

        Raises GanpoError where the process does not answer.
        """
        counts: int | None = await self._ask(f"truth {at_ms}")
        return counts

    async def stop(self) -> None:
        """End the process, also a frozen one. Safe twice."""
        if self._transport is not None:
            self._transport.close()
        await asyncio.to_thread(self.end)

    def end(self) -> None:
        """End the process without a loop. Nothing in it is worth an orderly end. Safe twice."""
        for pipe in (self._process.stdin, self._process.stdout if self._transport is None else None):
            if pipe is not None:
                pipe.close()
        self._process.kill()
        self._process.wait()

    async def _ask(self, command: str) -> Any:
        async with self._asking:
            if self._process.stdin is None:
                raise GanpoError("has no stdin", where="simulated devices")
            try:
                self._process.stdin.write(f"{command}\n".encode())
                self._process.stdin.flush()
            except (OSError, ValueError) as error:
                raise GanpoError(f"ended: {error}", where="simulated devices") from error
            return await self._answer(_ANSWER_S)

    async def _answer(self, within_s: float) -> Any:
        if self._answers is None:
            raise GanpoError("not started", where="simulated devices")
        try:
            async with asyncio.timeout(within_s):
                line = await self._answers.readline()
        except TimeoutError as error:
            raise GanpoError(f"no answer within {within_s:g} s", where="simulated devices") from error
        if not line:
            raise GanpoError("ended by themselves", where="simulated devices")
        return json.loads(line)
