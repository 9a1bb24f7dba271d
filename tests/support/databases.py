"""The databases of tests: SQLite files, or databases of a real PostgreSQL that the tests start."""

import atexit
import itertools
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_demo.loopback import free_port

KINDS = ("sqlite", "postgresql")
_kind = "sqlite"
_number = itertools.count()
_filled: dict[tuple[Callable[[Database], None], str], str] = {}


def choose(kind: str) -> None:
    """What `settings` gives from now on."""
    global _kind
    assert kind in KINDS
    _kind = kind


def settings(folder: Path) -> DatabaseSettings:
    """A new database: a file in `folder`, or one of the server."""
    if _kind == "sqlite":
        return DatabaseSettings(url=f"sqlite:///{folder}/cloud.db")
    return DatabaseSettings(url=server().new())


def database(folder: Path, **options: float) -> Database:
    """A new database, opened."""
    return Database(settings(folder), **options)


def filled(folder: Path, fill: Callable[[Database], None]) -> Database:
    """A copy of what `fill` makes of a new database, which it does once for each kind."""
    if (fill, _kind) not in _filled:
        kept = Path(tempfile.mkdtemp(prefix="ganpo-filled-"))
        atexit.register(shutil.rmtree, kept, ignore_errors=True)
        made = settings(kept)
        first = Database(made)
        fill(first)
        first.close()
        if _kind == "sqlite":  # what is copied is one file, and not what stands beside it
            with closing(sqlite3.connect(made.url.removeprefix("sqlite:///"))) as file:
                file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _filled[fill, _kind] = made.url
    url = _filled[fill, _kind]
    if _kind == "postgresql":
        return Database(DatabaseSettings(url=server().new(url.rpartition("/")[2])))
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(url.removeprefix("sqlite:///"), folder / "cloud.db")
    return Database(DatabaseSettings(url=f"sqlite:///{folder}/cloud.db"))


@contextmanager
def held(database: Database) -> Iterator[Connection]:
    """Another program writes into the database, and takes its time."""
    where = database.where
    other = Database(DatabaseSettings(url=where if "://" in where else f"sqlite:///{where}"))
    with other.write() as connection:
        yield connection
    other.close()


class Meanwhile:
    """A database into which somebody else writes between a look and a write."""

    def __init__(self, database: Database, write: Callable[[], object]) -> None:
        self.write = database.write
        self._database, self._other = database, write

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._database.read() as connection:
            yield connection
        self._other()


@cache
def server() -> "Server":
    """The PostgreSQL of this process, started when it is first asked for."""
    started = Server()
    atexit.register(started.stop)
    return started


def running() -> bool:
    """Whether this process has started one."""
    return server.cache_info().currsize > 0


class Server:
    """A PostgreSQL of its own on a free loopback port; `new` gives the URL of a database with all tables."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ganpo-pg-"))
        self.port = free_port()
        programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
        # It does not run as root: there its own user does.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self.folder, self._user, self._user)
        data = str(self.folder / "data")
        make = [str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "ganpo", "--no-sync"]
        subprocess.run([*make, "-E", "UTF8", "--locale=C"], check=True, capture_output=True, user=self._user)
        serve = [str(programs / "postgres"), "-D", data, "-p", str(self.port), "-k", str(self.folder)]
        self._process = subprocess.Popen(
            [*serve, "-h", "127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
        )
        self._client = [str(programs / "psql"), "-qAt", "-h", "127.0.0.1", "-p", str(self.port)]
        self._client += ["-U", "ganpo", "postgres"]
        while subprocess.run([*self._client, "-c", "SELECT 1"], capture_output=True, check=False).returncode:
            assert self._process.poll() is None
        self.do("CREATE DATABASE template")
        Database(DatabaseSettings(url=self.url("template"))).close()

    @property
    def pid(self) -> int:
        """Of its first process."""
        return self._process.pid

    def url(self, name: str) -> str:
        """Of a database of this name."""
        return f"postgresql://ganpo@127.0.0.1:{self.port}/{name}"

    def new(self, like: str = "template") -> str:
        """The URL of a new database with all tables, or with all that one of the name `like` has."""
        name = f"test{next(_number)}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {like}")
        return self.url(name)

    def do(self, statement: str) -> None:
        """Run a statement in the database `postgres`."""
        subprocess.run([*self._client, "-c", statement], check=True, capture_output=True)

    def stop(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
