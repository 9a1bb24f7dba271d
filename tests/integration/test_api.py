"""The API over real facts: exact integers, clear problems, never a server error for bad input."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ganpo_cloud import computing
from ganpo_cloud.inlet.collector import Collector
from ganpo_cloud.province import publishing
from ganpo_cloud.store.settings import BrokerSettings
from ganpo_cloud.web.application import create_app
from ganpo_service.supervisor import Supervisor
from support import databases, seeding
from support.inlet import answered
from support.province import PROVINCE, Plant, enterprise
from support.seeding import ENTERPRISE, EXCHANGED, MAIN, MIDNIGHT, NOW, ONLINE, SILENT, STRANGER
from support.serving import Served

DAY = {"from": "2026-11-25T00:00:00+08:00", "to": "2026-11-26T00:00:00+08:00"}
LONG = "x" * 10_000
MONTH = "2026-10"


@pytest.fixture(scope="module")
def clock() -> seeding.TestClock:
    return seeding.TestClock()


@pytest.fixture(scope="module", params=databases.KINDS)
def http(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    clock: seeding.TestClock,
    postgresql: None,
) -> Iterator[httpx.Client]:
    databases.choose(request.param)
    plant = seeding.plant(tmp_path_factory.mktemp("api"))
    province = Plant(plant.database)
    province.take("enterprises", enterprise(ENTERPRISE))
    province.take("sites", f"{ENTERPRISE},plant-1,Plant,360681,Asia/Shanghai")
    province.take("population", "360681,NONFERROUS,2026,3,statistics")
    province.take("targets", "T01,360000,,>=,60,2020-12-31,,,plan")
    computing.settle(plant.database, PROVINCE, plant.now)
    publishing.publish(plant.database, PROVINCE, MONTH, plant.now)
    databases.choose("sqlite")
    with Served(create_app(plant.database, clock)) as served, httpx.Client(base_url=served.url) as client:
        yield client
    plant.database.close()


def get(http: httpx.Client, path: str, **params: str) -> Any:
    answer = http.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()


def test_a_quantity_is_an_exact_integer_and_the_hole_costs_nothing(http: httpx.Client) -> None:
    found = get(http, "quantities", subject=f"{ENTERPRISE}/DB-0101", carrier="electricity", **DAY)
    assert found == {
        "carrier": "electricity",
        "unit": "kWh",
        "millionths": 2_200_000_000,
        "spread_ms": 0,
        "unknown_ms": 0,
        "open": [],
        "breaks": [],
        "from": "2026-11-24T16:00:00.000Z",
        "to": "2026-11-25T16:00:00.000Z",
    }


def test_a_border_inside_a_hole_is_told_as_spread(http: httpx.Client) -> None:
    inside = {"from": "2026-11-25T00:00:00+08:00", "to": "2026-11-25T06:00:00+08:00"}
    found = get(http, "quantities", subject=f"{ENTERPRISE}/DB-0101", **inside)
    assert found["spread_ms"] == 3_600_000
    assert found["millionths"] == 900_000_000


def test_an_open_step_is_named_with_both_registers_and_counts_nothing(http: httpx.Client) -> None:
    found = get(http, "quantities", subject=f"{ENTERPRISE}/SB-W-01", carrier="water_fresh", **DAY)
    assert found["millionths"] == 3_300_000
    (step,) = found["open"]
    assert step["register"] == EXCHANGED
    assert (step["from_raw"], step["to_raw"], step["amount"]) == (48_521, 412, -48_109)


def test_subjects_tell_their_state_now_or_where_their_registers_stand(http: httpx.Client) -> None:
    found = {item["asset_no"]: item for item in get(http, "subjects")}
    assert {n: found[n]["state"] for n in seeding.NOW_STATES} == {
        n: str(state) for n, state in seeding.NOW_STATES.items()
    }
    assert found["CJ-01"]["state_since"] == "2026-11-25T06:35:00.000Z"
    assert found["JC-01"]["state"] is None
    assert found["JC-01"]["last_word"] is None
    (register,) = found["DB-0101"]["registers"]
    assert register == {
        "id": MAIN,
        "signal": "energy_import",
        "carrier": "electricity",
        "unit": "kWh",
        "num": 1,
        "den": 100,
        "raw": 5_040_300,
        "at": "2026-11-25T06:40:00.000Z",
    }
    assert found["DB-0101"]["kind"] == "meter"
    assert found["QB-01"]["registers"] == []


def test_a_machine_of_a_silent_gateway_is_unknown_whatever_was_said_last(
    http: httpx.Client, clock: seeding.TestClock
) -> None:
    def states() -> dict[str, str]:
        return {item["asset_no"]: item["state"] for item in get(http, "subjects")}

    assert states()["LB-01"] == "UNKNOWN"
    clock.now = NOW + timedelta(minutes=3)
    try:
        assert set(filter(None, states().values())) == {"UNKNOWN"}
    finally:
        clock.now = NOW


def test_a_day_is_painted_to_its_full_length(http: httpx.Client) -> None:
    found = get(http, f"subjects/{ENTERPRISE}/CJ-01/day", date="2026-11-25")
    assert found["timezone"] == "Asia/Shanghai"
    assert (found["start"], found["end"]) == ("2026-11-24T16:00:00.000Z", "2026-11-25T16:00:00.000Z")
    assert sum(found["ms"].values()) == 86_400_000
    assert all(a["end"] == b["start"] for a, b in pairwise(found["spans"]))
    assert found["spans"][-1] == {
        "start": "2026-11-25T06:30:00.000Z",
        "end": "2026-11-25T16:00:00.000Z",
        "state": "UNKNOWN",
    }
    assert found["planned"] is None
    assert found["kpis"] is None
    assert get(http, f"subjects/{ENTERPRISE}/CJ-01/day") == found
    empty = get(http, f"subjects/{ENTERPRISE}/CJ-01/day", date="2026-11-20")
    assert empty["ms"] == {"UNKNOWN": 86_400_000}


def test_the_day_of_a_meter_has_its_quantities(http: httpx.Client) -> None:
    (quantity,) = get(http, f"subjects/{ENTERPRISE}/DB-0101/day")["quantities"]
    assert (quantity["carrier"], quantity["millionths"]) == ("electricity", 2_200_000_000)


def test_gateways_tell_what_is_missing_and_what_waits(http: httpx.Client) -> None:
    found = {item["id"]: item for item in get(http, "gateways")}
    assert list(found) == [ONLINE, SILENT, STRANGER]
    (stream,) = found[ONLINE]["streams"]
    assert found[ONLINE]["online"] is True
    assert stream["issued"] == stream["stored"] + stream["missing"] + stream["lost"]
    assert (stream["missing"], stream["lost"]) == (3, 2)
    assert found[SILENT]["online"] is False
    assert found[SILENT]["last_word"] == "2026-11-25T03:42:00.000Z"
    assert found[STRANGER]["enterprise"] is None
    assert found[STRANGER]["quarantined"] == 1
    assert found[STRANGER]["quarantine_reason"].startswith("gateway: ")


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("quantities", {}, 422, "invalid"),
        ("quantities", {"subject": "nobody/nothing", **DAY}, 404, "subject"),
        ("quantities", {"subject": f"{ENTERPRISE}/DB-9", **DAY}, 404, "subject"),
        ("quantities", {"subject": "DB-0101", **DAY}, 404, "subject"),
        ("quantities", {"subject": LONG, **DAY}, 422, "invalid"),
        ("quantities", {"subject": f"{ENTERPRISE}/DB\x00-1", **DAY}, 404, "subject"),
        ("quantities", {"subject": f"{ENTERPRISE}/DB-0101", "carrier": "beer", **DAY}, 404, "carrier"),
        ("quantities", {"subject": f"{ENTERPRISE}/DB-0101", "carrier": LONG, **DAY}, 422, "invalid"),
        ("quantities", {"subject": f"{ENTERPRISE}/DB-0101", "from": "now", "to": DAY["to"]}, 422, "instant"),
        (
            "quantities",
            {"subject": f"{ENTERPRISE}/DB-0101", "from": "2026-11-25T00:00:00", "to": DAY["to"]},
            422,
            "instant",
        ),
        (
            "quantities",
            {"subject": f"{ENTERPRISE}/DB-0101", "from": "0001-01-01T00:00:00+14:00", "to": DAY["to"]},
            422,
            "instant",
        ),
        (
            "quantities",
            {"subject": f"{ENTERPRISE}/DB-0101", "from": DAY["to"], "to": DAY["from"]},
            422,
            "period",
        ),
        (
            "quantities",
            {"subject": f"{ENTERPRISE}/DB-0101", "from": "2010-01-01T00:00Z", "to": DAY["to"]},
            422,
            "period",
        ),
        (f"subjects/{ENTERPRISE}/XX/day", {}, 404, "subject"),
        (f"subjects/{ENTERPRISE}/{LONG}/day", {}, 422, "invalid"),
        (f"subjects/{ENTERPRISE}/a%00b/day", {}, 422, "invalid"),
        (f"subjects/{ENTERPRISE}/CJ-01/day", {"date": "2026-02-30"}, 422, "date"),
        (f"subjects/{ENTERPRISE}/CJ-01/day", {"date": "9999-12-31"}, 422, "date"),
        (f"subjects/{ENTERPRISE}/CJ-01/day", {"date": LONG}, 422, "invalid"),
        ("nothing", {}, 404, "http"),
        ("gateways/gw-none/transitions", {}, 404, "gateway"),
    ],
)
def test_bad_input_is_a_problem_that_says_what_and_where(
    http: httpx.Client, path: str, params: dict[str, str], status: int, code: str
) -> None:
    answer = http.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    print(problem)
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["title"]
    assert problem["where"]
    assert len(answer.text) < 1000, "what was sent is not sent back at length"


def test_a_method_that_would_write_is_refused(http: httpx.Client) -> None:
    for path in ("subjects", "quantities", "gateways"):
        assert http.post(f"/api/v1/{path}", json={}).status_code == httpx.codes.METHOD_NOT_ALLOWED


TEXTS = st.text(max_size=60) | st.sampled_from([ENTERPRISE, "DB-0101", "2026-11-25", DAY["from"], DAY["to"]])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=TEXTS, start=TEXTS, end=TEXTS, date=TEXTS, raw=st.binary(max_size=20))
def test_no_text_is_a_server_error(
    http: httpx.Client, subject: str, start: str, end: str, date: str, raw: bytes
) -> None:
    params = {"subject": f"{ENTERPRISE}/{subject}", "from": start, "to": end, "carrier": date}
    below = f"/api/v1/subjects/{quote(subject, safe='', errors='surrogatepass')}/{quote(raw)}/day"
    for path, query in (("/api/v1/quantities", params), (below, {"date": date})):
        assert http.get(path, params=query).status_code < 500


@pytest.mark.parametrize("params", [{"lang": "tlh"}, {"lang": "\x00"}, {"lang": LONG}, {"fragment": "maybe"}])
def test_a_page_nobody_asked_rightly_for_is_no_server_error(
    http: httpx.Client, params: dict[str, str]
) -> None:
    assert http.get("/", params=params).status_code in (200, 422)


def test_every_answer_is_as_the_openapi_document_says(http: httpx.Client) -> None:
    document = get(http, "openapi.json")
    answers = {
        "/api/v1/quantities": get(
            http, "quantities", subject=f"{ENTERPRISE}/SB-W-01", carrier="water_fresh", **DAY
        ),
        "/api/v1/subjects": get(http, "subjects"),
        "/api/v1/subjects/{enterprise}/{asset_no}/day": get(http, f"subjects/{ENTERPRISE}/CJ-01/day"),
        "/api/v1/gateways": get(http, "gateways"),
    }
    province = (
        "overview",
        "areas",
        "industries",
        "definitions",
        "equipment",
        "enterprises",
        "energy",
        "reports",
    )
    answers |= {f"/api/v1/{name}": get(http, name) for name in province}
    answers["/api/v1/why/{enterprise}"] = get(http, f"why/{ENTERPRISE}")
    answers["/api/v1/why/{enterprise}/{asset_no}"] = get(http, f"why/{ENTERPRISE}/CJ-01")
    answers["/api/v1/indicators/{id}"] = get(http, "indicators/nc_rate_main", by="month")
    answers["/api/v1/gateways/{id}/transitions"] = get(http, f"gateways/{ONLINE}/transitions")
    answers["/api/v1/reports/{month}"] = get(http, f"reports/{MONTH}")
    assert all(answers.values()), "an empty list would say nothing"
    lists = "plan targets front-runners capacity-use moves assessment dual-control ranking compare onboarded silent"
    # Rows of what is asked of lists that nobody took here stand in the tests of each.
    answers |= {
        f"/api/v1/{name}": get(http, name)
        for name in f"{lists} trees nodes banned banned/energy tags".split()
    }
    answers["/api/v1/energy/{month}"] = get(http, f"energy/{MONTH}")
    answers["/api/v1/tags/{id}"] = get(http, "tags/green_factory")
    elsewhere = {
        path for path in document["paths"] if path.startswith(("/api/v1/commissioned/", "/api/v1/banned/{"))
    }  # test_commissioned, test_banned
    assert set(document["paths"]) - elsewhere == set(answers)
    for path, answer in answers.items():
        responses = document["paths"][path]["get"]["responses"]
        assert set(responses) >= {"200", "422", "503"}
        schema = responses["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(answer, schema | {"components": document["components"]})
        for status in set(responses) - {"200"}:
            assert set(responses[status]["content"]) == {"application/problem+json"}
    problem = http.get("/api/v1/quantities").json()
    schema = document["components"]["schemas"]["Problem"]
    jsonschema.validate(problem, schema | {"components": document["components"]})


def test_every_field_and_parameter_is_described_with_a_true_example(http: httpx.Client) -> None:
    document = get(http, "openapi.json")
    for name, schema in document["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            where = f"{name}.{field}"
            assert "description" in about, where
            if about.get("type") == "null" or ("$ref" in json.dumps(about) and "examples" not in about):
                continue
            whole = about | {"components": document["components"]}
            for example in about.get("examples", [about.get("default")]):
                jsonschema.validate(example, whole)
                assert example is not None, where
    for path in document["paths"].values():
        for parameter in path["get"].get("parameters", []):
            assert "description" in parameter or "description" in parameter["schema"], parameter


def test_health_and_metrics_tell_of_collecting(tmp_path: Path) -> None:
    plant = seeding.Plant(seeding.empty(tmp_path))
    clock = seeding.TestClock()
    collector = Collector(BrokerSettings(), plant.database, clock, random.Random(1))
    with (
        Served(answered(plant.database, clock, collector, Supervisor(clock))) as served,
        httpx.Client(base_url=served.url) as http,
    ):
        answer = http.get("/health")
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert answer.json()["problem"] == "not connected yet"
        assert "ganpo_cloud_collecting 0\n" in http.get("/metrics").text
        collector.problem = ""
        assert http.get("/health").json() == {
            "ok": True,
            "problem": None,
            "dirty_days": 0,
            "set_apart": [],
            "pages": {},
            "tasks": {},
            "projection": {"waits": {}, "left_out": []},
        }
        assert "ganpo_cloud_collecting 1\n" in http.get("/metrics").text
    plant.database.close()


def test_a_database_that_fails_is_a_problem_of_its_own_and_the_page_says_so(tmp_path: Path) -> None:
    plant = seeding.Plant(seeding.empty(tmp_path))
    with plant.database.write() as connection:
        connection.execute(text("DROP TABLE live"))
    with (
        Served(create_app(plant.database, seeding.TestClock())) as served,
        httpx.Client(base_url=served.url) as http,
    ):
        answer = http.get("/api/v1/subjects")
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert answer.json()["code"] == "database"
        assert "no such table: live" in answer.json()["title"]
        page = http.get("/", params={"lang": "en"})
        assert page.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert "The database does not answer" in page.text
        assert "no such table: live" in page.text
    plant.database.close()


def test_numbers_travel_as_integers(http: httpx.Client) -> None:
    def integers(value: object) -> None:
        assert not isinstance(value, float)
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            integers(item)

    for path in ("subjects", "gateways", f"subjects/{ENTERPRISE}/DB-0101/day"):
        integers(json.loads(http.get(f"/api/v1/{path}").text))


def test_the_site_time_zone_cuts_the_day(http: httpx.Client) -> None:
    day = get(http, f"subjects/{ENTERPRISE}/CJ-01/day", date="2026-11-25")
    assert day["start"] == MIDNIGHT.isoformat(timespec="milliseconds").replace("+00:00", "Z")
