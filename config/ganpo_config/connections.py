"""`[connections.NAME]`: each judged by the settings of its driver."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError

from ganpo_config.bind import Link
from ganpo_config.explain import explain
from ganpo_config.findings import Findings
from ganpo_config.names import Names
from ganpo_config.secret_files import SecretFiles
from ganpo_config.settings import GatewaySettings
from ganpo_drivers import Driver, registry
from ganpo_model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Links:
    """The good connections by name, and the names of all."""

    good: Mapping[str, Link]
    names: Names


def links(tables: Any, gateway: GatewaySettings | None, secrets: SecretFiles, findings: Findings) -> Links:
    """What stands under `[connections]`; mistakes are found and left out. `gateway`: None where it is wrong itself."""
    if not isinstance(tables, dict):
        findings.error("connections", "not a table: [connections.NAME]", "one for each line or device")
        return Links({}, Names(frozenset(), whole=False))
    good: dict[str, Link] = {}
    load = cache(registry.load)  # which looks at all installed packages
    for name, table in tables.items():
        path = f"connections.{name}"
        if not isinstance(table, dict):
            findings.error(path, f"not a table: [connections.{name}]")
        elif not name or not name.isprintable() or len(name) > 64 or name == "none":
            findings.error(path, "no name for a connection (1 to 64 characters, not none)")
        elif (link := link_of(name, table, path, gateway, secrets, findings, load)) is not None:
            _alone(link, good, path, findings)
            good[name] = link
            for key, what in link.settings.cautions():
                findings.warn(f"{path}.{key}", what)
    return Links(good, Names(frozenset(tables)))


def _alone(link: Link, others: Mapping[str, Link], path: str, findings: Findings) -> None:
    """Two connections on one port take each other's answers."""
    line = link.settings.line
    for other in others.values():
        if line and other.settings.line == line:
            what = f"connections.{other.name} is on the same port ({line})"
            findings.error(path, what, "several units of one line are points of one connection")


def link_of(
    name: str,
    table: Mapping[str, Any],
    path: str,
    gateway: GatewaySettings | None,
    secrets: SecretFiles,
    findings: Findings,
    load: Callable[[str], type[Driver[Any, Any]]] = registry.load,
) -> Link | None:
    """The link of one table, whose errors stand at `path`; None: something is wrong. `gateway`: None where there is
    none, or it is wrong itself. `load`: gives the class of a driver."""
    driver_id = table.get("driver")
    if not isinstance(driver_id, str):
        what = "is missing: the id of a driver" if driver_id is None else "not a text: put it in quotes"
        findings.error(f"{path}.driver", what, "`ganpo driver list` shows them", value=driver_id)
        return None
    try:
        driver = load(driver_id)
    except ConfigError as error:
        findings.error(f"{path}.driver", error.what, error.hint, value=driver_id)
        return None
    values = dict(table)
    before = len(findings.errors)
    values |= secrets.take(values, driver.connection_type, path)
    try:
        settings = driver.connection_type.model_validate(values)
    except ValidationError as error:
        explain(error.errors(include_url=False), findings, driver.connection_type, path)
        return None
    if gateway is not None:
        settings = settings.at(gateway.home(driver_id, name))
    return Link(name, driver_id, driver, settings) if len(findings.errors) == before else None
