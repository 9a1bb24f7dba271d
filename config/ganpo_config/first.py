"""The first `agent.toml` of a gateway: what a person is asked, what is proposed, and the text that comes of it."""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ganpo_config.files import MAIN, PROFILES
from ganpo_config.load import load
from ganpo_config.profile import Profile
from ganpo_config.profiles import Profiles
from ganpo_config.secret_files import FOLDER
from ganpo_model.errors import ConfigError

LINES = {"modbus": "rtu://", "dlt645": "serial://", "cjt188": "serial://"}
"""Drivers of meters on a line, and how the address of a serial port begins there."""
_CARRIERS = {"energy_import": "electricity", "heat_total": "heat", "volume_total": "water_fresh"}
_ANY_METER = {"dlt645": "A" * 12, "cjt188": "A" * 14}
"""Whatever number the only meter of a line has."""
_PARITY = {"N": "none", "E": "even", "O": "odd"}
PASSWORD = "mqtt_password"  # noqa: S105 - the name of a file
_PIPE = "pipe=DN50"
_MOST = "100"
_HEADING = """# Everything this gateway needs; every key stands in docs/configuration.md.
# `ganpo check` says what is wrong with it, `ganpo reload` applies what changed.
format = 1
"""


@dataclass(frozen=True, slots=True)
class Question:
    """`key`: of the answer, and of the option that gives it. `blamed`: where an error stands that is of this answer."""

    key: str
    text: str
    blamed: str
    of_meter: bool = False
    may_be_empty: bool = False


QUESTIONS = (
    Question("id", "Id of this gateway", r"gateway\.id"),
    Question("broker", "Broker, mqtt://HOST or mqtts://HOST", r"uplink\.broker"),
    Question("site", "Id of the site", r"site\.id"),
    Question("site_name", "Name of the site", r"site\.name"),
    Question("timezone", "Time zone", r"site\.timezone"),
    Question(
        "profile", "First meter: vendor, model or profile (empty: none yet)", r"\.profile", may_be_empty=True
    ),
    Question("url", "Where it is connected", r"connections\.", of_meter=True),
    Question("meter", "Its number in the ledger", r"\.asset_no", of_meter=True),
    Question("parameters", "Its parameters, key=value", r"\.parameters", of_meter=True, may_be_empty=True),
    Question(
        "ct",
        "Its CT, and the side that it counts: 400/5 secondary (empty: none)",
        r"\.(ct|reads)",
        of_meter=True,
        may_be_empty=True,
    ),
)
"""Ten, and a password is asked for beside them. Those of the meter are asked where there is one."""


def gateway_id(host: str) -> str:
    """A proposal that is an id, whatever the machine is called."""
    name = re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-")
    return f"gw-{name or 'ganpo'}-0001"[-40:].lstrip("-")


def meters(profiles: Profiles, word: str) -> list[Profile]:
    """The meters on a line that a person may mean who typed this word."""
    found = [profiles[name] for name in profiles.having(word)]
    return [profile for profile in found if profile.driver in LINES and carrier_of(profile)]


def carrier_of(profile: Profile) -> str:
    """What a meter of this profile measures, as far as its registers tell; empty: it is none."""
    return next((carrier for signal, carrier in _CARRIERS.items() if signal in profile.signals), "")


def urls(profile: Profile, ports: Iterable[str]) -> list[str]:
    """Where a meter may be connected: each serial port, and a network address as it may look."""
    return [LINES[profile.driver] + port for port in ports] + ["tcp://192.168.1.10:502"]


def parameters(profile: Profile) -> str:
    """What has to be said of a meter, with what is likely."""
    unit = 1 if profile.factory is None or profile.factory.unit is None else profile.factory.unit
    likely = {
        "meter": _ANY_METER.get(profile.driver, ""),
        "unit": str(unit) if profile.driver == "modbus" else "",
    }
    asked = (name for name, about in profile.parameters.items() if about.default is None)
    words = [f"{name}={likely.get(name, '')}" for name in asked]
    return " ".join([*words, _PIPE] if "volume_total" in profile.signals else words)


def ct(profile: Profile) -> str:
    """The transformers that are proposed: none, said as this profile wants it."""
    with_register = any(name.startswith("ct_") and about.cell for name, about in profile.signals.items())
    if profile.reads == "secondary" or with_register:
        return "1/1" if profile.reads else "1/1 primary"
    return ""


def text(answers: Mapping[str, str], profile: Profile | None, secrets: Path = FOLDER) -> str:
    """The file. `answers`: by the keys of `QUESTIONS`, with `state_dir`."""

    def say(key: str, value: str) -> str:
        return f"{key} = {json.dumps(value, ensure_ascii=False)}\n"

    password = (secrets / PASSWORD).exists()
    parts = [
        _HEADING,
        "[gateway]\n" + say("id", answers["id"]) + say("state_dir", answers["state_dir"]),
        "[uplink]\n"
        + say("broker", answers["broker"])
        + ("" if password else "# the name of a file in /etc/ganpo/secrets, never the password itself\n# ")
        + say("password_file", PASSWORD),
        "[site]\n"
        + say("id", answers["site"])
        + say("name", answers["site_name"])
        + say("timezone", answers["timezone"]),
    ]
    if profile is not None:
        parts += [_connection(answers["url"], profile), _meter(answers, profile)]
    return "\n".join(parts)


def wrong(toml: str, own: Path, environ: Mapping[str, str]) -> tuple[ConfigError, ...]:
    """What `ganpo check` would say of the file. `own`: the profiles of the site."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / MAIN
        if own.is_dir():
            (Path(folder) / PROFILES).symlink_to(own.absolute())
        file.write_text(toml, encoding="utf-8")
        return load(file, environ).errors


def _connection(url: str, profile: Profile) -> str:
    """A serial port is set as the device leaves its factory."""
    text = f'[connections.meters]\ndriver = "{profile.driver}"\nurl = {json.dumps(url, ensure_ascii=False)}\n'
    if profile.driver == "modbus":
        text += 'addressing = "0-based"\n'
    if profile.factory is not None and profile.factory.line and url.startswith(LINES[profile.driver]):
        baud, characters = profile.factory.line.split()
        text += f'baud = {baud}\nparity = "{_PARITY[characters[1]]}"\nstop_bits = {characters[2]}\n'
    return text


def _meter(answers: Mapping[str, str], profile: Profile) -> str:
    carrier = answers.get("carrier") or carrier_of(profile)
    row = {
        "asset_no": answers["meter"],
        "name": profile.title.zh,
        "carrier": carrier,
        "role": "boundary_in",
        "profile": profile.id,
        "connection": "meters",
        "parameters": answers["parameters"],
    }
    transformers, _, reads = answers["ct"].partition(" ")
    row |= {"ct": transformers} if transformers else {}
    row |= {"reads": reads.strip()} if reads else {}
    text = "[[meters]]\n" + "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in row.items()
    )
    if transformers in ("", "1/1") and (
        carrier_of(profile) != "water_fresh" or "pipe=" not in answers["parameters"]
    ):
        text += f'max_rate = "{_MOST}"  # the most that it can count in an hour, in kWh, m3 or MJ: say what is true\n'
    return text
