"""`ganpo-demo` as a person runs it (issue 3, Shows 1 and 10)."""

import os
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from support.demo import Demo, alive

MAIN_METER = "DB-0101"


def test_the_page_comes_moves_says_demo_data_and_pulled_plugs_cost_no_quantity(tmp_path: Path) -> None:
    faults = ("--faults", "--fault-every", "18", "--fault-for", "16")
    with Demo(tmp_path / "demo", *faults, GANPO_DEMO_INSTALLED_S="12") as demo:
        demo.wait_for(re.escape(demo.url))
        for language in ("zh", "en"):
            page = demo.get(f"/?lang={language}")
            assert "演示数据" in page
            assert "DEMO DATA" in page
        demo.wait_for(r"installed in 12 s, page in \d+\.\d s, first value in \d+\.\d s\nCtrl-C ends it")
        seen = {_register(demo)}
        deadline = time.monotonic() + 25
        while len(seen) < 2:
            assert time.monotonic() < deadline, f"the register stands still: {seen}"
            time.sleep(0.2)
            seen.add(_register(demo))
        states = {subject["asset_no"]: subject["state"] for subject in demo.get("/api/v1/subjects")}
        assert set(states) == {"SB-0007", "SB-0141", "SB-0142", "DB-0101", "DB-0103"}
        pages = {gateway["id"]: gateway["page"] for gateway in demo.get("/api/v1/gateways")}
        assert set(pages) == {"gw-demo-0001", "gw-demo-0002"}
        enterprise = demo.get("/?lang=zh")
        for gateway, url in pages.items():
            assert f'<a href="{url}" rel="noreferrer"><b>{gateway}</b></a>' in enterprise
            own = httpx.get(url, params={"lang": "en"}).text
            assert "DEMO DATA" in own
            assert f"<h1>Gateway {gateway} · 演示车间 DEMO</h1>" in own

        demo.wait_for("meter: plug pulled for 16 s")
        _until(lambda: _state(demo, "SB-0007") == "UNKNOWN", "a machine nobody can see is UNKNOWN")
        truth, page = demo.wait_for(r"meter: back, truth (\S+) kWh, page (\S+) kWh\n", 40).groups()
        assert page == truth
        assert float(truth) > 0.2
        demo.wait_for("cell: plug pulled for 16 s")
        _until(lambda: _state(demo, "SB-0141") == "UNKNOWN", "a machine nobody can see is UNKNOWN")

        assert demo.end(signal.SIGINT, within_s=15) == 0
        assert "Traceback" not in demo.told


@pytest.mark.slow
def test_for_n_seconds_ends_by_itself_and_leaves_nothing(tmp_path: Path) -> None:
    with Demo(tmp_path / "demo", "--for", "4") as demo:
        demo.wait_for(re.escape(demo.url))
        child = demo.child
        assert demo.left(), "it works in its temporary folder"
        assert demo.process.wait(20) == 0, demo.told
        assert not alive(child)
        assert demo.refuses()
        assert demo.left() == []
        assert "installed in" not in demo.told, "nobody told it"


def test_sigterm_ends_it_within_5_s_also_with_frozen_devices(tmp_path: Path) -> None:
    with Demo(tmp_path / "demo") as demo:
        demo.wait_for("first value in")
        child = demo.child
        os.kill(child, signal.SIGSTOP)
        time.sleep(1.5)  # a poll hangs by now
        assert demo.end(signal.SIGTERM, within_s=5) == 0, demo.told
        assert not alive(child)
        assert demo.refuses()
        assert demo.left() == []


@pytest.mark.slow
def test_sigterm_while_it_starts_leaves_nothing_either(tmp_path: Path) -> None:
    with Demo(tmp_path / "demo") as demo:
        demo.wait_for(re.escape(demo.url))
        child = demo.child
        assert demo.end(signal.SIGTERM, within_s=5) == 0, demo.told
        assert not alive(child)
        assert demo.left() == []


def test_a_port_in_use_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Demo(tmp_path / "demo", "--port", taken.getsockname()[1]) as demo:
            assert demo.process.wait(5) == 1
            assert re.fullmatch(r"--port \d+: cannot listen: .*; another program uses it.*\n", demo.told)
            assert demo.left() == []


def _register(demo: Demo) -> int:
    (meter,) = [subject for subject in demo.get("/api/v1/subjects") if subject["asset_no"] == MAIN_METER]
    return int(meter["registers"][0]["raw"])


def _state(demo: Demo, asset_no: str) -> str:
    (machine,) = [subject for subject in demo.get("/api/v1/subjects") if subject["asset_no"] == asset_no]
    return str(machine["state"])


def _until(true: Callable[[], bool], what: str, seconds: float = 16.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.mark.slow
def test_the_province_is_filled_behind_the_live_plant_kept_and_there_at_once_the_next_time(
    tmp_path: Path,
) -> None:
    cache = tmp_path / "cache"
    args = ("--fleet-months", 2)
    with Demo(tmp_path / "first", *args, fleet=True, XDG_CACHE_HOME=str(cache)) as demo:
        demo.wait_for(r"first value in ([\d.]+) s", 60)
        deadline = time.monotonic() + 60
        while "seeding " not in demo.get("/overview?lang=en"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        demo.wait_for(r"the province's last 60 days are there after ([\d.]+) s", 100)
        (coverage,) = [item for item in demo.get("/api/v1/overview") if item["id"] == "nc_rate_main"]
        assert coverage["checked"]["denominator"] > 300
        assert coverage["enterprises"]["with_data"] > 150
        demo.wait_for(r"the province's 2 months are there after ([\d.]+) s", 60)
        page = demo.get("/overview?lang=en")
        assert "DEMO DATA" in page
        assert "seeding " not in page
        assert demo.end() == 0
    assert demo.left() == []
    (kept,) = (cache / "ganpo-demo").glob("*.db")
    assert kept.name.startswith("province-20180615-2-")
    with Demo(tmp_path / "second", *args, fleet=True, XDG_CACHE_HOME=str(cache)) as demo:
        demo.wait_for(r"the province's 2 months are there after [0-9.]+ s", 60)
        assert len(demo.get("/api/v1/enterprises?limit=300")) == 201, "200 invented ones and the live plant"
        assert demo.end() == 0
