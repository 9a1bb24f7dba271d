"""Another box in the same place: what `ganpo export` writes and `ganpo import` takes; the recipe of docs/gateway.md."""

import asyncio
import json
import random
import re
import shlex
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ganpo_agent.app import Agent
from ganpo_agent.cli.main import main
from ganpo_agent.keeping.outbox import Outbox
from ganpo_config import load
from ganpo_demo.loopback import free_port
from ganpo_drivers.opcua import certificate
from support.broker import Mosquitto
from support.collecting import PlayedCollector
from support.configs import CELL, HEAD, plainly
from support.modbus_server import ModbusServer, words

PAGE = Path(__file__).parents[2] / "docs" / "gateway.md"


class Box:
    """A gateway on a file system of its own: its /etc/ganpo and its /var/lib/ganpo."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "etc" / "agent.toml"
        self.state_dir = folder / "state"
        self.secrets = folder / "secrets"
        self.secrets.mkdir(parents=True)
        (self.secrets / "mqtt_password").write_text("very-secret")
        self.environ = {
            "CREDENTIALS_DIRECTORY": str(self.secrets),
            "GANPO_GATEWAY__STATE_DIR": str(self.state_dir),
            "GANPO_CONFIG": str(self.file),
        }

    def describe(self, broker: str, url: str, more: str = "") -> None:
        self.file.parent.mkdir()
        (self.file.parent / "profiles").mkdir()
        (self.file.parent / "profiles" / "own.toml").write_text(
            'format = 1\nid = "own"\nbase = "power_meter_3p_modbus"\n'
            'title = { zh = "自己的", en = "Our own" }\norigin = "test"\ndriver = "modbus"\n'
        )
        (self.file.parent / "meters.csv").write_text(
            "asset_no,name,carrier,role\nDB-1,总表,electricity,sub\n"
        )
        head = HEAD.replace("mqtt://127.0.0.1:1883", broker).replace(
            "[site]", 'password_file = "mqtt_password"\nlive_s = 1\nback_off_max_s = 2\n[site]\nslot = "1s"'
        )
        self.file.write_text(
            head.replace("[uplink]", 'http = "127.0.0.1:0"\n[uplink]')
            + f"""
[lists]
meters = "meters.csv"
[connections.bus]
driver = "modbus"
url = "{url}"
addressing = "0-based"
[[points]]
asset_no = "DB-1"
signal = "energy_import"
connection = "bus"
address = "1:holding:0"
type = "uint32"
max_rate = "1000"
interval_s = "0.2"
"""
            + more,
            encoding="utf-8",
        )

    def ganpo(self, *words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--lang", "en"], env=self.environ)

    async def run(self, until: object) -> Agent:
        """The agent, until something holds."""
        assert callable(until)
        loaded = load(self.file, self.environ)
        assert loaded.plant is not None, loaded.errors
        agent = Agent(loaded.plant, rng=random.Random(1))
        stop = asyncio.Event()
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(agent.run(stop))
            while not until(agent):
                await asyncio.sleep(0.02)
            stop.set()
        return agent

    def frames(self) -> dict[str, int]:
        """The last number of each stream that waits here."""
        outbox = Outbox(self.state_dir, 16)
        outbox.open()
        found: dict[str, int] = {}
        for row in outbox.waiting(1000):
            found[row.stream] = max(found.get(row.stream, 0), row.seq)
        outbox.close()
        return found


@pytest.fixture
def boxes(tmp_path: Path) -> tuple[Box, Box]:
    return Box(tmp_path / "old"), Box(tmp_path / "new")


@pytest.fixture
def server() -> Iterator[ModbusServer]:
    with ModbusServer() as running:
        running.set(1, "holding", 0, words("uint32", 4711))
        yield running


def recipe() -> list[list[str]]:
    """The commands of the page's part, as they are typed."""
    part = re.search(
        r"^## Another box in ten minutes\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    assert part is not None
    blocks = re.findall(r"^```sh\n(.*?)^```", part[1], re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.startswith("ganpo ")]


async def test_the_recipe_carries_everything_over_and_no_number_is_missing(
    boxes: tuple[Box, Box], tmp_path: Path, server: ModbusServer
) -> None:
    old, new = boxes
    with Mosquitto(tmp_path) as broker:
        broker.stop()
        old.describe(broker.url, server.url)
        before = await old.run(lambda agent: agent.keeper.outbox.seq >= 6)
        waited = old.frames()
        assert sum(waited.values()) >= 6
        commands = recipe()
        assert [words[1] for words in commands][:2] == ["export", "import"]
        for number, (_, *words) in enumerate(commands):
            box = old if number == 0 else new
            done = await asyncio.to_thread(
                box.ganpo, *(str(tmp_path / w[5:]) if w[:5] == "/tmp/" else w for w in words)
            )
            assert done.exit_code == 0, (words, done.output)
        assert new.file.read_text() == old.file.read_text()
        assert (new.file.parent / "profiles" / "own.toml").exists()
        broker.start()
        collector = PlayedCollector(broker.port)
        try:

            def came(stream: str) -> set[int]:
                return {seq for name, seq in list(collector.frames) if name == stream}

            after = await new.run(
                lambda agent: (
                    all(came(stream) == set(range(1, last + 1)) for stream, last in waited.items())
                    and came(agent.keeper.outbox.stream) >= {1, 2, 3}
                )
            )
        finally:
            collector.stop()
    assert after.keeper.outbox.stream not in waited, "the new box goes on in a stream of its own"
    begun = [fact["data"] for fact in collector.facts("event") if fact["kind"] == "begun"]
    assert {data["previous"] for data in begun} == {None, before.keeper.outbox.stream}
    assert len({r["id"] for fact in collector.facts("inventory") for r in fact["registers"]}) == 1


def test_there_are_no_passwords_and_no_private_key_in_it_unless_that_is_asked_for(
    boxes: tuple[Box, Box], tmp_path: Path
) -> None:
    old, new = boxes
    old.describe("mqtt://127.0.0.1:1883", "tcp://127.0.0.1:502", CELL)
    plant = load(old.file, old.environ).plant
    assert plant is not None
    home = plant.gateway.home("opcua", "cell")
    key = certificate.own(home, datetime.now(UTC)).path
    (home.folder / "trusted.json").write_text('{"cell": {}}')
    done = old.ganpo("export", str(tmp_path / "a.tar"))
    assert done.exit_code == 0, done.output
    assert "has the private key and is left out" in done.output
    assert old.ganpo("export", str(tmp_path / "b.tar"), "--with-key").exit_code == 0
    found = {}
    for name in ("a.tar", "b.tar"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        with tarfile.open(tmp_path / name) as tar:
            texts = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
        assert not any(b"very-secret" in text for text in texts.values())
        found[name] = {entry for entry, text in texts.items() if b"PRIVATE KEY" in text}
    assert found == {"a.tar": set(), "b.tar": {f"state/opcua/{key.name}"}}
    (new.secrets / "mqtt_password").unlink()
    done = new.ganpo("import", str(tmp_path / "b.tar"))
    assert done.exit_code == 0, done.output
    assert "missing  agent.toml: uplink.password_file = mqtt_password" in plainly(done.output)
    assert (new.state_dir / "opcua" / key.name).read_bytes() == key.read_bytes()
    assert (new.state_dir / "opcua" / key.name).stat().st_mode & 0o777 == 0o600
    assert json.loads((new.state_dir / "opcua" / "trusted.json").read_text()) == {"cell": {}}


async def test_without_the_outbox_it_is_told_which_numbers_may_be_missing_and_an_old_disk_has_them(
    boxes: tuple[Box, Box], tmp_path: Path, server: ModbusServer
) -> None:
    old, new = boxes
    old.describe(f"mqtt://127.0.0.1:{free_port()}", server.url)
    agent = await old.run(lambda agent: agent.keeper.outbox.seq >= 4)
    waiting = len(Outbox(old.state_dir, 16).waiting(1000))
    file = str(tmp_path / "gw.tar")
    done = await asyncio.to_thread(old.ganpo, "export", file)
    assert f"{waiting} frames wait here and are left out" in done.output
    done = await asyncio.to_thread(new.ganpo, "import", file)
    assert f"is not carried over: {waiting} frames that waited on 20" in done.output
    assert (
        f"stream {agent.keeper.outbox.stream}: numbers up to {agent.keeper.outbox.seq} were given"
        in done.output
    )
    third = Box(tmp_path / "third")
    done = await asyncio.to_thread(third.ganpo, "import", file, "--outbox", str(old.state_dir))
    assert f"the outbox is carried over: {waiting} frames wait and are sent" in done.output
    assert third.frames() == old.frames()


def test_nothing_that_is_there_is_touched(boxes: tuple[Box, Box], tmp_path: Path) -> None:
    old, new = boxes
    old.describe("mqtt://127.0.0.1:1883", "tcp://127.0.0.1:502")
    file = tmp_path / "gw.tar"
    assert old.ganpo("export", str(file)).exit_code == 0
    done = old.ganpo("export", str(file))
    assert (done.exit_code, "is there already, and is not touched" in done.output) == (1, True)
    new.describe("mqtt://127.0.0.1:1884", "tcp://127.0.0.1:503")
    before = new.file.read_text()
    done = new.ganpo("import", str(file))
    assert (done.exit_code, "is there already, and nothing is touched" in done.output) == (1, True)
    assert new.file.read_text() == before
    new.file.unlink()
    (new.file.parent / "meters.csv").unlink()
    (new.file.parent / "profiles" / "own.toml").unlink()
    Outbox(new.state_dir, 16).open()
    assert "has an outbox already" in new.ganpo("import", str(file)).output
    assert not new.file.exists()


def test_what_is_no_such_file_or_newer_is_told_and_nothing_is_unpacked(
    boxes: tuple[Box, Box], tmp_path: Path
) -> None:
    _, new = boxes
    file = tmp_path / "gw.tar"
    for content in (b"", b"no tar", b"\x1f\x8b\x08\x00half"):
        file.write_bytes(content)
        done = new.ganpo("import", str(file))
        assert (done.exit_code, "no file of `ganpo export`" in done.output) == (1, True), done.output
    for name, about in (("../evil", {"format": 1}), ("config/agent.toml", {"format": 2, "version": "9.1"})):
        (tmp_path / "x").write_text("x")
        (tmp_path / "about").write_text(json.dumps(about))
        with tarfile.open(file, "w:gz") as tar:
            tar.add(tmp_path / "about", "about.json")
            tar.add(tmp_path / "x", name)
        done = new.ganpo("import", str(file))
        assert done.exit_code == 1
        expected = (
            "install ganpo 9.1 or newer here first" if about["format"] == 2 else "no file of `ganpo export`"
        )
        assert expected in done.output
    assert not new.file.parent.exists()


def test_a_running_gateway_does_not_give_its_outbox_away(boxes: tuple[Box, Box], tmp_path: Path) -> None:
    from ganpo_agent.owner import alone

    old, _ = boxes
    old.describe("mqtt://127.0.0.1:1883", "tcp://127.0.0.1:502")
    with alone(old.state_dir):
        done = old.ganpo("export", str(tmp_path / "gw.tar"), "--outbox")
    assert (done.exit_code, "another agent works in it" in done.output) == (1, True)
    assert not (tmp_path / "gw.tar").exists()


def test_a_downgrade_says_whether_the_outbox_can_be_read(
    boxes: tuple[Box, Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ganpo_agent.keeping import outbox_file

    old, _ = boxes
    old.describe("mqtt://127.0.0.1:1883", "tcp://127.0.0.1:502")
    monkeypatch.setattr(outbox_file, "_VERSION", 2)
    outbox = Outbox(old.state_dir, 16)
    outbox.open()
    outbox.close()
    assert "outbox: 0 frames wait; this version reads it" in old.ganpo("check").output
    monkeypatch.setattr(outbox_file, "_VERSION", 1)
    done = old.ganpo("check")
    assert (
        "written by a newer version (schema 2; this one knows 1); install that version again" in done.output
    )
    assert done.exit_code == 1
