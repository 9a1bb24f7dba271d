"""What a person must do at a gateway: each need with its command, alarms first."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ganpo_agent.app import Agent
from ganpo_agent.keeping.backlog import Backlog
from ganpo_agent.local import needs
from ganpo_config.plant import Meaning
from ganpo_drivers import FaultKind, PointFault, Report, Scan
from ganpo_model.errors import StorageError
from support.plants import START, PlantBuilder, TestClock


def agent_of(folder: Path, clock: TestClock | None = None) -> Agent:
    builder = PlantBuilder(folder)
    for name in ("cell", "hall"):
        builder.connection(name)
        for unit in ("1", "2"):
            builder.point(name, "SB-1", f"{name}{unit}", f"{unit}:a", Meaning("number"))
    agent = Agent(builder.build(), clock or TestClock(), random.Random(1))
    agent._now()
    for task in agent.connections:
        task.state = "up"
    agent.uplink.connected = agent.uplink.window.open = True
    return agent


def of(agent: Agent, backlog: Backlog | None = None) -> list[tuple[Any, ...]]:
    return [(n["level"], n["who"], n["command"]) for n in needs.of(agent, backlog)]


def test_where_all_is_well_nothing_needs_a_person(tmp_path: Path) -> None:
    assert of(agent_of(tmp_path)) == []


def test_a_connection_and_its_units_need_what_is_wrong_with_them(tmp_path: Path) -> None:
    agent = agent_of(tmp_path)
    cell, hall = agent.connections
    cell.state, cell.error, cell.code = "parked", "the certificate is another one", "certificate-not-trusted"
    hall.breakers["2"].opened, hall.breakers["2"].reason = agent.time.monotonic() - 60, "no answer within 1 s"
    assert of(agent) == [
        ("alarm", "hall 2", "ganpo ping hall --unit 2"),
        ("alarm", "cell", "ganpo trust cell"),
    ], "who has waited longest comes first"
    assert needs.of(agent, None)[0]["since"] == "2026-11-25T00:59:00.000Z"
    cell.code = "access-refused"
    assert ("alarm", "cell", "ganpo ping cell") in of(agent)
    cell.state = "waiting"
    assert ("alarm", "cell", "ganpo ping cell") in of(agent)
    cell.state, cell.error, cell.bugs = "up", "", 2
    ends = {"own": START + timedelta(days=5), "server": START + timedelta(days=20)}
    cell.report = lambda: Report(0, {}, expire=ends)  # type: ignore[method-assign]
    assert of(agent)[1:] == [
        ("alarm", "cell", "ganpo cert renew"),
        ("look", "cell", "ganpo trust cell"),
        ("look", "cell", "journalctl -u ganpo-agent"),
    ]


def test_points_of_one_fault_are_one_thing_to_do_and_those_of_a_silent_unit_are_not_told_twice(
    tmp_path: Path,
) -> None:
    agent = agent_of(tmp_path)
    assert agent.observer is not None
    points = agent.plant.connections[0].points
    bad = PointFault(FaultKind.BAD, "illegal data address")
    agent.observer.feed(points, Scan([bad, bad]), None, agent.time.stamp()[0])
    assert of(agent) == [("look", "SB-1/cell1 and 1 more", "ganpo read cell 1:a --raw")]
    assert needs.of(agent, None)[0]["of"] == "point"
    assert needs.of(agent, None)[0]["since"] == "2026-11-25T01:00:00.000Z"
    agent.connections[0].breakers["1"].opened = agent.time.monotonic()
    assert [who for _, who, _ in of(agent)] == ["cell 1", "SB-1/cell2"]
    agent.connections[0].state = "waiting"
    agent.connections[0].error = "refused"
    assert needs.of(agent, None)[0]["of"] == "connection"
    assert [who for _, who, _ in of(agent)] == ["cell"], "where nothing is read, that is the one thing"


def test_time_disk_and_uplink_need_a_person_too(tmp_path: Path) -> None:
    clock = TestClock(wall=datetime(1970, 1, 1, tzinfo=UTC), sure=False)
    agent = agent_of(tmp_path, clock)
    (need,) = needs.of(agent, None)
    assert (need["of"], need["who"], need["level"], need["since"]) == ("gateway", "time", "alarm", None)
    assert "1970-01-01 00:00" in need["what"]
    clock.wall, clock.sure = START, True
    keeper, uplink = agent.keeper, agent.uplink
    keeper.problem, keeper.dropped, keeper.outbox.dropped = StorageError("the disk is full"), 3, 4
    keeper.outbox.aside = ["outbox.db.damaged-1"]
    uplink.refused, uplink.quarantined["gateway"] = "the collector keeps frames", 2
    assert of(agent) == [
        ("alarm", "outbox", f"df -h {tmp_path}"),
        ("alarm", "outbox", f"df -h {tmp_path}"),
        ("alarm", "outbox", "ganpo doctor"),
        ("alarm", "uplink", "ganpo-cloud gateway add gw-test-0001 --enterprise CREDIT-CODE --site plant-1"),
        ("look", "outbox", f"ls -l {tmp_path / 'outbox.db.damaged-1'}"),
    ]
    keeper.problem, keeper.dropped, keeper.outbox.dropped, keeper.outbox.aside = None, 0, 0, []
    uplink.refused, uplink.window.open = "", False
    assert of(agent, Backlog(1, round(0.9 * keeper.outbox.limit), None, 0, 0)) == [
        ("alarm", "uplink", "ganpo doctor"),
        ("look", "outbox", "ganpo doctor"),
    ]
