"""The profiles of a site: its own, then ours."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ganpo_config.explain import explain
from ganpo_config.findings import Findings
from ganpo_config.profile import Profile
from ganpo_config.profile_checks import check
from ganpo_model.errors import ConfigError


def load_profiles(own: Path) -> tuple[dict[str, Profile], list[ConfigError]]:
    """Profiles by id: the site's own folder first, then ours. Two files of one id in a folder are an error."""
    found: dict[str, Profile] = {}
    errors: list[ConfigError] = []
    ours = list(files("ganpo_config").joinpath("profiles").iterdir())
    for folder in (sorted(own.glob("*.toml")) if own.is_dir() else [], ours):
        places: dict[str, str] = {}
        for file in sorted(folder, key=lambda item: item.name):
            if not file.name.endswith(".toml"):
                continue
            findings = Findings(f"profiles/{file.name}")
            profile = _read(file, findings)
            if profile is not None and profile.id in places:
                findings.error("id", f"{places[profile.id]} has it too", value=profile.id)
            elif profile is not None:
                places[profile.id] = file.name
                found.setdefault(profile.id, profile)
            errors += findings.errors
    return found, errors


def _read(file: Any, findings: Findings) -> Profile | None:
    """The profile in a file that holds what it says; else None, and the errors are found."""
    try:
        document: dict[str, Any] = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
        profile = Profile.model_validate(document)
    except OSError as error:
        findings.errors.append(ConfigError(f"cannot be read: {error.strerror}", where=findings.file))
    except UnicodeDecodeError:
        findings.errors.append(ConfigError("is not UTF-8", where=findings.file, hint="save it as UTF-8"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        findings.errors.append(ConfigError(f"not TOML: {error}", where=findings.file))
    except ValidationError as error:
        explain(error.errors(include_url=False), findings, Profile)
    else:
        check(profile, findings)
        return profile if not findings.errors else None
    return None
