"""What a person declares of a register (metrics.md section 5, rule 4): rows are added and withdrawn, never edited."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from ganpo_cloud import judging
from ganpo_cloud.database import Database
from ganpo_cloud.days import mark
from ganpo_cloud.inventories import judge_anew
from ganpo_cloud.localdays import day_of
from ganpo_cloud.tables import declaration, register, register_day, withdrawal
from ganpo_model.clock import from_ms, iso, to_ms
from ganpo_model.errors import ConfigError
from ganpo_model.registers import StepKind, standing

NOT_BELIEVED_MS = 3_600_000
"""Readings set aside for longer than this are shown."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is declared: at `at` the old register stood at `final`, the new one at `first`."""

    register: str
    at: datetime
    final: int
    first: int
    new_register: str | None
    confirmed: bool
    why: str
    by: str


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A register that waits for a person, and the command that answers."""

    enterprise: str
    register: str
    kind: str
    """open | not_believed | follows"""
    since: int
    amount: int | None
    command: str


def declare(database: Database, enterprise: str | None, said: Exchange, now: datetime) -> int:
    """Store a declaration; the days from its instant on are judged again. Gives its id.

    Raises ConfigError: no such register (or of several enterprises), two at one instant, a number below 0.
    """
    if said.final < 0 or said.first < 0:
        raise ConfigError("a register never stands below 0", where="--final, --first")
    if not said.why.strip() or not said.by.strip():
        raise ConfigError("a declaration says why and by whom", where="--why, --by")
    with database.write() as connection:
        owner = _owner(connection, enterprise, said.register)
        if said.new_register is not None:
            _owner(connection, owner, said.new_register)
        at = to_ms(said.at)
        numbers = {said.register, said.new_register or said.register}
        for number in sorted(numbers):
            if any(found.at == at for found in judging.declared(connection, owner, number)):
                raise ConfigError(
                    f"{number} has a declaration at {iso(said.at)} already",
                    where="--at",
                    hint="withdraw it first: ganpo-cloud declare --withdraw ID",
                )
        result = connection.execute(
            insert(declaration).values(
                enterprise=owner,
                register=said.register,
                at=at,
                final=said.final,
                new_register=said.new_register,
                first=said.first,
                confirmed=said.confirmed,
                why=said.why,
                by=said.by,
                declared_at=to_ms(now),
            )
        )
        for number in numbers:
            _judge_again(connection, owner, number)
        key = result.inserted_primary_key
        return int(key[0]) if key is not None else 0


def withdraw(database: Database, number: int, why: str, by: str, now: datetime) -> None:
    """Withdraw a declaration: it stays readable and no longer counts. Raises ConfigError where there is none."""
    with database.write() as connection:
        found = connection.execute(select(declaration).where(declaration.c.id == number)).first()
        gone = connection.execute(select(withdrawal.c.by).where(withdrawal.c.declaration == number)).first()
        if found is None or gone is not None:
            what = "no such declaration" if found is None else "is withdrawn already"
            raise ConfigError(what, where=f"--withdraw {number}")
        connection.execute(
            insert(withdrawal).values(declaration=number, why=why, by=by, withdrawn_at=to_ms(now))
        )
        for register_id in {found.register, found.new_register or found.register}:
            _judge_again(connection, found.enterprise, register_id)


def open_items(connection: Connection, now: datetime) -> list[OpenItem]:
    """Steps that wait for a person, and registers whose readings are not believed for more than an hour."""
    items = []
    rows = connection.execute(
        select(register_day.c.enterprise, register_day.c.register, register_day.c.steps)
        .where(register_day.c.steps.like('%"open"%'))
        .order_by(register_day.c.day)
    )
    for row in rows:
        for step in judging.load_steps(row.steps):
            if step.kind is StepKind.OPEN:
                command = _command(row.register, step.end.at, step.start.raw, step.end.raw)
                items.append(
                    OpenItem(row.enterprise, row.register, "open", step.start.at, step.amount, command)
                )
    for about in connection.execute(select(register.c.enterprise, register.c.id)).all():
        state = judging.newest_state(connection, about.enterprise, about.id)
        since = standing(state).aside_since if state is not None else None
        if since is not None and to_ms(now) - since > NOT_BELIEVED_MS:
            items.append(OpenItem(about.enterprise, about.id, "not_believed", since, None, "ganpo check"))
    return items


def _command(register_id: str, at: int, final: int, first: int) -> str:
    """The command with everything filled in that is known; T is the moment of the exchange, as far as one knows."""
    return (
        f"ganpo-cloud declare '{register_id}' --at {iso(from_ms(at))} --final {final} --first {first}"
        " --why '...' --by '...'"
    )


def _owner(connection: Connection, enterprise: str | None, register_id: str) -> str:
    query = select(register.c.enterprise).where(register.c.id == register_id)
    if enterprise is not None:
        query = query.where(register.c.enterprise == enterprise)
    owners = connection.execute(query).scalars().all()
    if not owners:
        raise ConfigError(
            "no such register", where=register_id, hint="its id stands on the page beside the meter"
        )
    if len(owners) > 1:
        raise ConfigError(
            f"{len(owners)} enterprises have a register of this id",
            where=register_id,
            hint="say --enterprise CODE",
        )
    return str(owners[0])


def _judge_again(connection: Connection, enterprise: str, register_id: str) -> None:
    """A declaration may reject what lies before it too: the register is judged from its beginning."""
    judge_anew(connection, enterprise, register_id)
    zone = connection.execute(
        select(register.c.timezone).where(
            (register.c.enterprise == enterprise) & (register.c.id == register_id)
        )
    ).scalar_one()
    for found in judging.declared(connection, enterprise, register_id):
        mark(connection, enterprise, register_id.partition("/")[0], day_of(found.at, zone))
