"""Databases of both kinds that the sides of a comparison fill: new ones, copies of filled ones, bytes on disk."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import psycopg

from support import databases


class Store(Protocol):
    """A kind of database. Nobody may have one open that is copied or measured."""

    kind: str

    def new(self, name: str) -> str:
        """The URL of an empty one, without any table."""

    def copy(self, url: str, name: str) -> str:
        """The URL of one that holds what another does; one of that name before is gone."""

    def size(self, url: str) -> int:
        """Bytes on disk of all its tables and indexes, once what is dead is taken out."""

    def grown(self, url: str) -> int:
        """Bytes on disk as it is."""


class Sqlite:
    """Files, each in a folder of its own: whoever writes holds a lock that lies beside the file."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new(self, name: str) -> str:
        home = self._folder / name
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        return f"sqlite:///{home}/cloud.db"

    def copy(self, url: str, name: str) -> str:
        made = self.new(name)
        with sqlite3.connect(_file(url)) as db:
            assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        db.close()
        shutil.copy(_file(url), _file(made))
        return made

    def size(self, url: str) -> int:
        with sqlite3.connect(_file(url), isolation_level=None) as db:
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        return self.grown(url)

    def grown(self, url: str) -> int:
        return Path(_file(url)).stat().st_size


class Postgresql:
    """Databases of the server that tests use, which does not wait for the disk."""

    kind = "postgresql"

    def new(self, name: str) -> str:
        return self._made(name, "template0")

    def copy(self, url: str, name: str) -> str:
        return self._made(name, url.rpartition("/")[2])

    def size(self, url: str) -> int:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
        return self.grown(url)

    def grown(self, url: str) -> int:
        tables = "pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        with psycopg.connect(url) as connection:
            row = connection.execute(f"SELECT sum(pg_total_relation_size(oid)) FROM {tables}").fetchone()
        assert row is not None
        return int(row[0])

    def _made(self, name: str, template: str) -> str:
        databases.server().do(f"DROP DATABASE IF EXISTS {name}")
        databases.server().do(f"CREATE DATABASE {name} TEMPLATE {template}")
        return databases.server().url(name)


@contextmanager
def stores() -> Iterator[tuple[Store, ...]]:
    """Both kinds."""
    with TemporaryDirectory() as folder:
        yield Sqlite(Path(folder)), Postgresql()


def _file(url: str) -> str:
    return url.removeprefix("sqlite:///")
