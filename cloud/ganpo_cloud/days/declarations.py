"""What a person declares of a register (metrics.md section 5, rule 4): rows are added and withdrawn, never edited."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from ganpo_cloud.days.signed import one_line
from ganpo_cloud.store import sql
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import EVER, Kind, key, mark
from ganpo_cloud.store.owners import absences, registrations
from ganpo_cloud.store.tables import declaration, register, withdrawal
from ganpo_model.clock import iso, to_ms
from ganpo_model.errors import ConfigError
from ganpo_model.facts import MAX_RAW
from ganpo_model.registers import Declaration
from ganpo_model.units import millionths

_ABSENT = (
    "SELECT EXISTS (SELECT 1 FROM reading o JOIN frame f ON f.id = o.frame"
    " WHERE o.enterprise = ? AND o.register = ? AND f.gateway = ?)"
    " AND NOT EXISTS (SELECT 1 FROM reading WHERE enterprise = ? AND register = ? AND at > ? AND at < ?)"
)
"""Whether a gateway read a register for an enterprise, and nobody did while it was another's."""


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


def declare(database: Database, enterprise: str | None, said: Exchange, now: datetime) -> int:
    """Store a declaration; the days from its instant on are judged again. Gives its id.

    Raises ConfigError: no such register (or of several enterprises), two at one instant, an instant or a number
    that cannot be.
    """
    if not (0 <= said.final < MAX_RAW and 0 <= said.first < MAX_RAW):
        raise ConfigError("a register stands at 0 to 2^63 - 1", where="--final, --first")
    if not 0 <= to_ms(said.at) <= to_ms(now):
        raise ConfigError("what is declared has happened: not before 1970, not ahead of now", where="--at")
    missing = "is empty: a declaration says why, and by whom"
    told = {"why": one_line("--why", said.why, missing), "by": one_line("--by", said.by, missing)}
    at, new = to_ms(said.at), said.new_register or said.register
    with database.write() as connection:
        owner = _owner(connection, enterprise, said.register, said.final, "--final")
        _owner(connection, owner, new, said.first, "--first")
        for number in sorted({said.register, new}):
            if any(found.at == at for found in declared(connection, owner, number)):
                what = f"{number} has a declaration at {iso(said.at)} already"
                hint = "withdraw it first: ganpo-cloud declare --withdraw ID"
                raise ConfigError(what, where="--at", hint=hint)
        row = asdict(said) | told | {"enterprise": owner, "at": at, "declared_at": to_ms(now)}
        made = connection.execute(insert(declaration).values(**row)).inserted_primary_key
        mark(connection, Kind.REGISTER, ((key(owner, number), EVER) for number in {said.register, new}))
        return int(made[0]) if made is not None else 0


def withdraw(database: Database, number: int, why: str, by: str, now: datetime) -> None:
    """Withdraw a declaration: it stays readable and no longer counts. `why`, `by`: may be empty. Raises ConfigError
    where there is none."""
    why, by = (
        one_line(where, text, "") if text.strip() else "" for where, text in (("--why", why), ("--by", by))
    )
    with database.write() as connection:
        found = connection.execute(select(declaration).where(declaration.c.id == number)).first()
        gone = connection.execute(select(withdrawal.c.by).where(withdrawal.c.declaration == number)).first()
        if found is None or gone is not None:
            what = "no such declaration" if found is None else "is withdrawn already"
            raise ConfigError(what, where=f"--withdraw {number}")
        connection.execute(
            insert(withdrawal).values(declaration=number, why=why, by=by, withdrawn_at=to_ms(now))
        )
        numbers = {found.register, found.new_register or found.register}
        mark(connection, Kind.REGISTER, ((key(found.enterprise, one), EVER) for one in numbers))


def declared(connection: Connection, enterprise: str, number: str) -> list[Declaration]:
    """The declarations in force that end or begin this register."""
    rows = connection.execute(
        select(declaration)
        .outerjoin(withdrawal, withdrawal.c.declaration == declaration.c.id)
        .where((declaration.c.enterprise == enterprise) & withdrawal.c.declaration.is_(None))
        .where((declaration.c.register == number) | (declaration.c.new_register == number))
    ).all()
    return [
        Declaration(
            row.at,
            row.final if row.register == number else None,
            row.first if number == (row.new_register or row.register) else None,
            row.confirmed,
        )
        for row in rows
    ]


def away(connection: Connection, enterprise: str, number: str) -> list[Declaration]:
    """Where a register comes back that another enterprise's gateway read meanwhile, and nobody here."""
    ended = sql.rows(connection, "SELECT DISTINCT id FROM gateway_before WHERE enterprise = ?", (enterprise,))
    found = set()
    for (gateway,) in ended:
        for left, back in absences(registrations(connection, [gateway])[gateway], enterprise):
            values = (enterprise, number, gateway, enterprise, number, left, back)
            if sql.first(connection, _ABSENT, values)[0]:
                found.add(Declaration(back, None, None))
    return list(found)


def _owner(connection: Connection, enterprise: str | None, number: str, raw: int, where: str) -> str:
    """Whose a register is that shows a number. A person's word is believed whatever the rate: what it comes to has to
    fit the database."""
    query = select(register.c.enterprise, register.c.num, register.c.den).filter_by(id=number)
    if enterprise is not None:
        query = query.filter_by(enterprise=enterprise)
    rows = connection.execute(query).all()
    if len(rows) != 1:
        what, hint = "no such register", "its id stands on the page beside the meter"
        if rows:
            what, hint = f"{len(rows)} enterprises have a register of this id", "say --enterprise CODE"
        raise ConfigError(what, where=number, hint=hint)
    owner, num, den = rows[0]
    if millionths(raw, num, den) >= MAX_RAW:
        raise ConfigError(f"{raw} counts of {num}/{den} are more than a register can show", where=where)
    return str(owner)
