"""A month is published once, with its checksum, by hand or on the 5th; what changes later stands beside it."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from ganpo_cloud.imports import registry
from ganpo_cloud.province import publishing
from ganpo_cloud.store.database import Database
from ganpo_cloud.web.application import create_app
from ganpo_model.errors import ConfigError
from ganpo_model.facts import States
from ganpo_model.states import State
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise, inventory, link_up
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
CODE = CODES[0]
PARTS = {"360000", *PROVINCE.parts("360000", NOW.date())}
MONTH = "2026-10"


def fill(database: Database) -> None:
    plant = Plant(database)
    plant.take("enterprises", enterprise(CODE))
    plant.take("sites", f"{CODE},plant-1,P,360681,Asia/Shanghai")
    registry.add(plant.database, "gw-test-0001", CODE, "plant-1")
    begin = NOW - timedelta(days=60)
    plant.send(
        "gw-test-0001", [inventory("SB-1", "SB-2", flags=("main", "numerical_control"), at=begin)], begin
    )
    plant.send("gw-test-0001", [link_up("SB-1", begin, "numerical_control")], begin)
    plant.settle()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.filled(tmp_path, fill), {"gw-test-0001": 2})
    yield plant
    plant.database.close()


def line(plant: Plant, metric: str = "nc_rate_main") -> publishing.Line:
    with plant.database.read() as connection:
        found = publishing.read(connection, MONTH)
    assert found is not None
    return found.lines[metric, "360000", ""]


def test_what_was_published_stays_and_what_changed_stands_beside_it(plant: Plant) -> None:
    found = publishing.publish(plant.database, PROVINCE, MONTH, NOW)
    assert len(found.checksum) == 64
    assert (line(plant)["checked"], line(plant)["denominator"]) == (1, 2)
    plant.take("flags", f"{CODE},SB-2,numerical_control,yes,document,2026-17,Wang,2026-10-15")
    plant.settle()
    assert (line(plant)["checked"], line(plant)["denominator"]) == (1, 2)
    app = create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        rows = http.get(f"/api/v1/reports/{MONTH}").json()
        (row,) = [
            r for r in rows if (r["metric"], r["area"], r["industry"]) == ("nc_rate_main", "360000", None)
        ]
        assert row["published"] == {"numerator": 1, "denominator": 2}
        assert row["revised"] == {"numerator": 2, "denominator": 2}
        page = http.get(f"/reports/{MONTH}", params={"lang": "en"}).text
        assert found.checksum in page
        told = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page))
        assert "CNC coverage of main equipment is 50.0% (checked)." in told, (
            "the first sentence is that of the release"
        )
        assert "Next release: the report of Nov 2026, on 5 Dec 2026." in told
        assert (row["why"], row["revised_at"]) == ("lists", None)
        revised = [r for r in rows if r["why"] is not None]
        assert revised == [r for r in rows if r["published"] != r["revised"]]
        assert f"Revised since: {sum(r['area'] in PARTS for r in revised)} numbers" in told
        assert "lists were corrected or entered later" in told
        sheet = http.get(f"/api/v1/reports/{MONTH}", params={"format": "csv", "lang": "zh"}).text
        assert "清单后来更正或补录" in sheet
        assert "revised 100.0%" in re.sub("<[^>]+>", "", page), "each number is marked"
        assert http.get("/api/v1/reports").json()[0]["checksum"] == found.checksum
        assert http.get("/api/v1/reports/2026-09").status_code == 404
        assert http.get("/api/v1/reports/2026-13").status_code == 422


def test_a_number_that_facts_moved_says_so_and_when_and_one_that_nothing_moved_is_not_revised(
    plant: Plant,
) -> None:
    publishing.publish(plant.database, PROVINCE, MONTH, NOW)
    app = create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        assert "Not revised since it was published." in http.get(f"/reports/{MONTH}?lang=en").text
        assert {row["why"] for row in http.get(f"/api/v1/reports/{MONTH}").json()} == {None}
        later = NOW + timedelta(hours=1)
        start = datetime(2026, 10, 20, 2, tzinfo=UTC)
        plant.send(
            "gw-test-0001",
            [States("states", "SB-2", start, start + timedelta(hours=1), ((0, State.PRODUCING),))],
            later,
        )
        plant.settle(later)
        rows = http.get(f"/api/v1/reports/{MONTH}").json()
        moved = {
            row["metric"]: row
            for row in rows
            if row["why"] and row["area"] == "360000" and not row["industry"]
        }
    assert moved["equip_network_rate"]["why"] == "late_facts"
    assert moved["equip_network_rate"]["revised_at"] == "2026-11-28T03:00:00.000Z"


def test_the_next_release_is_on_the_5th_and_at_once_where_it_was_missed() -> None:
    for today, months, told in (
        (date(2026, 11, 3), [], ("2026-10", date(2026, 11, 5))),
        (date(2026, 11, 28), ["2026-10"], ("2026-11", date(2026, 12, 5))),
        (date(2026, 11, 28), [], ("2026-10", date(2026, 11, 28))),
        (date(2026, 12, 31), ["2026-11"], ("2026-12", date(2027, 1, 5))),
    ):
        assert publishing.release(today, months) == told


def test_it_is_published_once_and_only_when_it_is_over(plant: Plant) -> None:
    collector = partial(publishing.publish, plant.database, PROVINCE, MONTH, NOW)
    with pytest.raises(ConfigError, match="it is never changed"):
        publishing.publish(databases.Meanwhile(plant.database, collector), PROVINCE, MONTH, NOW)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="it is never changed"):
        publishing.publish(plant.database, PROVINCE, MONTH, NOW)
    with pytest.raises(ConfigError, match="is not over"):
        publishing.publish(plant.database, PROVINCE, "2026-11", NOW)


def test_a_month_of_which_something_waits_is_not_published_before_it_is_worked_out(plant: Plant) -> None:
    plant.take("flags", f"{CODES[0]},SB-2,numerical_control,yes,document,D,Li,2020-01-01")
    with pytest.raises(ConfigError, match=r"2026-10: is not worked out yet: \d+ marks wait; ganpo-cloud run"):
        publishing.publish(plant.database, PROVINCE, MONTH, NOW)
    publishing.when_due(plant.database, PROVINCE, NOW)
    with plant.database.read() as connection:
        assert publishing.reports(connection) == []
    plant.settle()
    publishing.when_due(plant.database, PROVINCE, NOW)
    assert line(plant)["checked"] == 2, "and not what stood there before"


def test_rows_that_were_touched_are_told_and_not_shown(plant: Plant) -> None:
    publishing.publish(plant.database, PROVINCE, MONTH, NOW)
    with plant.database.write() as connection:
        connection.execute(
            text("UPDATE published SET rows = replace(rows, '\"checked\": 1', '\"checked\": 2')")
        )
    with plant.database.read() as connection, pytest.raises(ConfigError, match="the checksum differs"):
        publishing.read(connection, MONTH)
    app = create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        page = http.get(f"/reports/{MONTH}", params={"lang": "en"})
        assert page.status_code == 409
        assert "This report is damaged" in page.text
        assert http.get(f"/api/v1/reports/{MONTH}").status_code == 409


def test_the_collector_publishes_on_the_5th_and_when_it_was_away_then(plant: Plant) -> None:
    fourth = datetime.fromisoformat("2026-11-04T23:00:00+08:00")
    publishing.when_due(plant.database, PROVINCE, fourth)
    with plant.database.read() as connection:
        assert publishing.reports(connection) == []
    publishing.when_due(plant.database, PROVINCE, fourth + timedelta(hours=2))
    publishing.when_due(plant.database, PROVINCE, fourth + timedelta(days=9))
    with plant.database.read() as connection:
        assert [report.month for report in publishing.reports(connection)] == [MONTH]
    publishing.when_due(plant.database, PROVINCE, datetime.fromisoformat("2026-12-20T00:00:00+08:00"))
    with plant.database.read() as connection:
        assert [report.month for report in publishing.reports(connection)] == ["2026-11", MONTH]


def test_nothing_is_published_where_nothing_is_counted(tmp_path: Path) -> None:
    database = databases.database(tmp_path)
    publishing.when_due(database, PROVINCE, NOW)
    with pytest.raises(ConfigError, match="nothing is counted in it"):
        publishing.publish(database, PROVINCE, MONTH, NOW)
    with database.read() as connection:
        assert publishing.reports(connection) == []
    database.close()
