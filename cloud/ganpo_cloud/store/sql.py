"""The one door for SQL beside Core: statements straight to the driver's cursor, the same for both databases.

Values stand as `?`. What is read comes as plain tuples of what the driver gives: of SQLite a day is text (`day_given`)
and a boolean 0 or 1. Errors are those of Core, also sqlalchemy.exc.OperationalError where the database fails.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select
from sqlalchemy.dialects import postgresql as dialects
from sqlalchemy.exc import DBAPIError

from ganpo_cloud.store import postgresql

Row = tuple[Any, ...]
_POSTGRESQL = dialects.dialect()  # type: ignore[no-untyped-call]


def rows(connection: Connection, statement: str, values: Sequence[Any] = ()) -> list[Any]:
    """The rows of a question."""
    cursor = _done(connection, statement, values)
    found: list[Any] = cursor.fetchall()
    cursor.close()
    return found


def first(connection: Connection, statement: str, values: Sequence[Any] = ()) -> Any:
    """Its first row, and None where there is none."""
    cursor = _done(connection, statement, values)
    found = cursor.fetchone()
    cursor.close()
    return found


def any_of(connection: Connection, table: Table, *where: ColumnElement[bool]) -> bool:
    """Whether a table has any row, of which all this holds."""
    return connection.execute(select(table.c[0]).where(*where).limit(1)).first() is not None


def each(connection: Connection, statement: str, asked: Sequence[Row]) -> Iterator[list[Any]]:
    """The rows of one question for each of many values, in one round trip."""
    if connection.dialect.name == "postgresql":
        if asked:
            cursor = _done(connection, statement, asked, many=True, returning=True)
            for found in cursor.results():
                yield found.fetchall()
            cursor.close()
    else:
        for values in asked:
            yield rows(connection, statement, values)


def of_pairs(connection: Connection, statement: str, pairs: Iterable[tuple[str, str]]) -> list[Any]:
    """The rows of one question about many pairs of texts: in it they are a table `asked (a, b)`."""
    asked = list(pairs)
    values: Row
    if connection.dialect.name == "postgresql":
        source, values = (
            "SELECT * FROM unnest(?::text[], ?::text[])",
            tuple(map(list, zip(*asked, strict=True))),
        )
    else:
        source = "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)"
        values = (json.dumps(asked),)
    return rows(connection, f"WITH asked (a, b) AS ({source}) {statement}", values) if asked else []


def run(connection: Connection, statement: str, values: Sequence[Any] = ()) -> None:
    """Run a statement that gives nothing; with a list of tuples once for each."""
    many = isinstance(values, list)
    if values or not many:
        _done(connection, statement, values, many=many).close()


def add(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Insert whole rows, values in the order of the table's columns; what is there already stays as it is.

    Sorted by key, so that writers never wait for each other in a ring.
    """
    _insert(connection, table, rows, "DO NOTHING")


def replace(connection: Connection, table: Table, rows: Iterable[Row], **of: object) -> None:
    """Store whole rows by their primary key, of several with one key the last; sorted too. With `of`, columns and their
    values: these are all the rows that have them, and what else has them goes."""
    if of:
        where = " AND ".join(f'"{name}" = ?' for name in of)
        run(connection, f"DELETE FROM {table.name} WHERE {where}", tuple(of.values()))
    key = _key_of(table)
    said = ", ".join(f'"{c.name}" = excluded."{c.name}"' for c in table.columns if not c.primary_key)
    otherwise = f"DO UPDATE SET {said}" if said else "DO NOTHING"
    _insert(connection, table, {key(row): row for row in rows}.values(), otherwise)


def day_given(value: date | str) -> date:
    """A day as the driver gives it: SQLite as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _insert(connection: Connection, table: Table, rows: Iterable[Row], otherwise: str) -> None:
    inserted = sorted(rows, key=_key_of(table))
    at_once = connection.dialect.name == "postgresql"
    statement = _inserting(table, otherwise, at_once=at_once)
    if not at_once:
        run(connection, statement, inserted)
    elif inserted:  # an array of each column: one round trip, and planned once for any number
        run(connection, statement, tuple(map(_array, zip(*inserted, strict=True))))


@lru_cache
def _key_of(table: Table) -> "itemgetter[Any]":
    return itemgetter(*(place for place, column in enumerate(table.columns) if column.primary_key))


@lru_cache
def _inserting(table: Table, otherwise: str, *, at_once: bool) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    source = f"VALUES ({', '.join('?' * len(table.columns))})"
    if at_once:
        kinds = (column.type.compile(_POSTGRESQL) for column in table.columns)
        source = f"SELECT * FROM unnest({', '.join(f'?::{kind}[]' for kind in kinds)})"
    where = f" ({keys})" if otherwise != "DO NOTHING" else ""
    return f"INSERT INTO {table.name} ({names}) {source} ON CONFLICT{where} {otherwise}"


def _array(values: Iterable[object]) -> str:
    """An array as PostgreSQL writes it: a fraction of the driver's time for the same."""
    element = str if set(map(type, values)) == {int} else _element
    return f"{{{','.join(map(element, values))}}}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _done(
    connection: Connection, statement: str, values: Sequence[Any], *, many: bool = False, **how: bool
) -> Any:
    if not connection.in_transaction():
        connection.begin()
    dialect = connection.dialect
    if dialect.paramstyle != "qmark":
        statement = _for_psycopg(statement)
    cursor = connection.connection.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(statement, values, **how)
    except dialect.loaded_dbapi.Error as error:
        known = DBAPIError.instance(statement, None, error, dialect.loaded_dbapi.Error, dialect=dialect)
        if dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor):
            connection.invalidate(error)
        else:
            cursor.close()
        raise postgresql.refused(statement, error) or known from error
    return cursor


@lru_cache(maxsize=1024)
def _for_psycopg(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")
