#!/bin/sh
# uvicorn 0.54.0 wakes its event loop ten times a second for nobody: it looks whether to end, and once a second at the date.
# On a gateway that sleeps between its polls that is most of its wake-ups.
#
# Installs uvicorn from the package registry into a temporary folder, lets it serve nobody for three seconds on loopback,
# and fails where it sets fewer timers than is written here.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "uvicorn==0.54.0"
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import socket

import uvicorn

SECONDS = 3


async def app(scope, receive, send):
    """Never asked."""


async def main():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:
        await asyncio.sleep(0.01)
    loop = asyncio.get_running_loop()
    timers, call_at = [], loop.call_at

    def noted(when, *given, **more):
        timers.append(when)
        return call_at(when, *given, **more)

    loop.call_at = noted
    await asyncio.sleep(SECONDS)
    loop.call_at = call_at
    server.should_exit = True
    await serving
    mine = 1
    print(f"uvicorn {uvicorn.__version__}: {len(timers) - mine} timers in {SECONDS} s without a client")
    if len(timers) - mine < 8 * SECONDS:
        raise SystemExit("this has changed: it no longer looks ten times a second")


asyncio.run(main())
PYTHON
