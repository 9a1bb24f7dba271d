"""How many frames waited in the last hours, as it is remembered here: for people, and gone with the process."""

import asyncio

from ganpo_agent.keeping.keeper import Keeper
from ganpo_agent.timekeeper import Timekeeper
from ganpo_model.clock import DAY_MS, HOUR_MS, from_ms, iso, to_ms

EVERY_S = 60.0


class Waited:
    """The most frames that waited in each of the last 24 hours; an hour in which nobody looked is not in it."""

    def __init__(self) -> None:
        self._hours: dict[int, int] = {}

    async def run(self, keeper: Keeper, time: Timekeeper) -> None:
        """Look once a minute, while time is trusted."""
        while True:
            backlog = await keeper.backlog()
            if backlog is not None and time.trusted():
                self.note(to_ms(time.now()), backlog.frames)
            await asyncio.sleep(EVERY_S)

    def note(self, now: int, frames: int) -> None:
        """So many wait at an instant in ms since 1970."""
        hour = now // HOUR_MS * HOUR_MS
        self._hours = {at: most for at, most in self._hours.items() if hour - DAY_MS < at <= hour}
        self._hours[hour] = max(frames, self._hours.get(hour, 0))

    def told(self) -> list[list[str | int]]:
        """As the API gives it: begin of the hour, and the most frames in it."""
        return [[iso(from_ms(at)), most] for at, most in sorted(self._hours.items())]
