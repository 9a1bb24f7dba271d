"""What doctor found last. What it asks of the network it asks once a minute, however many look."""

from typing import Any

from ganpo_agent.device import doctor
from ganpo_agent.local import answers
from ganpo_agent.local.running import Running, now_ms
from ganpo_agent.memory import give_back

HOLDS_S = 60.0
"""How long an answer of the doctor holds."""


class Examined:
    """`checks` as the local API gives them, `at` in ms since 1970; neither before the first look is over."""

    def __init__(self) -> None:
        self.checks: list[dict[str, Any]] = []
        self.at: int | None = None
        self._until = 0.0

    async def fresh(self, agent: Running) -> list[dict[str, Any]]:
        """The checks, made anew where they are too old."""
        if self.at is None or agent.time.monotonic() > self._until:
            found = await doctor.examine(agent.plant, await answers.status(agent))
            self.checks, self.at = [check._asdict() for check in found], now_ms(agent)
            self._until = agent.time.monotonic() + HOLDS_S
            give_back()
        return self.checks
