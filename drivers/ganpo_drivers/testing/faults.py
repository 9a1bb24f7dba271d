"""The contract on a bad line: every fault is told as one that goes away, says where, and ends in time."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ganpo_drivers.api import Address, Driver, Identifies, Reports, Value
from ganpo_drivers.testing.hooks import GOES_AWAY, FaultProxy, Hooks
from ganpo_drivers.testing.scenario import scenario
from ganpo_model.errors import TransientError

MOMENT_S = 0.05
GONE_S = 2.0
"""How long after closing a socket may still stand."""
REOPENINGS = 10
READS = 10
"""In one session, under watch for a write: a driver may begin well."""


class Faults(Hooks):
    """Through the proxy of the kit."""

    @scenario
    async def test_an_unreachable_device_is_transient_and_says_where(self) -> None:
        driver = self.make_unreachable()
        async with asyncio.timeout(self.limit_s):
            with pytest.raises(TransientError) as told:
                await driver.open()
            await driver.close()
        assert told.value.where

    @scenario
    async def test_a_refused_connection_is_transient_and_opens_later(self) -> None:
        with self.proxied() as (proxy, driver):
            proxy.refuse()
            async with asyncio.timeout(self.limit_s):
                with pytest.raises(TransientError) as told:
                    await driver.open()
            assert proxy.name in told.value.where, f"says where it failed, not {told.value.where!r}"
            proxy.restore()
            await self.reads_again(driver)

    @scenario
    async def test_a_half_open_line_is_told_in_time_and_a_late_answer_is_taken_for_no_other(self) -> None:
        truth, known = list(self.expected()), self.known()
        with self.proxied() as (proxy, driver):
            async with self._broken(driver, proxy.freeze, proxy):
                pass
            proxy.restore()  # and here the late answers come
            for _ in range(3):
                for address, value in list(zip(known, truth, strict=True))[::-1]:
                    try:
                        assert await self.read(driver, [address]) == [value]
                    except GOES_AWAY:
                        await driver.close()
                        await driver.open()
            await self.reads_again(driver)

    @scenario
    async def test_opening_a_half_open_line_ends_in_time(self) -> None:
        with self.proxied() as (proxy, driver):
            proxy.freeze()
            with pytest.raises(GOES_AWAY) as told:  # some protocols say nothing until the first read
                async with self.opened(driver):
                    await self.read(driver, self.known())
            assert told.value.where
            proxy.restore()
            await self.reads_again(driver)

    @scenario
    async def test_a_connection_reset_in_mid_read_is_transient(self) -> None:
        with self.proxied() as (proxy, driver):
            async with self._broken(driver, proxy.freeze, proxy):
                await asyncio.sleep(MOMENT_S)
                proxy.refuse()
            proxy.restore()
            await self.reads_again(driver)

    @scenario
    async def test_an_answer_that_is_cut_off_is_transient_or_asked_for_again(self) -> None:
        with self.proxied() as (proxy, driver):
            async with self.opened(driver):
                await self.read(driver, self.known())
                proxy.cut()
                await self._reads_or_tells(driver, self.known()[:1], self.expected()[:1])
            await self.reads_again(driver)

    @scenario
    async def test_a_connection_closed_between_two_reads_is_transient_or_opened_again(self) -> None:
        with self.proxied() as (proxy, driver):
            for end in (proxy.drop, proxy.reset):
                async with self.opened(driver):
                    await self.read(driver, self.known())
                    end()
                    await asyncio.sleep(MOMENT_S)
                    await self._reads_or_tells(driver, self.known(), self.expected())
            await self.reads_again(driver)

    @scenario
    async def test_slow_answers_are_answers(self) -> None:
        with self.proxied() as (proxy, driver):
            proxy.delay(MOMENT_S)
            await self.reads_again(driver)

    @scenario
    async def test_answers_in_pieces_are_answers(self) -> None:
        with self.proxied() as (proxy, driver):
            proxy.split()
            await self.reads_again(driver)

    @scenario
    async def test_cancelled_in_mid_read_or_opening_it_is_usable_once_closed(self) -> None:
        with self.proxied() as (proxy, driver):
            async with self.opened(driver):
                await self.read(driver, self.known())
                await self._cancelled(proxy, self.read(driver, self.known()))
            await self.reads_again(driver)
            await self._cancelled(proxy, driver.open())
            await self.reads_again(driver)

    @scenario
    async def test_closing_leaves_no_socket_behind(self) -> None:
        with self.proxied() as (proxy, driver):
            for _ in range(REOPENINGS):
                await self.reads_again(driver)
            proxy.freeze()
            with pytest.raises(GOES_AWAY):
                async with self.opened(driver):
                    await self.read(driver, self.known())
            proxy.restore()
            async with asyncio.timeout(GONE_S):
                while proxy.standing:  # noqa: ASYNC110  # the proxy is another thread's
                    await asyncio.sleep(MOMENT_S)

    @scenario
    async def test_what_failed_on_the_line_is_reported(self) -> None:
        with self.proxied() as (proxy, driver):
            assert isinstance(driver, Reports)
            assert (driver.report().reopened, dict(driver.report().faults)) == (0, {})
            async with self.opened(driver):
                await self.read(driver, self.known())
                assert not driver.report().faults, "nothing failed"
                proxy.freeze()
                with pytest.raises(GOES_AWAY):
                    await self.read(driver, self.known())
                proxy.restore()
            said = driver.report()
            assert sum(said.faults.values()) >= 1
            assert {key for key, _ in said.faults} <= {address.key for address in self.known()}
            assert all(re.fullmatch(r"[a-z][a-z0-9_]*", kind) for _, kind in said.faults)

    @scenario
    async def test_nothing_is_ever_written_to_the_device(self) -> None:
        with self.proxied() as (proxy, driver):
            for _ in range(2):
                async with self.opened(driver):
                    if isinstance(driver, Identifies):
                        await driver.identify()
                    for _ in range(READS):
                        await self.read(driver, [*self.known(), self.unknown()])
            assert any(proxy.sent), "the driver did not go through the proxy; see `endpoint` and `redirect`"

    @asynccontextmanager
    async def _broken(
        self, driver: Driver[Any, Any], break_it: Callable[[], None], proxy: FaultProxy
    ) -> AsyncIterator[None]:
        """Open, read, break the line, and read again while the block runs: that has to fail in time."""
        async with asyncio.timeout(self.limit_s):
            await driver.open()
        await self.read(driver, self.known())
        break_it()
        reading = asyncio.ensure_future(self.read(driver, self.known()))
        yield
        with pytest.raises(GOES_AWAY) as told:
            await reading
        assert proxy.name in told.value.where, f"says where it failed, not {told.value.where!r}"

    async def _reads_or_tells(
        self, driver: Driver[Any, Any], addresses: Sequence[Address], expected: Sequence[Value]
    ) -> None:
        try:
            values = await self.read(driver, addresses)
        except GOES_AWAY as error:
            where = error.where
        else:
            assert values == list(expected)
            return
        assert where

    async def _cancelled(self, proxy: FaultProxy, call: Any) -> None:
        proxy.freeze()
        work = asyncio.ensure_future(call)
        await asyncio.sleep(MOMENT_S)
        if not work.done():  # some protocols say nothing at open
            work.cancel()
            async with asyncio.timeout(GONE_S):
                await asyncio.wait([work])
            assert work.cancelled(), f"cancelling ends in CancelledError and nothing else, not in {work!r}"
        proxy.restore()
