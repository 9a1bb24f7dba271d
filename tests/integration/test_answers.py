"""An answer that cannot have changed is not worked out again, and one that may have is."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ganpo_cloud.store.database import Database
from ganpo_cloud.web import kept
from ganpo_cloud.web.application import create_app
from ganpo_cloud.web.kept import Answers
from ganpo_model.facts import Reading
from support import databases, seeding
from support.seeding import MAIN, ONLINE
from support.serving import Served


@pytest.fixture
def database(tmp_path: Path, each_database: str) -> Iterator[Database]:
    database = databases.database(tmp_path)
    yield database
    database.close()


class Counted:
    """`worked` counts what was worked out, by address."""

    def __init__(self, database: Database) -> None:
        self.worked: dict[str, int] = {}
        self.clock = seeding.TestClock()
        self.slow = asyncio.Event()
        self.slow.set()
        self.app = Answers(
            Starlette(routes=[Route("/{rest:path}", self._answer, methods=["GET", "POST"])]),
            database,
            self.clock,
        )

    async def _answer(self, request: Request) -> Response:
        self.worked[request.url.path] = self.worked.get(request.url.path, 0) + 1
        await self.slow.wait()
        if request.url.path == "/large":
            return StreamingResponse(iter([b"x" * 600, b"y" * 600]))
        status = 404 if request.url.path == "/missing" else 200
        return Response(f"{request.headers.get('accept-language')} {request.url.query}", status)


async def test_the_same_question_has_one_answer_until_somebody_writes_or_the_clock_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(counted.app), base_url="http://x") as client:

        async def ask(path: str = "/a", lang: str = "en", times: int = 1) -> list[str]:
            asked = [client.get(path, headers={"accept-language": lang}) for _ in range(times)]
            return [answer.text for answer in await asyncio.gather(*asked)]

        assert await ask() + await ask() == ["en ", "en "]
        assert counted.worked == {"/a": 1}
        assert await ask("/a?of=1") == ["en of=1"]
        assert await ask(lang="zh") == ["zh "]
        assert counted.worked == {"/a": 3}
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO counter VALUES ('x', 1)")
        await ask()
        await ask()
        assert counted.worked == {"/a": 4}, "somebody wrote"
        counted.clock.now += timedelta(seconds=1)
        await ask()
        assert counted.worked == {"/a": 5}, "a second later"

        counted.slow.clear()
        many = asyncio.ensure_future(ask("/many", times=20))
        await asyncio.sleep(0.2)
        counted.slow.set()
        assert await many == ["en "] * 20
        assert counted.worked["/many"] == 1, "who asks meanwhile waits"

        for _ in range(2):
            await ask("/missing")
            await client.post("/post")
        monkeypatch.setattr(kept, "_LARGE", 1000)
        assert {len(text) for text in await ask("/large", times=3)} == {1200}
        assert (counted.worked["/missing"], counted.worked["/post"], counted.worked["/large"]) == (2, 2, 3)


def test_what_is_committed_is_seen_by_the_next_that_asks(tmp_path: Path, each_database: str) -> None:
    plant = seeding.plant(tmp_path)
    with (
        Served(create_app(plant.database, seeding.TestClock())) as served,
        httpx.Client(base_url=served.url, timeout=60) as client,
    ):

        def raw() -> int:
            registers = [r for s in client.get("/api/v1/subjects").json() for r in s["registers"]]
            return int(next(r["raw"] for r in registers if r["id"] == MAIN))

        for more in range(1, 6):
            before = raw()
            assert raw() == before
            plant.send(
                ONLINE, [Reading("reading", MAIN, plant.now - timedelta(seconds=50 - more), before + 1)]
            )
            plant.settle()
            assert raw() == before + 1
    plant.database.close()
