"""A gateway that a test plays: it says what it is told to, and hears its acknowledgements."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

ROOT = "ganpo/v1"


class PlayedGateway:
    """`acks`: the acknowledgements as they came. With `will` the broker tells that a cut session ended."""

    def __init__(self, port: int, number: str, will: str | None = None) -> None:
        self.acks: list[dict[str, Any]] = []
        self.number = number
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=number, protocol=paho.MQTTv311)
        if will is not None:
            told = {"v": 1, "session": will, "offline": True}
            self._client.will_set(f"{ROOT}/{number}/live", json.dumps(told))
        ready = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe(f"{ROOT}/{number}/ack", qos=1)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_message = lambda _c, _u, message: self.acks.append(json.loads(message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert ready.wait(60)

    def send(self, frame: bytes, topic: str | None = None) -> None:
        """Publish a frame and wait for the broker's word, which promises nothing."""
        self._client.publish(topic or f"{ROOT}/{self.number}/facts", frame, qos=1).wait_for_publish(60)

    def leave_behind(self, kind: str, payload: bytes) -> None:
        """Have the broker retain a message on one of our topics, as no gateway does."""
        topic = f"{ROOT}/{self.number}/{kind}"
        self._client.publish(topic, payload, qos=1, retain=True).wait_for_publish(60)

    def live(self, session: str = "S1", **body: Any) -> None:
        """Say what is going on here."""
        whole = {"v": 1, "session": session, "interval_s": 60} | body
        self._client.publish(f"{ROOT}/{self.number}/live", json.dumps(whole)).wait_for_publish(60)

    def acknowledged(self, stream: str) -> set[int]:
        """The numbers of a stream that were acknowledged."""
        ranges = [pair for ack in self.acks if ack.get("stream") == stream for pair in ack["seqs"]]
        return {seq for first, last in ranges for seq in range(first, last + 1)}

    def leave(self) -> None:
        """Disconnect in order: no will is told."""
        self._client.disconnect()
        self._client.loop_stop()

    def vanish(self) -> None:
        """Cut the line without a word."""
        sock: Any = self._client.socket()
        self._client.on_disconnect = None
        self._client._reconnect_on_failure = False
        sock.shutdown(2)
        self._client.loop_stop()


def wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait until it holds; fails after `seconds`, which end a wait for nothing and say of no speed."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.02)
