"""The configuration of a command that needs one without mistakes."""

from pathlib import Path

import click

from ganpo_config import load
from ganpo_config.plant import Plant
from ganpo_model.errors import ConfigError


def configured(config: Path | None) -> Plant:
    """What `config` says. Every mistake is printed as it is; then raises ConfigError."""
    loaded = load(config)
    if loaded.plant is None:
        for error in loaded.errors:
            click.echo(str(error), err=True)
        raise ConfigError("the configuration has errors", hint="`ganpo check` shows the same")
    return loaded.plant
