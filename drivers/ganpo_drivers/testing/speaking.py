"""The contract of drivers whose devices speak by themselves (`Subscribes`), or say what they have (`Browses`)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

import pytest

from ganpo_drivers.api import Address, Browses, Driver, Point, PointFault, Scan, Subscribes, Value
from ganpo_drivers.testing.hooks import GOES_AWAY, Hooks
from ganpo_drivers.testing.scenario import scenario

BROWSED = 100
"""So many of the addresses that a device offers are looked at."""


class Speaking(Hooks):
    """What is delivered, and when."""

    @scenario
    async def test_what_is_subscribed_is_delivered_and_confirmed_while_nothing_changes(self) -> None:
        expected = list(self.expected())
        async with self.opened(self.make()) as driver:
            for _ in range(2):  # a subscription that was cancelled leaves a driver that can be used
                async with self._listening(driver, [*self.known(), self.unknown()]) as scans:
                    last = await self._heard(scans, expected)
                    assert isinstance(last.values[-1], PointFault), "what the device does not have"
                    assert (await self._next(scans)).values[:-1] == expected, "what is known is confirmed"
                    await self.reads_expected(driver)
                await self.reads_expected(driver)

    @scenario
    async def test_a_subscription_on_a_line_that_falls_silent_ends(self) -> None:
        with self.proxied() as (proxy, driver):
            async with self.opened(driver), self._listening(driver, self.known()) as scans:
                while (await self._next(scans)).values != list(self.expected()):
                    pass
                proxy.freeze()
                with pytest.raises(GOES_AWAY):
                    await self._end_of(scans)
            proxy.restore()
            await self.reads_again(driver)

    @scenario
    async def test_what_the_device_offers_is_an_address_that_can_be_read(self) -> None:
        async with self.opened(self.make()) as driver:
            assert isinstance(driver, Browses)
            async with asyncio.timeout(self.limit_s):
                offered = [text async for text in driver.browse("")]
            assert offered, "the device offers something"
            assert len(offered) == len(set(offered)), "each once"
            addresses = [driver.address_type.parse(text) for text in islice(offered, BROWSED)]
            assert [str(address) for address in addresses] == offered[:BROWSED], "in the form that is printed"
            by_key: dict[str, list[Address]] = {}
            for address in addresses:
                by_key.setdefault(address.key, []).append(address)
            for some in by_key.values():
                await self.read(driver, some)

    @asynccontextmanager
    async def _listening(
        self, driver: Driver[Any, Any], addresses: Sequence[Address]
    ) -> AsyncIterator["asyncio.Queue[Scan | BaseException]"]:
        """What a subscription delivers, and at its end the error."""
        assert isinstance(driver, Subscribes)
        scans: asyncio.Queue[Scan | BaseException] = asyncio.Queue()
        points = [Point(f"point-{number}", address) for number, address in enumerate(addresses)]
        task = asyncio.create_task(driver.subscribe(points, scans.put))
        task.add_done_callback(lambda done: scans.put_nowait(_end(done)))
        try:
            yield scans
        finally:
            task.cancel()
            async with asyncio.timeout(self.limit_s):
                await asyncio.wait([task])

    async def _next(self, scans: "asyncio.Queue[Scan | BaseException]") -> Scan:
        async with asyncio.timeout(self.limit_s):
            found = await scans.get()
        if isinstance(found, BaseException):
            raise found
        return found

    async def _heard(self, scans: "asyncio.Queue[Scan | BaseException]", expected: list[Value]) -> Scan:
        """The first scan that begins with what is expected; nothing may be missing in any."""
        scan = Scan([])
        async with asyncio.timeout(self.limit_s):
            while scan.values[: len(expected)] != expected:
                scan = await self._next(scans)
                assert len(scan.values) >= len(expected), "a value for each point, in every delivery"
        return scan

    async def _end_of(self, scans: "asyncio.Queue[Scan | BaseException]") -> None:
        while True:
            await self._next(scans)


def _end(task: "asyncio.Task[None]") -> BaseException:
    if task.cancelled():
        return AssertionError("the subscription ended as cancelled, and nobody did that")
    return task.exception() or AssertionError("subscribe returned: it delivers until it is cancelled")
