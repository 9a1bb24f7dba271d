"""One MQTT session on paho-mqtt, told to asyncio (uplink.md: the pattern that survived every kill).

A fresh client per session: a reused one sends its own old messages again. Nothing of the library is trusted
with delivery: no reconnecting, no queue of its own, no window. PUBACK is flow control: what is dropped here
unacknowledged comes again.
"""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from ganpo_model.errors import AccessRefused, CertificateNotTrusted, ConnectionLost, Unreachable
from ganpo_model.frame import MAX_PACKED
from ganpo_service.turns import Turns

log = logging.getLogger(__name__)

KEEPALIVE_S = 20
DEAD_LINE_MS = 10_000
"""What the other side's kernel did not confirm for so long ends the session."""
MAX_WAITING = 32 * 1024 * 1024
"""Bytes of messages that wait to be taken; what finds no room is dropped, counted, and comes again."""
_OUT_OF_DATE = (9, 10)
"""What OpenSSL calls not valid yet, and expired."""
_RETAINED = "a retained message on %s is ignored, nothing of ours is retained; it goes with: mosquitto_pub -r -n -t %s"
_REFUSED = {"Bad user name or password", "Not authorized", "Client identifier not valid"}


@dataclass(frozen=True, slots=True)
class Login:
    """Where the broker is and who we are; `section`: where a person wrote that."""

    url: str
    client_id: str
    section: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None


class Session:
    """`published`: ids of messages the broker took; `dropped`: messages for which there was no room.

    `closed` is set when the session is over, `reason` says why; `expires`: when the broker's certificate ends.
    `on_event` is called whenever anything of this changes. `whose`: who takes turns, by topic. All members
    belong to the event loop.
    """

    def __init__(
        self,
        login: Login,
        on_event: Callable[[], None],
        will: tuple[str, bytes] | None = None,
        whose: Callable[[str], str] = lambda topic: topic,
    ) -> None:
        self.published: list[int] = []
        self.dropped = 0
        self.closed = False
        self.reason = ""
        self.expires: datetime | None = None
        self._waiting = Turns(MAX_WAITING)
        self._whose = whose
        self._kept = False
        self._login = login
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._up: asyncio.Future[None] = self._loop.create_future()
        self._topics: list[tuple[str, int]] = []
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=login.client_id,
            clean_session=True,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(0)
        client.max_queued_messages_set(0)
        client.connect_timeout = 4.0
        if will is not None:
            client.will_set(will[0], will[1], qos=0)
        if login.username is not None:
            client.username_pw_set(login.username, login.password)
        client.on_socket_open = lambda _c, _u, sock: _tuned(sock)
        client.on_connect = self._on_connect
        client.on_subscribe = lambda _c, _u, _m, codes, _p: self._tell(self._subscribed, codes)
        client.on_disconnect = lambda _c, _u, _f, code, _p: self._tell(self._end, str(code))
        client.on_message = lambda _c, _u, m: self._tell(
            self._received, m.topic, bytes(m.payload[: MAX_PACKED + 1]), m.retain
        )
        client.on_publish = lambda _c, _u, mid, _r, _p: self._tell(self._taken, mid)
        self._client = client

    async def open(self, topics: Sequence[tuple[str, int]], timeout_s: float = 10.0) -> None:
        """Connect and subscribe to (topic, QoS); returns once the broker has granted it.

        Raises Unreachable, ConnectionLost, AccessRefused, CertificateNotTrusted.
        """
        url, where = urlsplit(self._login.url), self._login.url
        port = url.port or (8883 if url.scheme == "mqtts" else 1883)
        self._topics = list(topics)
        try:
            if url.scheme == "mqtts":
                self._client.tls_set(ca_certs=self._login.ca_file)
            async with asyncio.timeout(timeout_s):
                await _in_thread(lambda: self._client.connect(url.hostname or "", port, KEEPALIVE_S))
                self._client.loop_start()
                await self._up
            self.expires = _end_of(self._client.socket())
        except TimeoutError as error:
            raise Unreachable(f"the broker does not answer within {timeout_s:g} s", where=where) from error
        except ssl.SSLCertVerificationError as error:
            self.closed = True
            what = error.verify_message
            if error.verify_code in _OUT_OF_DATE:
                what += f": {await asyncio.to_thread(_dates, url.hostname or '', port)}"
            hint = f"check {self._login.section}.ca_file, and the date of this machine"
            raise CertificateNotTrusted(what, where=where, hint=hint) from error
        except OSError as error:
            self.closed = True
            raise Unreachable(
                f"{error}", where=where, hint="is the broker running, and is this its port?"
            ) from error

    def take(self, limit: int | None = None, most: int | None = None) -> list[tuple[str, bytes]]:
        """The next messages as (topic, payload), each sender in turn: at most `limit`, some `most` bytes together."""
        return self._waiting.take(limit, most)

    def publish(self, topic: str, payload: bytes, qos: int) -> int:
        """Hand a message to the broker; gives the id that `published` will name. Raises ConnectionLost."""
        info = self._client.publish(topic, payload, qos=qos)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise ConnectionLost(paho.error_string(info.rc), where=self._login.url)
        return info.mid

    async def close(self) -> None:
        """Leave in order if the broker answers within 2 s; never wait for a frozen one, never join the thread."""
        client = self._client
        client.disconnect()
        for _ in range(20):
            if self.closed:
                break
            await asyncio.sleep(0.1)
        else:
            self.abort()
        # It and we hold each other: without this its sockets stay until the next collection of garbage.
        client.on_connect = client.on_subscribe = client.on_disconnect = None
        client.on_message = client.on_publish = client.on_socket_open = None
        # A refusal holds the frames that saw it, and they hold us.
        self._up = self._loop.create_future()
        self._up.cancel()

    def abort(self) -> None:
        """Cut the socket: the library's thread ends by itself."""
        sock: Any = self._client.socket()
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _on_connect(self, client: paho.Client, _u: Any, _f: Any, code: Any, _p: Any) -> None:
        if code.is_failure:
            self._tell(self._end, str(code))
        else:
            client.subscribe(self._topics)

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        """From the library's thread to the loop; nothing else is ever done in a callback."""
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            return  # the loop is closed: the process ends

    def _subscribed(self, codes: list[Any]) -> None:
        if any(code.is_failure for code in codes):
            self._end("the broker denied the subscription")
        elif not self._up.done():
            self._up.set_result(None)

    def _end(self, reason: str) -> None:
        self.closed = True
        self.reason = self.reason or reason
        if not self._up.done():
            kind = AccessRefused if reason in _REFUSED else ConnectionLost
            hint = ""
            if kind is AccessRefused:
                hint = (
                    f"check user and password in [{self._login.section}], and what the broker knows of them"
                )
            self._up.set_exception(kind(reason, where=self._login.url, hint=hint))
            self._up.exception()  # told by `open`, or to nobody where that was cancelled
        self._on_event()

    def _received(self, topic: str, payload: bytes, retained: bool) -> None:
        if retained:  # what a broker keeps is nobody's word of now
            log.log(logging.DEBUG if self._kept else logging.WARNING, _RETAINED, topic, topic)
            self._kept = True
            return
        self.dropped += self._waiting.put(self._whose(topic), topic, payload)
        self._on_event()

    def _taken(self, mid: int) -> None:
        self.published.append(mid)
        self._on_event()


def _tuned(sock: Any) -> None:
    """Small packets at once: 1.5 ms a frame instead of 5. What is not confirmed in time means a dead line."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_LINE_MS)


def _dates(host: str, port: int) -> str:
    """The dates of a certificate that was refused for them, beside ours: asked for again, and trusted with nothing."""
    from cryptography import x509

    ours = f"here it is {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    try:
        found = x509.load_pem_x509_certificate(ssl.get_server_certificate((host, port), timeout=4).encode())
    except (OSError, ValueError):
        return ours
    first, last = found.not_valid_before_utc, found.not_valid_after_utc
    return f"it is valid from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC, {ours}"


def _end_of(sock: Any) -> datetime | None:
    """When the certificate ends that the broker showed on this socket; None without TLS."""
    shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    if not shown:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


async def _in_thread(work: Callable[[], object]) -> None:
    """Blocking work in a daemon thread, so that the end of the process never waits for it."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except (OSError, ValueError) as failed:
            error = failed
        try:
            loop.call_soon_threadsafe(settle, error)
        except RuntimeError:
            return  # the loop is closed: the process ends

    threading.Thread(target=run, daemon=True, name="mqtt-connect").start()
    await done
