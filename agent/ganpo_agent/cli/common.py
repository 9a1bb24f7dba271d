"""What the commands share: their options, and the configuration that they need."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganpo_service.commands import say

if TYPE_CHECKING:
    from ganpo_agent.local.client import Client
    from ganpo_config.load import Loaded
    from ganpo_config.plant import BoundConnection, Plant
    from ganpo_model.errors import ConfigError, Unreachable

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="agent.toml  [default: $GANPO_CONFIG, then /etc/ganpo/agent.toml]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="for programs")


def read(config: Path | None) -> "Loaded":
    """What `config` says, and what is wrong with it; lists may be workbooks."""
    from ganpo_config import load
    from ganpo_service import workbooks

    return load(config, opener=workbooks.sheets)


def configured(config: Path | None) -> "Plant":
    """What `config` says. Every mistake is printed as it is; then raises ConfigError."""
    from ganpo_model.errors import ConfigError

    loaded = read(config)
    if loaded.plant is None:
        for error in loaded.errors:
            say(error, err=True)
        raise ConfigError("the configuration has errors", hint="`ganpo check` shows the same")
    return loaded.plant


def running(config: Path | None) -> "Client | None":
    """The agent of this configuration that runs on this machine, None where none does. It goes on beside a file that
    was broken since, and is found by its last good configuration then. Raises ConfigError, AccessRefused."""
    from ganpo_agent.local import client
    from ganpo_model.errors import ConfigError

    try:
        return client.running(config)
    except ConfigError as error:
        good = ran_last(config, (error,))
        if good is None:
            raise
        return client.running_at(good.gateway)


def the_running(config: Path | None) -> "Client":
    """As `running`. Raises Unreachable where none does."""
    client = running(config)
    if client is None:
        raise not_running()
    return client


def not_running() -> "Unreachable":
    """What every command says where it wants the running agent."""
    from ganpo_model.errors import Unreachable

    hint = "`ganpo service status` says how its service stands, `ganpo run` starts it by hand"
    return Unreachable("no gateway runs with this configuration", hint=hint)


def ran_last(config: Path | None, errors: "tuple[ConfigError, ...]") -> "Plant | None":
    """What ran last of a file that has these errors."""
    from ganpo_agent.reloading import last_good

    found = last_good.instead_of(config, errors)
    return None if found is None else found[0].plant


def bound_connection(config: Path | None, name: str) -> "BoundConnection":
    """The connection of this name. Raises ConfigError where there is none, with the names of those there are."""
    from ganpo_model.errors import ConfigError

    connections = configured(config).connections
    for found in connections:
        if found.name == name:
            return found
    names = ", ".join(found.name for found in connections)
    raise ConfigError("no such connection", where=f"connections.{name}", hint=f"there are: {names or 'none'}")
