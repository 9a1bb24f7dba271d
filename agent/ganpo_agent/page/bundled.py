"""The bundle for who helps, as the page gives it: what `ganpo doctor --bundle` writes, seen by the running agent."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ganpo_agent.device import bundle
from ganpo_agent.local.running import Running


class Bundled(Running, Protocol):
    """An agent; `config`: its file, where it has one."""

    config: Path | None


async def packed(agent: Bundled, said: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> bytes:
    """A tar.gz without any secret. Files and log are read beside the loop."""
    loaded = await agent.reloading.read()
    told = [] if loaded is None else [*map(str, loaded.errors), *loaded.warnings, *loaded.notes]
    return await asyncio.to_thread(
        lambda: bundle.content(bundle.contents(agent.config, agent.plant, checks, said, told))
    )


def name(agent: Running) -> str:
    """Of the file: whose it is, and of when."""
    return f"ganpo-{agent.plant.gateway.id}-{agent.time.now():%Y%m%d-%H%M%S}.tar.gz"
