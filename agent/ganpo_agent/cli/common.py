"""What the commands share: their options, and the configuration that they need."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganpo_service.commands import say

if TYPE_CHECKING:
    from ganpo_config.load import Loaded
    from ganpo_config.plant import BoundConnection, Plant

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


def bound_connection(config: Path | None, name: str) -> "BoundConnection":
    """The connection of this name. Raises ConfigError where there is none, with the names of those there are."""
    from ganpo_model.errors import ConfigError

    connections = configured(config).connections
    for found in connections:
        if found.name == name:
            return found
    names = ", ".join(found.name for found in connections)
    raise ConfigError("no such connection", where=f"connections.{name}", hint=f"there are: {names or 'none'}")
