"""The schema: made, migrated with its data, and refused where it is newer; SQLite and PostgreSQL alike."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from ganpo_cloud.imports import registry
from ganpo_cloud.store import schema
from ganpo_cloud.store.database import Database, Reader
from ganpo_cloud.store.tables import gateway
from ganpo_model.errors import StorageError
from support import databases

pytestmark = pytest.mark.usefixtures("each_database")
ENTERPRISE = "91360000625912173B"


@pytest.mark.parametrize("before", ["0001", "0002", "0003", "0004", "a table of its own"])
def test_one_from_before_the_first_release_is_refused_with_the_command_to_start_anew(
    tmp_path: Path, before: str
) -> None:
    about = databases.settings(tmp_path)
    database = Database(about)
    registry.add(database, "gw-test-0001", ENTERPRISE, "plant-1")
    with database.write() as connection:
        if before.isdigit():
            connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": before})
        else:
            connection.execute(text("DROP TABLE alembic_version"))
            connection.execute(text("CREATE TABLE schema (version INTEGER)"))
    for kind in (Database, Reader):
        with pytest.raises(StorageError) as told:
            kind(about)
        assert "older than the first release" in str(told.value)
        assert ("mv " if about.file is not None else "&& createdb ") in str(told.value)
        assert "nothing was changed" in str(told.value)
    with database.read() as connection:
        assert connection.execute(select(gateway.c.id)).scalars().all() == ["gw-test-0001"]
    database.close()


def test_the_newest_revision_is_the_one_that_is_stamped(tmp_path: Path) -> None:
    database = databases.database(tmp_path)
    with database.write() as connection:
        scripts = ScriptDirectory.from_config(schema._config(connection))
    assert scripts.get_current_head() == schema.HEAD
    database.close()


def test_a_newer_one_is_refused_with_the_reason_and_left_alone(tmp_path: Path) -> None:
    about = databases.settings(tmp_path)
    database = Database(about)
    registry.add(database, "gw-test-0001", ENTERPRISE, "plant-1")
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StorageError) as told:
        Database(about)
    assert f"schema 9999, this version knows {schema.HEAD}: it was written by a newer ganpo-cloud" in str(
        told.value
    )
    assert "install that version again" in str(told.value)
    with database.read() as connection:
        assert connection.execute(select(gateway.c.id)).scalars().all() == ["gw-test-0001"]
    database.close()


def test_a_database_that_is_none_of_ours_or_away_is_told(tmp_path: Path) -> None:
    about = databases.settings(tmp_path)
    if about.url.startswith("sqlite"):
        (tmp_path / "cloud.db").write_text("this is a letter to my aunt, and no database at all, " * 30)
    else:
        about = about.model_copy(update={"url": about.url.rpartition("/")[0] + "/nowhere"})
    with pytest.raises(StorageError) as told:
        Database(about)
    assert "cannot be used" in str(told.value)
    assert "cloud.db" in str(told.value) or "/nowhere" in str(told.value)


def test_a_second_collector_is_refused_while_there_is_one(tmp_path: Path) -> None:
    """Two would each drop what the other worked out. Commands and pages work beside one."""
    about = databases.settings(tmp_path)
    with Database(about) as first, Database(about) as second:
        with first.collecting():
            with pytest.raises(StorageError) as told, second.collecting():
                pass
            assert "another ganpo-cloud collects into it; stop that one first" in str(told.value)
            registry.add(second, "gw-test-0001", ENTERPRISE, "plant-1")
        with second.collecting():
            pass
