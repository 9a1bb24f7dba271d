"""What a vendor writes about its driver, and what the tests make of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ganpo_drivers.api import Address, ConnectionSettings, Driver, Point, PointFault, Value
from ganpo_drivers.testing.proxy import Proxy
from ganpo_model.errors import TransientError, UnitSilent

GOES_AWAY = (TransientError, UnitSilent)
"""What a fault of the line may be told as: the agent tries again by itself."""


class Hooks:
    """Four methods without which there is no test, and a few that have a default."""

    limit_s: ClassVar[float] = 10.0
    """No call of the driver may take longer, whatever the device does."""
    bad_addresses: ClassVar[Sequence[str]] = ("",)
    """Texts that are no address of this protocol."""
    driver_type: ClassVar[type[Driver[Any, Any]]]
    """Taken from the annotation of `make`."""

    def make(self) -> Driver[Any, Any]:
        """A driver for a device that answers, not opened; annotated with the driver's own class."""
        raise NotImplementedError

    def make_unreachable(self) -> Driver[Any, Any]:
        """A driver for an endpoint where nobody is."""
        raise NotImplementedError

    def known(self) -> Sequence[Address]:
        """Two or more addresses of one key whose values differ and do not change while the tests run."""
        raise NotImplementedError

    def unknown(self) -> Address:
        """An address of the same key that the device does not have."""
        raise NotImplementedError

    def forbidden(self, sent: bytes) -> Sequence[str]:
        """Services that could change something at the device, in what one connection sent from its beginning.

        Where a vendor does not write this, the wire is not watched.
        """
        raise NotImplementedError

    def endpoint(self, connection: Any) -> tuple[str, int]:
        """Host and TCP port of a connection: from its `url`, or its `host` and `port`."""
        if "url" not in type(connection).model_fields:
            return connection.host, connection.port
        parts = urlsplit(connection.url)
        assert parts.hostname is not None
        assert parts.port is not None, "the url of `make` states its port"
        return parts.hostname, parts.port

    def redirect(self, connection: Any, host: str, port: int) -> ConnectionSettings:
        """The same connection to another endpoint."""
        fields = {"host": host, "port": port}
        if "url" in type(connection).model_fields:
            fields = {"url": urlsplit(connection.url)._replace(netloc=f"{host}:{port}").geturl()}
        changed: ConnectionSettings = connection.model_copy(update=fields)
        return changed

    @contextmanager
    def proxied(self) -> Iterator[tuple[Proxy, Driver[Any, Any]]]:
        """A driver that reaches its device through the proxy."""
        driver = self.make()
        with Proxy(*self.endpoint(driver.connection)) as proxy:
            yield proxy, type(driver)(self.redirect(driver.connection, proxy.host, proxy.port))

    @asynccontextmanager
    async def opened(self, driver: Driver[Any, Any]) -> AsyncIterator[Driver[Any, Any]]:
        """The driver, open; closed at the end."""
        try:
            async with asyncio.timeout(self.limit_s):
                await driver.open()
            yield driver
        finally:
            async with asyncio.timeout(self.limit_s):
                await driver.close()

    async def read(self, driver: Driver[Any, Any], addresses: Sequence[Address]) -> list[Value | PointFault]:
        """One read of these addresses."""
        points = [Point(f"point-{number}", address) for number, address in enumerate(addresses)]
        async with asyncio.timeout(self.limit_s):
            scan = await driver.read(driver.prepare(points))
        assert len(scan.values) == len(addresses)
        if scan.source_times is not None:
            assert len(scan.source_times) == len(addresses)
            assert all(at is None or at.tzinfo is not None for at in scan.source_times), "an unaware time"
        return scan.values

    async def truth(self) -> list[Value | PointFault]:
        """What the known addresses read, over a good line."""
        async with self.opened(self.make()) as driver:
            return await self.read(driver, self.known())

    async def reads_again(self, driver: Driver[Any, Any], truth: list[Value | PointFault]) -> None:
        """Close, open and read, as the agent does after an error: everything is as before."""
        await driver.close()
        async with self.opened(driver):
            assert await self.read(driver, self.known()) == truth
