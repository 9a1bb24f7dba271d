"""The contract on a good line."""

import asyncio
import gc
import tracemalloc

from ganpo_drivers.api import FaultKind, Identifies, Point, PointFault
from ganpo_drivers.testing.hooks import Hooks
from ganpo_drivers.testing.scenario import scenario

REOPENINGS = 20
GROWTH_BYTES = 2048
"""Per reopening: less than any session's buffers, more than what the interpreter's own caches do."""


class Reading(Hooks):
    """Values, faults, opening and closing."""

    @scenario
    async def test_a_value_comes_for_each_point_in_order(self) -> None:
        known = list(self.known())
        assert len(known) >= 2, "two or more known addresses"
        assert len({address.key for address in known}) == 1, "known addresses of one key"
        async with self.opened(self.make()) as driver:
            values = await self.read(driver, known)
            assert not [value for value in values if isinstance(value, PointFault)]
            assert len({repr(value) for value in values}) > 1, "known addresses whose values differ"
            assert await self.read(driver, known[::-1]) == values[::-1]
            assert await self.read(driver, [*known, *known]) == [*values, *values], (
                "an address may come twice"
            )
            for address, value in zip(known, values, strict=True):
                assert await self.read(driver, [address]) == [value]

    @scenario
    async def test_a_bad_point_spoils_only_itself(self) -> None:
        known, unknown = list(self.known()), self.unknown()
        truth = await self.truth()
        async with self.opened(self.make()) as driver:
            for _ in range(2):
                first, bad, *others = await self.read(driver, [known[0], unknown, *known[1:]])
                assert isinstance(bad, PointFault)
                assert bad.kind in (FaultKind.ABSENT, FaultKind.BAD)
                assert bad.text, "a fault says why"
                assert [first, *others] == truth
            (alone,) = await self.read(driver, [unknown])
            assert isinstance(alone, PointFault)

    def test_preparing_is_offline_and_keeps_the_points(self) -> None:
        points = [Point(f"point-{number}", address) for number, address in enumerate(self.known())]
        query = self.make().prepare(points)
        assert list(query.points) == points
        assert str(query).strip(), "str(query) shows the requests"
        assert "object at 0x" not in str(query), "str(query) shows the requests"

    @scenario
    async def test_closing_is_safe_before_opening_and_twice(self) -> None:
        driver = self.make()
        await driver.close()
        async with self.opened(driver):
            pass
        await driver.close()

    @scenario
    async def test_it_opens_again_and_many_times_leave_no_memory_behind(self) -> None:
        truth, driver = await self.truth(), self.make()
        for _ in range(5):
            await self.reads_again(driver, truth)
        gc.collect()
        tracemalloc.start()
        try:
            for _ in range(REOPENINGS):
                await self.reads_again(driver, truth)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert grown <= REOPENINGS * GROWTH_BYTES, f"{grown} bytes more after {REOPENINGS} openings"

    @scenario
    async def test_it_says_who_it_is(self) -> None:
        async with self.opened(self.make()) as driver, asyncio.timeout(self.limit_s):
            assert isinstance(driver, Identifies)
            said = await driver.identify()
        assert said.vendor or said.model or said.serial or said.controller
