"""Files for people: every number stands in its unit, whatever millionths programs get."""

from dataclasses import fields
from typing import Any

from ganpo_cloud.store.described import Ratio
from ganpo_cloud.web.answers.compare import Compared
from ganpo_cloud.web.answers.front_runners import CapacityUse
from ganpo_cloud.web.answers.plan import PlanLine
from ganpo_cloud.web.exports.people import Names, Table
from support.province import NOW, PROVINCE


def shown(row: Any, name: str) -> tuple[Any, ...]:
    """Numerator, denominator and percentage of a ratio."""
    connection: Any = None
    columns = Table(type(row), Names(connection, PROVINCE, NOW.date(), "en")).columns
    first = [column.name for column in columns].index(f"{name}.numerator")
    return tuple(column.read([row])[0] for column in columns[first : first + 3])


def plan_line(measure: str, unit: str, n: int, of: int | None) -> PlanLine:
    nothing: dict[str, Any] = dict.fromkeys(field.name for field in fields(PlanLine))
    return PlanLine(**nothing | {"measure": measure, "unit": unit, "number": Ratio(n, of)})


def test_a_number_stands_in_its_unit_and_only_a_rate_in_percent() -> None:
    assert shown(plan_line("nc_rate_main", "%", 39, 60), "number") == (39, 60, 0.65)
    # 64 tce; 64 tce of 128 million fen are 64 tce of 128 times 10,000 CNY, and no rate
    assert shown(plan_line("dual_total", "tce", 64_000_000, None), "number") == (64, None, None)
    assert shown(plan_line("energy_intensity", "tce", 64_000_000, 128_000_000), "number") == (64, 128, None)
    use = CapacityUse(
        "cement", None, None, "t", "", "", "360000", 2026, 10, Ratio(900_000_000, 1_200_000_000), None
    )
    assert shown(use, "use") == (900, 1200, 0.75)
    energy = Compared(
        "360000",
        None,
        "comprehensive_energy",
        "tce",
        "2026-10",
        Ratio(64_000_000, None),
        Ratio(2, 3),
        True,
        None,
    )
    assert shown(energy, "checked") == (64, None, None)
    assert shown(energy, "covered") == (2, 3, 0.667)
