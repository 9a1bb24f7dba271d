"""Who may read the gateway: each wrong combination is told by `check` with what to do, and only who knows the password
gets an answer."""

import asyncio
import datetime
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from ganpo_agent.page.guard import Guard
from ganpo_config import Loaded
from ganpo_service.http import Server, listen
from support.configs import HEAD, write

LAN, HERE = "0.0.0.0:8780", "127.0.0.1:8780"
PLAIN, LOCKED = serialization.NoEncryption(), serialization.BestAvailableEncryption(b"locked")


def key(locked: serialization.KeySerializationEncryption = PLAIN) -> tuple[ec.EllipticCurvePrivateKey, str]:
    """A private key, and its PEM."""
    made = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return made, made.private_bytes(serialization.Encoding.PEM, form, locked).decode()


def certificate(of: ec.EllipticCurvePrivateKey, days: int = 90) -> str:
    """A certificate of 127.0.0.1, valid for so many days from the day before; PEM."""
    import ipaddress

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    made = x509.CertificateBuilder(name, name, of.public_key(), x509.random_serial_number())
    made = made.not_valid_before(end - datetime.timedelta(days=400)).not_valid_after(end)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = made.add_extension(names, critical=False).sign(of, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Loading":
    monkeypatch.setattr("ganpo_config.secret_files.FOLDER", tmp_path / "secrets")
    (tmp_path / "secrets").mkdir()
    return Loading(tmp_path)


class Loading:
    """`loaded(http, password=..., cert=..., key=...)`: what `load` makes of it, the files mode 600."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, http: str, *, mode: int = 0o600, **files: str) -> Loaded:
        lines = [f'http = "{http}"']
        for name, text in files.items():
            lines.append(f'http_{name}_file = "web_{name}"')
            file = self.folder / "secrets" / f"web_{name}"
            file.write_text(text)
            file.chmod(mode)
        return write(self.folder, HEAD.replace("[uplink]", "\n".join([*lines, "[uplink]"])))


def said(loaded: Loaded) -> list[str]:
    return [*map(str, loaded.errors), *loaded.warnings]


@pytest.mark.parametrize("http", [LAN, "[::]:8780", "192.168.10.7:8780", "gateway.local:8780"])
def test_an_address_that_others_reach_needs_a_password(loaded: Loading, http: str) -> None:
    (told,) = said(loaded(http))
    assert f"gateway.http = {http}: everybody who reaches this address could read everything" in told
    assert 'http_password_file = "http_password"' in told
    assert 'http = "127.0.0.1:8780"' in told


@pytest.mark.parametrize("http", [HERE, "127.0.0.2:8780", "[::1]:8780", "localhost:8780"])
def test_this_machine_alone_needs_none(loaded: Loading, http: str) -> None:
    found = loaded(http)
    assert said(found) == []
    assert found.plant is not None
    assert not found.plant.gateway.is_legible


def test_a_password_without_a_certificate_can_be_read_on_the_wire_and_with_one_not(loaded: Loading) -> None:
    found = loaded(LAN, password="long enough")
    (told,) = said(found)
    assert "gateway.http: the password, and all that is shown, can be read on the wire" in told
    assert found.plant is not None
    assert found.plant.gateway.is_legible
    made, pem = key()
    both: list[dict[str, Any]] = [{"cert": certificate(made), "key": pem}, {"cert": certificate(made) + pem}]
    for files in both:
        found = loaded(LAN, password="long enough", **files)
        assert said(found) == []
        assert found.plant is not None
        assert not found.plant.gateway.is_legible
        assert "long enough" not in repr(found.plant)
        assert "long enough" not in found.plant.gateway.model_dump_json()


def test_each_wrong_file_is_told_with_what_to_do(loaded: Loading) -> None:
    made, pem = key()
    cert = certificate(made)
    wrong: dict[str, dict[str, Any]] = {
        "gateway.http_key_file = web_key: there is no certificate for this key": {"key": pem},
        "gateway.http_cert_file = web_cert: holds no certificate (": {"cert": "nothing"},
        "gateway.http_cert_file = web_cert: holds no private key (": {"cert": cert},
        "gateway.http_key_file = web_key: holds no private key (": {"cert": cert, "key": cert},
        "gateway.http_key_file = web_key: the key does not belong": {"cert": cert, "key": key()[1]},
        "gateway.http_key_file = web_key: its key is locked": {"cert": cert, "key": key(LOCKED)[1]},
        "gateway.http_cert_file: the certificate is over since": {"cert": certificate(made, -3), "key": pem},
        "gateway.http_password_file: the password has fewer than 8": {"password": "short"},
        "gateway.http_password_file = web_password: its file is empty": {"password": " \n"},
    }
    for start, files in wrong.items():
        (told,) = said(loaded(HERE, **files))
        assert start.rstrip("(").rstrip() in told, told


def test_secrets_that_every_user_reads_are_told(loaded: Loading) -> None:
    made, pem = key()
    told = said(loaded(LAN, mode=0o644, password="long enough", cert=certificate(made), key=pem))
    assert len(told) == 2
    assert (
        "gateway.http_password_file = web_password: every user of this machine can read it (mode 644)"
        in told[0]
    )
    assert "gateway.http_key_file = web_key: every user of this machine can read it (mode 644)" in told[1]


def test_a_password_in_the_file_itself_is_refused(loaded: Loading) -> None:
    text = HEAD.replace("[uplink]", 'http_password = "secret words"\n[uplink]')
    (told,) = said(write(loaded.folder, text))
    assert "gateway.http_password: a secret never stands here" in told
    assert "secret words" not in told
    (told,) = said(write(loaded.folder, HEAD.replace("[uplink]", 'http_cert_path = "/x"\n[uplink]')))
    assert "gateway.http_cert_path: no such key" in told


async def test_only_who_knows_the_password_is_answered_over_tls(loaded: Loading) -> None:
    made, pem = key()
    found = loaded("127.0.0.1:0", password="pass:wörd", cert=certificate(made), key=pem)
    assert found.plant is not None
    gateway = found.plant.gateway
    assert gateway.http_password is not None
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("all of it"))])
    server = Server(Guard(app, gateway.http_password, wrong_s=0.01), certificate=gateway.http_certificate)
    with listen(gateway.http, "gateway.http") as sock:
        url = f"https://127.0.0.1:{sock.getsockname()[1]}/"
        trusting = ssl.create_default_context(cafile=str(gateway.http_cert_path))
        serving = asyncio.create_task(server.run_at(sock))
        try:
            async with httpx.AsyncClient(verify=trusting) as http:
                refused = await http.get(url)
                assert refused.status_code == 401
                assert refused.headers["www-authenticate"].startswith("Basic ")
                assert (await http.get(url, auth=("a", "pass:word"))).status_code == 401
                assert (await http.get(url, headers={"Authorization": "Basic %%"})).status_code == 401
                assert (await http.get(url, headers={"Authorization": "Bearer x"})).status_code == 401
                answer = await http.get(url, auth=httpx.BasicAuth("anybody", "pass:wörd"))
                assert (answer.status_code, answer.text) == (200, "all of it")
            with pytest.raises(httpx.HTTPError):
                httpx.get(url.replace("https", "http"))
        finally:
            serving.cancel()
            await asyncio.wait([serving])


async def test_a_wrong_password_waits() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    guard = Guard(Starlette(), SecretStr("right"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "sleep", sleep)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://g") as http:
            await http.get("/")
            assert waited == []
            await http.get("/", auth=("a", "wrong"))
            assert waited == [1.0]
