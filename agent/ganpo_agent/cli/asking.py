"""What the commands at a device share: which device is meant, and who asks it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ganpo_agent.cli.common import bound_connection, config_option, json_option, ran_last, read, running

if TYPE_CHECKING:
    from ganpo_agent.device.session import Agent, Device
    from ganpo_config.plant import BoundConnection

_CommandT = TypeVar("_CommandT", bound=Callable[..., Any])


def target_options(command: _CommandT) -> _CommandT:
    """--config, --driver, --set and --json of a command with a TARGET."""
    for option in (
        json_option,
        click.option(
            "--set", "settings", multiple=True, metavar="KEY=VALUE", help="of a URL: baud=19200, parity=even"
        ),
        click.option("--driver", default="", help="of a URL that several drivers read"),
        config_option,
    ):
        command = option(command)
    return command


def bound_target(
    config: Path | None, target: str, driver: str, settings: tuple[str, ...]
) -> "BoundConnection":
    """The connection of a name, or of a URL without any configuration. Raises ConfigError."""
    from ganpo_config.target import is_url, of_url
    from ganpo_model.errors import ConfigError

    if is_url(target):
        return of_url(target, driver, settings)
    if driver or settings:
        raise ConfigError(
            "--driver and --set belong to a URL", where=target, hint="a connection has its own in agent.toml"
        )
    return bound_connection(config, target)


@asynccontextmanager
async def reached(config: Path | None, bound: "BoundConnection") -> "AsyncIterator[Device]":
    """The device, asked by the running agent where it holds the line, else through a session of our own."""
    from ganpo_agent.device.session import reach

    agent, connections = await who_runs(config)
    device = await reach(bound, agent, connections)
    try:
        yield device
    finally:
        await device.close()


async def who_runs(config: Path | None) -> "tuple[Agent | None, tuple[BoundConnection, ...]]":
    """The agent of this configuration, if it runs, and the connections of what it runs with."""
    from ganpo_model.errors import ConfigError

    try:
        agent = running(config)
    except ConfigError:  # a URL is asked without any configuration; who needs one is told where he reads it
        return None, ()
    if agent is None:
        return None, ()
    loaded = read(config)
    plant = loaded.plant or ran_last(config, loaded.errors)
    return agent, () if plant is None else plant.connections


def shown(value: object) -> str:
    """A value for a person, or why there is none."""
    from ganpo_config.findings import printable
    from ganpo_drivers import PointFault

    if isinstance(value, PointFault):
        return f"-  {printable(value.text)}"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.7g}" if isinstance(value, float) else printable(str(value))


def told(answer: object) -> None:
    """Print for a program."""
    import json

    click.echo(json.dumps(answer, indent=1, ensure_ascii=False))
