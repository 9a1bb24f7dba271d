"""The schema of the database: made where there is none, brought to this version where it is older (Alembic)."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table

from ganpo_cloud.store import counted_tables, registry_tables, tables  # noqa: F401 - they stand in the metadata
from ganpo_cloud.store.columns import metadata
from ganpo_model.errors import StorageError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "1"
"""The newest revision of `migrations/`: released ones never change."""
_BEFORE_THE_FIRST = ("0001", "0002", "0003", "0004")
"""What databases say that were made while the schema was still being found."""
_alembic = table("alembic_version", column("version_num"))


def prepare(connection: Connection, where: str) -> None:
    """Bring the database to this version, inside this transaction.

    Raises StorageError where it is of a version that this one does not know: nothing is changed.
    """
    found = _version(connection)
    if found == HEAD:
        return
    if found in _BEFORE_THE_FIRST:
        raise _too_old(found, where)
    from alembic import command
    from alembic.script import ScriptDirectory

    config = _config(connection)
    if found is None:
        metadata.create_all(connection)
        command.stamp(config, HEAD)
    elif found in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        command.upgrade(config, HEAD)
    else:
        raise StorageError(
            f"schema {found}, this version knows {HEAD}: it was written by a newer ganpo-cloud",
            where=where,
            hint="install that version again, or give another database.url; nothing was changed",
        )


def check(connection: Connection, where: str) -> None:
    """Raises StorageError where the database is not of this version: who only reads changes nothing of it."""
    found = _version(connection)
    if found is None:
        raise StorageError("no tables of this version", where=where, hint="ganpo-cloud run makes them")
    if found in _BEFORE_THE_FIRST:
        raise _too_old(found, where)
    if found != HEAD:
        raise StorageError(
            f"schema {found}, this version knows {HEAD}",
            where=where,
            hint="the version of ganpo-cloud that collects and the one that serves are to be the same",
        )


def _version(connection: Connection) -> str | None:
    """The revision that a database says it has; None where it has no table of ours."""
    there = inspect(connection)
    if there.has_table("alembic_version"):
        return str(connection.execute(select(_alembic.c.version_num)).scalar_one())
    return _BEFORE_THE_FIRST[0] if there.has_table("schema") else None


def _too_old(found: str, where: str) -> StorageError:
    anew = (
        "dropdb {0} && createdb {0}".format(where.rpartition("/")[2])
        if "://" in where
        else f"mv {where} {where}.before"
    )
    return StorageError(
        f"schema {found} is older than the first release and cannot be brought to this one",
        where=where,
        hint=f"start anew: stop ganpo-cloud, `{anew}`, start it, register gateways and import lists again;"
        " nothing was changed",
    )


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
