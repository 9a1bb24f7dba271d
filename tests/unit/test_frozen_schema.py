"""A released revision of the schema never changes: each table's DDL, as both databases get it, has a checksum on file.

Before the first release the baseline itself is renewed. Run as a program, this file writes the checksums anew.
"""

import sys
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Dialect, Table
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from ganpo_cloud.store import schema
from ganpo_cloud.store.columns import metadata

ROOT = Path(__file__).parents[2]
FILE = ROOT / "cloud" / "ganpo_cloud" / "store" / "migrations" / "tables.txt"
FIRST_RELEASE = "## 0.1.0"
DIALECTS = tuple(make_url(url).get_dialect()() for url in ("sqlite://", "postgresql+psycopg://"))
RENEW = f".venv/bin/python {Path(__file__).relative_to(ROOT)}"


def checksum(table: Table, dialect: Dialect) -> str:
    """Of what makes the table and its indexes."""
    makes: list[ExecutableDDLElement] = [
        CreateTable(table),
        *(CreateIndex(index) for index in sorted(table.indexes, key=lambda index: str(index.name))),
    ]
    ddl = "\n".join(str(make.compile(dialect=dialect)) for make in makes)
    return sha256(ddl.encode()).hexdigest()[:16]


def tables() -> dict[str, str]:
    """A line for each table: its checksums on SQLite and PostgreSQL."""
    return {
        name: " ".join((name, *(checksum(table, dialect) for dialect in DIALECTS)))
        for name, table in sorted(metadata.tables.items())
    }


def released() -> bool:
    """Whether the baseline has left the house: its changes are listed as those of a version, with a day."""
    return f"{FIRST_RELEASE} (not yet released)" not in (ROOT / "CHANGELOG.md").read_text()


def test_tables_are_those_of_the_newest_revision() -> None:
    revision, *lines = FILE.read_text().splitlines()
    on_file = {line.partition(" ")[0]: line for line in lines}
    now = tables()
    other = sorted(name for name in on_file.keys() | now.keys() if on_file.get(name) != now.get(name))
    assert revision == f"revision {schema.HEAD}", f"a new revision: run {RENEW}"
    assert not other, (
        f"not as in revision {schema.HEAD}: {', '.join(other)}. "
        + (
            "Write the next revision in migrations/versions"
            if released()
            else "Not released yet: no revision"
        )
        + f", then run {RENEW}"
    )


def test_another_column_index_or_type_is_another_checksum() -> None:
    from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Text

    def made(*parts: Column[int] | Column[str] | Index) -> str:
        return checksum(Table("t", MetaData(), Column("a", Integer), *parts), DIALECTS[0])

    found = [
        made(),
        made(Column("b", Text)),
        made(Column("b", Text, nullable=False)),
        made(Column("b", BigInteger)),
        made(Column("b", Text), Index("t_b", "b")),
    ]
    assert len(set(found)) == len(found)


def renew() -> None:
    """Write the file anew. Refused where a released revision would change."""
    head = f"revision {schema.HEAD}"
    if released() and FILE.exists() and FILE.read_text().splitlines()[0] == head:
        sys.exit(f"{head} is released and never changes: write the next one in migrations/versions first")
    FILE.write_text("\n".join((head, *tables().values())) + "\n")


if __name__ == "__main__":
    renew()
