"""What the official asks on a Monday, answered as plain loops over lists and facts count; and what cannot be asked."""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ganpo_cloud.days.periods import span
from ganpo_cloud.province.ranking import RANKED_FROM, STEPS
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.web.answers import compare, onboarded, ranking, silent, taken
from ganpo_cloud.web.answers.energy import Monthly, energy
from ganpo_cloud.web.asking import question
from ganpo_cloud.web.problems import Refused
from support import databases
from support.invented import LAST, province, seed
from support.province import NOW, PROVINCE
from support.recounting import Recount

pytestmark = pytest.mark.usefixtures("each_database")
TODAY = date(2026, 11, 28)
STEEL, CITY = "STEEL", "360700"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = databases.filled(tmp_path, seed)
    yield database
    database.close()


def ask(database: Database, answer: Any, asked: Any) -> Any:
    with database.read() as connection:
        return answer(connection, question(PROVINCE, NOW, asked), asked)


def test_they_are_answered_as_plain_loops_count(database: Database) -> None:
    by_hand = Recount(province(), PROVINCE, TODAY)
    city = next(PROVINCE.above(firm.county)[1] for firm in by_hand.fleet.firms if firm.since)
    for area, industry in ((PROVINCE.whole, None), (city, None), (PROVINCE.whole, STEEL)):
        place = {"area": area, "industry": industry}
        _arrivals(database, by_hand, place)
        _silent(database, by_hand, place)
    _ranking(database, by_hand)
    _energy(database, by_hand)
    _compare(database, by_hand, city)


def _arrivals(database: Database, by_hand: Recount, place: dict[str, Any]) -> None:
    came = 0
    for month in ("2026-09", "2026-10", "2026-11"):
        first, last = span(month)
        wanted = by_hand.arrived(**place, first=first, last=min(last, TODAY))
        found = ask(database, onboarded.onboarded, onboarded.New(month=month, **place))
        told = {row.enterprise: (day_of(row.cloud_at, DEFAULT_ZONE), row.devices) for row in found.rows}
        assert told == wanted, (month, place)
        devices = ask(database, onboarded.onboarded, onboarded.New(month=month, of="devices", **place))
        assert devices.total == sum(number for _, number in wanted.values())
        assert [row.cloud_at for row in devices.rows] == sorted(
            (row.cloud_at for row in devices.rows), reverse=True
        )
        came += found.total
    assert came > 0 or place["industry"] is not None
    # As of a day within the month only what had come by then; the next page goes on where the first ends.
    day = LAST - timedelta(days=12)
    past = ask(database, onboarded.onboarded, onboarded.New(as_of=f"{day}", **place))
    assert {row.enterprise for row in past.rows} == set(
        by_hand.arrived(**place, first=day.replace(day=1), last=day)
    )


def _silent(database: Database, by_hand: Recount, place: dict[str, Any]) -> None:
    wanted = by_hand.silent(**place, day=TODAY)
    found = ask(database, silent.silent, silent.Quiet(**place))
    assert {row.code: row.last_good for row in found.rows} == wanted
    assert all(row.days == (TODAY - row.last_good).days for row in found.rows)
    assert all(row.last_word and "the gateway is offline" in (row.agent_said or "") for row in found.rows)
    assert [row.last_good for row in found.rows] == sorted(wanted.values()), "the longest first"
    day = LAST - timedelta(days=10)
    past = ask(database, silent.silent, silent.Quiet(as_of=f"{day}", **place))
    assert {row.code for row in past.rows} == set(by_hand.silent(**place, day=day))
    assert all(row.last_word is None for row in past.rows), "what was heard by then nobody kept"
    assert found.total > 0 or place["area"] != PROVINCE.whole or place["industry"]


def _ranking(database: Database, by_hand: Recount) -> None:
    found = ask(database, ranking.ranked, ranking.Ranking())
    wanted = {}
    for row in found:
        declared, checked, proven, main = by_hand.overview(row.area, None, TODAY)["nc_rate_main"]
        assert (row.declared.numerator, row.checked.numerator, row.proven.numerator) == (
            declared,
            checked,
            proven,
        )
        assert row.checked.denominator == main
        assert row.stopped == {"not_nc": main - declared, "only_claimed": declared - checked}
        assert row.apart == ("small" if main < RANKED_FROM else None)
        wanted[row.area] = Fraction(checked, main) if main >= RANKED_FROM else None
    counties = {
        area for area, rows in PROVINCE.areas.items() if rows[-1].kind == "county" and rows[-1].until is None
    }
    assert set(wanted) == counties
    ranks = [row for row in found if row.rank is not None]
    assert ranks == found[: len(ranks)], "what is not ranked stands below"
    assert [row.rank for row in ranks] == list(range(1, len(ranks) + 1))
    values = [wanted[row.area] for row in ranks]
    assert values == sorted((of for of in wanted.values() if of is not None), reverse=True)
    assert len(ranks) > 1
    lacking = ask(database, ranking.ranked, ranking.Ranking(sort="lacking"))
    named = ask(database, ranking.ranked, ranking.Ranking(sort="name", up=True))
    missing = [sum(row.stopped.values()) for row in lacking if row.rank is not None]
    assert missing == sorted(missing, reverse=True)
    names = [row.area for row in named if row.rank is not None]
    assert names == sorted(names)
    for rows in (lacking, named):
        assert {row.area: row.rank for row in rows} == {row.area: row.rank for row in found}, "by the number"
    for indicator in STEPS:
        for row in ask(database, ranking.ranked, ranking.Ranking(by="city", indicator=indicator)):
            lacks = (row.checked.denominator or 0) - (row.checked.numerator or 0)
            assert not row.stopped or sum(row.stopped.values()) == lacks, (
                "the steps add up to what is missing"
            )


def _energy(database: Database, by_hand: Recount) -> None:
    month = "2026-10"
    for industry in (None, STEEL):
        found = ask(database, taken.carrier, taken.OfCarrier(month=month, industry=industry))
        known = {
            row.enterprise: Fraction(row.millionths, 10**6)
            for row in found.rows
            if row.millionths is not None
        }
        wanted = by_hand.taken("electricity", PROVINCE.whole, industry, month)
        used = {code: amount for code, amount in wanted.items() if amount}
        assert used == {
            code: amount for code, amount in known.items() if amount and wanted.get(code) is not None
        }
        rows = ask(database, energy, Monthly(first=month, last=month, industry=industry))
        (whole,) = [row for row in rows if row.carrier == "electricity"]
        assert whole.millionths == sum(row.millionths or 0 for row in found.rows)
        assert whole.declared == sum(row.declared for row in found.rows)
        assert whole.declared - whole.covered == sum(row.missing for row in found.rows)
        missing = [row.missing for row in found.rows]
        assert missing == sorted(missing, reverse=True), "those of whom it is missing stand first"
        assert any(missing) or industry == STEEL


def _compare(database: Database, by_hand: Recount, city: str) -> None:
    asked = compare.Comparing(of=[city, STEEL, "", city])
    found = ask(database, compare.compared, asked)
    assert len(found) == 2 * 24
    for row in found:
        day = min(span(row.month)[1], TODAY)
        if day < by_hand.fleet.first:
            continue
        _, checked, _, main = by_hand.overview(row.area, row.industry, day)["nc_rate_main"]
        assert (row.checked.numerator, row.checked.denominator) == (checked, main), (row.month, row.area)
    assert {(row.area, row.industry) for row in found} == {(city, None), (PROVINCE.whole, STEEL)}
    first, last = date(2026, 10, 1), date(2026, 10, 31)
    used = ask(database, compare.compared, compare.Comparing(of=[city], indicator="comprehensive_energy"))
    assert {row.area for row in used} == {PROVINCE.whole, city}, "one stands beside the whole"
    for row in used:
        if row.month == "2026-10":
            tce, _ = by_hand.energy(row.area, None, first, last)
            assert row.checked.numerator is not None
            assert abs(row.checked.numerator - tce * 10**6) < 20, "rounded down for each carrier"


REFUSED = (
    (compare.compared, compare.Comparing(of=["360100", "360200", "360300", "360400", "360500"]), "at most 4"),
    (compare.compared, compare.Comparing(of=["360100", "999999"]), "neither an industry nor an area"),
    (compare.compared, compare.Comparing(of=["360122"]), "neither an industry nor an area: 360122 was"),
    (compare.compared, compare.Comparing(indicator="energy_intensity"), "none of nc_rate_main"),
    (ranking.ranked, ranking.Ranking(indicator="water"), "none of nc_rate_main"),
    (onboarded.onboarded, onboarded.New(month="2026-12"), "lies in the future"),
    (taken.carrier, taken.OfCarrier(month="2027-01"), "lies in the future"),
    (taken.carrier, taken.OfCarrier(month="2026-10", carrier="phlogiston"), "none of"),
)


def test_what_cannot_be_asked_is_refused_with_what_can(database: Database) -> None:
    for answer, asked, told in REFUSED:
        with pytest.raises(Refused) as refused:
            ask(database, answer, asked)
        assert told in refused.value.problem.title, asked
        assert refused.value.problem.where
