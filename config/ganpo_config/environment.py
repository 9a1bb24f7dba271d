"""Environment over file, for the scalars of [gateway], [uplink] and [site]: GANPO_UPLINK__BROKER and the like."""

from collections.abc import Mapping
from typing import Any

from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

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


class _Part(BaseSettings):
    """One section as pydantic-settings reads it: the merged values come in by hand, so that the environment is an
    argument and every section is judged by itself."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__"
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **named: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given."""
        return (named.get("init_settings") or sources[0],)


class GatewayPart(_Part):
    """`[gateway]`."""

    gateway: GatewaySettings


class UplinkPart(_Part):
    """`[uplink]`."""

    uplink: UplinkSettings


class SitePart(_Part):
    """`[site]`."""

    site: SiteTable


def variable(section: str, key: str) -> str:
    """The name that sets a scalar: GANPO_UPLINK__BROKER."""
    return f"{PREFIX}{section}__{key}".upper()


def names() -> list[str]:
    """The names that set something."""
    return [
        variable(section, key)
        for section, model in SECTIONS.items()
        for key in model.model_fields
        if key not in _NO_SCALARS
    ]


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


def merged(
    part: type[_Part], name: str, raw: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, Any]:
    """What the file says of a section, and over it what the environment says."""
    source = EnvSettingsSource(part)
    source.env_vars = {key.lower(): environ[key] for key in names() if key in environ}
    over = source().get(name)
    table = raw.get(name)
    if over is None:
        return {} if table is None else {name: table}
    return {name: {**table, **over} if isinstance(table, dict) else over if table is None else table}
