"""What a vendor writes about its driver, and what the tests make of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ganpo_drivers.api import Address, ConnectionSettings, Driver, Point, PointFault, Query, Value
from ganpo_drivers.testing.auditing import calls_to_the_outside
from ganpo_drivers.testing.proxy import Proxy
from ganpo_drivers.testing.serial_proxy import SerialProxy
from ganpo_model.errors import TransientError, UnitSilent

Endpoint = tuple[str, int] | str
"""Host and TCP port, or the path of a serial port."""
FaultProxy = Proxy | SerialProxy
GOES_AWAY = (TransientError, UnitSilent)
"""What a fault of the line may be told as: the agent tries again by itself."""


class Hooks:
    """Five methods without which there is no test, and a few that have a default."""

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

    def expected(self) -> Sequence[Value]:
        """What the known addresses read, in their order, as the device has it: exactly, and of the type that the driver
        gives. A float32 that a float has exactly (12.5) compares without doubt."""
        raise NotImplementedError

    def unknown(self) -> Address:
        """An address of the same key that the device does not have."""
        raise NotImplementedError

    def forbidden(self, sent: bytes) -> Sequence[str]:
        """Services that could change something at the device, in what one connection sent from its beginning; its end
        may be cut off.

        Where a vendor does not write this, the wire is not watched.
        """
        raise NotImplementedError

    def endpoint(self, connection: Any) -> Endpoint:
        """Where a connection goes: by its `url`, or its `host` and `port`."""
        if "url" not in type(connection).model_fields:
            return str(connection.host), int(connection.port)
        parts = urlsplit(connection.url)
        if parts.hostname is None:
            return str(parts.path)
        assert parts.port is not None, "the url of `make` states its port"
        return str(parts.hostname), int(parts.port)

    def redirect(self, connection: Any, endpoint: Endpoint) -> ConnectionSettings:
        """The same connection to another endpoint."""
        if isinstance(endpoint, str):
            fields: dict[str, Any] = {"url": urlsplit(connection.url)._replace(path=endpoint).geturl()}
        elif "url" in type(connection).model_fields:
            host, port = endpoint
            fields = {"url": urlsplit(connection.url)._replace(netloc=f"{host}:{port}").geturl()}
        else:
            fields = dict(zip(("host", "port"), endpoint, strict=True))
        changed: ConnectionSettings = connection.model_copy(update=fields)
        return changed

    @contextmanager
    def proxied(self) -> Iterator[tuple[FaultProxy, Driver[Any, Any]]]:
        """A driver that reaches its device through a proxy; whatever a test does, it writes nothing there."""
        driver = self.make()
        settings = driver.connection
        endpoint = self.endpoint(settings)
        if isinstance(endpoint, str):
            proxy: FaultProxy = SerialProxy(endpoint, baud=settings.baud)
        else:
            proxy = Proxy(*endpoint)
        with proxy:
            yield proxy, type(driver)(self.redirect(settings, proxy.endpoint))
            if type(self).forbidden is not Hooks.forbidden:
                written = [what for sent in proxy.sent for what in self.forbidden(sent)]
                assert not written, f"the driver asked for what could change something: {written}"

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

    def prepared(self, driver: Driver[Any, Any], addresses: Sequence[Address]) -> Query:
        """The query of these addresses; `prepare` is offline."""
        points = [Point(f"point-{number}", address) for number, address in enumerate(addresses)]
        with calls_to_the_outside() as outside:
            query = driver.prepare(points)
        assert not outside, f"`prepare` is offline, and here it goes outside: {outside[0]}"
        return query

    async def read(self, driver: Driver[Any, Any], addresses: Sequence[Address]) -> list[Value | PointFault]:
        """One read of these addresses."""
        query = self.prepared(driver, addresses)
        async with asyncio.timeout(self.limit_s):
            scan = await driver.read(query)
        assert len(scan.values) == len(addresses)
        if scan.source_times is not None:
            assert len(scan.source_times) == len(addresses)
            assert all(at is None or at.tzinfo is not None for at in scan.source_times), "an unaware time"
        return scan.values

    async def reads_expected(self, driver: Driver[Any, Any]) -> None:
        """The known addresses read what they have to, in value and type."""
        values = await self.read(driver, self.known())
        expected = list(self.expected())
        assert values == expected
        assert [type(value) for value in values] == [type(value) for value in expected], values

    async def reads_again(self, driver: Driver[Any, Any]) -> None:
        """Close, open and read, as the agent does after an error: everything is as before."""
        await driver.close()
        async with self.opened(driver):
            await self.reads_expected(driver)
