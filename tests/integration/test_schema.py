"""The schema: made, migrated with its data, and refused where it is newer; SQLite and PostgreSQL alike."""

import json
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text

from ganpo_cloud import registry, registry_tables, schema
from ganpo_cloud.database import Database
from ganpo_cloud.tables import dirty, gateway, metadata, register
from ganpo_model.errors import StorageError
from support import databases
from support.bad import frames

pytestmark = pytest.mark.usefixtures("each_database")
ENTERPRISE = "91360000625912173B"


def empty(connection: Connection) -> None:
    """No table at all."""
    for name in inspect(connection).get_table_names():
        connection.execute(text(f'DROP TABLE "{name}"'))


def first_schema(connection: Connection) -> None:
    """As the first version left it: its own table of versions, and none of Alembic."""
    empty(connection)
    command.upgrade(schema._config(connection), "0001")
    connection.execute(text("DROP TABLE alembic_version"))
    connection.execute(text("INSERT INTO schema (version) VALUES (1)"))


def test_a_database_of_the_first_version_migrates_with_its_data(tmp_path: Path) -> None:
    about = databases.settings(tmp_path)
    database = Database(about)
    with database.write() as connection:
        first_schema(connection)
        connection.execute(
            text("INSERT INTO gateway VALUES ('gw-old-0001', :code, 'plant-1')"), {"code": ENTERPRISE}
        )
        for frame, at in ((1, 2000), (2, 1000)):
            connection.execute(
                text("INSERT INTO event VALUES (:f, 0, 'gw-old-0001', :code, :at, 'link_up', 'SB-1', :data)"),
                {"f": frame, "code": ENTERPRISE, "at": at, "data": '{"proves": ["numerical_control"]}'},
            )
        connection.execute(
            text(
                "INSERT INTO subject VALUES"
                " (:code, 'SB-1', 'equipment', 'X', 'Asia/Shanghai', 'gw-old-0001', 1, '2026-11-25', :no, '{}')"
            ),
            {"code": ENTERPRISE, "no": False},
        )
    database.close()
    database = Database(about)
    assert registry.registered(database, "gw-old-0001")
    with database.read() as connection:
        names = inspect(connection).get_table_names()
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == schema.HEAD
        proof = connection.execute(select(registry_tables.proof)).one()
        marked = connection.execute(select(dirty)).one()
    assert "schema" not in names
    assert tuple(proof) == (ENTERPRISE, "SB-1", "numerical_control", 1000, 2), "the earliest"
    assert (marked.subject, str(marked.day)) == ("SB-1", "2026-11-25"), "its onboarding is computed"
    assert {"enterprise", "flag", "target"} <= set(names)
    database.close()


def test_registers_are_judged_again_from_their_first_day_by_the_rules_of_today(tmp_path: Path) -> None:
    about = databases.settings(tmp_path)
    database = Database(about)
    number, day = "DB-1/energy_import#0123abcd", "2026-11-21"
    with database.write() as connection:
        first_schema(connection)
        schema._stamp(connection, "0001")
        command.upgrade(schema._config(connection), "0003")
        values = {"code": ENTERPRISE, "number": number, "at": 1_795_190_400_000, "day": day, "no": False}
        for table, row in (
            ("register", ":code, :number, 'DB-1', 'x', NULL, 'kWh', 1, 1, NULL, 3600, :no, 'Asia/Shanghai'"),
            ("reading", ":code, :number, :at, 5, 1"),
            ("register_day", ":code, :number, :day, 'as it was', '[]', 0, :at, 0, NULL, :day, 1"),
        ):
            connection.execute(text(f"INSERT INTO {table} VALUES ({row})"), values)
    database.close()
    database = Database(about)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM register_day")).scalar_one() == 0
        marked = connection.execute(select(dirty)).one()
    assert (marked.subject, str(marked.day)) == ("DB-1", day)
    database.close()


def test_a_register_that_only_an_older_inventory_of_a_batch_named_is_described(tmp_path: Path) -> None:
    about = databases.settings(tmp_path)
    database = Database(about)
    told = frames.inventory()
    number = told["registers"][0]["id"]
    with database.write() as connection:
        empty(connection)
        command.upgrade(schema._config(connection), "0003")
        for at, registers in ((1000, told["registers"]), (2000, [])):
            connection.execute(
                text(
                    "INSERT INTO inventory VALUES (:at, 0, 'gw-old-0001', :code, :at, 'America/New_York', :body)"
                ),
                {"at": at, "code": ENTERPRISE, "body": json.dumps(told | {"registers": registers})},
            )
        connection.execute(
            text("INSERT INTO reading VALUES (:code, :r, 1795474800000, 7, 1)"),
            {"code": ENTERPRISE, "r": number},
        )
    database.close()
    database = Database(about)
    with database.read() as connection:
        found = connection.execute(select(register)).one()
        marked = connection.execute(select(dirty)).one()
    assert (found.id, found.at, found.den, found.timezone) == (number, 1000, 100, "America/New_York")
    assert (marked.subject, str(marked.day)) == ("DB-1", "2026-11-23")
    database.close()


def test_migrating_comes_to_what_is_made_anew(tmp_path: Path) -> None:
    database = databases.database(tmp_path)
    with database.write() as connection:
        first_schema(connection)
        schema.prepare(connection, database.where)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [
            item
            for item in compare_metadata(context, metadata)
            if item[0] != "remove_table" and _matters(item)
        ]
    assert differences == []
    database.close()


def _matters(item: object) -> bool:
    """Comments are for people who look into a new database."""
    return not (isinstance(item, list) and all(change[0] == "modify_comment" for change in item))


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
