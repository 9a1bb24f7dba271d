"""A TCP proxy that injects faults, in user space and in a thread of its own: a driver that blocks its event loop
is served too, and shown up.
"""

import asyncio
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ganpo_drivers.testing.aside import Aside
from ganpo_drivers.testing.relay import Faults, Relay


class Proxy:
    """Stands before a device at `host:port`: `with Proxy(host, port) as proxy`, then connect to `proxy.port`.

    Everything passes until a method says otherwise; `restore` lets everything pass again.
    """

    host = "127.0.0.1"
    port: int

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._faults = Faults()
        self._relays: list[Relay] = []
        self._listener: asyncio.Server | None = None
        self._bound: socket.socket | None = None
        self._aside = Aside("proxy")

    @property
    def name(self) -> str:
        """What the `where` of an error names: the port."""
        return str(self.port)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where the driver connects to."""
        return self.host, self.port

    def refuse(self) -> None:
        """Refuse new connections and reset those that stand: the device's program ended, its network did not."""
        self._aside.do(self._refuse)

    def freeze(self) -> None:
        """Half-open: connections stand and are accepted, and not a byte passes. `restore` lets them pass, late."""
        self._aside.do(lambda: self._freeze(frozen=True))

    def delay(self, seconds: float) -> None:
        """What the device says arrives so much later."""
        self._faults.delay_s = seconds

    def split(self) -> None:
        """What the device says arrives byte by byte, and after the first sixteen in small pieces."""
        self._faults.splitting = True

    def cut(self) -> None:
        """Of the next bytes from the device half pass, then that connection is closed."""
        self._faults.cutting = True

    def drop(self) -> None:
        """Close what stands, orderly, as devices do with connections that were idle for too long."""
        self._aside.do(lambda: self._each(Relay.close))

    def reset(self) -> None:
        """Reset what stands."""
        self._aside.do(lambda: self._each(Relay.reset))

    def restore(self) -> None:
        """Let everything pass again, also what was held."""
        self._faults.cutting, self._faults.splitting, self._faults.delay_s = False, False, 0.0
        self._aside.do(lambda: self._freeze(frozen=False))
        if self._listener is None:
            self._aside.run(self._listen())

    def forget(self) -> None:
        """Forget the connections that no longer stand, and what was sent on them."""
        self._aside.do(self._forget)

    @property
    def sent(self) -> list[bytes]:
        """What was sent to the device so far, an element per connection."""
        return self._aside.do(lambda: [bytes(relay.sent) for relay in self._relays])

    @property
    def standing(self) -> int:
        """How many connections stand now."""
        return self._aside.do(lambda: sum(relay.stands for relay in self._relays))

    def _freeze(self, *, frozen: bool) -> None:
        self._faults.frozen = frozen
        self._each(Relay.flow)

    def _each(self, what: Callable[[Relay], None]) -> None:
        for relay in self._relays:
            what(relay)

    def _forget(self) -> None:
        self._relays = [relay for relay in self._relays if relay.stands]

    def _refuse(self) -> None:
        self._each(Relay.reset)
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._bound = self._bind(self.port)  # bound and not listening: refused, and nobody else gets it

    def _bind(self, port: int) -> socket.socket:
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((self.host, port))
        return bound

    async def _listen(self) -> None:
        bound, self._bound = self._bound or self._bind(0), None
        self.port = bound.getsockname()[1]
        self._listener = await asyncio.get_running_loop().create_server(self._accept, sock=bound)

    def _accept(self) -> asyncio.Protocol:
        relay = Relay(self._faults, self._target)
        self._relays.append(relay)
        return relay.driver

    async def _end(self) -> None:
        self._refuse()
        if self._bound is not None:
            self._bound.close()
        dialing = asyncio.all_tasks() - {asyncio.current_task()}
        for task in dialing:
            task.cancel()
        await asyncio.gather(*dialing, return_exceptions=True)
        await asyncio.sleep(0)  # what was reset closes its socket in the next turn of the loop
        await asyncio.sleep(0)

    def __enter__(self) -> Self:
        self._aside.start()
        self._aside.run(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._aside.run(self._end())
        self._aside.stop()
