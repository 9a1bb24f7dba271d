"""Every query of the dashboards of deploy/grafana finds something in a store that the projection filled, and what a
gateway and a collector tell."""

import asyncio
import json
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_agent.local import metrics as of_gateway
from ganpo_cloud.inlet.collector import Collector
from ganpo_cloud.projection import writing
from ganpo_cloud.store.settings import BrokerSettings, ProjectionSettings
from ganpo_cloud.web.application import create_app
from ganpo_model.facts import Reading
from ganpo_model.frame import pack
from ganpo_service.supervisor import Supervisor
from integration.test_gateway_metrics import agent_of
from integration.test_local_api import running, until
from support import seeding
from support.inlet import answered
from support.seeding import MAIN, ONLINE
from support.serving import Served
from support.victoria import Victoria

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
DOCUMENTED = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
MIDNIGHT = datetime.combine(datetime.now(UTC) - timedelta(days=3), day_time(16), UTC)
"""The store takes nothing that lies ahead of its own clock."""


@dataclass
class Store:
    """A filled VictoriaMetrics, and the moments at which something is to be found in it."""

    victoria: Victoria
    moments: tuple[float, ...]

    def take(self, text: str, at: float, **labels: str) -> None:
        """What Prometheus would have scraped then."""
        extra = [f"{name}={value}" for name, value in labels.items()]
        query: dict[str, str | list[str]] = {"timestamp": str(int(at * 1000)), "extra_label": extra}
        url = f"{self.victoria.url}/api/v1/import/prometheus"
        assert httpx.post(url, params=query, content=text, timeout=20).status_code == 204

    def ask(self, query: str, at: float) -> list[Any]:
        """The rows of an instant query; PromQL that is wrong fails."""
        asked = {"query": query, "time": str(at), "nocache": "1"}
        answer = httpx.get(f"{self.victoria.url}/api/v1/query", params=asked, timeout=20)
        assert answer.status_code == 200, f"{query}: {answer.text}"
        found: list[Any] = answer.json()["data"]["result"]
        return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """By the projection of a plant, by the collector of that plant, and by a running gateway."""
    folder = tmp_path_factory.mktemp("dashboards")
    with Victoria(folder) as victoria:
        now = time.time()
        store = Store(victoria, (now - 90, (MIDNIGHT + seeding.AGE).timestamp(), MIDNIGHT.timestamp()))
        plant = seeding.plant(folder / "cloud", MIDNIGHT)
        writing.rebuild(plant.database, ProjectionSettings(url=victoria.url, bucket="ganpo", org="ganpo"))
        for seq, text in enumerate(_of_collector(plant)):
            store.take(text, now - 180 + 60 * seq, job="ganpo-cloud")
        plant.database.close()
        for seq, text in enumerate(asyncio.run(_of_gateway(folder / "gateway"))):
            store.take(text, now - 180 + 60 * seq, job="ganpo", gateway="gw-test-0001")
        httpx.get(f"{victoria.url}/internal/force_flush", timeout=20)
        yield store


def _of_collector(plant: seeding.Plant) -> Iterator[str]:
    """What it tells, twice, with something to do before each."""
    clock = seeding.TestClock(plant.now)
    collector = Collector(BrokerSettings(), plant.database, clock, random.Random(1))
    with Served(answered(plant.database, clock, collector, Supervisor(clock))) as inlet:
        host, port = inlet.url.removeprefix("http://").split(":")
        with Served(create_app(plant.database, clock, inlet=(host, int(port)))) as pages:
            for seq in (1, 2):
                reading = Reading("reading", MAIN, plant.now - timedelta(seconds=40), seq)
                done, _ = collector._commit([(ONLINE, pack(seeding.STREAM, 900 + seq, [reading]))], [])
                collector._counted(done)
                plant.say(
                    ONLINE, plant.now, points={"bound": 9, "at_fault": 2}, units={"asked": 2, "silent": 1}
                )
                httpx.get(f"{pages.url}/api/v1/areas", timeout=20)
                yield httpx.get(f"{pages.url}/metrics", timeout=20).text


async def _of_gateway(folder: Path) -> list[str]:
    """The same of a gateway that reads, and has been acknowledged."""
    agent = agent_of(folder)
    async with running(agent) as client:
        await until(client, "status", lambda told: told["units_silent"] and told["outbox"]["waiting"])
        agent.uplink.last_ack = datetime.now(UTC)
        agent.time.tell(datetime.now(UTC) + timedelta(seconds=1), 0.0)
        return [of_gateway.of(agent, await agent.keeper.backlog()) for _ in range(2)]


def dashboards() -> list[Any]:
    """Each with its name."""
    return [
        pytest.param(json.loads(file.read_text()), id=file.stem) for file in sorted(FOLDER.glob("*.json"))
    ]


def queries(dashboard: Any) -> list[str]:
    """Of its panels, with everything chosen."""
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    texts = [query.replace("$__rate_interval", "5m") for query in found]
    return [re.sub(r"\$(gateway|enterprise|subject)\b", ".*", text) for text in texts]


@pytest.mark.parametrize("dashboard", dashboards())
def test_every_query_finds_something(filled: Store, dashboard: Any) -> None:
    asked = queries(dashboard)
    assert len(asked) > 10
    assert not [query for query in asked if "$" in query]
    nothing = [query for query in asked if not any(filled.ask(query, at) for at in filled.moments)]
    assert nothing == []


@pytest.mark.parametrize("dashboard", dashboards())
def test_every_choice_has_something_to_choose_from(filled: Store, dashboard: Any) -> None:
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            matched = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"])
            assert matched is not None
            selector = re.sub(r"\$(enterprise)\b", ".*", matched[1])
            url = f"{filled.victoria.url}/api/v1/label/{matched[2]}/values"
            asked = {"match[]": selector, "start": str(MIDNIGHT.timestamp() - 1e6)}
            assert httpx.get(url, params=asked, timeout=20).json()["data"], variable["definition"]


@pytest.mark.parametrize("dashboard", dashboards())
def test_panels_have_places_of_their_own_and_ask_for_what_is_documented(dashboard: Any) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    known = set(re.findall(r"^\| `(ganpo_\w+)` \|", DOCUMENTED, re.MULTILINE))
    names = {name for query in queries(dashboard) for name in re.findall(r"\bganpo_\w+", query)}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in names} <= known
