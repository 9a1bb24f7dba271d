"""Environment over file, for the scalars of [gateway], [uplink] and [site]: GANPO_UPLINK__BROKER and the like."""

from collections.abc import Mapping
from typing import Any

from ganpo_config.document import SiteTable
from ganpo_config.findings import nearest
from ganpo_config.settings import GatewaySettings, Section, UplinkSettings
from ganpo_model.errors import ConfigError

PREFIX = "GANPO_"
SECTIONS: dict[str, type[Section]] = {
    "gateway": GatewaySettings,
    "uplink": UplinkSettings,
    "site": SiteTable,
}
_APART = ("GANPO_CLOUD_", "GANPO_DEMO_")
"""Of other programs of ours."""
_OURS = ("GANPO_CONFIG", "GANPO_SHARED")
_NO_SCALARS = {
    "shifts",
    "exceptions",
    "password",
    "ca_path",
    "http_password",
    "http_cert_path",
    "http_key_path",
}


class GatewayPart(Section):
    """`[gateway]`, judged by itself."""

    gateway: GatewaySettings


class UplinkPart(Section):
    """`[uplink]`."""

    uplink: UplinkSettings


class SitePart(Section):
    """`[site]`."""

    site: SiteTable


def variable(section: str, key: str) -> str:
    """The name that sets a scalar: GANPO_UPLINK__BROKER."""
    return f"{PREFIX}{section}__{key}".upper()


def names() -> list[str]:
    """The names that set something."""
    return [variable(section, key) for section in SECTIONS for key in _scalars(section)]


def _scalars(section: str) -> list[str]:
    return [key for key in SECTIONS[section].model_fields if key not in _NO_SCALARS]


def unknown_names(environ: Mapping[str, str]) -> list[ConfigError]:
    """An error for every GANPO_ name that sets nothing."""
    known = names()
    return [
        ConfigError(
            "no such setting",
            where=name,
            hint=nearest(name, known) or "the environment sets [gateway], [uplink] and [site] only",
        )
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in known and name not in _OURS and not name.startswith(_APART)
    ]


def merged(name: str, raw: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """What the file says of a section, and over it what the environment says."""
    over = {key: environ[said] for key in _scalars(name) if (said := variable(name, key)) in environ}
    table = raw.get(name)
    if not over:
        return {} if table is None else {name: table}
    return {name: {**table, **over} if isinstance(table, dict) else over if table is None else table}
