"""asyncua's client and transport: quiet, aware of what answers, and careful with whom they log in."""

import asyncio
import dataclasses
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from asyncua import Client, ua
from asyncua.client.ua_client import UaClient
from asyncua.crypto import uacrypto

from ganpo_drivers.opcua.security import POLICIES, named
from ganpo_drivers.opcua.settings import DEPRECATED, OpcUaSettings
from ganpo_model.errors import AccessRefused, UnsupportedProtocol

_STARTS = (b"ACK", b"ERR")
_TOKENS = {
    ua.UserTokenType.Anonymous: "anonymous",
    ua.UserTokenType.UserName: "user name",
    ua.UserTokenType.Certificate: "certificate",
    ua.UserTokenType.IssuedToken: "issued token",
}
_STRONGEST = ("Aes256_Sha256_RsaPss", "Aes128_Sha256_RsaOaep", "Basic256Sha256", *DEPRECATED, "None")

# What asyncua has to say arrives as our errors; its debug lines would print passwords.
logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)


class Transport(UaClient):  # type: ignore[misc]
    """asyncua's transport, which also notes when what answers is no OPC UA, and what a server showed of itself.

    `server_time`: the server's clock as it answered GetEndpoints. `shown`, `endpoints`: certificate (DER) and endpoints
    of CreateSession.
    """

    foreign: bytes | None = None
    server_time: datetime | None = None
    shown: bytes = b""
    endpoints: Sequence[Any] = ()

    def _make_protocol(self) -> Any:
        protocol = super()._make_protocol()

        begun = bytearray()

        def first(data: bytes) -> None:
            begun.extend(data)
            kind = bytes(begun[:3])
            if not any(start.startswith(kind) for start in _STARTS):
                self.foreign = bytes(begun[:24])
                protocol.transport.abort()
            elif len(kind) == 3:  # it may come byte by byte
                del protocol.data_received  # back to the method of the class
                protocol.data_received(bytes(begun))

        protocol.data_received = first
        return protocol

    async def request(self, request: Any) -> Any:
        """The answer to a request for which the session has no method of its own: the bytes from its type on."""
        return await self._send_request(request)

    async def drop(self) -> None:
        """Free the socket at once: a peer that takes nothing any more must not hold it."""
        transport = self.protocol and self.protocol.transport
        self.disconnect_socket()
        if transport:
            transport.abort()
            await asyncio.sleep(0)

    async def open_secure_channel(self, params: Any) -> Any:
        """As asyncua's, but the token is young by our clock.

        asyncua judges an answer under the token before by the server's time of creation: a server whose clock stands
        in 2000 would lose its channel at the renewal.
        """
        result = await super().open_secure_channel(params)
        result.SecurityToken.CreatedAt = datetime.now(UTC)
        return result

    async def get_endpoints(self, params: Any) -> Any:
        """As asyncua's, and keeps the server's time."""
        request = ua.GetEndpointsRequest()
        request.Parameters = params
        answer = ua.ua_binary.struct_from_binary(ua.GetEndpointsResponse, await self._send_request(request))
        answer.ResponseHeader.ServiceResult.check()
        self.server_time = answer.ResponseHeader.Timestamp
        return answer.Endpoints

    async def create_session(self, parameters: Any) -> Any:
        """As asyncua's, and keeps what the server shows of itself."""
        result = await super().create_session(parameters)
        self.endpoints = result.ServerEndpoints or ()
        self.shown = first_certificate(result.ServerCertificate)
        return result


class UserClient(Client):  # type: ignore[misc]
    """asyncua's client, which chooses how a user proves himself: as safely as the server allows."""

    def __init__(self, settings: OpcUaSettings, timeout_s: float) -> None:
        super().__init__(settings.url, timeout=timeout_s)
        self._settings = settings

    def server_policy(self, token_type: Any) -> Any:
        """The `ua.UserTokenPolicy` to log in with.

        Raises AccessRefused where the server takes no such users, UnsupportedProtocol where it takes them only in a
        way that is not safe.
        """
        where, channel = self._settings.url, self.security_policy
        if not self._policy_ids:  # it says nothing of users: it is asked
            return super().server_policy(token_type)
        offered = [
            dataclasses.replace(policy, SecurityPolicyUri=policy.SecurityPolicyUri or channel.URI)
            for policy in self._policy_ids
            if policy.TokenType == token_type
        ]
        if not offered:
            kinds = sorted({_TOKENS.get(policy.TokenType, "unknown") for policy in self._policy_ids})
            raise AccessRefused(
                f"the server takes no users of the kind {_TOKENS[token_type]!r} (it takes: {', '.join(kinds)})",
                where=where,
                hint="set username and password_file, or user_certificate_file, or neither of them",
            )
        if token_type == ua.UserTokenType.Anonymous:
            return offered[0]
        safe = [policy for policy in offered if self._is_safe(token_type, named(policy.SecurityPolicyUri))]
        if not safe:
            ways = sorted({named(policy.SecurityPolicyUri) for policy in offered})
            raise UnsupportedProtocol(
                f"the server takes a {_TOKENS[token_type]} with security {', '.join(ways)} alone",
                where=where,
                hint="choose another security; allow_insecure = true sends a password unencrypted",
            )
        return min(safe, key=lambda policy: _STRONGEST.index(named(policy.SecurityPolicyUri)))

    def _is_safe(self, token_type: Any, policy: str) -> bool:
        if policy == "None":
            open_to_all = self._settings.mode != "SignAndEncrypt" and not self._settings.allow_insecure
            return token_type == ua.UserTokenType.UserName and not open_to_all
        known = policy in POLICIES and bool(self.security_policy.peer_certificate)
        return known and (policy not in DEPRECATED or policy == self._settings.policy)


def first_certificate(chain: bytes | None) -> bytes:
    """The certificate (DER) at the head of a chain; empty where there is none or none that can be read."""
    if not chain:
        return b""
    try:
        found = uacrypto.x509_from_der(chain)
    except (ValueError, IndexError):
        return b""
    return bytes(uacrypto.der_from_x509(found))


def offers(endpoints: Sequence[Any]) -> list[str]:
    """What endpoints offer, as settings spell it, each once."""
    return sorted({named(end.SecurityPolicyUri, end.SecurityMode) for end in endpoints})
