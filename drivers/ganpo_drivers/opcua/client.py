"""asyncua's client for one connection: it says what answers where no OPC UA server does, and how a user logs in."""

import dataclasses
from typing import Any

import asyncua
from asyncua import ua

from ganpo_drivers.opcua import granted
from ganpo_drivers.opcua.certificate import uri
from ganpo_drivers.opcua.errors import asking
from ganpo_drivers.opcua.security import POLICIES, named
from ganpo_drivers.opcua.settings import DEPRECATED, OpcUaSettings
from ganpo_drivers.opcua.transport import Transport
from ganpo_model.errors import AccessRefused, GanpoError, Unreachable, UnsupportedProtocol

_TOKENS = {
    ua.UserTokenType.Anonymous: "anonymous",
    ua.UserTokenType.UserName: "user name",
    ua.UserTokenType.Certificate: "certificate",
    ua.UserTokenType.IssuedToken: "issued token",
}
_STRONGEST = ("Aes256_Sha256_RsaPss", "Aes128_Sha256_RsaOaep", "Basic256Sha256", *DEPRECATED, "None")


class Client(asyncua.Client):  # type: ignore[misc]
    """Used once. `transport`: ours, on which it sends; who made the client drops it."""

    def __init__(self, settings: OpcUaSettings) -> None:
        # asyncua's own timeouts lie behind ours, so that there is one deadline and not a race of two
        patience_s = 2 * settings.timeout_s
        super().__init__(settings.url, timeout=patience_s)
        self.uaclient = self.transport = Transport(patience_s)
        self.name = self.description = "Ganpo"
        self.product_uri = "urn:ganpo"
        self.application_uri = uri(settings.home.gateway) if settings.home else "urn:ganpo"
        self.session_timeout: float = granted.SESSION_TIMEOUT_S * 1000
        self.secure_channel_timeout: float = granted.CHANNEL_S * 1000
        self._settings = settings

    async def begin(self) -> None:
        """Connect and say hello.

        Raises Unreachable, also where something takes the connection and says nothing; UnsupportedProtocol where what
        answers is no OPC UA.
        """
        settings = self._settings
        async with asking(settings.url, "connecting", settings.timeout_s, opening=True):
            await self.connect_socket()
        try:
            async with asking(settings.url, "the hello", settings.timeout_s, opening=True):
                await self.send_hello()
        except GanpoError as error:
            heard = self.transport.heard
            if not heard:
                what = f"no OPC UA server speaks there: it takes the connection, but {error.what}"
                hint = "check host and port; a server that hangs says nothing either"
                raise Unreachable(what, where=error.where, hint=hint) from error
            if not self.transport.is_foreign:
                raise
            raise UnsupportedProtocol(
                f"no OPC UA server speaks there: what answers began with {heard!r}",
                where=settings.url,
                hint="check host and port",
            ) from error

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
