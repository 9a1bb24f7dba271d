"""The page of a running agent: it says what the local API says, weighs little, and takes nothing but GET."""

import asyncio
import csv
import io
import random
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from ganpo_agent.app import Agent
from ganpo_agent.page import pages, shown
from ganpo_config.plant import Meaning
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from support.modbus_line import ModbusLine
from support.page_text import text_of
from support.plants import PlantBuilder

ENGLISH = {"Accept-Language": "en"}
DOOR = ("anybody", "correct horse")


def agent_of(folder: Path, line: ModbusLine) -> Agent:
    builder = PlantBuilder(folder / "state", "mqtt://127.0.0.1:1")
    settings = {"driver": "modbus", "url": line.url, "addressing": "0-based", "timeout_s": 0.3}
    builder.connection("line", ModbusDriver, ModbusSettings(**settings), "modbus")
    for signal, text in (("power", "1:holding:100"), ("frequency", "1:holding:101")):
        address = ModbusAddress.parse(text, type="uint16")
        builder.point("line", "SB-1", signal, address, Meaning("number"), 0.2)
    config = folder / "agent.toml"
    config.write_text('broker = "mqtt://me:hunter2@broker"\n')
    plant = builder.build()
    locked = plant.gateway.model_copy(update={"http_password": SecretStr("correct horse")})
    return Agent(replace(plant, gateway=locked), rng=random.Random(1), config=config, demo=True)


async def nothing_is_bare(http: httpx.AsyncClient, url: str) -> None:
    """What is not there is told to a browser by a page with a way back, to a program as the API tells errors."""
    for method, path, status, word in (
        ("GET", "nothing", 404, "There is no such page"),
        ("GET", "overview", 404, "There is no such page"),
        ("POST", "", 405, "This page is only read"),
    ):
        told = await http.request(method, url + path)
        assert (told.status_code, word in told.text) == (status, True)
        assert '<a href="/?lang=en">To the page of this gateway</a>' in told.text
        assert told.headers["content-security-policy"] == pages.POLICY
    told = await http.get(f"{url}nothing", headers={"Accept-Language": "zh"})
    assert "没有这个页面" in told.text
    for method, path, status in (
        ("GET", "api/v1/nothing", 404),
        ("GET", "static/pages.py", 404),
        ("POST", "api/v1/status", 405),
    ):
        told = await http.request(method, url + path)
        found = told.json()
        assert (told.status_code, found["code"], found["where"]) == (status, "config", f"/{path}")
        assert found["hint"]
        assert ("allow" in told.headers) is (status == 405)


async def the_bundle_has_no_secret(http: httpx.AsyncClient, url: str) -> None:
    """What `ganpo doctor --bundle` writes, as a file to keep."""
    told = await http.get(f"{url}bundle")
    assert re.fullmatch(
        r'attachment; filename="ganpo-gw-test-0001-\d{8}-\d{6}\.tar\.gz"', told.headers["content-disposition"]
    )
    assert told.headers["cache-control"] == "no-store"
    with tarfile.open(fileobj=io.BytesIO(told.content)) as opened:
        texts = {name: (opened.extractfile(name) or io.BytesIO()).read() for name in opened.getnames()}
    names = {name.removeprefix("ganpo-doctor/") for name in texts}
    assert {"doctor.json", "versions.json", "journal.txt", "config/agent.toml", "agent/points.json"} <= names
    assert b"SB-1/power" in texts["ganpo-doctor/agent/points.json"]
    whole = b"".join(texts.values())
    assert b"hunter2" not in whole
    assert b"correct horse" not in whole


async def the_points_are_a_table(http: httpx.AsyncClient, url: str) -> None:
    """All of them, for a spreadsheet, in the language of who asks."""
    for lang, quality in (("en", "good"), ("zh", "有效")):
        told = await http.get(f"{url}points.csv", params={"lang": lang})
        assert re.search(
            r'filename="ganpo-gw-test-0001-points-\d{8}-\d{6}\.csv"', told.headers["content-disposition"]
        )
        assert told.content.startswith(b"\xef\xbb\xbf")
        head, *rows = csv.reader(io.StringIO(told.content.decode("utf-8-sig")))
        assert head[0] == {"en": "Point", "zh": "点位"}[lang]
        assert sorted((row[0], row[4], row[8], row[9]) for row in rows) == [
            ("SB-1/frequency", quality, "line", "1:holding:101"),
            ("SB-1/power", quality, "line", "1:holding:100"),
        ]
    faulty = await http.get(f"{url}points.csv", params={"points": "faulty"})
    assert len(faulty.text.splitlines()) == 1


async def test_the_page_of_a_running_agent_says_what_its_api_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop = asyncio.Event()
    async with ModbusLine() as line, httpx.AsyncClient(headers=ENGLISH, auth=DOOR) as http:
        agent = agent_of(tmp_path, line)
        running = asyncio.create_task(agent.run(stop))
        try:
            async with asyncio.timeout(30):
                while agent.page is None:
                    await asyncio.sleep(0.01)
                api = f"{agent.page}api/v1/"
                while (await http.get(f"{api}status")).json()["points"]["good"] < 2:
                    await asyncio.sleep(0.05)
            first = await http.get(agent.page)
            told = text_of(first.text)
            status = (await http.get(f"{api}status")).json()
            for point in (await http.get(f"{api}points")).json():
                assert re.search(rf"{point['name']} .{{0,60}} {shown.value(point['value'])} ", told), point
            for connection in (await http.get(f"{api}connections")).json():
                good = connection["points"]
                assert f"{connection['name']} Modbus TCP" in told
                assert f" fine {good['good']} / {good['bound']}" in re.sub(
                    r"(?<=fine ).*?(?=2 / 2)", "", told
                )
            assert f"Gateway {status['gateway']} · {status['site']['name']}" in told
            assert f"{status['outbox']['issued']} frames" in told
            assert "nothing was acknowledged yet." in told

            while "examined at" not in told:
                await asyncio.sleep(0.05)
                told = text_of((await http.get(agent.page)).text)
            assert re.search(r"Doctor: \d+ checks, \d+ failed, \d+ to look at examined at \d\d:\d\d;", told)
            assert re.search(r" disk .{0,80} free", told)

            policy = first.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            size = len(first.content)
            for path in re.findall(r'(?:href|src)="/(static/[^"]+)"', first.text):
                part = await http.get(agent.page + path)
                assert part.headers["cache-control"] == "max-age=86400"
                size += len(part.content)
            assert 20_000 < size <= 60_000
            for method in ("POST", "PUT", "DELETE"):
                for path in ("", "bundle", "api/v1/status", "api/v1/read"):
                    assert (await http.request(method, agent.page + path)).status_code in (404, 405)
            assert (await http.head(agent.page)).status_code == 200

            await nothing_is_bare(http, agent.page)
            await the_bundle_has_no_secret(http, agent.page)
            await the_points_are_a_table(http, agent.page)
            assert (await http.get(f"{agent.page}bundle", auth=None)).status_code == 401
            refused = await http.get(f"{api}status", auth=None)
            assert (refused.status_code, refused.json()["code"]) == (401, "access-refused")

            def breaks(*_: object) -> str:
                raise RuntimeError("a bug of ours")

            monkeypatch.setattr(pages, "render", breaks)
            broken = await http.get(agent.page)
            assert (broken.status_code, "The page could not be made" in broken.text) == (500, True)
            assert "journalctl -u ganpo-agent" in broken.text
            assert "a bug of ours" in caplog.text, "and the log has where"
            assert (await http.get(f"{api}status")).status_code == 200
        finally:
            stop.set()
            await running
