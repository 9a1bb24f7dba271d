"""Channel, session and user on a connection that has begun; what is refused is told with its reason."""

from asyncua import ua
from asyncua.client.ua_client import UaClientState

from ganpo_drivers.opcua.client import Client
from ganpo_drivers.opcua.discovery import not_offered, reason
from ganpo_drivers.opcua.errors import asking
from ganpo_drivers.opcua.security import Credentials, offers
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_drivers.opcua.trust import changed
from ganpo_model.errors import CertificateNotTrusted, GanpoError


async def log_in(client: Client, settings: OpcUaSettings, credentials: Credentials) -> None:
    """Open the channel, create the session and activate it.

    Raises Unreachable, AccessRefused, CertificateNotTrusted, UnsupportedProtocol.
    """
    home = settings.home
    try:
        async with asking(settings.url, "opening a channel", settings.timeout_s, opening=True, home=home):
            await client.open_secure_channel()
        async with asking(settings.url, "creating a session", settings.timeout_s, opening=True, home=home):
            await _create_session(client, settings, credentials)
    except GanpoError as error:
        # silence too: a server may pass over in silence what it cannot decrypt
        if client.transport.state is UaClientState.CHANNEL_OPEN and not isinstance(
            error, CertificateNotTrusted
        ):
            raise  # the channel stands: certificates and policy are not what it complains of
        found = await reason(settings, credentials, error)
        if found is error:
            raise
        raise found from error
    async with asking(settings.url, "logging in", settings.timeout_s, opening=True, home=home):
        await _activate(client, settings, credentials)


async def _create_session(client: Client, settings: OpcUaSettings, credentials: Credentials) -> None:
    try:
        await client.create_session()
    except ua.UaStatusCodeError:
        raise
    except ua.UaError as error:
        _check_server(client, settings, credentials)
        if type(error) is not ua.UaError:
            raise
        # asyncua found no endpoint that is like the channel
        raise not_offered(settings, offers(client.transport.endpoints)) from error
    _check_server(client, settings, credentials)


def _check_server(client: Client, settings: OpcUaSettings, credentials: Credentials) -> None:
    """Raises CertificateNotTrusted where the server that made the session is not the one that is trusted."""
    pin, home, shown = credentials.pin, settings.home, client.transport.shown
    if pin is not None and home is not None and shown and shown != pin.certificate:
        raise changed(pin, shown, settings.url, home.connection)


async def _activate(client: Client, settings: OpcUaSettings, credentials: Credentials) -> None:
    user = credentials.user
    password = settings.password.get_secret_value() if settings.password else None
    client.user_private_key = user and user.key
    await client.activate_session(settings.username, password, user and user.certificate)
