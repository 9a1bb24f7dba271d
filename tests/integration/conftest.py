"""Tests of the collector run over both kinds of database."""

from collections.abc import Iterator

import pytest

from support import databases


@pytest.fixture(scope="session")
def postgresql() -> None:
    """The PostgreSQL of this process runs: started before a module is watched for what it leaves."""
    databases.server()


@pytest.fixture(params=databases.KINDS)
def each_database(request: pytest.FixtureRequest, postgresql: None) -> Iterator[str]:
    """The test runs over SQLite, and again over PostgreSQL."""
    databases.choose(request.param)
    yield request.param
    databases.choose("sqlite")


@pytest.fixture(params=[databases.KINDS[0], pytest.param(databases.KINDS[1], marks=pytest.mark.slow)])
def mostly_sqlite(request: pytest.FixtureRequest, postgresql: None) -> Iterator[str]:
    """The test runs over SQLite, and in `make campaign` over PostgreSQL too."""
    databases.choose(request.param)
    yield request.param
    databases.choose("sqlite")
