"""What the collector tells Prometheus: by its own tool without fault, and the numbers that it has."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text as sql_text

from ganpo_cloud.inlet.collector import Collector
from ganpo_cloud.store.settings import BrokerSettings
from ganpo_cloud.web.application import create_app
from ganpo_model.facts import Reading
from ganpo_model.frame import pack
from ganpo_service.exposition import Histogram, text
from ganpo_service.supervisor import Supervisor
from support import seeding
from support.inlet import answered
from support.promtool import check_metrics
from support.seeding import MAIN, NOW, ONLINE, SILENT
from support.serving import Served


@pytest.fixture
def plant(tmp_path: Path, each_database: str) -> Iterator[seeding.Plant]:
    plant = seeding.plant(tmp_path)
    yield plant
    plant.database.close()


def test_both_processes_tell_prometheus_what_it_expects(plant: seeding.Plant) -> None:
    clock = seeding.TestClock()
    collector = Collector(BrokerSettings(), plant.database, clock, random.Random(1))
    frame = pack(seeding.STREAM, 900, [Reading("reading", MAIN, NOW - timedelta(seconds=40), 1)])
    done, _ = collector._commit([(ONLINE, frame), (ONLINE, b"none")], [])
    collector._counted(done)
    plant.say(ONLINE, NOW, points={"bound": 1000, "at_fault": 12}, units={"asked": 9, "silent": 2})
    with Served(answered(plant.database, clock, collector, Supervisor(clock))) as inlet:
        host, port = inlet.url.removeprefix("http://").split(":")
        with Served(create_app(plant.database, clock, inlet=(host, int(port)))) as pages:
            for path in ("/api/v1/areas", "/", "/api/v1/none"):
                httpx.get(pages.url + path, timeout=20)
            answer = httpx.get(f"{pages.url}/metrics", timeout=20)
        assert httpx.get(f"{inlet.url}/metrics", timeout=20).text.count("\n") > 50
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert check_metrics(answer.text) == ""
    told = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert told['ganpo_cloud_frames_total{outcome="applied"}'] == "1"
    assert told['ganpo_cloud_ingest_lag_seconds_bucket{le="15"}'] == "0"
    assert told['ganpo_cloud_ingest_lag_seconds_bucket{le="60"}'] == "1"
    assert float(told["ganpo_cloud_ingest_lag_seconds_sum"]) == pytest.approx(40)
    assert told["ganpo_cloud_commit_duration_seconds_count"] == "1"
    assert (told["ganpo_cloud_gateways"], told["ganpo_cloud_gateways_online"]) == ("2", "1")
    online = f'ganpo_cloud_gateway_online{{gateway="{ONLINE}"}}'
    assert (told[online], told[online.replace(ONLINE, SILENT)]) == ("1", "0")
    assert told[f'ganpo_cloud_gateway_points_at_fault{{gateway="{ONLINE}"}}'] == "12"
    assert told[f'ganpo_cloud_gateway_units_silent{{gateway="{ONLINE}"}}'] == "2"
    assert f'ganpo_cloud_gateway_points_at_fault{{gateway="{SILENT}"}}' not in told, "it said nothing of it"
    count = "ganpo_cloud_http_request_duration_seconds_count"
    assert told[f'{count}{{kind="api",code="200"}}'] == "1"
    assert told[f'{count}{{kind="api",code="404"}}'] == "1"
    assert told[f'{count}{{kind="page",code="200"}}'] == "1"
    assert float(told["process_resident_memory_bytes"]) > 1_000_000
    assert float(told["ganpo_cloud_pages_resident_memory_bytes"]) > 1_000_000


def test_a_database_that_fails_leaves_what_the_process_knows(plant: seeding.Plant) -> None:
    with plant.database.write() as connection:
        connection.execute(sql_text("DROP TABLE live"))
    clock = seeding.TestClock()
    collector = Collector(BrokerSettings(), plant.database, clock, random.Random(1))
    with Served(answered(plant.database, clock, collector, Supervisor(clock))) as inlet:
        answer = httpx.get(f"{inlet.url}/metrics", timeout=20)
    assert answer.status_code == 200
    assert "ganpo_cloud_collecting 0\n" in answer.text
    assert "ganpo_cloud_gateways_online" not in answer.text, "nobody knows"
    assert check_metrics(answer.text) == ""


def test_a_histogram_counts_each_value_in_every_bucket_that_holds_it() -> None:
    histogram = Histogram("x_seconds", "Of x, in seconds.", (1, 5), "kind")
    for value in (0.5, 1, 3, 7):
        histogram.observe(value, 'a"\\\n')
    lines = text([histogram.family()]).splitlines()
    label = r'kind="a\"\\\n"'
    assert lines[2:] == [
        f'x_seconds_bucket{{{label},le="1"}} 2',
        f'x_seconds_bucket{{{label},le="5"}} 3',
        f'x_seconds_bucket{{{label},le="+Inf"}} 4',
        f"x_seconds_sum{{{label}}} 11.5",
        f"x_seconds_count{{{label}}} 4",
    ]
    assert check_metrics("\n".join([*lines, ""])) == ""
