"""What a technical upgrading changed (T15): equipment and energy intensity of the enterprises with the tag, when it
began and on a day."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, case, func, select

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.intensities import of_enterprises
from ganpo_cloud.province.lists import Filter
from ganpo_cloud.province.measures import counts, held, on
from ganpo_cloud.province.tagged import UPGRADE, only
from ganpo_cloud.province.within import within
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ledger


@dataclass(slots=True)
class Change:
    """What enterprises with a technical upgrading had when it began, and have on the day: `enterprises` of `of` are
    known at both times, and only those are added up. `numbers`: of devices by measure, or millionths of tce and fen."""

    of: int = 0
    enterprises: int = 0
    before: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)

    def add(self, before: Mapping[str, int], now: Mapping[str, int], needed: str) -> None:
        """One enterprise, if it has what is `needed` both times."""
        self.of += 1
        if before.get(needed) and now.get(needed):
            self.enterprises += 1
            self.before.update(before)
            self.now.update(now)


BESIDE = ("nc_checked", "main", "digital_checked", "units")
"""Measures of devices that stand beside a technical upgrading."""


def changes(connection: Connection, province: Province, of: Filter) -> tuple[Change, Change]:
    """Equipment, and energy intensity of the year before and of the last one, of the enterprises of a place with a
    technical upgrading in force (T15)."""
    t, firm, s = registry.tag.c, ledger.alias("firm").c, ledger.alias("own")
    is_it = (firm.enterprise == t.enterprise) & (firm.asset_no == "") & on(of.day, firm) & firm.above_scale
    mine = select(t.enterprise, func.min(t.first).label("began")).where(
        t.tag == UPGRADE, held(of.day, t), is_it
    )
    mine = mine.where(*within(province, of.area, of.industry, firm)).group_by(t.enterprise)
    began = {row.enterprise: row.began for row in connection.execute(mine)}
    equipment, energy = Change(), Change()
    upgrade, sums = mine.subquery().c, (func.sum(case((counts(name, s.c), 1), else_=0)) for name in BESIDE)
    of_firm = select(s.c.enterprise, *sums).group_by(s.c.enterprise)
    then, now = (
        {
            code: dict(zip(BESIDE, map(int, numbers), strict=True))
            for code, *numbers in connection.execute(
                of_firm.where(s.c.enterprise == upgrade.enterprise, s.c.kind == "equipment", on(day, s.c))
            )
        }
        for day in (upgrade.began, of.day)
    )
    years = {day.year - 1 for day in began.values()} | {of.day.year - 1}
    known = set(connection.execute(select(registry.value_added.c.year).distinct()).scalars())
    these = only(connection, province, UPGRADE, of.day)
    taken = {year: of_enterprises(connection, province, year, of.day, these) for year in years & known}
    for code, day in began.items():
        equipment.add(then.get(code, {}), now.get(code, {}), "units")
        before, after = (
            taken.get(year, {}).get(code, (None, {}, 0))[1] for year in (day.year - 1, of.day.year - 1)
        )
        energy.add(before, after, "energy_fen")
    return equipment, energy
