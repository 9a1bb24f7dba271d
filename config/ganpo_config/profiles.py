"""The profiles of a site: its own, then ours."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ganpo_config.explain import explain
from ganpo_config.findings import Findings, nearest
from ganpo_config.names import Names
from ganpo_config.profile import Profile
from ganpo_config.profile_checks import check
from ganpo_model.errors import ConfigError, unread

_OURS = files("ganpo_config").joinpath("profiles")
_NOT_TAKEN_OVER = {"format", "id", "base", "title"}
Document = Mapping[str, Any]


class Profiles(Mapping[str, Profile]):
    """By id: the site's own, all of them read, then ours, each read when it is asked for; a file of ours is named
    after its id."""

    def __init__(self, own: Path) -> None:
        """`own`: a folder that need not be there. What is wrong in it stands in `errors` afterwards."""
        self.errors: list[ConfigError] = []
        self._ours = {file.name.removesuffix(".toml"): file for file in _OURS.iterdir() if _toml(file.name)}
        self._own: dict[str, Document] = {}
        self._read: dict[str, Profile] = {}
        files = sorted(own.glob("*.toml")) if own.is_dir() else []
        found = [
            (findings, document)
            for file in files
            if (document := _document(file, findings := self._findings(file.name))) is not None
        ]
        for _, document in found:
            self._own.setdefault(str(document.get("id")), document)
        places: dict[str, str] = {}
        for findings, document in found:
            profile = self._profile(document, findings)
            if profile is not None and profile.id in places:
                findings.error("id", f"{places[profile.id]} has it too", value=profile.id)
            elif profile is not None:
                places[profile.id] = findings.file.removeprefix("profiles/")
                self._read[profile.id] = profile
        self.names = Names({*self._own, *self._ours}, len(found) == len(files))
        """What a row may name: also those of the site's own that are wrong."""

    def __getitem__(self, name: str) -> Profile:
        """Raises KeyError; ConfigError where a file of ours is damaged."""
        if name not in self._read:
            findings = Findings(f"profiles/{self._ours[name].name}")
            document = _document(self._ours[name], findings)
            profile = None if document is None else self._profile(document, findings)
            if profile is None:
                raise findings.errors[0]
            self._read[name] = profile
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        """Without those of the site's own that are wrong."""
        return iter(sorted({*self._read, *self._ours}))

    def __len__(self) -> int:
        return len({*self._read, *self._ours})

    def having(self, word: str) -> Iterator[str]:
        """The ids of those of which id, vendor, device or title has the word, whatever its case."""
        for name, profile in self.items():
            texts = (name, profile.vendor, profile.device, profile.title.zh, profile.title.en)
            if word.casefold() in " ".join(texts).casefold():
                yield name

    def meant(self, word: str) -> str:
        """What a person may have meant who wrote this as an id: people know their meter as iEM3155."""
        found = list(self.having(word))[:3] if word else []
        if not found:
            return nearest(word, self) or "`ganpo profile list` shows them"
        return f"did you mean {' or '.join(found)}?"

    def _findings(self, name: str) -> Findings:
        """Of one file: its errors are ours."""
        return Findings(f"profiles/{name}", self.errors)

    def _profile(self, document: Document, findings: Findings) -> Profile | None:
        """The profile of a document that holds what it says; else None, and the errors are found."""
        before = len(findings.errors)
        whole = self._with_base(document, findings)
        if whole is None:
            return None
        try:
            profile = Profile.model_validate(whole)
        except ValidationError as error:
            explain(error.errors(include_url=False), findings, Profile)
            return None
        check(profile, findings)
        return profile if len(findings.errors) == before else None

    def _with_base(self, document: Document, findings: Findings) -> Document | None:
        """A document over that of its base, over that of its base; None, and the error is found, where one is not
        there. Each file stands there once: one of the site's own may have ours of the same id as base."""
        own = {name: other for name, other in self._own.items() if other is not document}
        ours = dict(self._ours)
        levels = [document]
        while isinstance(name := levels[-1].get("base"), str):
            found = own.pop(name, None)
            if found is None and (file := ours.pop(name, None)) is not None:
                found = _document(file, findings)
            if found is None:
                circle = any(name == level.get("id") for level in levels)
                what = "a circle of bases" if circle else "no such profile"
                findings.error("base", what, "" if circle else self.meant(name), value=name)
                return None
            levels.append(found)
        whole: Document = {}
        for level in reversed(levels[1:]):
            whole = _over(whole, {key: level[key] for key in level if key not in _NOT_TAKEN_OVER})
        return _over(whole, document)


def _over(below: Document, above: Document, depth: int = 2) -> Document:
    """Signals, parameters and the like key by key; what is inside such a key (the words of an `enum`) as it stands
    above."""
    whole = dict(below)
    for key, value in above.items():
        under = whole.get(key)
        if depth and isinstance(value, dict) and isinstance(under, dict):
            value = _over(under, value, depth - 1)
        whole[key] = value
    return whole


def _toml(name: str) -> bool:
    return name.endswith(".toml")


def _document(file: Any, findings: Findings) -> Document | None:
    """What stands in a file; None, and the error is found, where that is no TOML."""
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        findings.errors.append(ConfigError(unread(error), where=findings.file))
    except UnicodeDecodeError:
        findings.errors.append(ConfigError("is not UTF-8", where=findings.file, hint="save it as UTF-8"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        findings.errors.append(ConfigError(f"not TOML: {error}", where=findings.file))
    return None
