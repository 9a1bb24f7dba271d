"""The province's numbers: from lists and facts to the API, over both kinds of database; recomputed by a plain loop."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from ganpo_cloud.imports import registry
from ganpo_cloud.web.application import create_app
from ganpo_model import credit_code
from ganpo_model.clock import iso
from ganpo_model.facts import (
    CalendarItem,
    Fact,
    Inventory,
    Reading,
    SiteItem,
    States,
)
from ganpo_model.states import State
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise, inventory, link_up
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.database(tmp_path))
    yield plant
    plant.database.close()


@pytest.fixture
def http(plant: Plant) -> Iterator[httpx.Client]:
    """Everything dirty is worked out before a question."""

    def settle(_request: httpx.Request) -> None:
        plant.settle()

    app = create_app(plant.database, TestClock(wall=NOW))
    hooks = {"request": [settle]}
    with (
        Served(app) as served,
        httpx.Client(base_url=f"{served.url}/api/v1", event_hooks=hooks, timeout=60) as client,
    ):
        yield client


def get(http: httpx.Client, path: str, **params: str | None) -> Any:
    answer = http.get(path, params={name: value for name, value in params.items() if value is not None})
    assert answer.status_code == 200, answer.text
    return answer.json()


def number(http: httpx.Client, name: str, **params: str | None) -> Any:
    return next(item for item in get(http, "/overview", **params) if item["id"] == name)


def test_a_machine_counts_step_by_step_as_evidence_comes(plant: Plant, http: httpx.Client) -> None:
    code = CODES[0]
    assert number(http, "nc_rate_main")["checked"] == {"numerator": 0, "denominator": 0}
    plant.take("enterprises", enterprise(code))
    plant.take("sites", f"{code},plant-1,Plant,360681,Asia/Shanghai")
    plant.take("targets", "T01,360000,,>=,60,2020-12-31,,,plan")
    assert number(http, "nc_rate_main")["status"] == "no_data", "null is not 0"
    registry.add(plant.database, "gw-test-0001", code, "plant-1")
    start = NOW - timedelta(hours=3)
    plant.send("gw-test-0001", [inventory("SB-1", "SB-2", flags=("main", "numerical_control"), at=start)])
    found = number(http, "nc_rate_main")
    assert (found["declared"]["numerator"], found["checked"]["numerator"], found["proven"]["numerator"]) == (
        2,
        0,
        0,
    )
    assert found["status"] == "below"
    assert found["enterprises"] == {"with_data": 1, "of": None}
    plant.send("gw-test-0001", [link_up("SB-1", start + timedelta(minutes=5), "numerical_control")])
    plant.take("flags", f"{code},SB-2,numerical_control,yes,document,2026-17,Wang,2026-11-01")
    found = number(http, "nc_rate_main")
    assert (found["checked"]["numerator"], found["proven"]["numerator"]) == (2, 1)
    assert found["status"] == "reached"
    plant.take("flags", f"{code},SB-2,numerical_control,no,document,2026-18,Wang,2026-11-20")
    assert number(http, "nc_rate_main")["declared"]["numerator"] == 1, (
        "a document stands above what is claimed"
    )
    assert number(http, "nc_rate_main", area="360600")["checked"]["denominator"] == 2
    assert number(http, "nc_rate_main", area="360100")["checked"]["denominator"] == 0
    assert number(http, "nc_rate_main", industry="FOOD")["checked"]["denominator"] == 0
    (one, two) = get(http, "/equipment")
    assert (one["flags"], two["flags"]) == (
        {"main": "claimed", "numerical_control": "controller"},
        {"main": "claimed"},
    )
    assert (one["area"], one["industry"], one["counts"]) == ("360681", "NONFERROUS", True)


def test_dates_of_onboarding_are_the_least_of_what_is_stored_in_whatever_order_it_came(
    plant: Plant, http: httpx.Client
) -> None:
    from sqlalchemy import select

    from ganpo_cloud.store.registry_tables import onboarding

    def dates() -> Any:
        with plant.database.read() as connection:
            return connection.execute(select(onboarding)).one()

    code = CODES[0]
    registry.add(plant.database, "gw-test-0001", code, "plant-1")
    noon = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
    quarter = timedelta(minutes=15)
    plant.send("gw-test-0001", [inventory("SB-1", at=noon)], NOW)
    unknown = States("states", "SB-1", noon - quarter, noon, ((0, State.UNKNOWN),))
    plant.send("gw-test-0001", [unknown], NOW)
    assert number(http, "equip_network_rate")["checked"] == {"numerator": 0, "denominator": 1}
    late = NOW + timedelta(minutes=1)
    run = States("states", "SB-1", noon, noon + quarter, ((0, State.UNKNOWN), (60_000, State.IDLE)))
    plant.send("gw-test-0001", [run], late)
    first = dates()
    assert first.networked_at == int((noon + timedelta(minutes=1)).timestamp() * 1000)
    assert first.cloud_at == int(late.timestamp() * 1000)
    assert '"states"' in first.evidence
    plant.send("gw-test-0001", [link_up("SB-1", noon - timedelta(days=2))], late + timedelta(minutes=1))
    older = States("states", "SB-1", noon - timedelta(days=3), noon - timedelta(days=2), ((0, State.IDLE),))
    plant.send("gw-test-0001", [older], late + timedelta(minutes=2))
    second = dates()
    assert second.networked_at == int((noon - timedelta(days=3)).timestamp() * 1000)
    assert second.cloud_at == first.cloud_at, "what comes later can come into the cloud no earlier"
    assert number(http, "equip_cloud_rate")["checked"] == {"numerator": 1, "denominator": 1}
    found = number(http, "equip_cloud_rate", as_of="2026-11-27")
    assert found["checked"] == {"numerator": 0, "denominator": 1}, "not before its commit"


def test_a_meter_known_before_its_inventory_has_the_dates_of_its_first_reading(plant: Plant) -> None:
    from sqlalchemy import select

    from ganpo_cloud.store.registry_tables import onboarding
    from ganpo_model.facts import MeterItem, RegisterItem

    register = "DB-1/energy_import#0123abcd"
    registry.add(plant.database, "gw-test-0001", CODES[0], "plant-1")
    at = NOW - timedelta(hours=5)
    plant.send("gw-test-0001", [Reading("reading", register, at, 100)], NOW - timedelta(hours=4))
    item = RegisterItem(
        register, "DB-1", "energy_import", "electricity", "kWh", 1, 100, None, 80_000, resets=False
    )
    meter = MeterItem("DB-1", "Main", "electricity", "boundary_in", None, None)
    site = SiteItem("plant-1", "Plant", "Asia/Shanghai", 900_000)
    told = Inventory("inventory", at, site, CalendarItem((), ()), (), (meter,), (item,))
    plant.send("gw-test-0001", [told], NOW - timedelta(hours=1))
    with plant.database.read() as connection:
        row = connection.execute(select(onboarding)).one()
    assert row.networked_at == int(at.timestamp() * 1000)
    assert row.cloud_at == int((NOW - timedelta(hours=4)).timestamp() * 1000)


@dataclass
class Machine:
    """What a test knows of one machine."""

    code: str
    asset_no: str
    area: str
    industry: str
    statuses: list[tuple[date, str]]
    flags: list[tuple[str, str, date, bool]]
    proven: datetime | None


@pytest.mark.parametrize("seed", [1])
def test_any_filter_and_instant_comes_to_what_a_plain_loop_counts(
    plant: Plant, http: httpx.Client, seed: int
) -> None:
    rng = random.Random(seed)
    print(f"seed {seed}")
    counties = [
        area for area, rows in PROVINCE.areas.items() if rows[-1].kind == "county" and rows[-1].until is None
    ]
    classes = {"NONFERROUS": "3211", "FOOD": "1310", "TEXTILE": "1711", "OTHER": "4011"}
    machines: list[Machine] = []
    for n, code in enumerate(CODES):
        industry = rng.choice(list(classes))
        plant.take("enterprises", enterprise(code, rng.choice(counties), classes[industry], industry))
        area = rng.choice(counties)
        plant.take("sites", f"{code},plant-1,Plant,{area},Asia/Shanghai")
        registry.add(plant.database, f"gw-test-000{n}", code, "plant-1")
        for m in range(rng.randrange(3, 9)):
            begin = date(2024, 1, 1) + timedelta(days=rng.randrange(900))
            statuses = [(begin, "in_use")]
            if rng.random() < 0.4:
                statuses.append(
                    (begin + timedelta(days=rng.randrange(1, 200)), rng.choice(["idle", "retired", "sealed"]))
                )
            flags = [
                (flag, evidence, begin + timedelta(days=rng.randrange(200)), rng.random() < 0.8)
                for flag in ("main", "numerical_control")
                for evidence in ("claimed", "document")
                if rng.random() < 0.7
            ]
            proven = NOW - timedelta(days=rng.randrange(1, 390)) if rng.random() < 0.4 else None
            machines.append(Machine(code, f"SB-{m}", area, industry, statuses, flags, proven))
        mine = [machine for machine in machines if machine.code == code]
        plant.take(
            "equipment",
            *(
                f"{code},plant-1,{x.asset_no},X,{status},{since}"
                for x in mine
                for since, status in x.statuses
            ),
        )
        plant.take(
            "flags",
            *(
                f"{code},{x.asset_no},{flag},{'yes' if value else 'no'},{evidence},D,Li,{since}"
                for x in mine
                for flag, evidence, since, value in x.flags
            ),
        )
        ups: list[Fact] = [
            link_up(x.asset_no, x.proven, "numerical_control") for x in mine if x.proven is not None
        ]
        if ups:
            plant.send(f"gw-test-000{n}", ups)
    for _ in range(30):
        area = rng.choice(
            [*(x.area for x in machines), "360000", *(PROVINCE.above(x.area)[1] for x in machines)]
        )
        chosen = rng.choice([None, *classes])
        day = (NOW - timedelta(days=rng.randrange(1, 700))).date()
        at = datetime.combine(day + timedelta(days=1), time(), timezone(timedelta(hours=8)))
        found = number(http, "nc_rate_main", area=area, industry=chosen, as_of=day.isoformat())
        assert found["as_of"] == iso(at)
        told = [found[level]["numerator"] for level in ("declared", "checked", "proven")]
        assert [*told, found["checked"]["denominator"]] == by_hand(machines, area, chosen, at), (
            area,
            chosen,
            at,
        )


def by_hand(machines: list[Machine], area: str, industry: str | None, at: datetime) -> list[int]:
    """N(main and NC) declared, checked, proven, and N(main), word by word."""
    day = (at - timedelta(days=1)).date()
    declared = checked = proven = among = 0
    for x in machines:
        if area not in PROVINCE.above(x.area) or industry not in (None, x.industry):
            continue
        status, since = "", day
        for begin, word in sorted(x.statuses):
            if begin <= day:
                status, since = word, begin
        leap = (since.month, since.day) == (2, 29)
        year_later = date(since.year + 1, 3, 1) if leap else since.replace(year=since.year + 1)
        if not (status == "in_use" or (status == "idle" and day <= year_later)):
            continue
        if holds(x, "main", day, at) == 0:
            continue
        among += 1
        level = holds(x, "numerical_control", day, at)
        declared, checked, proven = declared + (level > 0), checked + (level > 1), proven + (level > 2)
    return [declared, checked, proven, among]


def holds(machine: Machine, flag: str, day: date, at: datetime) -> int:
    """How well it is known: 0 not at all, 1 claimed, 2 document, 3 controller."""
    if flag == "numerical_control" and machine.proven is not None and machine.proven <= at:
        return 3
    for level, evidence in ((2, "document"), (1, "claimed")):
        rows = sorted((s, v) for f, e, s, v in machine.flags if f == flag and e == evidence and s <= day)
        if rows:
            return level if rows[-1][1] else 0
    return 0


def test_a_past_instant_does_not_change_when_later_facts_arrive(plant: Plant, http: httpx.Client) -> None:
    code = CODES[0]
    plant.take("enterprises", enterprise(code))
    registry.add(plant.database, "gw-test-0001", code, "plant-1")
    plant.send(
        "gw-test-0001",
        [inventory("SB-1", flags=("main",), at=NOW - timedelta(days=9))],
        NOW - timedelta(days=9),
    )
    then = (NOW - timedelta(days=5)).date().isoformat()
    before = get(http, "/overview", as_of=then)
    later = inventory("SB-1", "SB-2", flags=("main", "numerical_control"), at=NOW - timedelta(days=1))
    plant.send("gw-test-0001", [later])
    plant.send("gw-test-0001", [link_up("SB-1", NOW - timedelta(hours=1), "numerical_control")])
    assert get(http, "/overview", as_of=then) == before
    assert number(http, "nc_rate_main")["proven"] == {"numerator": 1, "denominator": 2}


QUESTIONS: list[tuple[str, dict[str, str], int, str]] = [
    ("/overview", {"area": "360105"}, 404, "湾里区 was abolished on 2020-06-01"),
    ("/overview", {"area": "x\x00y"}, 404, "no such area"),
    ("/overview", {"area": "9" * 41}, 422, "is longer than 40 characters"),
    ("/equipment", {"limit": "many"}, 422, "is no whole number"),
    ("/equipment", {"page": "0"}, 422, "is less than 1"),
    ("/indicators/nc_rate_main", {"by": "colour"}, 422, "is none of 'area', 'industry' or 'month'"),
    ("/quantities", {}, 422, "is missing"),
    ("/reports/2026-13", {}, 422, "is not written as it is described"),
    ("/overview", {"industry": "STEAL"}, 404, "no such industry"),
    ("/overview", {"as_of": "2031-01-01"}, 422, "lies in the future"),
    ("/overview", {"as_of": "yesterday"}, 422, "not a date"),
    ("/overview", {"as_of": "2026-11-25T00:00:00+08:00"}, 422, "the date: as_of=2026-11-24"),
    ("/overview", {"as_of": "2026-11-25T00:00:01+08:00"}, 422, "the date: as_of=2026-11-25"),
    ("/overview", {"as_of": "2026-11-25T20:00:00Z"}, 422, "the date: as_of=2026-11-26"),
    ("/overview", {"as_of": "20261125"}, 422, "not a date"),
    ("/equipment", {"area": "nowhere"}, 404, "no such area"),
    ("/enterprises", {"as_of": "2026-11-25T10:00:00"}, 422, "the date: as_of=2026-11-25"),
    ("/areas", {"as_of": "1999-01-01"}, 422, "between 2000 and 2099"),
]


def test_bad_input_is_a_problem_that_says_what(http: httpx.Client) -> None:
    for path, params, status, told in QUESTIONS:
        answer = http.get(path, params=params)
        assert answer.status_code == status, (path, params)
        assert told in answer.text, (path, params)
        assert answer.headers["content-type"].startswith("application/problem+json"), (path, params)


def test_areas_and_industries_are_those_of_the_instant(http: httpx.Client) -> None:
    def names(**params: str) -> set[str]:
        return {area["name_zh"] for area in get(http, "/areas", **params)}

    assert "湾里区" not in names()
    assert "湾里区" in names(as_of="2019-01-01")
    assert "红谷滩区" not in names(as_of="2019-01-01")
    assert len(get(http, "/industries")) == 9


def test_a_database_that_fails_is_told_on_page_and_api_with_the_time_of_the_last_answer(
    plant: Plant, http: httpx.Client
) -> None:
    home = str(http.base_url).partition("/api")[0]
    assert httpx.get(f"{home}/overview?lang=en").status_code == 200
    with plant.database.write() as connection:
        connection.execute(text("ALTER TABLE area_month RENAME TO away"))
    for path in ("overview", "energy", "indicators/nc_rate_main"):
        page = httpx.get(f"{home}/{path}?lang=en")
        assert page.status_code == 503
        assert "The database does not answer" in page.text
        assert "It last answered on Sat 28 Nov 2026, 10:00:00" in page.text
    assert http.get("/overview").status_code == 503
    with plant.database.write() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO area_month"))
    assert "The database does not answer" not in httpx.get(f"{home}/overview?lang=en").text


def test_a_retired_machine_counts_at_an_enterprise_as_it_counts_for_the_province(
    plant: Plant, http: httpx.Client
) -> None:
    code = CODES[0]
    plant.take("enterprises", enterprise(code))
    plant.take("sites", f"{code},plant-1,Plant,360681,Asia/Shanghai")
    registry.add(plant.database, "gw-test-0001", code, "plant-1")
    start = NOW - timedelta(days=3)
    plant.send("gw-test-0001", [inventory("SB-1", "SB-2", flags=("main",), at=start)], NOW)
    runs = ((0, State.IDLE),)
    seen = [States("states", name, start, start + timedelta(days=1), runs) for name in ("SB-1", "SB-2")]
    plant.send("gw-test-0001", [*seen], NOW)
    plant.take("equipment", f"{code},plant-1,SB-2,Old,retired,2026-11-27")
    overview = {item["id"]: item["checked"]["numerator"] for item in get(http, "/overview")}
    assert (overview["equipment_onboarded"], overview["equipment_onboarded_ever"]) == (1, 2)
    (listed,) = get(http, "/enterprises")
    assert [listed[name] for name in ("devices", "registered", "main", "networked", "cloud")] == [1] * 5
    page = httpx.get(f"{str(http.base_url).partition('/api')[0]}/enterprises/{code}?lang=en").text
    page = re.sub("<[^>]+>", "", page)  # each number is marked
    assert page.count("1 of 1 device") == 3, "registered, on the network, in the cloud"
    assert "of 2 devices" not in page


def test_a_machine_that_was_linked_today_is_on_the_network_though_no_state_of_it_was_known(
    plant: Plant, http: httpx.Client
) -> None:
    code = CODES[0]
    plant.take("enterprises", enterprise(code))
    plant.take("sites", f"{code},plant-1,Plant,360681,Asia/Shanghai")
    registry.add(plant.database, "gw-test-0001", code, "plant-1")
    start = NOW - timedelta(hours=3)
    plant.send("gw-test-0001", [inventory("SB-1", "SB-2", flags=("main",), at=start)], start)
    plant.send("gw-test-0001", [link_up("SB-1", start + timedelta(minutes=5))], start + timedelta(minutes=6))
    rows = {row["asset_no"]: row for row in get(http, "/equipment")}
    assert (rows["SB-1"]["networked"], rows["SB-1"]["age"]) == (True, "seen")
    assert (rows["SB-2"]["networked"], rows["SB-2"]["age"]) == (False, None)
    networked = get(http, "/equipment", measure="now_networked")
    assert [row["asset_no"] for row in networked] == ["SB-1"]


def pages(http: httpx.Client, path: str) -> str:
    answer = http.get(f"{str(http.base_url).partition('/api')[0]}/{path}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_gateways_that_send_and_stand_in_no_registry_are_named_where_several_enterprises_are_known(
    plant: Plant, http: httpx.Client
) -> None:
    plant.take("enterprises", enterprise(CODES[0]), enterprise(CODES[1]))
    registry.add(plant.database, "gw-test-0001", CODES[0], "plant-1")
    for n in range(1, 6):
        plant.send(f"gw-new-000{n}", [Reading("reading", "DB-1/energy_import#1f3a9c02", NOW, n)])
    waiting = [row["id"] for row in get(http, "/gateways") if row["enterprise"] is None]
    assert waiting == [f"gw-new-000{n}" for n in range(1, 6)]
    overview = pages(http, "overview?lang=en")
    told = "5 gateways send and stand in no registry (gw-new-0001, gw-new-0002, gw-new-0003 …)"
    assert told in re.sub("<[^>]*>", "", overview)
    assert 'href="/gateways?lang=en"' in overview
    page = pages(http, "gateways?lang=en")
    for number in waiting:
        assert f"ganpo-cloud gateway add {number} --enterprise CODE" in page
    assert "0 of 1 gateway is online." in page
    assert f'href="/enterprises/{CODES[0]}?lang=en">Name</a><small>{CODES[0]}</small>' in page


def test_a_past_day_says_nothing_of_who_is_there_and_what_waits_now(plant: Plant, http: httpx.Client) -> None:
    plant.take("enterprises", enterprise(CODES[0]), enterprise(CODES[1]))
    registry.add(plant.database, "gw-test-0001", CODES[0], "plant-1")
    plant.send("gw-new-0001", [Reading("reading", "DB-1/energy_import#1f3a9c02", NOW, 1)])
    of_now = (
        "gateways online now",
        "registers with something open",
        "frames in quarantine",
        "are offline",
        "are in quarantine",
        "stand in no registry",
    )
    today, past = (pages(http, f"overview?lang=en{more}") for more in ("", "&as_of=2026-11-20"))
    assert [words for words in of_now if words not in today] == []
    assert [words for words in of_now if words in past] == []
    assert "known of planned time" in past


def test_a_month_of_a_carrier_is_hatched_where_less_than_nine_tenths_of_what_is_declared_is_covered(
    plant: Plant, http: httpx.Client
) -> None:
    codes = [credit_code.completed(f"91360681DEM{n:05d}") for n in range(10)]
    plant.take("enterprises", *map(enterprise, codes))
    plant.take("carriers", *(f"{code},2026,electricity" for code in codes))
    stated = {"2026-08": codes, "2026-09": codes[:9], "2026-10": codes[:8]}
    plant.take(
        "statements",
        *(
            f"{code},{month},electricity,1000,kWh,B-1,Wang,whole"
            for month, of in stated.items()
            for code in of
        ),
    )
    table = pages(http, "energy?lang=en").split('aria-label="Carriers by month"')[1].split("</table>")[0]
    row = table.split("<tbody>")[1]
    cells = re.findall(r'<td class="(num|num partial)">(?:<a[^>]*>)?(?:<data[^>]*>)?([^<]*)<', row)
    hatched = {value: kind == "num partial" for kind, value in cells}
    assert hatched["10.00 thousand"] is False
    assert hatched["9.00 thousand"] is False, "nine of ten"
    assert hatched["8.00 thousand"] is True
