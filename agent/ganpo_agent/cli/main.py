"""The command `ganpo`. Heavy imports happen inside the commands: `ganpo --help` is quick."""

import click

from ganpo_agent.cli import (
    box,
    checking,
    commission,
    device,
    doctor,
    library,
    registers,
    reloading,
    running,
    service,
    starting,
    status,
    trusting,
)
from ganpo_agent.cli.lists import lists
from ganpo_service.commands import Group, version_option

COMMANDS = (
    running.run,
    checking.check,
    checking.plan,
    status.status,
    status.points,
    status.watch,
    device.ping,
    device.identify,
    device.browse,
    device.read,
    commission.commission,
    registers.decode,
    registers.scan,
    doctor.doctor,
    trusting.trust,
    trusting.cert,
    library.driver,
    library.profile,
    lists,
    service.service,
    starting.init,
    reloading.reload,
    box.export,
    box.take,
)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@version_option
def main() -> None:
    """The gateway of Ganpo: reads PLCs, CNC controllers and meters, keeps what it saw, sends it on."""


for command in COMMANDS:
    main.add_command(command)
