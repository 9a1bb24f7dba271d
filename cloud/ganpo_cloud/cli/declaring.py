"""`ganpo-cloud declare`: what happened to a register, by somebody who knows."""

import datetime
from pathlib import Path

import click

from ganpo_cloud.cli import opening
from ganpo_service.commands import say


@click.command()
@click.argument("register", required=False)
@click.option("--at", "instant", metavar="T", help="when: 2026-11-25T10:00:00+08:00")
@click.option("--final", type=int, metavar="F", help="where the old register stood, in counts")
@click.option("--first", type=int, metavar="S", help="where the new one stood, in counts")
@click.option("--new-register", metavar="R", help="id of the new register, where it has another")
@click.option("--confirmed", is_flag=True, help="a rise to F that does not fit is consumption all the same")
@click.option("--why", default="", help="what happened")
@click.option("--by", default="", help="who says so")
@click.option("--withdraw", metavar="ID", help="withdraw this declaration")
@click.option("--enterprise", metavar="CODE", help="where several have a register of this id")
@opening.config
def declare(
    register: str | None,
    instant: str | None,
    final: int | None,
    first: int | None,
    new_register: str | None,
    confirmed: bool,
    why: str,
    by: str,
    withdraw: str | None,
    enterprise: str | None,
    config: Path | None,
) -> None:
    """Say what happened to a REGISTER.

    At T the old one stood at F, the new one at S.
    With F = S = the second reading of an open step and --confirmed, the step becomes consumption.
    """
    from ganpo_cloud.days import declarations

    if withdraw is not None and (register, instant, final, first, new_register) != (None,) * 5:
        raise click.UsageError("--withdraw ID stands alone: what is withdrawn says its register and instant")
    number = None if withdraw is None else opening.numbered(withdraw)
    if withdraw is not None and number is None:
        raise click.UsageError(
            f"--withdraw {withdraw}: no number of a declaration, as ganpo-cloud declare told it"
        )
    with opening.database(config) as (database, _, now):
        if number is not None:
            declarations.withdraw(database, number, why, by, now)
            say(f"declaration {number} is withdrawn; its days are judged again")
            return
        if register is None or instant is None or final is None or first is None:
            raise click.UsageError("REGISTER, --at, --final and --first are needed (or --withdraw ID)")
        said = declarations.Exchange(
            register, _instant(instant), final, first, new_register, confirmed, why, by
        )
        number = declarations.declare(database, enterprise, said, now)
        say(
            f"declaration {number}; its days are judged again. Withdraw: ganpo-cloud declare --withdraw {number}"
        )


def _instant(text: str) -> datetime.datetime:
    try:
        instant = datetime.datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise click.UsageError(f"--at {text}: say the time zone: {text}+08:00, or Z")
        return instant.astimezone(datetime.UTC)
    except (ValueError, OverflowError) as error:
        raise click.UsageError(f"--at {text}: not an instant like 2026-11-25T10:00:00+08:00") from error
