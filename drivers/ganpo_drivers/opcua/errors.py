"""Everything asyncua raises, translated in one place."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncua import ua
from asyncua.crypto import uacrypto
from cryptography.exceptions import InvalidSignature

from ganpo_drivers.api import Home
from ganpo_drivers.opcua.values import status_text
from ganpo_model.errors import (
    AccessRefused,
    CertificateNotTrusted,
    ConnectionLost,
    PermanentError,
    TransientError,
    Unreachable,
    UnsupportedProtocol,
)

_CODES = ua.StatusCodes
_REFUSED = frozenset(
    (
        _CODES.BadUserAccessDenied,
        _CODES.BadIdentityTokenInvalid,
        _CODES.BadIdentityTokenRejected,
        _CODES.BadIdentityChangeNotSupported,
    )
)
_OUR_CERTIFICATE = frozenset(
    (
        _CODES.BadSecurityChecksFailed,
        _CODES.BadCertificateInvalid,
        _CODES.BadCertificateTimeInvalid,
        _CODES.BadCertificateIssuerTimeInvalid,
        _CODES.BadCertificateHostNameInvalid,
        _CODES.BadCertificateUriInvalid,
        _CODES.BadCertificateUseNotAllowed,
        _CODES.BadCertificateUntrusted,
        _CODES.BadCertificateRevocationUnknown,
        _CODES.BadCertificateRevoked,
        _CODES.BadCertificateChainIncomplete,
        _CODES.BadCertificatePolicyCheckFailed,
        _CODES.BadUserSignatureInvalid,
        _CODES.BadApplicationSignatureInvalid,
    )
)
"""With these a server says that it does not take our certificate, some with one code for every reason."""
_UNSUPPORTED = frozenset(
    (
        _CODES.BadProtocolVersionUnsupported,
        _CODES.BadSecurityModeRejected,
        _CODES.BadSecurityModeInsufficient,
        _CODES.BadSecurityPolicyRejected,
        _CODES.BadServiceUnsupported,
    )
)
TOO_MUCH = frozenset(
    (
        _CODES.BadTooManyOperations,
        _CODES.BadEncodingLimitsExceeded,
        _CODES.BadRequestTooLarge,
        _CODES.BadResponseTooLarge,
        _CODES.BadTcpMessageTooLarge,
    )
)
_HINTS = {
    _CODES.BadTcpEndpointUrlInvalid: "it answers to its own url alone: is a path missing behind the port, or does it "
    "know this host by another name?",
    _CODES.BadUserAccessDenied: "check username and password_file, and what this user may do at the server",
    _CODES.BadIdentityTokenInvalid: "check username and password_file",
    _CODES.BadIdentityTokenRejected: "check username and password_file; a user's certificate has to be trusted at the "
    "server, which may refuse anonymous sessions",
    _CODES.BadTooManySessions: "close other clients, or allow the server more sessions",
    _CODES.BadMaxConnectionsReached: "close other clients, or allow the server more sessions",
    _CODES.BadInvalidTimestamp: "the clocks of gateway and server differ: set the one that is wrong",
}


class TooMuch(Exception):
    """The server takes fewer items in one request."""


@asynccontextmanager
async def asking(
    where: str, what: str, timeout_s: float, *, opening: bool = False, home: Home | None = None
) -> AsyncIterator[None]:
    """The deadline around one request, and the translation of what may come of it. `home`: whose certificate it is
    that a server may refuse.

    Raises Unreachable (`opening`) or ConnectionLost for silence and a broken connection, AccessRefused,
    CertificateNotTrusted, UnsupportedProtocol, and TooMuch for a request that can be split.
    """
    lost = Unreachable if opening else ConnectionLost
    hint = "is an OPC UA server listening there, and alive?" if opening else ""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:
        raise lost(f"no answer to {what} within {timeout_s:g} s", where=where, hint=hint) from error
    except ConnectionRefusedError as error:
        raise lost("connection refused", where=where, hint=hint) from error
    except socket.gaierror as error:
        raise lost(
            "the host name cannot be resolved", where=where, hint="check the name or use the address"
        ) from error
    except OSError as error:
        reason = f" ({error.strerror})" if error.strerror else ""
        raise lost(f"the connection broke at {what}{reason}", where=where, hint=hint) from error
    except ua.UaStatusCodeError as error:
        if error.code in TOO_MUCH:
            raise TooMuch from error
        raise _status_error(error.code, what, where, lost, home) from error
    except (InvalidSignature, uacrypto.InvalidSignature) as error:
        raise lost(f"the server's signature at {what} is wrong", where=where, hint=hint) from error
    except (ua.UaError, struct.error, ValueError) as error:
        raise lost(
            f"an answer to {what} that cannot be understood ({error})", where=where, hint=hint
        ) from error


def _status_error(
    code: int, what: str, where: str, lost: type[TransientError], home: Home | None
) -> PermanentError | TransientError:
    kind: type[PermanentError] | type[TransientError] = lost
    hint = _HINTS.get(code, "")
    if code in _REFUSED:
        kind = AccessRefused
    elif code in _OUR_CERTIFICATE and home is not None:
        kind = CertificateNotTrusted
        hint = (
            "the server has to trust the certificate that "
            f"`ganpo cert export {home.connection}` writes, and its clock has to be right"
        )
    elif code in _UNSUPPORTED:
        kind = UnsupportedProtocol
    return kind(f"{what} answered with {status_text(code)}", where=where, hint=hint)
