"""`ganpo browse`: what a device offers, in the form in which lists write it."""

from collections.abc import AsyncIterator

from ganpo_config.plant import BoundConnection
from ganpo_drivers import Browses
from ganpo_model.errors import ConfigError


async def browse(bound: BoundConnection, start: str) -> AsyncIterator[str]:
    """Addresses on a connection below `start` (empty: all there are), through a session of its own.

    Raises ConfigError where its driver cannot tell, or `start` is no address there; TransientError and PermanentError
    of the session.
    """
    where = f"connections.{bound.name}"
    driver = bound.driver(bound.settings)
    if not isinstance(driver, Browses):
        hint = "`ganpo driver list` shows which drivers can"
        raise ConfigError(
            f"devices of the driver {bound.driver_id} do not say what they have", where=where, hint=hint
        )
    try:
        await driver.open()
        async for address in driver.browse(start):
            yield address
    except ValueError as error:
        raise ConfigError(str(error), where=where) from error
    finally:
        await driver.close()
