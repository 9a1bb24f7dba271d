"""The one door for SQL: the same rows, and the same errors, of both databases."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import area_year, consumption
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.tables import counter
from support import databases

DAY = date(2026, 11, 24)
CONSUMED = ("E", "M-1/energy/1", DAY, "M-1", "electricity", "energy", 2**40, 0, 0, True)
QUESTION = "SELECT millionths FROM consumption WHERE enterprise = ? AND day = ? ORDER BY register"


@pytest.fixture
def database(tmp_path: Path, each_database: str) -> Iterator[Database]:
    database = databases.database(tmp_path)
    yield database
    database.close()


def test_whole_rows_are_replaced_by_key_and_of_several_with_one_key_the_last_stays(
    each_database: str, database: Database
) -> None:
    with database.write() as connection:
        sql.replace(connection, consumption, [CONSUMED, (*CONSUMED[:6], None, *CONSUMED[7:])])
        assert sql.rows(connection, QUESTION, ("E", DAY.isoformat())) == [(None,)]
        other = ("E", "M-2/energy/1", *CONSUMED[2:])
        sql.replace(connection, consumption, iter([other, CONSUMED]))
        assert sql.rows(connection, QUESTION, ("E", DAY.isoformat())) == [(2**40,), (2**40,)]
        sql.replace(connection, consumption, ())
    with database.read() as connection:
        found = sql.first(connection, "SELECT day FROM consumption WHERE millionths % 2 = 0 AND covered")
        assert sql.day_given(found[0]) == DAY
        assert sql.first(connection, "SELECT 1 FROM consumption WHERE enterprise = ?", ("F",)) is None


def test_what_else_had_the_values_given_is_gone(each_database: str, database: Database) -> None:
    numbers = [0] * (len(area_year.columns) - 3)
    with database.write() as connection:
        sql.replace(connection, area_year, [("360100", "", 2025, *numbers), ("360100", "", 2026, *numbers)])
        sql.replace(connection, area_year, [("360200", "", 2026, *numbers)], year=2026)
        found = sql.rows(connection, "SELECT area, year FROM area_year ORDER BY year")
        assert [tuple(row) for row in found] == [("360100", 2025), ("360200", 2026)]
        sql.replace(connection, area_year, [], year=2026)
        assert sql.rows(connection, "SELECT year FROM area_year") == [(2025,)]


def test_what_is_there_stays_as_it_is_where_rows_are_added(each_database: str, database: Database) -> None:
    with database.write() as connection:
        sql.add(connection, consumption, [CONSUMED])
        sql.add(connection, consumption, [(*CONSUMED[:6], 5, *CONSUMED[7:])])
        sql.add(connection, counter, {("E", 1), ("F", 1)})
        assert sql.rows(connection, QUESTION, ("E", DAY.isoformat())) == [(2**40,)]
        assert sql.rows(connection, "SELECT name FROM counter ORDER BY 1") == [("E",), ("F",)]
        sql.run(connection, "DELETE FROM counter WHERE name = ?", [("E",), ("F",)])
        sql.run(connection, "DELETE FROM counter WHERE name = ?", [])
        assert sql.rows(connection, "SELECT name FROM counter") == []


def test_one_question_is_asked_for_each_of_many_values(each_database: str, database: Database) -> None:
    with database.write() as connection:
        sql.add(connection, counter, [("E", 1), ("F", 2)])
        question = "SELECT name FROM counter WHERE name >= ? ORDER BY 1"
        assert list(sql.each(connection, question, [])) == []
        found = list(sql.each(connection, question, [("F",), ("G",), ("A",)]))
    assert [[row[0] for row in rows] for rows in found] == [["F"], [], ["E", "F"]]


def test_errors_are_those_of_core_and_the_transaction_is_gone(each_database: str, database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        sql.run(connection, "INSERT INTO counter VALUES (?, 1)", [("E",), (None,)])
    with database.read() as connection:
        assert sql.rows(connection, "SELECT name FROM counter") == []
    with pytest.raises(SQLAlchemyError) as told, database.write() as connection:
        sql.run(connection, "SELECT nothing FROM nowhere")
    assert "nowhere" in str(told.value)
    assert each_database == "sqlite" or isinstance(told.value, ProgrammingError)


def test_a_role_without_rights_and_a_server_that_only_reads_fail_as_a_database_does(
    tmp_path: Path, postgresql: None
) -> None:
    """Nothing is set apart or put into quarantine for it: facts wait until somebody gives the right."""
    databases.choose("postgresql")
    rows, opened = [("E", 1)], databases.database(tmp_path)

    def write(given: str, put: Callable[[Connection], object]) -> None:
        with opened.write() as connection:
            connection.execute(text(given))
            put(connection)

    for given, told in (
        ("SET LOCAL ROLE pg_monitor", "permission denied for table counter"),
        ("SET LOCAL transaction_read_only = on", "cannot execute INSERT in a read-only transaction"),
    ):
        with pytest.raises(OperationalError, match=told):
            write(given, lambda connection: sql.replace(connection, counter, rows))
        with pytest.raises(OperationalError, match=told):
            write(given, lambda connection: connection.execute(counter.insert().values(rows)))
    opened.close()


def test_what_is_read_of_one_connection_is_one_view(each_database: str, database: Database) -> None:
    with database.read() as reader:
        assert sql.rows(reader, "SELECT * FROM counter") == []
        with database.write() as connection:
            sql.add(connection, counter, [("E", 1)])
        assert sql.rows(reader, "SELECT * FROM counter") == []


def test_postgresql_plans_what_is_read_for_its_values_however_often_it_is_asked(
    tmp_path: Path, postgresql: None
) -> None:
    databases.choose("postgresql")
    plans = text("SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements")
    try:
        with databases.database(tmp_path) as database, database.read() as connection:
            for n in range(20):
                connection.execute(select(counter).where(counter.c.name == f"{n}")).all()
            of_all, each = connection.execute(plans).one()
    finally:
        databases.choose("sqlite")
    assert of_all == 0
    assert each > 10
