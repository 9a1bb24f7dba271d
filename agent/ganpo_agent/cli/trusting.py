"""`ganpo trust` and `ganpo cert`: certificates of OPC UA servers, and ours."""

from pathlib import Path

import click

from ganpo_agent.cli.common import config_option


@click.command()
@config_option
@click.argument("connection")
@click.option("--any-date", is_flag=True, help="Take the certificate outside its dates too.")
@click.option("--yes", is_flag=True, help="Do not ask: somebody has compared the fingerprint.")
def trust(config: Path | None, connection: str, any_date: bool, yes: bool) -> None:
    """Show the certificate of an OPC UA server, and trust it.

    From then on no other one will do.
    """
    from ganpo_agent.cli import certificates

    certificates.trust(config, connection, any_date=any_date, yes=yes)


@click.group()
def cert() -> None:
    """The gateway's own certificate, by which OPC UA servers know it."""


@cert.command("show")
@config_option
def cert_show(config: Path | None) -> None:
    """File, fingerprints, ApplicationUri and dates.

    The certificate is made where there is none yet.
    """
    from ganpo_agent.cli import certificates

    certificates.show(config)


@cert.command("export")
@config_option
@click.argument("connection")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="folder to write into  [default: the present one]",
)
def cert_export(config: Path | None, connection: str, to: Path) -> None:
    """Write what the server of a connection has to trust, as DER."""
    from ganpo_agent.cli import certificates

    certificates.export(config, connection, to)


@cert.command("renew")
@config_option
def cert_renew(config: Path | None) -> None:
    """Make a new certificate beside the one in use.

    Servers have to trust it before `ganpo cert switch`.
    """
    from ganpo_agent.cli import certificates

    certificates.renew(config)


@cert.command("switch")
@config_option
def cert_switch(config: Path | None) -> None:
    """Use the renewed certificate from the next session on."""
    from ganpo_agent.cli import certificates

    certificates.switch(config)
