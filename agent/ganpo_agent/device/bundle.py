"""What may be sent to who helps: configuration, state and log of a gateway in one file, without any secret."""

import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from ganpo_agent.device import packed
from ganpo_agent.device.machine import versions
from ganpo_config.plant import Plant
from ganpo_model.errors import unread

HIDDEN = "(hidden)"
_UNIT = "ganpo-agent"
_LINES = "5000"
_MOST = 8 * 1024 * 1024
"""Of one file."""
_USERINFO = re.compile(r"(//)[^/@\s]*@")
_SAID = re.compile(
    r"""((?:password|passwd|passphrase|token|secret|authorization|api_?key)["']?\s*[=:]\s*)"""
    r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s,;"']+)""",
    re.IGNORECASE,
)
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def secrets_of(plant: Plant) -> list[str]:
    """Everything secret that the configuration knows."""
    models: list[BaseModel] = [plant.gateway, plant.uplink, *(link.settings for link in plant.connections)]
    found = {
        value.get_secret_value()
        for model in models
        for value in (getattr(model, name) for name in type(model).model_fields)
        if isinstance(value, SecretStr)
    }
    return sorted(found, key=len, reverse=True)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with every secret hidden: those that are known, and what stands where one would."""
    for secret in secrets:
        if len(secret) >= 3:
            text = text.replace(secret, HIDDEN)
    text = _KEY.sub(HIDDEN, text)
    text = _USERINFO.sub(rf"\1{HIDDEN}@", text)
    return _SAID.sub(rf"\1{HIDDEN}", text)


def contents(
    config: Path | None,
    plant: Plant | None,
    checks: Sequence[Mapping[str, Any]],
    said: Mapping[str, Any],
    told: Sequence[str],
) -> dict[str, str]:
    """Texts by their names in the bundle, secrets hidden. `checks`: of the doctor; `said`: what the running agent
    answers, by resource; `told`: what `ganpo check` says."""
    texts = {
        "doctor.json": json.dumps(list(checks), indent=1, ensure_ascii=False),
        "check.txt": "\n".join(told),
        "versions.json": json.dumps(versions(), indent=1),
        "journal.txt": _journal(),
        **{
            f"agent/{name}.json": json.dumps(answer, indent=1, ensure_ascii=False)
            for name, answer in said.items()
        },
    }
    if config is not None:
        texts |= {f"config/{file.relative_to(config.parent)}": _read(file) for file in _files(config)}
    secrets = [] if plant is None else secrets_of(plant)
    return {name: without_secrets(text, secrets) for name, text in texts.items()}


def write(path: Path, texts: Mapping[str, str]) -> None:
    """All in one file. Raises as `packed.write`."""
    packed.write(path, _members(texts))


def content(texts: Mapping[str, str]) -> bytes:
    """The same file, for who sends it."""
    file = io.BytesIO()
    packed.into(file, _members(texts))
    return file.getvalue()


def _members(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {f"ganpo-doctor/{name}": text.encode("utf-8", "replace") for name, text in texts.items()}


def _files(config: Path) -> list[Path]:
    """The configuration, its lists and profiles: what lies beside it, no folder of secrets, no workbook."""
    beside = [config, *config.parent.glob("*.csv"), *config.parent.glob("profiles/*.toml")]
    return [file for file in dict.fromkeys(beside) if file.is_file()]


def _read(file: Path) -> str:
    try:
        return file.read_bytes()[:_MOST].decode("utf-8", "replace")
    except OSError as error:
        return unread(error)


def _journal() -> str:
    """The last lines of the service, where systemd keeps them."""
    program = shutil.which("journalctl")
    if program is None:
        return "no journalctl here"
    command = [program, "--unit", _UNIT, "--lines", _LINES, "--no-pager", "--output", "short-iso-precise"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"journalctl: {error}"
    return (done.stdout or done.stderr)[-_MOST:]
