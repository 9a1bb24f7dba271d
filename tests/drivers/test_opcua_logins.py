"""How a user proves himself: as safely as a server allows, and never less safely than the settings say."""

from collections.abc import Sequence
from typing import Any

import pytest
from asyncua import ua

from ganpo_drivers.opcua.client import Client
from ganpo_drivers.opcua.security import POLICIES
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_model.errors import AccessRefused, UnsupportedProtocol

NAME, CERTIFICATE, ANONYMOUS = (
    ua.UserTokenType.UserName,
    ua.UserTokenType.Certificate,
    ua.UserTokenType.Anonymous,
)
ENCRYPTED, SIGNED = "Basic256Sha256,SignAndEncrypt", "Basic256Sha256,Sign"


class Channel:
    """What the choice looks at of asyncua's policy object."""

    def __init__(self, policy: str, peer_certificate: bytes = b"certificate") -> None:
        self.URI = POLICIES[policy].URI
        self.peer_certificate = peer_certificate


def client(security: Any, offered: Sequence[tuple[Any, str | None]], **settings: Any) -> Client:
    """A client on a channel of this security, at a server that takes these kinds of users by these policies."""
    made = Client(OpcUaSettings(driver="opcua", url="opc.tcp://plc", security=security, **settings))
    made.security_policy = Channel(security.partition(",")[0])
    made._policy_ids = [
        ua.UserTokenPolicy(
            PolicyId=str(number), TokenType=kind, SecurityPolicyUri=policy and POLICIES[policy].URI
        )
        for number, (kind, policy) in enumerate(offered)
    ]
    return made


@pytest.mark.parametrize(
    ("security", "offered", "kind", "chosen"),
    [
        (ENCRYPTED, [(NAME, "None")], NAME, "0"),  # the channel is encrypted
        (ENCRYPTED, [(NAME, None)], NAME, "0"),  # None: as the channel
        (SIGNED, [(NAME, "None"), (NAME, "Basic256Sha256")], NAME, "1"),
        (SIGNED, [(NAME, "Basic128Rsa15"), (NAME, "Aes128_Sha256_RsaOaep")], NAME, "1"),
        (SIGNED, [(NAME, "Basic256Sha256"), (NAME, "Aes256_Sha256_RsaPss")], NAME, "1"),
        ("Basic256,Sign", [(NAME, "Basic256")], NAME, "0"),  # deprecated, and named
        (ENCRYPTED, [(ANONYMOUS, None), (CERTIFICATE, None)], CERTIFICATE, "1"),
        (ENCRYPTED, [(NAME, None), (ANONYMOUS, "None")], ANONYMOUS, "1"),
    ],
)
def test_the_safest_way_is_chosen(
    security: str, offered: list[tuple[Any, str | None]], kind: Any, chosen: str
) -> None:
    assert client(security, offered).server_policy(kind).PolicyId == chosen


@pytest.mark.parametrize(
    ("security", "offered", "kind", "said"),
    [
        (SIGNED, [(NAME, "None")], NAME, "with security None alone"),
        (SIGNED, [(NAME, "Basic128Rsa15")], NAME, "with security Basic128Rsa15 alone"),
        ("Basic256,Sign", [(NAME, "Basic128Rsa15")], NAME, "with security Basic128Rsa15 alone"),
        (ENCRYPTED, [(CERTIFICATE, "None")], CERTIFICATE, "certificate with security None alone"),
    ],
)
def test_an_unsafe_way_is_refused_unless_named(
    security: str, offered: list[tuple[Any, str | None]], kind: Any, said: str
) -> None:
    with pytest.raises(UnsupportedProtocol, match=said):
        client(security, offered).server_policy(kind)


def test_a_password_goes_unencrypted_where_that_was_said_aloud_alone() -> None:
    offered = [(NAME, "None")]
    assert client("None", offered, allow_insecure=True).server_policy(NAME).PolicyId == "0"
    assert client(SIGNED, offered, allow_insecure=True).server_policy(NAME).PolicyId == "0"


def test_nothing_is_encrypted_for_a_server_without_a_certificate() -> None:
    without = client("None", [(NAME, "Basic256Sha256")], allow_insecure=True)
    without.security_policy.peer_certificate = b""
    with pytest.raises(UnsupportedProtocol, match="Basic256Sha256 alone"):
        without.server_policy(NAME)


def test_users_that_a_server_does_not_take_are_told_with_those_it_takes() -> None:
    with pytest.raises(
        AccessRefused, match=r"no users of the kind 'anonymous' \(it takes: certificate, user name\)"
    ):
        client(ENCRYPTED, [(NAME, None), (CERTIFICATE, None)]).server_policy(ANONYMOUS)


def test_a_server_that_says_nothing_of_users_is_asked() -> None:
    assert client(ENCRYPTED, []).server_policy(ANONYMOUS).TokenType == ANONYMOUS
