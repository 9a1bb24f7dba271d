"""How tables are written down: columns of one type in a row; none is null but where it says so."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData()
ID = BigInteger().with_variant(Integer, "sqlite")


def columns(kind: Any, *names: str, nullable: bool = False, **how: Any) -> Sequence[Column[Any]]:
    """Columns of a type. `how`: what else SQLAlchemy may be told of a column."""
    return [Column(name, kind, nullable=nullable, **how) for name in names]


texts = partial(columns, Text)
longs = partial(columns, BigInteger)
integers = partial(columns, Integer)
shorts = partial(columns, SmallInteger)
flags = partial(columns, Boolean)
dates = partial(columns, Date)
blobs = partial(columns, LargeBinary)


def table(name: str, *parts: SchemaItem | Iterable[SchemaItem], key: str = "", **how: Any) -> Table:
    """A table of columns and indexes. `key`: columns of its primary key; `how`: what SQLAlchemy may be told of it."""
    items = [item for part in parts for item in ([part] if isinstance(part, SchemaItem) else part)]
    if key:
        items.append(PrimaryKeyConstraint(*key.split()))
    return Table(name, metadata, *items, **how)
