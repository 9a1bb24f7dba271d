"""CPU per value of 1,000 OPC UA variables, read and subscribed, to machine and meter, against bare asyncua.

Read: one Read of all for each poll; every value differs at every poll. Subscribed: 1,000 monitored items that change
once a second, each value with its second in it, so that one that is lost shows.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from asyncua import Client

from ganpo_drivers import Scan
from ganpo_drivers.opcua.address import OpcUaAddress
from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.opcua.settings import OpcUaSettings
from measure import Figure, ratio
from observed import BEGIN, observed

VALUES = 1000
POLLS = 50
SECONDS = 10
URI = "urn:ganpo:bench"

_SERVER = """
import asyncio, itertools, logging, socket, sys
from datetime import datetime, timezone
from asyncua import Server, ua
logging.disable(logging.CRITICAL)
async def main():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace("urn:ganpo:bench")
    space, asked = server.iserver.aspace, itertools.count()
    for n in range(1000):
        for kind in ("r", "s"):
            await server.nodes.objects.add_variable(ua.NodeId(f"{kind}{n}", index), f"{kind}{n}", 0.0)
        def now(_node, _attribute, n=n):
            value = ua.Variant(n * 1.5 + next(asked) / 1e6, ua.VariantType.Double)
            return ua.DataValue(value, SourceTimestamp=datetime.now(timezone.utc))
        space.set_attribute_value_callback(ua.NodeId(f"r{n}", index), ua.AttributeIds.Value, now)
    async with server:
        print(port, flush=True)
        lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            for second in range(1, int(line) + 1):
                await asyncio.sleep(1)
                at = datetime.now(timezone.utc)
                for n in range(1000):
                    item = ua.DataValue(ua.Variant(n + second / 100, ua.VariantType.Double), SourceTimestamp=at)
                    await space.write_attribute_value(ua.NodeId(f"s{n}", index), ua.AttributeIds.Value, item)
            await asyncio.sleep(1.5)
            print("done", flush=True)
asyncio.run(main())
"""


class Served:
    """The server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        self._in, self._out = process.stdin, process.stdout
        self.url = f"opc.tcp://127.0.0.1:{int(self._out.readline())}"

    async def change(self, seconds: int) -> None:
        """Change every subscribed value once a second, and wait until that has been told."""
        self._in.write(f"{seconds}\n")
        self._in.flush()
        await asyncio.to_thread(self._out.readline)

    def end(self) -> None:
        """It ends with its input."""
        self._in.close()


@contextmanager
def serving() -> Iterator[Served]:
    """The server, until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        served = Served(process)
        yield served
        served.end()


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    with serving() as server:
        yield from asyncio.run(_reads(server.url, 1 if short else 5, 5 if short else POLLS))
        yield from asyncio.run(_subscriptions(server, 1 if short else 3, 2 if short else SECONDS))


async def _reads(url: str, runs: int, polls: int) -> list[str]:
    ours, bare = [], []
    for n in range(runs + 1):
        found = await _read_by_us(url, polls), await _read_bare(url, polls)
        if n:
            ours.append(found[0])
            bare.append(found[1])
    return [
        str(Figure("ganpo, read to machine and meter", ours, "us/value")),
        str(Figure("asyncua, client.read_values", bare, "us/value")),
        ratio("ganpo / asyncua, read", ours, bare, "<= 0.20"),
    ]


async def _subscriptions(server: Served, runs: int, seconds: int) -> list[str]:
    ours, bare, lost = [], [], 0
    for n in range(runs + 1):
        cost, heard = await _heard_by_us(server, seconds)
        limit, told = await _heard_bare(server, seconds)
        lost += VALUES * seconds - heard
        if n:
            ours.append(cost)
            bare.append(limit)
    return [
        str(Figure("ganpo, subscribed, to machine and meter", ours, "us/value")),
        str(Figure("asyncua, a handler that counts", bare, "us/value")),
        ratio("ganpo / asyncua, subscribed", ours, bare, "<= 0.40"),
        f"  {'values lost by ganpo':<46} {lost:>9,} of {VALUES * seconds * (runs + 1):,}   goal 0",
        f"  {'values lost by asyncua in the last run':<46} {VALUES * seconds - told:>9,}",
    ]


def _driver(url: str) -> OpcUaDriver:
    return OpcUaDriver(OpcUaSettings(driver="opcua", url=url, security="None", allow_insecure=True))


async def _read_by_us(url: str, polls: int) -> float:
    read, bound, observer = observed(VALUES, lambda n: OpcUaAddress.parse(f"nsu={URI};s=r{n}"))
    driver, now = _driver(url), BEGIN
    await driver.open()
    query = driver.prepare(read)
    await driver.read(query)
    began = time.process_time()
    for _ in range(polls):
        now += 1000
        observer.feed(bound, await driver.read(query), None, now)
    cost = time.process_time() - began
    await driver.close()
    return cost / polls / VALUES * 1e6


async def _read_bare(url: str, polls: int) -> float:
    async with Client(url) as client:
        index = await client.get_namespace_index(URI)
        nodes = [client.get_node(f"ns={index};s=r{n}") for n in range(VALUES)]
        await client.read_values(nodes)
        began = time.process_time()
        for _ in range(polls):
            await client.read_values(nodes)
        return (time.process_time() - began) / polls / VALUES * 1e6


async def _heard_by_us(server: Served, seconds: int) -> tuple[float, int]:
    read, bound, observer = observed(
        VALUES, lambda n: OpcUaAddress.parse(f"nsu={URI};s=s{n}", mode="subscribe", sampling_ms=1000)
    )
    driver, heard, last, now = _driver(server.url), 0, [None] * VALUES, BEGIN
    values: list[Any] = list(last)

    async def deliver(scan: Scan) -> None:
        nonlocal heard, values, now
        heard += sum(map(_differ, scan.values, values))
        values = scan.values
        now += 500
        observer.feed(bound, scan, None, now)

    await driver.open()
    task = asyncio.create_task(driver.subscribe(read, deliver))
    while heard < VALUES:
        await asyncio.sleep(0.05)
    heard, began = 0, time.process_time()
    await server.change(seconds)
    cost = time.process_time() - began
    task.cancel()
    await asyncio.wait([task])
    await driver.close()
    return cost / seconds / VALUES * 1e6, heard


def _differ(one: object, other: object) -> bool:
    return one != other


class _Counter:
    def __init__(self) -> None:
        self.heard = 0

    def datachange_notification(self, _node: Any, _value: Any, _data: Any) -> None:
        self.heard += 1


async def _heard_bare(server: Served, seconds: int) -> tuple[float, int]:
    async with Client(server.url) as client:
        index = await client.get_namespace_index(URI)
        counter = _Counter()
        subscription = await client.create_subscription(1000, counter)
        await subscription.subscribe_data_change(
            [client.get_node(f"ns={index};s=s{n}") for n in range(VALUES)], queuesize=10
        )
        while counter.heard < VALUES:
            await asyncio.sleep(0.05)
        counter.heard, began = 0, time.process_time()
        await server.change(seconds)
        return (time.process_time() - began) / seconds / VALUES * 1e6, counter.heard
