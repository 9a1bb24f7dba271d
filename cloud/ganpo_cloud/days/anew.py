"""What is described in other words than before is worked out anew: forgotten, and every day of it marked."""

from datetime import date

from sqlalchemy import Connection, delete, select, union

from ganpo_cloud.days import consumption
from ganpo_cloud.store import apart, sql
from ganpo_cloud.store.counted_tables import production
from ganpo_cloud.store.localdays import day_of, days_from, zone_of
from ganpo_cloud.store.marks import mark, mark_machines, mark_totals
from ganpo_cloud.store.registry_tables import onboarding
from ganpo_cloud.store.tables import day, event, reading, register, register_day, states
from ganpo_model.facts import EventKind

_READ = (
    "SELECT EXISTS (SELECT 1 FROM reading WHERE enterprise = ? AND register = ?)"
    " OR EXISTS (SELECT 1 FROM register_day WHERE enterprise = ? AND register = ?)"
    " OR EXISTS (SELECT 1 FROM consumption WHERE enterprise = ? AND register = ?)"
)
"""Whether anything is known of a register: of most that an inventory describes for the first time nothing is."""
_HAPPENED = (
    "SELECT EXISTS (SELECT 1 FROM states WHERE enterprise = ? AND subject = ?)"
    " OR EXISTS (SELECT 1 FROM day WHERE enterprise = ? AND subject = ?)"
    " OR EXISTS (SELECT 1 FROM production WHERE enterprise = ? AND subject = ?)"
    " OR EXISTS (SELECT 1 FROM event WHERE enterprise = ? AND subject = ?)"
    " OR EXISTS (SELECT 1 FROM register r JOIN reading o ON o.enterprise = r.enterprise AND o.register = r.id"
    " WHERE r.enterprise = ? AND r.subject = ?)"
)
"""The same of a subject."""


def judge_anew(connection: Connection, enterprise: str, number: str) -> None:
    """Forget what was judged of a register, and when its subject came into the cloud: every day on which it was read is
    dirty, and both are computed again."""
    asset_no = number.partition("/")[0]
    apart.forgive(connection, enterprise, asset_no)
    if sql.first(connection, _READ, (enterprise, number) * 3)[0]:
        _read_anew(connection, enterprise, asset_no, number)
    mark_machines(connection, "enterprise = ? AND subject = ?", (enterprise, asset_no))


def _read_anew(connection: Connection, enterprise: str, asset_no: str, number: str) -> None:
    zone = zone_of(connection, enterprise, asset_no)
    at = select(reading.c.at).where((reading.c.enterprise == enterprise) & (reading.c.register == number))
    times = connection.execute(at).scalars().all()
    mine = (register_day.c.enterprise == enterprise) & (register_day.c.register == number)
    connection.execute(delete(register_day).where(mine))
    mark_totals(connection, consumption.forget(connection, enterprise, number))
    if times:
        of_subject = onboarding.c.asset_no == asset_no
        connection.execute(delete(onboarding).where((onboarding.c.enterprise == enterprise) & of_subject))
    mark(connection, {(enterprise, asset_no, day_of(instant, zone)) for instant in times})


def paint_anew(connection: Connection, enterprise: str, asset_no: str, zone: str) -> None:
    """It is another thing than was thought, or its days begin elsewhere: they are painted again, those on which
    anything happened."""
    if not sql.first(connection, _HAPPENED, (enterprise, asset_no) * 5)[0]:
        return
    gone: set[date] = set()
    for table in (day, production):
        mine = (table.c.enterprise == enterprise) & (table.c.subject == asset_no)
        gone.update(connection.execute(select(table.c.day).where(mine)).scalars())
        connection.execute(delete(table).where(mine))
    mark_totals(connection, gone)
    mine = (states.c.enterprise == enterprise) & (states.c.subject == asset_no)
    found: set[date] = set()
    for start, end in connection.execute(select(states.c.start, states.c.end).where(mine)):
        found.update(days_from(day_of(start, zone), day_of(end - 1, zone)))
    mine = (register.c.enterprise == enterprise) & (register.c.subject == asset_no)
    read = select(reading.c.at).join(
        register, (register.c.enterprise == reading.c.enterprise) & (register.c.id == reading.c.register)
    )
    linked = select(event.c.at).where(
        (event.c.enterprise == enterprise)
        & (event.c.subject == asset_no)
        & (event.c.kind == str(EventKind.LINK_UP))
    )
    found.update(day_of(at, zone) for at in connection.execute(union(read.where(mine), linked)).scalars())
    mark(connection, ((enterprise, asset_no, local) for local in found))
