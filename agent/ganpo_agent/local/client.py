"""A command's way to the running agent: its socket."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ganpo_agent.local import API
from ganpo_agent.local.place import Gateway, gateway_of, paths_of
from ganpo_agent.local.socket import opened
from ganpo_model import errors
from ganpo_model.errors import ConnectionLost, GanpoError
from ganpo_service.asking import ask

QUICK_S = 10.0
LONG_S = 900.0
"""A question may wait for its turn on the line, and browsing takes as long as it takes."""
_KINDS = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, GanpoError)
}


class Client:
    """Asks the agent of a gateway that listens at `path`. Every question is a connection of its own."""

    def __init__(self, path: Path, gateway: str) -> None:
        self.path = path
        self._gateway = gateway

    async def get(self, what: str, **asked: str) -> Any:
        """A resource: status, connections, points, machines, meters, doctor. Raises ConnectionLost."""
        query = f"?{urlencode(asked)}" if asked else ""
        return await self._ask("GET", f"{API}{what}{query}", b"", QUICK_S)

    async def post(self, what: str, body: Mapping[str, Any]) -> Any:
        """Have the agent do something: read, identify, browse. Raises the error that came."""
        return await self._ask("POST", f"{API}{what}", json.dumps(body).encode(), LONG_S)

    async def _ask(self, method: str, target: str, body: bytes, timeout_s: float) -> Any:
        status, kind, answer = await ask(self.path, self._gateway, method, target, body, timeout_s)
        try:
            told = json.loads(answer) if kind.startswith("application/json") else None
        except ValueError:
            told = None
        if status < 300 and told is not None:
            return told
        if isinstance(told, dict) and "what" in told:
            raise _KINDS.get(told.get("code", ""), GanpoError)(
                told["what"], where=told.get("where", ""), hint=told.get("hint", "")
            )
        hint = "are command and agent of the same version? `ganpo --version`"
        raise ConnectionLost(f"answers {status} to {method} {target}", where=str(self.path), hint=hint)


def running(config: Path | None) -> Client | None:
    """The agent of this configuration that runs on this machine, None where none does. Of the file its `[gateway]` is
    enough. Raises ConfigError, and AccessRefused where this user may not ask it."""
    return running_at(gateway_of(config))


def running_at(gateway: Gateway) -> Client | None:
    """As `running`, of a gateway that is known."""
    for path in paths_of(gateway):
        if (sock := opened(path)) is not None:
            sock.close()
            return Client(path, gateway.id)
    return None
