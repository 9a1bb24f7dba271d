"""`ganpo init`: the first configuration of a gateway."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganpo_agent.cli.common import config_option
from ganpo_service.commands import say

if TYPE_CHECKING:
    from ganpo_agent.device.guessing import Guess
    from ganpo_config.first import Question
    from ganpo_config.profile import Profile

_SHOWN = 12
"""Profiles that are shown for a word, at most."""
_PORTS = ("/dev/serial/by-id/*", "/dev/ttyUSB*", "/dev/ttyACM*")


@click.command()
@config_option
@click.option("--yes", is_flag=True, help="ask nothing: what no option says is as it is proposed")
@click.option("--id", help="of this gateway: 8 to 40 small letters, digits and -")
@click.option("--broker", help="mqtt://HOST[:1883] or mqtts://HOST[:8883]")
@click.option("--site", help="id of the site")
@click.option("--site-name", help="what people call it")
@click.option("--timezone", help="IANA name: Asia/Shanghai")
@click.option("--profile", help="of the first meter; `ganpo profile list` has them")
@click.option("--guess", is_flag=True, help="propose the profile of the meter at --url by reading it")
@click.option("--url", help="of its connection: tcp://HOST:502, rtu:///dev/serial/by-id/...")
@click.option("--meter", help="its number in the ledger: DB-0101")
@click.option("--parameters", help="what its profile asks for: unit=1")
@click.option("--ct", help="its current transformers and the side it counts: `400/5 secondary`")
@click.option("--carrier", help="what it measures, where it is not electricity: natural_gas", default="")
@click.option(
    "--state-dir", help="where the gateway keeps its data", default="/var/lib/ganpo", show_default=True
)
def init(config: Path | None, yes: bool, guess: bool, **given: str | None) -> None:
    """Write the first agent.toml, by asking at most eleven questions.

    A file that is there is never touched. What comes of it passes `ganpo check`. A password for the broker is asked for
    alone, and goes into a file of its own that only its owner reads.
    """
    from ganpo_config import first
    from ganpo_config.files import PROFILES
    from ganpo_config.load import file_of
    from ganpo_model.errors import ConfigError

    file = file_of(config)
    if os.path.lexists(file):
        raise ConfigError(
            "is there already, and is not touched", where=str(file), hint="give another with --config"
        )
    answers = {key: value for key, value in given.items() if value is not None}
    interview = _Interview(file.parent / PROFILES, answers, yes)
    if guess:
        interview.guess(config)
    for question in first.QUESTIONS:
        if interview.profile is not None or not question.of_meter:
            interview.ask(question)
        if question.key == "broker":
            interview.ask_password()
    text = interview.text()
    if errors := first.wrong(text, file.parent / PROFILES, os.environ):
        for error in errors[1:]:
            say(error, err=True)
        raise errors[0]
    written = _written_password(interview.password, os.environ)
    try:
        _write(file, interview.text())
    except ConfigError:
        if written is not None:
            written.unlink()
        raise
    if written is not None:
        say(f"{written} is written.")
    say(f"{file} is written.")
    say("Next: `ganpo check --online` asks the devices, then `ganpo service install`.")


class _Interview:
    """`answers` by their keys; what an option gives is not asked, with `--yes` nothing is."""

    def __init__(self, own: Path, answers: dict[str, str], yes: bool) -> None:
        from ganpo_config.profiles import Profiles

        self.profile: Profile | None = None
        self.password = ""
        self._guessed: Guess | None = None
        self._own = own
        self._answers = answers
        self._profiles = Profiles(own)
        self._yes = yes

    def ask(self, question: "Question") -> None:
        """Until the answer is one. Raises ConfigError where nobody can be asked."""
        asked = question.key not in self._answers and not self._yes
        proposed = self._proposed(question.key)
        while True:
            if asked:
                self._answers[question.key] = self._prompted(question, proposed)
            else:
                self._answers.setdefault(question.key, proposed)
            error = self._wrong(question)
            if error is None:
                return
            if not asked:
                raise error
            say(error, err=True)

    def guess(self, config: Path | None) -> None:
        """Look for the profile of the meter by reading it: the likeliest is proposed. Raises GanpoError."""
        from ganpo_agent.cli.asking import bound_target
        from ganpo_agent.cli.device import guesses_at, tell_guesses
        from ganpo_model.errors import ConfigError

        if self._yes:
            what = "proposes a profile, and a person compares it with the display"
            raise ConfigError(what, where="--guess", hint="leave out --yes")
        if "url" not in self._answers:
            raise ConfigError("reads a meter: where is it?", where="--guess", hint="--url tcp://HOST:502")
        url = self._answers["url"]
        bound = bound_target(config, url, "dlt645" if url.startswith("serial://") else "modbus", ())
        unit, found = guesses_at(bound, None, config)
        tell_guesses(bound, unit, found)
        self._guessed = found[0] if found else None

    def ask_password(self) -> None:
        """Of the broker, where there is none yet; it is not shown, and no option gives it."""
        from ganpo_config import first
        from ganpo_config.secret_files import folder
        from ganpo_service.words import tell

        if self._yes or (folder(os.environ) / first.PASSWORD).exists():
            return
        asked = tell("Password at the broker (empty: none)")
        while True:
            given = click.prompt(asked, default="", show_default=False, hide_input=True, err=True)
            if given.isprintable() and given == given.strip():
                self.password = given
                return
            say("it begins or ends with a blank, or has signs in it that are not shown", err=True)

    def text(self) -> str:
        """The file, with what is proposed where no answer is yet."""
        from ganpo_config import first
        from ganpo_config.secret_files import folder

        usual = {question.key: self._proposed(question.key) for question in first.QUESTIONS}
        return first.text(usual | self._answers, self.profile, folder(os.environ))

    def _wrong(self, question: "Question") -> Any:
        import re

        from ganpo_config import first
        from ganpo_model.errors import ConfigError

        if question.key == "profile":
            return self._choose(self._answers["profile"])
        if not self._answers[question.key] and not question.may_be_empty:
            return ConfigError("an answer is needed", where=question.text)
        found = first.wrong(self.text(), self._own, os.environ)
        return next((error for error in found if re.search(question.blamed, error.where)), None)

    def _choose(self, word: str) -> Any:
        """The profile that a word means; or what to say of it."""
        from ganpo_config import first
        from ganpo_model.errors import ConfigError

        self.profile = None
        if not word:
            left = [
                f"--{key}"
                for key in ("url", "meter", "parameters", "ct", "carrier")
                if self._answers.get(key)
            ]
            what, hint = "is of a meter, and no profile is said", "--profile; `ganpo profile list` has them"
            return ConfigError(what, where=", ".join(left), hint=hint) if left else None
        found = first.meters(self._profiles, word)
        exact = [profile for profile in found if profile.id == word]
        if len(exact or found) == 1:
            self.profile = (exact or found)[0]
            say(f"{self.profile.id}: {self.profile.title.zh} / {self.profile.title.en}")
            return None
        if not found:
            hint = "`ganpo profile list` has all; what is no meter on a line is written by hand"
            return ConfigError("no meter on a line has this word", where=word, hint=hint)
        names = ", ".join(profile.id for profile in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return ConfigError(
            f"{len(found)} profiles have this word: {names}{more}", where=word, hint="type one of them"
        )

    def _prompted(self, question: "Question", proposed: str) -> str:
        from ganpo_service.words import tell

        if question.key == "url" and self.profile is not None:
            for url in self._urls():
                say(f"  {url}")
        default = None if not proposed and not question.may_be_empty else proposed
        answer: str = click.prompt(
            tell(question.text), default=default, show_default=bool(proposed), err=True
        )
        return answer.strip()

    def _urls(self) -> list[str]:
        from ganpo_config import first

        assert self.profile is not None
        return first.urls(self.profile, _ports())

    def _proposed(self, key: str) -> str:
        from ganpo_config import first

        def host() -> str:
            import socket

            return socket.gethostname()

        profile = self.profile
        proposals: dict[str, Callable[[], str]] = {
            "id": lambda: first.gateway_id(host()),
            "broker": lambda: "mqtt://127.0.0.1:1883",
            "site": lambda: "plant-1",
            "site_name": lambda: "plant-1",
            "timezone": _timezone,
            "meter": lambda: "DB-0101",
        }
        guessed = self._guessed
        if guessed is not None:
            proposals["profile"] = lambda: guessed.profile
        if profile is not None:
            proposals |= {
                "url": lambda: self._urls()[0],
                "parameters": lambda: first.parameters(profile),
                "ct": lambda: first.ct(profile),
            }
            if guessed is not None and guessed.profile == profile.id:
                proposals["parameters"] = lambda: guessed.row
        return proposals.get(key, str)()


def _ports() -> list[str]:
    """Serial ports of this machine, each under its lasting name where it has one."""
    found: list[str] = []
    seen: set[str] = set()
    for pattern in _PORTS:
        folder, _, name = pattern.rpartition("/")
        for port in sorted(Path(folder).glob(name)):
            if (real := str(port.resolve())) not in seen:
                seen.add(real)
                found.append(str(port))
    return found


def _timezone() -> str:
    name = os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    return name if "/" in name and not name.startswith("Etc/") else "Asia/Shanghai"


def _written_password(password: str, environ: Mapping[str, str]) -> Path | None:
    """Where the password lies from now on; None: there is none. Raises ConfigError."""
    from ganpo_config import first
    from ganpo_config.secret_files import folder
    from ganpo_model.errors import ConfigError

    if not password:
        return None
    file = folder(environ) / first.PASSWORD
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as made:
            made.write(f"{password}\n")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", where=str(file), hint="as root") from error
    return file


def _write(file: Path, text: str) -> None:
    from ganpo_model.errors import ConfigError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as made:
            made.write(text)
    except OSError as error:
        hint = "as root, or give another with --config"
        raise ConfigError(f"cannot be written: {error.strerror}", where=str(file), hint=hint) from error
