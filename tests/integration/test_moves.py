"""What would move a number: what each device and each enterprise gains is what a plain loop comes to that counts the
province again with that one device changed; over both kinds of database."""

import random
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.days.reasons import REASONS
from ganpo_cloud.days.reasons import STEPS as WORDS
from ganpo_cloud.province import totals
from ganpo_cloud.province.gains import MOVED
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import Kind, mark
from ganpo_cloud.web.application import create_app
from ganpo_model.coverage import ENTERPRISES, MEASURES
from ganpo_model.moves import CAUSES, DONE, STEPS, Change, Group, Number, Step, fewest, moves, serves, taken
from support import databases
from support.plants import TestClock
from support.province import NOW, PROVINCE
from support.serving import Served
from support.work_lists import Machine, come_to, work_list

COUNTY, INDUSTRY = "360121", "FOOD"
FIRMS = 14
PARENTS = {"E13": "E02", "E12": "E03"}
"""Branches and their legal persons."""


def machines(seed: int) -> list[Machine]:
    """Of fourteen enterprises, so few kinds that many gain the same, and some nothing."""
    of, found = random.Random(seed), []
    for firm in range(FIRMS):
        for number in range(of.choice([0, 1, 2, 2, 5])):
            serves_ = of.random() < 0.85
            age = of.choice(
                [None, None, "active", "seen", "silent", "gone"] if firm % 2 else [None, None, "gone"]
            )
            main, (nc, digital, clever) = of.choice([0, 1]), of.choices([0, 1, 1, 2, 3], k=3)
            stored = age is not None and (age in ("active", "silent") or of.random() < 0.8)
            retired = not serves_ and of.random() < 0.5
            seen = (age is not None, stored, age, of.choice([0, 1, 2]))
            flags = (main, nc, digital, clever)
            found.append(Machine(f"E{firm:02d}", f"SB-{number}", *flags, serves_, retired, *seen))
    return found


def fill(database: Database, machines: list[Machine]) -> None:
    """The ledger as it stands since 2020, and the sums of today."""
    place = {"since": date(2020, 1, 1), "area": COUNTY, "industry": INDUSTRY, "name": "X", "site": "plant-1"}
    rows = [
        place
        | {
            "enterprise": f"E{n:02d}",
            "asset_no": "",
            "kind": "enterprise",
            "parent": PARENTS.get(f"E{n:02d}"),
        }
        for n in range(FIRMS)
    ]
    for one in machines:
        told = {name: getattr(one, name) for name in Machine.__dataclass_fields__}
        rows.append(place | told | {"kind": "equipment", "status": "retired" if one.retired else "in_use"})
    nothing = {column.name: None if column.nullable else 0 for column in ledger.columns} | {"status": ""}
    with database.write() as connection:
        sql.add(connection, ledger, [tuple((nothing | row)[c.name] for c in ledger.columns) for row in rows])
        mark(connection, Kind.SUMS, [("", NOW.date())])
    while totals.recompute(database, PROVINCE, NOW):
        pass


@pytest.fixture
def http(tmp_path: Path, each_database: str) -> Iterator[tuple[httpx.Client, list[Machine]]]:
    assert each_database
    database, found = databases.database(tmp_path), machines(20180615)
    fill(database, found)
    with (
        Served(create_app(database, TestClock(wall=NOW))) as running,
        httpx.Client(base_url=running.url, timeout=60) as client,
    ):
        yield client, found
    database.close()


def ratio(of: dict[str, Any]) -> Fraction:
    return Fraction(of["numerator"], of["denominator"] or 1)


def test_what_is_gained_is_what_a_plain_loop_counts_with_that_device_changed(
    http: tuple[httpx.Client, list[Machine]],
) -> None:
    client, every = http
    ties = zeros = 0
    for number in MOVED:
        for by in ("enterprise", "device"):
            wanted = work_list(number, every, PARENTS, by)
            said = client.get("/api/v1/moves", params={"indicator": number, "by": by}).json()
            found = [
                (
                    ratio(one["gain"]),
                    one["enterprise"],
                    one["todo"],
                    one["branch"] or one["enterprise"],
                    one["asset_no"] or "",
                    one["number"],
                )
                for one in said
            ]
            assert found == wanted, (number, by)
            ties += len(wanted) - len({line[0] for line in wanted})
            _adds_up(number, every, said)
        zeros += sum(one.in_service for one in every) - len(work_list(number, every, PARENTS, "device"))
    for number in ("nc_rate_main", "enterprise_onboarded"):
        whole = client.get("/api/v1/moves", params={"indicator": number}).json()
        some = client.get("/api/v1/moves", params={"indicator": number, "limit": 2, "page": 2}).json()
        assert some == whole[2:4]
        page = client.get("/moves", params={"indicator": number, "lang": "en"})
        assert page.text.count('<td class="num rank">') == len(whole)
    assert ties > 50
    assert zeros > 50, "there are devices that gain nothing, and they stand nowhere"


def _adds_up(number: str, every: list[Machine], said: list[dict[str, Any]]) -> None:
    """The number after the last line is the number, and what all of them add."""
    count, among = come_to(number, every, PARENTS)
    if said and said[-1]["after"] is not None:
        last, gains = said[-1]["after"], [ratio(one["gain"]) for one in said]
        assert last["numerator"] > count
        if among is None or last["denominator"] == among:
            assert ratio(last) - Fraction(count, among or 1) == sum(gains)


def test_a_step_and_a_search_leave_only_their_lines(http: tuple[httpx.Client, list[Machine]]) -> None:
    client, _ = http
    asked = {"indicator": "equip_network_rate"}
    whole = client.get("/api/v1/moves", params=asked).json()
    steps = {one["todo"] for one in whole}
    assert steps == {"connect", "bring_back"}
    for step in steps:
        some = client.get("/api/v1/moves", params=asked | {"step": step}).json()
        assert [one["enterprise"] for one in some] == [
            one["enterprise"] for one in whole if one["todo"] == step
        ]
    code = whole[-1]["enterprise"]
    found = client.get("/api/v1/moves", params=asked | {"q": code}).json()
    assert {one["enterprise"] for one in found} == {code}
    assert client.get("/api/v1/moves", params=asked | {"area": "360700"}).json() == []
    for params, where in (({"indicator": "water"}, "indicator"), ({"indicator": ""}, "indicator")):
        refused = client.get("/api/v1/moves", params=params)
        assert (refused.status_code, refused.json()["where"]) == (422, where)
        assert client.get("/moves", params=params).status_code == 422
    for params in ({"step": "none"}, {"by": "county"}, {"page": "0"}, {"as_of": "2099-01-01"}):
        assert client.get("/api/v1/moves", params=asked | params).status_code == 422


def test_every_reason_has_a_step_and_what_is_what_it_is_has_none() -> None:
    assert set(STEPS) - {"population"} <= set(REASONS)
    assert set(WORDS) == set(Step)
    for reason in ("status", "main", "nc", "holiday", "transit"):
        assert STEPS.get(reason, Step.NONE) is Step.NONE
        assert serves(reason) == ()
    assert STEPS["claimed"] is Step.DOCUMENT
    assert serves("claimed") == ("nc_checked",), "a document; not the connection that might prove it as well"
    for reason in DONE:
        assert STEPS[reason] is not Step.NONE
        assert serves(reason)
    for of in MOVED.values():
        assert of.causes == tuple(cause for cause in CAUSES if cause in of.causes)
    counted = {of.reason for of in MEASURES.values()} | {of.reason for of in ENTERPRISES.values()}
    assert counted - {""} <= set(REASONS)


def test_of_the_causes_that_move_a_number_a_device_has_one(each_database: str) -> None:
    """Their conditions shut each other out: no device is counted twice in a list."""
    assert each_database
    for of in MOVED.values():
        mine = [MEASURES[cause].of for cause in of.causes if moves(cause, of.measure)]
        for n, one in enumerate(mine):
            for other in mine[n + 1 :]:
                apart = [
                    a
                    for a in one
                    for b in other
                    if a.field == b.field and not set(a.among).intersection(b.among)
                ]
                assert apart, (of.id, one, other)


def test_as_few_lines_as_reach_a_target_are_found() -> None:
    number = Number(522, 1000)
    groups = [Group(Change(4), 5, 20), Group(Change(1), 100, 100)]
    assert taken(number, groups, 7) == Number(544, 1000)
    assert fewest(number, groups, ">=", Fraction(60)) == 5 + 58
    assert fewest(number, groups, ">=", Fraction(52)) == 0
    assert fewest(number, groups, ">=", Fraction(65)) is None
    assert fewest(Number(0, 0), [], ">=", Fraction(60)) is None
    assert Number(0, 0).gain(Change(1)) is None
    assert Number(7).gain(Change(2)) == 2
