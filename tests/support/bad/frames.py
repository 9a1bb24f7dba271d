"""Frames that no gateway of ours sends, one among forty-nine good ones, through a real broker to the collector."""

import asyncio
import gzip
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import func, select

from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import retry
from ganpo_cloud.store.tables import quarantine, reading
from ganpo_model.facts import Reading
from ganpo_model.frame import MAX_PACKED, MAX_UNPACKED, pack
from support.broker import Mosquitto
from support.replaying import Cloud, ReplayClock

NOW = datetime(2026, 11, 25, 2, 15, tzinfo=UTC)
GATEWAY = "gw-test-0001"
ENTERPRISE = "91360000625912173B"
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
REGISTER = "DB-1/energy_import#0123abcd"
STRANGER = "gw-stranger-01"


def of(seq: int, raw: int = 1000) -> bytes:
    return pack(STREAM, seq, [Reading("reading", REGISTER, NOW - timedelta(seconds=60 - seq), raw + seq)])


def body(**changes: Any) -> bytes:
    """A frame as JSON with something wrong."""
    fact = {"type": "reading", "register": REGISTER, "at": "2026-11-25T02:00:00.000Z", "raw": 5}
    fact |= changes.pop("fact", {})
    whole = {"v": 1, "stream": STREAM, "seq": 7, "facts": [fact]} | changes
    return gzip.compress(json.dumps(whole).encode(), mtime=0)


def inventory(subject: str = "DB-1", zone: str = "Asia/Shanghai", **changes: Any) -> dict[str, Any]:
    """An inventory of one register. `changes`: of its register; `shift`, `since`: one of these."""
    machine: dict[str, Any] = {
        "asset_no": "SB-1",
        "name": "Machine",
        "profile": None,
        "states": [],
        "proves": [],
        "flags": [],
    }
    machine |= {"status": "in_use", "since": changes.pop("since", None), "planned_run_time_s": None}
    shift = {"name": "day", "days": "mon-fri", "start": "08:00", "end": "16:00", "breaks": []}
    shift |= changes.pop("shift", {})
    about = {"signal": "energy_import", "carrier": "electricity", "unit": "kWh", "num": 1, "den": 100}
    limits = {"modulus": None, "max_rate": 80_000, "resets": False}
    return {
        "type": "inventory",
        "at": "2026-11-25T02:00:00.000Z",
        "site": {"id": "plant-1", "name": "Plant", "timezone": zone, "slot_ms": 900_000},
        "calendar": {"shifts": [shift], "exceptions": []},
        "equipment": [machine],
        "meters": [],
        "registers": [{"id": REGISTER, "subject": subject} | about | limits | changes],
    }


BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "not gzip": (lambda: b"hello, is this the broker?", "schema", "not gzip"),
    "not JSON": (lambda: gzip.compress(b"{'v': 1}", mtime=0), "schema", "Invalid JSON"),
    "cut short": (lambda: of(7)[:-9], "schema", "cut short"),
    "something follows": (lambda: of(7) + b"x", "schema", "something follows"),
    "too large": (lambda: random.Random(1).randbytes(MAX_PACKED + 1), "limits", "at most"),
    "a bomb": (lambda: gzip.compress(bytes(MAX_UNPACKED + 1), mtime=0), "limits", "unpacks to more than"),
    "unknown version": (lambda: body(v=2), "version", "version 2"),
    "unknown type": (lambda: body(fact={"type": "sum"}), "type", "'sum'"),
    "unknown key": (lambda: body(extra=1), "schema", "extra"),
    "no facts": (lambda: body(facts=[]), "schema", "at least one"),
    "time in 1970": (lambda: body(fact={"at": "1970-01-01T00:00:00.000Z"}), "time", "400 days"),
    "time in 2099": (lambda: body(fact={"at": "2099-01-01T00:00:00.000Z"}), "time", "5 min ahead"),
    "naive time": (lambda: body(fact={"at": "2026-11-25T02:00:00.000"}), "time", "not UTC"),
    "local time": (lambda: body(fact={"at": "2026-11-25T10:00:00.000+08:00"}), "time", "not UTC"),
    "microseconds": (
        lambda: body(fact={"at": "2026-11-25T02:00:00.000001Z"}),
        "time",
        "more than milliseconds",
    ),
    "a number as time": (lambda: body(fact={"at": 1764000000}), "schema", "datetime"),
    "NUL in a name": (
        lambda: body(fact={"register": "DB\x001/energy_import#0123abcd"}),
        "schema",
        "no register id",
    ),
    "raw 2^80": (lambda: body(fact={"raw": 2**80}), "limits", "2^63"),
    "raw below 0": (lambda: body(fact={"raw": -1}), "limits", "2^63"),
    "raw a float": (lambda: body(fact={"raw": 5.0}), "schema", "integer"),
    "raw a bool": (lambda: body(fact={"raw": True}), "schema", "integer"),
    "raw a text": (lambda: body(fact={"raw": "5"}), "schema", "integer"),
    "seq 0": (lambda: body(seq=0), "schema", "seq 0"),
    "seq 2^80": (lambda: body(seq=2**80), "schema", "seq"),
    "no ULID": (lambda: body(stream="abc"), "schema", "'abc'"),
    "runs that fall": (
        lambda: body(
            facts=[
                {
                    "type": "states",
                    "subject": "SB-1",
                    "start": "2026-11-25T02:00:00.000Z",
                    "end": "2026-11-25T02:10:00.000Z",
                    "runs": [[0, "IDLE"], [9, "HELD"], [5, "IDLE"]],
                }
            ]
        ),
        "schema",
        "they begin at 0, rise",
    ),
    "a register of another subject": (
        lambda: body(facts=[inventory("DB-2")]),
        "schema",
        "is no register of 'DB-2'",
    ),
    "no time zone": (lambda: body(facts=[inventory("DB-1", "Mars/Olympus")]), "schema", "is no time zone"),
    "a count of 10^9 kWh": (
        lambda: body(facts=[inventory(num=10**9, den=1, max_rate=10**9)]),
        "limits",
        "scale: a count is more than 1,000,000 of the unit",
    ),
    "a count of 10^-19 kWh": (
        lambda: body(facts=[inventory(num=1, den=10**19)]),
        "limits",
        "both have to lie between 1 and 2^63 - 1",
    ),
    "10^18 kWh in an hour": (
        lambda: body(facts=[inventory(num=1, den=1, max_rate=10**18)]),
        "limits",
        "max_rate: more than 10,000,000 of the unit in an hour",
    ),
    "a shift that begins at 25:00": (
        lambda: body(facts=[inventory(shift={"start": "25:00"})]),
        "limits",
        "shift 'day': from: not HH:MM",
    ),
    "a shift on no day": (
        lambda: body(facts=[inventory(shift={"days": "yesterday"})]),
        "limits",
        "no days (mon",
    ),
    "a carrier that nobody knows": (
        lambda: body(facts=[inventory(carrier="phlogiston")]),
        "limits",
        "'phlogiston' is no carrier that this version knows",
    ),
    "in service since 9999": (
        lambda: body(facts=[inventory(since="9999-12-31")]),
        "limits",
        "SB-1: since: 9999-12-31 does not lie between 1900 and 2199",
    ),
    "an unknown state": (
        lambda: body(
            facts=[
                {
                    "type": "states",
                    "subject": "SB-1",
                    "start": "2026-11-25T02:00:00.000Z",
                    "end": "2026-11-25T02:10:00.000Z",
                    "runs": [[0, "RUNNING"]],
                }
            ]
        ),
        "schema",
        "PRODUCING",
    ),
    "NUL in an event": (
        lambda: body(
            facts=[
                {
                    "type": "event",
                    "at": "2026-11-25T02:00:00.000Z",
                    "kind": "link_down",
                    "subject": "SB-1",
                    "data": {"reason": "a\x00b"},
                }
            ]
        ),
        "schema",
        "control character",
    ),
    "2^80 in an event": (
        lambda: body(
            facts=[
                {
                    "type": "event",
                    "at": "2026-11-25T02:00:00.000Z",
                    "kind": "link_up",
                    "subject": "SB-1",
                    "data": {"value": 2**80},
                }
            ]
        ),
        "limits",
        "64 bits",
    ),
    "deep nesting": (
        lambda: gzip.compress(
            b'{"v":1,"stream":"%s","seq":7,"facts":%s}' % (STREAM.encode(), b"[" * 9000 + b"]" * 9000),
            mtime=0,
        ),
        "schema",
        "",
    ),
}


async def among_good_ones(folder: Path, case: str) -> str:
    """The reason and the words under which the bad one is kept, byte by byte; the others are stored.

    One that can still be named is acknowledged all the same, so that its gateway does not send it for ever.
    """
    make, reason, said = BAD[case]
    clock = ReplayClock(NOW)
    with Mosquitto(folder) as broker:
        cloud = Cloud(folder, broker.url, clock, GATEWAY)
        cloud.start()
        sender = Sender(broker.port, GATEWAY)
        try:
            await _until(lambda: not cloud.collector.problem)
            good = [of(seq) for seq in range(10, 59)]
            sender.send(GATEWAY, [*good[:25], make(), *good[25:]])
            await _until(lambda: sender.acknowledged >= set(range(10, 59)))
            with cloud.database.read() as connection:
                row = connection.execute(select(quarantine)).one()
                assert connection.execute(select(func.count()).select_from(reading)).scalar_one() == 49
            assert row.bytes == make()[: MAX_PACKED + 1]
            await _until(lambda: (7 in sender.acknowledged) == (row.seq == 7))
        finally:
            sender.stop()
            await cloud.stop()
            cloud.database.close()
    assert (row.reason, said in row.detail) == (reason, True)
    return f"{row.reason}: {row.detail}"


async def of_a_stranger(folder: Path) -> str:
    """Frames of a gateway that is not registered wait, beside those of one that is, until it is."""
    with Mosquitto(folder) as broker:
        cloud = Cloud(folder, broker.url, ReplayClock(NOW), GATEWAY)
        cloud.start()
        sender = Sender(broker.port, STRANGER)
        try:
            await _until(lambda: not cloud.collector.problem)
            sender.send(GATEWAY, [of(1)])
            sender.send(STRANGER, [of(2), of(3)])
            await _until(lambda: sender.acknowledged == {2, 3})
            with cloud.database.read() as connection:
                told = connection.execute(select(quarantine.c.reason, quarantine.c.detail)).all()
            assert len(told) == 2
            registry.add(cloud.database, STRANGER, ENTERPRISE, "plant-2")
            assert retry(cloud.database, NOW, STRANGER) == 2
            with cloud.database.read() as connection:
                assert connection.execute(select(func.count()).select_from(reading)).scalar_one() == 3
        finally:
            sender.stop()
            await cloud.stop()
            cloud.database.close()
    return f"{told[0].reason}: {told[0].detail}"


class Sender:
    """Anything that publishes frames; `acknowledged`: the numbers that the collector names to `gateway`."""

    def __init__(self, port: int, gateway: str) -> None:
        self.acknowledged: set[int] = set()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="sender", protocol=paho.MQTTv311)
        self._client.on_message = self._ack
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(f"ganpo/v1/{gateway}/ack", qos=1)
        self._client.loop_start()

    def send(self, gateway: str, frames: list[bytes]) -> None:
        """Publish frames at QoS 1."""
        for packed in frames:
            self._client.publish(f"ganpo/v1/{gateway}/facts", packed, qos=1)

    def stop(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _ack(self, _client: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        for first, last in json.loads(message.payload)["seqs"]:
            self.acknowledged |= set(range(first, last + 1))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)
