"""The page of a running agent: it says what the local API says, weighs little, and takes nothing but GET."""

import asyncio
import html
import random
import re
from pathlib import Path

import httpx

from ganpo_agent.app import Agent
from ganpo_agent.page import shown
from ganpo_config.plant import Meaning
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_drivers.modbus.settings import ModbusSettings
from support.modbus_line import ModbusLine
from support.plants import PlantBuilder


def agent_of(folder: Path, line: ModbusLine) -> Agent:
    builder = PlantBuilder(folder / "state", "mqtt://127.0.0.1:1")
    settings = {"driver": "modbus", "url": line.url, "addressing": "0-based", "timeout_s": 0.3}
    builder.connection("line", ModbusDriver, ModbusSettings(**settings), "modbus")
    for signal, text in (("power", "1:holding:100"), ("frequency", "1:holding:101")):
        address = ModbusAddress.parse(text, type="uint16")
        builder.point("line", "SB-1", signal, address, Meaning("number"), 0.2)
    return Agent(builder.build(), rng=random.Random(1), demo=True)


def text_of(page: str) -> str:
    told = re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", told)))


async def test_the_page_of_a_running_agent_says_what_its_api_says(tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with ModbusLine() as line, httpx.AsyncClient(headers={"Accept-Language": "en"}) as http:
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
            assert (await http.get(f"{agent.page}static/pages.py")).status_code == 404
            for method in ("POST", "PUT", "DELETE"):
                for path in ("", "api/v1/status", "api/v1/read"):
                    assert (await http.request(method, agent.page + path)).status_code in (404, 405)
            assert (await http.head(agent.page)).status_code == 200
        finally:
            stop.set()
            await running
