"""The command `ganpo`. Heavy imports happen inside the commands: `ganpo --help` is quick."""

from importlib import import_module

import click

from ganpo_service.commands import Below, Group, version_option

MODULES = {
    "run": "running",
    "check": "checking",
    "plan": "checking",
    "status": "status",
    "points": "status",
    "watch": "status",
    "ping": "device",
    "identify": "device",
    "browse": "device",
    "read": "device",
    "commission": "commission",
    "decode": "registers",
    "scan": "registers",
    "doctor": "doctor",
    "trust": "trusting",
    "cert": "trusting",
    "driver": "library",
    "profile": "library",
    "lists": "lists",
    "service": "service",
    "init": "starting",
    "reload": "reloading",
    "export": "box",
    "import": "box",
}
"""Where each command stands."""


def _command(name: str) -> click.Command:
    """Imported when it is asked for: `ganpo run` does without all the others, for years."""
    module = import_module(f"ganpo_agent.cli.{MODULES[name]}")
    return next(one for one in vars(module).values() if isinstance(one, click.Command) and one.name == name)


@click.group(
    cls=Group,
    commands=Below(MODULES, _command),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@version_option
def main() -> None:
    """The gateway of Ganpo: reads PLCs, CNC controllers and meters, keeps what it saw, sends it on."""
