"""Tests of the collector run over both kinds of database."""

from collections.abc import Iterator

import pytest

from support import databases

BOTH = {
    "api",
    "import",
    "ingest",
    "overview",
    "plan",
    "plan_lists",
    "publishing",
}
"""Modules whose SQL is looked at over both in `make test`; the others over PostgreSQL in `make campaign`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes twice as long for a second database is left to the campaign, but for `BOTH`."""
    for item in items:
        given = getattr(item, "callspec", None)
        if given is None or given.params.get("each_database") != "postgresql":
            continue
        if item.path.stem.removeprefix("test_") not in BOTH:
            item.add_marker(pytest.mark.slow)


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
