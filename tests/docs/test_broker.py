"""The Mosquitto configuration of docs/broker.md, as it stands there, on a real Mosquitto with TLS."""

import gc
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion

from ganpo_model.errors import AccessRefused, CertificateNotTrusted
from ganpo_service.mqtt import Login, Session
from support.broker import Mosquitto

PAGE = (Path(__file__).parents[2] / "docs" / "broker.md").read_text()
ONE, OTHER, COLLECTOR = "gw-test-0001", "gw-test-0002", "ganpo-collector"


def file_of(path: str) -> str:
    """The file that the page shows under this name."""
    found = re.search(rf"^```conf\n# {re.escape(path)}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, path
    return found[1]


def certificate(folder: Path, begins: timedelta = timedelta(days=-1)) -> None:
    """ca.pem, broker.pem and broker.key for 127.0.0.1; the broker's certificate is its own authority, valid for two
    days that begin so long from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker of a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + begins + timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    for file in ("ca.pem", "broker.pem"):
        (folder / file).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "broker.key").write_bytes(private)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Sockets lie in errors and threads: each test ends its own, not one that comes after it."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith(("mqtt-connect", "paho-mqtt-client-")):
            thread.join(60)
    gc.collect()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mosquitto")
    certificate(folder)
    (folder / "passwd").touch(mode=0o600)
    (folder / "ganpo.acl").write_text(file_of("/etc/mosquitto/ganpo.acl"))
    for user in (ONE, OTHER, COLLECTOR):
        command = ["mosquitto_passwd", "-b", str(folder / "passwd"), user, f"of {user}"]
        subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[Mosquitto]:
    text = file_of("/etc/mosquitto/conf.d/ganpo.conf")
    assert "listener 8883\n" in text
    text = text.replace("listener 8883\n", "").replace("set_tcp_nodelay true\n", "")  # said by `Mosquitto`
    text = re.sub(r"/etc/mosquitto/(certs/)?", f"{folder}/", text)
    with Mosquitto(folder, text) as running:
        yield running


class Client:
    """A client that hears what it subscribed to, and waits for the broker's answer to what it says."""

    def __init__(self, broker: Mosquitto, folder: Path, user: str, subscribe: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._ready, self._news = threading.Event(), threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=paho.MQTTv311)
        self._client.tls_set_context(ssl.create_default_context(cafile=str(folder / "ca.pem")))
        self._client.username_pw_set(user, f"of {user}")
        self._client.on_connect = lambda client, *_: client.subscribe(subscribe, qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._received
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert self._ready.wait(60)

    def _received(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))
        self._news.set()

    def say(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(60)

    def hears(self, topic: str, payload: bytes) -> bool:
        """Whether this was heard; messages of one client come in order, so the last said ends the wait."""
        while (topic, payload) not in self.heard:
            self._news.clear()
            if (topic, payload) not in self.heard and not self._news.wait(60):
                return False
        return True

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def collector(broker: Mosquitto, folder: Path) -> Iterator[Client]:
    client = Client(broker, folder, COLLECTOR, "ganpo/v1/#")
    yield client
    client.leave()


@pytest.fixture
def gateway(broker: Mosquitto, folder: Path) -> Iterator[Client]:
    client = Client(broker, folder, ONE, "#")
    yield client
    client.leave()


@pytest.mark.parametrize("what", ["facts", "live"])
def test_a_gateway_speaks_for_itself_alone(collector: Client, gateway: Client, what: str) -> None:
    gateway.say(f"ganpo/v1/{OTHER}/{what}", b"a lie")
    gateway.say(f"ganpo/v1/{ONE}/ack", b"a lie")
    gateway.say(f"ganpo/v1/{ONE}/{what}", b"the truth")
    assert collector.hears(f"ganpo/v1/{ONE}/{what}", b"the truth")
    assert b"a lie" not in [payload for _, payload in collector.heard]


def test_a_gateway_hears_its_own_acknowledgements_alone(collector: Client, gateway: Client) -> None:
    collector.say(f"ganpo/v1/{OTHER}/ack", b"of another")
    collector.say(f"ganpo/v1/{ONE}/ack", b"mine")
    assert gateway.hears(f"ganpo/v1/{ONE}/ack", b"mine")
    assert gateway.heard == [(f"ganpo/v1/{ONE}/ack", b"mine")]


async def test_the_agent_connects_with_its_password_and_is_told_when_it_is_wrong(
    broker: Mosquitto, folder: Path
) -> None:
    session = await connect(broker, f"of {ONE}", str(folder / "ca.pem"))
    assert session.expires is not None
    assert timedelta(hours=23) < session.expires - datetime.now(UTC) <= timedelta(days=1)
    await leave(session)
    with pytest.raises(AccessRefused):
        await connect(broker, "wrong", str(folder / "ca.pem"))
    with pytest.raises(AccessRefused):
        await connect(broker, None, str(folder / "ca.pem"))


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # paho forgets its sockets when TLS fails
async def test_the_agent_trusts_the_named_authority_alone(broker: Mosquitto, tmp_path: Path) -> None:
    certificate(tmp_path)
    with pytest.raises(CertificateNotTrusted):
        await connect(broker, f"of {ONE}", str(tmp_path / "ca.pem"))


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # paho forgets its sockets when TLS fails
@pytest.mark.parametrize(
    ("begins", "why"), [(10, "certificate is not yet valid"), (-10, "certificate has expired")]
)
async def test_a_certificate_of_another_time_is_refused_with_its_dates_and_ours(
    tmp_path: Path, begins: int, why: str
) -> None:
    certificate(tmp_path, timedelta(days=begins))
    text = f"allow_anonymous true\ncertfile {tmp_path}/broker.pem\nkeyfile {tmp_path}/broker.key\n"
    with Mosquitto(tmp_path, text) as broker, pytest.raises(CertificateNotTrusted) as caught:
        await connect(broker, None, str(tmp_path / "ca.pem"))
    told = str(caught.value)
    now = datetime.now(UTC)
    first, last = now + timedelta(days=begins), now + timedelta(days=begins + 2)
    assert f"{broker.url.replace('mqtt', 'mqtts')}: {why}: it is valid from {first:%Y-%m-%d} " in told
    assert f" to {last:%Y-%m-%d} " in told
    assert f"here it is {now:%Y-%m-%d} " in told
    assert "check uplink.ca_file, and the date of this machine" in told


async def connect(broker: Mosquitto, password: str | None, ca_file: str) -> Session:
    user = ONE if password else None
    login = Login(f"mqtts://127.0.0.1:{broker.port}", ONE, "uplink", user, password, ca_file)
    session = Session(login, lambda: None, (f"ganpo/v1/{ONE}/live", b"gone"))
    try:
        await session.open([(f"ganpo/v1/{ONE}/ack", 1)])
    except BaseException:
        await session.close()
        raise
    return session


async def leave(session: Session) -> None:
    assert not session.closed
    await session.close()
