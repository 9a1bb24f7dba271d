"""How long a server keeps a session and a channel that nobody uses, and when each has to be seen to."""

import asyncio
from typing import Any

SESSION_TIMEOUT_S = 60
CHANNEL_S = 3600
"""Both are asked for; a server grants what it likes."""
USE_AT = 0.5
"""Of what the server grants a session: unused for so long it is kept alive."""
RENEW_AT = 0.75
"""Of what the server grants a channel; a session unused for so long may be forgotten."""
SHORTEST_S = 1.0
"""What is granted is taken for no less, so that nobody is asked in a rage."""


class Granted:
    """Of one session, on asyncua's client: it knows what was granted last. Times are those of the loop."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.used_at = 0.0
        self.renew_at = 0.0

    def used(self) -> None:
        """The server answered."""
        self.used_at = _now()

    def renewed(self) -> None:
        """The server granted a channel."""
        self.renew_at = _now() + RENEW_AT * _granted_s(self._client.secure_channel_timeout, CHANNEL_S)

    @property
    def renewal_due(self) -> bool:
        """Whether the channel has to be renewed before the next request."""
        return _now() >= self.renew_at

    @property
    def expired(self) -> bool:
        """Whether the server has forgotten an unused session by now (polls slower than its timeout)."""
        return _now() - self.used_at >= RENEW_AT * self._session_s

    @property
    def rest_s(self) -> float:
        """Seconds for which neither session nor channel needs a request."""
        return min(self.used_at + USE_AT * self._session_s, self.renew_at) - _now()

    @property
    def _session_s(self) -> float:
        return _granted_s(self._client.session_timeout, SESSION_TIMEOUT_S)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _granted_s(timeout_ms: float, asked_s: float) -> float:
    """What a server grants, in s; one that says no time at all (0, NaN) is taken to grant what was asked."""
    return max(timeout_ms / 1000, SHORTEST_S) if timeout_ms > 0 else asked_s
