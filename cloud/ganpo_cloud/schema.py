"""The schema of the database: made where there is none, brought to this version where it is older (Alembic)."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table

from ganpo_cloud import registry_tables  # noqa: F401 - its tables stand in the same metadata
from ganpo_cloud.counting import tables as counting_tables  # noqa: F401
from ganpo_cloud.tables import metadata
from ganpo_model.errors import StorageError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0004"
"""The newest revision of `migrations/`."""
_FIRST = "0001"
"""What databases have that keep their version in a table `schema` of their own."""
_alembic = table("alembic_version", column("version_num"))
_before = table("schema", column("version"))


def prepare(connection: Connection, where: str) -> None:
    """Bring the database to this version, inside this transaction.

    Raises StorageError where it is of a version that this one does not know: nothing is changed.
    """
    there = inspect(connection)
    if there.has_table("alembic_version"):
        found = str(connection.execute(select(_alembic.c.version_num)).scalar_one())
        if found != HEAD:
            _upgrade(connection, found, where)
    elif there.has_table("schema"):
        version = connection.execute(select(_before.c.version)).scalar_one()
        if version != 1:
            raise _unknown(str(version), where)
        _stamp(connection, _FIRST)
        _upgrade(connection, _FIRST, where)
    else:
        metadata.create_all(connection)
        _stamp(connection, HEAD)


def check(connection: Connection, where: str) -> None:
    """Raises StorageError where the database is not of this version: who only reads changes nothing of it."""
    if not inspect(connection).has_table("alembic_version"):
        raise StorageError("no tables of this version", where=where, hint="ganpo-cloud run makes them")
    found = str(connection.execute(select(_alembic.c.version_num)).scalar_one())
    if found != HEAD:
        raise StorageError(
            f"schema {found}, this version knows {HEAD}",
            where=where,
            hint="the version of ganpo-cloud that collects and the one that serves are to be the same",
        )


def _stamp(connection: Connection, revision: str) -> None:
    from alembic import command

    command.stamp(_config(connection), revision)


def _upgrade(connection: Connection, found: str, where: str) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    config = _config(connection)
    if found not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        raise _unknown(found, where)
    command.upgrade(config, HEAD)


def _unknown(found: str, where: str) -> StorageError:
    return StorageError(
        f"schema {found}, this version knows {HEAD}: it was written by a newer ganpo-cloud",
        where=where,
        hint="install that version again, or give another database.url; nothing was changed",
    )


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
