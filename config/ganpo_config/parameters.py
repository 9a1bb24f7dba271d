"""The parameters of one subject: `key=value` as a shell splits it, filled into a profile's templates."""

import re
import shlex
from collections.abc import Mapping, Set
from dataclasses import dataclass

from ganpo_config.exact import NumberError, plain
from ganpo_config.findings import Findings, nearest

PARAMETER = re.compile(r"\{([a-z0-9_]+)\}")
Number = float | str


@dataclass(frozen=True, slots=True)
class Parameters:
    """Values by name; `said`: those that the row gives, as against a default."""

    values: Mapping[str, str]
    said: Set[str] = frozenset()

    def fill(self, template: str) -> str:
        """The text with every {parameter} replaced; all are known (`check` of the profile, `split`)."""
        if "{" not in template:
            return template
        return PARAMETER.sub(lambda match: self.values[match[1]], template)

    def blamed(self, template: str, what: str, value: str) -> str:
        """What the row says (`order=DCAB`) of the parameters of a template that was filled and then refused: of those
        that `what` names, or else its `value`, or else of all. Empty: the template itself is wrong."""
        asked = [name for name in dict.fromkeys(PARAMETER.findall(template)) if name in self.said]
        for words in (what, value):
            named = [n for n in asked if re.search(rf"(?<!\w){re.escape(self.values[n])}(?!\w)", words)]
            if named:
                break
        return " ".join(f"{name}={self.values[name]}" for name in named or asked)

    def number(self, template: Number) -> float:
        """A number, or the one that a parameter gives. Raises NumberError."""
        if not isinstance(template, str):
            return template
        text = self.fill(template)
        try:
            return plain(text)
        except NumberError as error:
            raise NumberError(f"{template.strip('{}')}={text}: {error.what}") from None


def split(
    text: str, defaults: Mapping[str, str | None], extra: Set[str], path: str, findings: Findings
) -> Parameters | None:
    """The parameters of a row. `defaults`: what a profile asks for, None where it has to be said; `extra`: what may
    stand there besides. None: an error was found."""
    before = len(findings.errors)
    values = {key: value for key, value in defaults.items() if value is not None}
    known = [*defaults, *sorted(extra)]
    said: set[str] = set()
    for word in _words(text, path, findings):
        key, equals, value = word.partition("=")
        if not equals:
            hint = f"{known[0]}=..." if known else "leave it empty"
            findings.error(path, f"{word} is not key=value", hint, value=text)
        elif key not in known:
            what = f"no such parameter ({', '.join(known) or 'there are none'})"
            findings.error(path, what, nearest(key, known), value=word)
        elif key in said:
            findings.error(path, f"{key} stands here twice", "keep the one that is true", value=text)
        elif not value:
            findings.error(path, f"{key} is empty", f"{key}=..., nothing before and behind the =", value=text)
        else:
            said.add(key)
            values[key] = value
    missing = [key for key in defaults if key not in values]
    if missing and len(findings.errors) == before:
        findings.error(path, f"{', '.join(missing)} missing", f"{missing[0]}=...", value=text)
    return Parameters(values, said) if len(findings.errors) == before else None


def _words(text: str, path: str, findings: Findings) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        hint = 'a value with blanks in it stands between two: machine="VMC 850"'
        findings.error(path, "a quote is not closed", hint, value=text)
        return []
