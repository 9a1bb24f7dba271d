"""What a device says by itself of a subscribed group, beside the polls of its connection."""

import asyncio
from collections.abc import Callable

from ganpo_agent.reading.calls import Calls
from ganpo_agent.reading.groups import Group
from ganpo_agent.timekeeper import Timekeeper
from ganpo_drivers import Address, ConnectionSettings, Driver, Scan, Subscribes
from ganpo_model.errors import UnitError

MUTE_INTERVALS = 3
MUTE_AT_LEAST_S = 60.0
"""A subscription that for longer does not even say that nothing changed is given up, whatever its driver thinks."""
AGAIN_S = 1.0
"""Between two looks whether a silent unit may be listened to again."""


async def listen(
    driver: Driver[ConnectionSettings, Address],
    group: Group,
    calls: Calls,
    time: Timekeeper,
    delivered: Callable[[Group, Scan], None],
    silent: Callable[[Group, UnitError, float], None],
) -> None:
    """For ever; the breaker says when a silent unit is asked again. `silent` as for `Polls`.

    Raises what the driver raises of the session, ConnectionLost where it hangs.
    """
    if not isinstance(driver, Subscribes):
        raise TypeError(f"{type(driver).__name__} has subscribed addresses and no subscribe")
    limit_s = max(MUTE_INTERVALS * group.interval_s, MUTE_AT_LEAST_S)
    while True:
        began = time.monotonic()
        if group.breaker.allows(began):
            mute = asyncio.timeout(limit_s)

            async def deliver(scan: Scan, mute: asyncio.Timeout = mute) -> None:
                mute.reschedule(asyncio.get_running_loop().time() + limit_s)
                delivered(group, scan)

            try:
                await calls.make(driver.subscribe(group.asked, deliver), "subscribe", mute)
                raise RuntimeError("subscribe returned: it has to deliver until it is cancelled")
            except UnitError as error:
                silent(group, error, began)
        await asyncio.sleep(AGAIN_S)
