"""A collector that a test plays: it takes frames from a real broker, keeps them in memory and acknowledges."""

import gzip
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


class PlayedCollector:
    """`frames`: (stream, seq) -> body; `lives`: payloads as they came; `copies`: how often each frame came.

    `answer` decides per frame whether it is acknowledged.
    """

    def __init__(self, port: int, answer: Callable[[dict[str, Any]], bool] = lambda _body: True) -> None:
        self.frames: dict[tuple[str, int], dict[str, Any]] = {}
        self.copies: dict[tuple[str, int], int] = {}
        self.order: list[tuple[str, int]] = []
        self.lives: list[dict[str, Any]] = []
        self.answer = answer
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="collector", protocol=paho.MQTTv311)
        self._client.on_connect = self._connected
        self._client.on_message = self._message
        self._ready = threading.Event()
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(20)

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """All facts of one type, in the order of streams and numbers."""
        return [f for key in sorted(self.frames) for f in self.frames[key]["facts"] if f["type"] == kind]

    def wait_for(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until the condition holds; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come in time"
            time.sleep(0.02)

    def stop(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: paho.Client, *_: Any) -> None:
        client.subscribe([("ganpo/v1/+/facts", 1), ("ganpo/v1/+/live", 0)])

    def _message(self, client: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        gateway, what = message.topic.split("/")[-2:]
        stream, seqs = None, []
        if what == "live":
            body = json.loads(message.payload)
            self.lives.append(body)
            if body.get("offline"):
                return
        else:
            body = json.loads(gzip.decompress(message.payload))
            key = (body["stream"], body["seq"])
            self.copies[key] = self.copies.get(key, 0) + 1
            self.order.append(key)
            if not self.answer(body):
                return
            self.frames[key] = body
            stream, seqs = body["stream"], [[body["seq"], body["seq"]]]
        now = self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        ack = (
            {"v": 1, "now": now, "stream": stream, "seqs": seqs}
            if stream
            else {"v": 1, "now": now, "seqs": []}
        )
        client.publish(f"ganpo/v1/{gateway}/ack", json.dumps(ack), qos=1)
