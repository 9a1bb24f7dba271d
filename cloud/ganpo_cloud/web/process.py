"""The pages' process: page and API beside the process that collects, so that readers do not delay it.

`python -m ganpo_cloud.web.process` is started by `WebKeeper` alone. Its standard input is a socket: a line of JSON says
what to serve (`Serving`), on its end this process ends too; it says `ready` there, and every second that it lives. It
reads the database and never writes. Heavy imports wait until somebody watches that end.
"""

import gc
import json
import logging
import os
import select
import signal
import socket
import threading
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import SecretStr

from ganpo_cloud.store.settings import CloudSettings, DatabaseSettings
from ganpo_service import log

if TYPE_CHECKING:
    from ganpo_cloud.store.database import Reader

logger = logging.getLogger(__name__)

ALIVE_S = 1.0
_NICE = 10
"""Behind whoever collects, where both want the processor."""
_THREADS = 2
"""Answers that are worked out at once; more would only take turns."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What to serve: whose pages, from which database; `inlet`: where whoever collects tells how
    it is."""

    url: str
    password: str | None
    folder: str | None
    exposed: bool
    demo: bool
    inlet: tuple[str, int] | None
    lights: tuple[str, str] = ("0.95", "1")
    """Decimal texts: from which part of a limit on it is near, and from which above."""

    @classmethod
    def of(cls, settings: CloudSettings, inlet: tuple[str, int] | None, *, demo: bool = False) -> Self:
        """As the settings say."""
        secret, folder = settings.database.password, settings.province.folder
        return cls(
            settings.database.url,
            secret.get_secret_value() if secret is not None else None,
            str(folder) if folder is not None else None,
            settings.http.allow_unauthenticated,
            demo,
            inlet,
            (str(settings.province.limit_near), str(settings.province.limit_above)),
        )

    def reader(self) -> "Reader":
        """The database. Raises StorageError."""
        from ganpo_cloud.store.database import Reader

        secret = SecretStr(self.password) if self.password is not None else None
        return Reader(DatabaseSettings(url=self.url, password=secret))


def serve(serving: Serving, sock: socket.socket, channel: socket.socket | None = None) -> None:
    """Serve at a bound socket until SIGTERM or SIGINT. Raises GanpoError: the database, the province's files."""
    import asyncio

    from anyio.to_thread import current_default_thread_limiter

    from ganpo_cloud.province import divisions
    from ganpo_cloud.web.application import create_app
    from ganpo_service.clock import SystemClock
    from ganpo_service.http import Server

    folder, (near, above) = serving.folder, serving.lights
    with serving.reader() as reader:
        app = create_app(
            reader,
            SystemClock(),
            demo=serving.demo,
            exposed=serving.exposed,
            province=divisions.load(Path(folder) if folder else None, (Fraction(near), Fraction(above))),
            inlet=serving.inlet,
        )
        gc.freeze()  # what it starts with stays: to look through it for garbage held one page in ten up by 0.1 s
        server = Server(app)

        async def tell() -> None:
            """That it answers, and lives: said by the loop, so that a loop that hangs says nothing."""
            while not server.started:  # noqa: ASYNC110 - the library has no event for it
                await asyncio.sleep(0.02)
            word = b"ready\n"
            while channel is not None:
                await asyncio.get_running_loop().sock_sendall(channel, word)
                word = b"alive\n"
                await asyncio.sleep(ALIVE_S)

        async def main() -> None:
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, server.end)
            current_default_thread_limiter().total_tokens = _THREADS
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(tell(), name="telling")
                await server.serve(sockets=[sock])
                telling.cancel()

        asyncio.run(main())


def line(serving: Serving, listening: int, log_settings: tuple[str, str]) -> bytes:
    """What `WebKeeper` says: what to serve, at which inherited descriptor, and how the log is written."""
    return json.dumps({"serving": asdict(serving), "socket": listening, "log": log_settings}).encode() + b"\n"


def main() -> None:
    """Serve what the socket at standard input says, until whoever started it ends."""
    channel = socket.socket(fileno=os.dup(0))
    said = _said(channel)
    threading.Thread(target=_until_it_ends, args=(channel.dup(),), daemon=True, name="parent").start()
    log.set_up(*said["log"])
    try:
        os.nice(_NICE)
    except PermissionError as error:
        logger.info("the pages have the priority of whoever collects: %s", error)
    channel.setblocking(False)
    serve(Serving(**said["serving"]), socket.socket(fileno=said["socket"]), channel)


def _said(channel: socket.socket) -> dict[str, Any]:
    with channel.makefile("rb") as lines:
        said: dict[str, Any] = json.loads(lines.readline())
        return said


def _until_it_ends(channel: socket.socket) -> None:
    """Nothing in this process is worth an orderly end, and its port is wanted by the next."""
    while select.select([channel], [], []) and channel.recv(100):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
