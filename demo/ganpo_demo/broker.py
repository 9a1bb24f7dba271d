"""The embedded MQTT broker: amqtt on loopback, for anybody, remembering nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig

from ganpo_demo.loopback import HOST, free_port


@asynccontextmanager
async def broker() -> AsyncIterator[str]:
    """Serve on a free port; gives the URL. Clients should have gone before the end."""
    # the plug-ins named here replace the default ones: no $SYS topics, no log line per packet
    port = free_port()
    config = BrokerConfig(
        listeners={"default": ListenerConfig(bind=f"{HOST}:{port}")},
        plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    )
    server = Broker(config)
    await server.start()
    try:
        yield f"mqtt://{HOST}:{port}"
    finally:
        await server.shutdown()
