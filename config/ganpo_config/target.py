"""A device by its URL, without any configuration: for the tools that a person runs beside it."""

import os
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from ganpo_config.connections import link_of
from ganpo_config.findings import Findings, nearest, without_userinfo
from ganpo_config.plant import BoundConnection
from ganpo_config.secret_files import SecretFiles
from ganpo_model.errors import ConfigError

BY_SCHEME: Mapping[str, Sequence[str]] = {
    "tcp": ("modbus", "dlt645", "cjt188"),
    "tls": ("modbus",),
    "rtu": ("modbus",),
    "rtu+tcp": ("modbus",),
    "serial": ("dlt645", "cjt188"),
    "opc.tcp": ("opcua",),
}
"""Our drivers by the scheme of a URL; port 502 is registered for Modbus, any other of tcp:// says nothing."""
_UNSAID: Mapping[str, Mapping[str, object]] = {
    "modbus": {"addressing": "0-based"},
    "opcua": {"security": "None", "allow_insecure": True},
}
"""What a connection has to say, and a URL does not: the protocol's own numbers, and a session that needs no trust."""


_SET = "--set"


def is_url(text: str) -> bool:
    """Whether it is no name of a connection."""
    return "://" in text


def of_url(
    url: str, driver: str = "", settings: Sequence[str] = (), environ: Mapping[str, str] = os.environ
) -> BoundConnection:
    """A connection of this URL, without points; its name is the URL. `settings`: `key=value` each, as they stand under
    `[connections.NAME]`.

    Raises ConfigError: no such scheme, several drivers for it, a setting that is wrong, a secret.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        hint = "every user of this machine could read it; a connection in agent.toml has username and password_file"
        raise ConfigError("no user or password belongs into a URL", where=without_userinfo(url), hint=hint)
    table: dict[str, object] = {"driver": driver or _driver_of(url, parts.scheme), "url": url}
    table |= _UNSAID.get(str(table["driver"]), {})
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError("is not KEY=VALUE", where=f"{_SET} {text}", hint="baud=19200")
        table[key] = value
    findings = Findings("")
    link = link_of(url, table, _SET, None, SecretFiles(environ, findings), findings)
    if link is None or findings.errors:
        raise _first(findings, url)
    return BoundConnection(link.name, link.driver_id, link.driver, link.settings, ())


def _driver_of(url: str, scheme: str) -> str:
    drivers = BY_SCHEME.get(scheme)
    if drivers is None:
        hint = nearest(scheme, BY_SCHEME) or f"there are {', '.join(f'{known}://' for known in BY_SCHEME)}"
        raise ConfigError(f"{scheme}:// is none that a driver reads", where=url, hint=hint)
    if len(drivers) == 1 or (scheme == "tcp" and _port(url) == 502):
        return drivers[0]
    told = ", ".join(f"--driver {name}" for name in drivers)
    raise ConfigError(f"several drivers read {scheme}://", where=url, hint=f"say which: {told}")


def _port(url: str) -> int:
    try:
        return urlsplit(url).port or 502
    except ValueError:
        return 0


def _first(findings: Findings, url: str) -> ConfigError:
    """The first error; its place is the setting, or the URL."""
    error, more = findings.errors[0], len(findings.errors) - 1
    where = error.where.removeprefix(": ").replace(f"{_SET}.", f"{_SET} ")
    what = f"{error.what} (and {more} more)" if more else error.what
    return ConfigError(what, where=url if where.startswith(f"{_SET} url") else where, hint=error.hint)
