"""What the rows of a list may refer to, as the database has it: asked for when a list refers to it, and only of the
enterprises that the list names."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Connection, Select, select, union

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.localdays import local
from ganpo_cloud.store.tables import subject
from ganpo_model.clock import to_ms

_AT_ONCE = 500
"""Names of one question."""


def of_names(
    connection: Connection, query: Select[Any], column: Column[Any], names: Iterable[str]
) -> Iterator[Any]:
    """The rows of a question whose column has one of these names."""
    every = sorted(names)
    for begin in range(0, len(every), _AT_ONCE):
        yield from connection.execute(query.where(column.in_(every[begin : begin + _AT_ONCE])))


class Known:
    """What rows may refer to, province and present. `named`: the enterprises that the list names."""

    def __init__(
        self, connection: Connection, province: Province, now: datetime, named: Iterable[str]
    ) -> None:
        self.province, self.now = province, now
        self._connection, self._named = connection, frozenset(named)

    @cached_property
    def today(self) -> date:
        """The province's date."""
        return local(to_ms(self.now)).date()

    @cached_property
    def enterprises(self) -> set[str]:
        """The codes of those that are in the registry."""
        return {code for (code,) in self._of(registry.enterprise.c.code)}

    @cached_property
    def sites(self) -> set[tuple[str, str]]:
        """Enterprise and id of sites."""
        return {(code, site) for code, site in self._of(registry.site.c.enterprise, registry.site.c.site)}

    @cached_property
    def zones(self) -> dict[tuple[str, str], str]:
        """Time zones of the equipment that gateways name."""
        return {(row.enterprise, row.asset_no): row.timezone for row in self._subjects if row.kind != "meter"}

    @cached_property
    def equipment(self) -> set[tuple[str, str]]:
        """Enterprise and number of all equipment, of the ledger or of a gateway."""
        ledger = registry.equipment.c
        return {(code, number) for code, number in self._of(ledger.enterprise, ledger.asset_no)} | set(
            self.zones
        )

    @cached_property
    def meters(self) -> dict[str, dict[str, str]]:
        """The meters of an enterprise and their roles, as its newest inventories say; of one that was never described
        there is nothing."""
        found: dict[str, dict[str, str]] = {}
        for row in self._subjects:
            mine = found.setdefault(row.enterprise, {})
            if row.kind == "meter" and not row.withdrawn:
                mine[row.asset_no] = json.loads(row.body)["role"]
        return found

    @cached_property
    def nodes(self) -> dict[tuple[str, str], list[Any]]:
        """The rows of each node of a tree, the earliest first."""
        found = defaultdict(list)
        table = registry.node
        for row in of_names(self._connection, select(table), table.c.enterprise, self._named):
            found[row.enterprise, row.node].append(row)
        for rows in found.values():
            rows.sort(key=lambda row: row.first)
        return found

    @cached_property
    def products(self) -> dict[str, str]:
        """The unit of each product."""
        c = registry.product.c
        return {row.product: row.unit for row in self._connection.execute(select(c.product, c.unit))}

    @cached_property
    def made(self) -> set[str]:
        """Products of which an output or a capacity is told."""
        told = union(select(registry.output.c.product), select(registry.capacity.c.product))
        return set(self._connection.execute(told).scalars())

    @cached_property
    def prices(self) -> dict[int, str]:
        """The price basis of each year's value added."""
        c = registry.value_added.c
        return {
            row.year: row.price_basis
            for row in self._connection.execute(select(c.year, c.price_basis).distinct())
        }

    @cached_property
    def bases(self) -> dict[int, str]:
        """The same, of enterprises that the list does not name; the first row that says so decides of other years."""
        c = registry.value_added.c
        query = select(c.year, c.price_basis, c.enterprise).distinct()
        return {
            row.year: row.price_basis
            for row in self._connection.execute(query)
            if row.enterprise not in self._named
        }

    @cached_property
    def _subjects(self) -> Sequence[Any]:
        s = subject.c
        query = select(s.enterprise, s.asset_no, s.kind, s.timezone, s.withdrawn, s.body)
        return list(of_names(self._connection, query, s.enterprise, self._named))

    def _of(self, enterprise: Column[Any], *columns: Column[Any]) -> Iterator[Any]:
        return of_names(self._connection, select(enterprise, *columns).distinct(), enterprise, self._named)
