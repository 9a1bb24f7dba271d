"""The contract on a good line."""

import asyncio
import gc
import tracemalloc

from ganpo_drivers.api import FaultKind, Identifies, PointFault
from ganpo_drivers.testing.hooks import Hooks
from ganpo_drivers.testing.scenario import scenario

MOMENT_S = 0.05
REOPENINGS = 20
GROWTH_BYTES = 2048
"""Per reopening: less than any session's buffers, more than what the interpreter's own caches do."""


class Reading(Hooks):
    """Values, faults, opening and closing."""

    @scenario
    async def test_a_value_comes_for_each_point_in_order(self) -> None:
        known, expected = list(self.known()), list(self.expected())
        assert len(known) == len(expected) >= 2, "two or more known addresses, and what each reads"
        assert len({address.key for address in known}) == 1, "known addresses of one key"
        assert len({repr(value) for value in expected}) > 1, "known addresses whose values differ"
        async with self.opened(self.make()) as driver:
            await self.reads_expected(driver)
            assert await self.read(driver, known[::-1]) == expected[::-1]
            assert await self.read(driver, [*known, *known]) == [*expected, *expected], (
                "an address may come twice"
            )
            for address, value in zip(known, expected, strict=True):
                assert await self.read(driver, [address]) == [value]

    @scenario
    async def test_a_bad_point_spoils_only_itself(self) -> None:
        known, unknown = list(self.known()), self.unknown()
        async with self.opened(self.make()) as driver:
            for _ in range(2):
                first, bad, *others = await self.read(driver, [known[0], unknown, *known[1:]])
                assert isinstance(bad, PointFault)
                assert bad.kind in (FaultKind.ABSENT, FaultKind.BAD)
                assert bad.text, "a fault says why"
                assert [first, *others] == list(self.expected())
            (alone,) = await self.read(driver, [unknown])
            assert isinstance(alone, PointFault)

    def test_preparing_is_offline_and_keeps_the_points(self) -> None:
        addresses = list(self.known())
        query = self.prepared(self.make(), addresses)
        assert [point.address for point in query.points] == addresses
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
        driver = self.make()
        for _ in range(5):
            await self.reads_again(driver)
        gc.collect()
        tracemalloc.start()
        try:
            for _ in range(REOPENINGS):
                await self.reads_again(driver)
            await asyncio.sleep(MOMENT_S)  # the last session has its buffers until the loop has turned
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
