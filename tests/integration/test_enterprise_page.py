"""The page of an enterprise: where it stands, what it asks the database, and what belongs to nobody yet."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.event import listen, remove

from ganpo_cloud.imports import registry
from ganpo_cloud.inlet import lives
from ganpo_cloud.store import sql
from ganpo_cloud.web.application import create_app
from ganpo_cloud.web.pages import enterprise, templating
from ganpo_cloud.web.pages.rendering import Rendering, Scope, Site
from ganpo_model.facts import MeterItem, Reading, RegisterItem, States
from ganpo_model.states import State
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, STREAM, Plant, inventory
from support.province import enterprise as listed
from support.serving import Served

QUARTER = timedelta(minutes=15)


@pytest.fixture
def plant(tmp_path: Path, each_database: str) -> Iterator[Plant]:
    plant = Plant(databases.database(tmp_path))
    yield plant
    plant.database.close()


def register(n: int) -> str:
    return f"DB-{n}/energy_import#1f3a9c0{n}"


def observe(plant: Plant, gateway: str, numbers: range, told: datetime = NOW - 8 * QUARTER) -> None:
    """Machines and meters of one gateway, each with an hour of states or readings; `told`: its inventory."""
    registry.add(plant.database, gateway, CODES[0], "plant-1")
    meters = [MeterItem(f"DB-{n}", "表", "electricity", "boundary_in", None, None) for n in numbers]
    registers = [
        RegisterItem(
            register(n), f"DB-{n}", "energy_import", "electricity", "kWh", 1, 100, None, 60_000, resets=False
        )
        for n in numbers
    ]
    named = inventory(*(f"SB-{n}" for n in numbers), at=told)
    at = [NOW - (8 - k) * QUARTER for k in range(4)]
    runs = ((0, State.PRODUCING),)
    plant.send(gateway, [replace(named, meters=tuple(meters), registers=tuple(registers))])
    plant.send(gateway, [States("states", f"SB-{n}", t, t + QUARTER, runs) for n in numbers for t in at])
    plant.send(
        gateway, [Reading("reading", register(n), t, 100 * k) for n in numbers for k, t in enumerate(at)]
    )


def asked(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many questions the whole page asks; one for many values is one round trip."""
    number = 0
    each = sql.each

    def count(*_: object) -> None:
        nonlocal number
        number += 1

    def once(connection: Any, statement: str, values: Any) -> Any:
        count()
        monkeypatch.setattr(sql, "_done", done)
        found = list(each(connection, statement, values))
        monkeypatch.setattr(sql, "_done", counted)
        return iter(found)

    done = sql._done

    def counted(*given: Any, **named: Any) -> Any:
        count()
        return done(*given, **named)

    site = Site(plant.database, TestClock(wall=NOW), PROVINCE)
    with monkeypatch.context() as patched, plant.database.read() as connection:
        patched.setattr(sql, "each", once)
        patched.setattr(sql, "_done", counted)
        listen(connection.engine, "before_cursor_execute", count)
        frame = Rendering(
            site, Scope(PROVINCE, NOW, PROVINCE.whole, path=f"/enterprises/{CODES[0]}", lang="en")
        )
        enterprise._enterprise(connection, frame, CODES[0], fragment=False, alone=True)
        remove(connection.engine, "before_cursor_execute", count)
    return number


def test_nine_machines_meters_and_gateways_are_shown_with_as_many_questions_as_one(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant.take("enterprises", listed(CODES[0]))
    observe(plant, "gw-press-0001", range(1, 2))
    plant.settle()
    few = asked(plant, monkeypatch)
    for n in range(2, 10):
        observe(plant, f"gw-press-000{n}", range(n, n + 1))
    plant.settle()
    assert asked(plant, monkeypatch) == few
    with capsys.disabled():
        print(f"\nthe page of an enterprise asks {few} questions")


def test_where_one_enterprise_is_known_the_root_is_its_page_and_where_several_are_the_overview(
    plant: Plant,
) -> None:
    with Served(create_app(plant.database, TestClock(wall=NOW))) as served:

        def heading() -> str:
            page = httpx.get(f"{served.url}/", params={"lang": "en"}).text
            return page.split("<h1>")[1].split("</h1>")[0]

        assert heading() == "Plant now"
        plant.take("enterprises", listed(CODES[0]))
        plant.settle()
        assert heading() == "Name"
        plant.take("enterprises", listed(CODES[1]))
        plant.settle()
        assert heading().startswith("Jiangxi")


def test_what_belongs_to_nobody_yet_is_shown_where_it_can_belong_to_one_alone(plant: Plant) -> None:
    observe(plant, "gw-press-0001", range(1, 2))
    plant.send("gw-new-0003", [Reading("reading", register(1), NOW, 1)])
    with Served(create_app(plant.database, TestClock(wall=NOW))) as served:
        address = f"{served.url}/enterprises/{CODES[0]}?lang=en"
        assert "ganpo-cloud gateway add gw-new-0003" in httpx.get(address).text
        registry.add(plant.database, "gw-other-0001", CODES[1], "plant-1")
        assert "gw-new-0003" not in httpx.get(address).text


@pytest.mark.parametrize(("there", "level"), [(2, "look"), (1, "act now")])
def test_half_of_the_gateways_away_has_to_be_acted_on_at_once(plant: Plant, there: int, level: str) -> None:
    for n in (1, 2, 3):
        observe(plant, f"gw-press-000{n}", range(n, n + 1))
    said = json.dumps({"v": 1, "session": STREAM, "interval_s": 60, "stream": STREAM}).encode()
    lives.hear(plant.database, [(f"gw-press-000{n}", said) for n in range(1, there + 1)], NOW)
    with Served(create_app(plant.database, TestClock(wall=NOW))) as served:
        page = httpx.get(f"{served.url}/?lang=en").text
    for n in range(there + 1, 4):
        line = page.split(f"<b>gw-press-000{n}</b> the gateway is offline")[0].rsplit("<li>", 1)[1]
        assert f'aria-label="{level}"' in line, n


@pytest.mark.parametrize(("link", "told"), [({"state": "up"}, "SB-1 up"), ({}, "SB-1 —")])
def test_a_connection_of_which_a_gateway_says_less_than_ours_do_breaks_no_page(
    plant: Plant, link: dict[str, str], told: str
) -> None:
    observe(plant, "gw-press-0001", range(1, 2))
    said = {"v": 1, "session": STREAM, "interval_s": 60, "stream": STREAM, "connections": {"SB-1": link}}
    lives.hear(plant.database, [("gw-press-0001", json.dumps(said).encode())], NOW)
    with Served(create_app(plant.database, TestClock(wall=NOW))) as served:
        page = httpx.get(f"{served.url}/?lang=en")
    assert page.status_code == 200
    assert told in page.text


def test_without_the_charts_the_page_says_so_and_opens_the_table(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe(plant, "gw-press-0001", range(1, 2))
    monkeypatch.setattr(templating, "ECHARTS", "vendor/none.js")
    templating.environments.cache_clear()
    try:
        with Served(create_app(plant.database, TestClock(wall=NOW))) as served:
            page = httpx.get(f"{served.url}/overview?lang=en").text
    finally:
        templating.environments.cache_clear()
    assert "Charts are not installed" in page
    assert "<details open>" in page


def test_what_is_observed_though_no_inventory_of_its_enterprise_names_it_is_shown_with_what_is_known(
    plant: Plant,
) -> None:
    plant.take("enterprises", listed(CODES[0]), listed(CODES[1]))
    observe(plant, "gw-press-0001", range(1, 2), told=NOW - timedelta(days=1))
    registry.add(plant.database, "gw-press-0001", CODES[1], "plant-1", date(2026, 11, 28), NOW)
    plant.settle()
    day, quantity, parameters = (
        f"/api/v1/subjects/{CODES[1]}/SB-1/day?date=2026-11-28",
        "/api/v1/quantities",
        {
            "subject": f"{CODES[1]}/DB-1",
            "from": "2026-11-28T00:00:00+08:00",
            "to": "2026-11-28T10:00:00+08:00",
        },
    )
    with (
        Served(create_app(plant.database, TestClock(wall=NOW))) as served,
        httpx.Client(base_url=served.url, timeout=60) as http,
    ):

        def page(asset_no: str, code: str = CODES[1]) -> tuple[int, str]:
            found = http.get(f"/enterprises/{code}/{asset_no}?lang=en")
            return found.status_code, found.text

        assert http.get(day).json()["ms"]["PRODUCING"] == 3_600_000, "as it is painted"
        told = http.get(quantity, params=parameters).json()
        assert (told["status"], told["title"]) == (404, "no inventory says that DB-1 measures electricity")
        for asset_no in ("SB-1", "DB-1"):
            status, text = page(asset_no)
            assert status == 200
            assert "Nothing of this number is known" not in text
            assert "no inventory of this enterprise names it yet" in text
        assert "Painted days" in page("SB-1")[1]
        assert "Painted days" not in page("DB-1")[1], "readings alone are of a meter"
        assert "2026-11-28" in page("SB-1")[1]
        assert page("SB-2")[0] == page("DB")[0] == 404, "of these nothing is stored"
