"""A page per device of the library, in both languages: what to write, what it says, what a good guess gets wrong."""

from collections.abc import Iterator

from ganpo_config.profile import Profile
from ganpo_config.profile_text import device_of, factory_of, place_of

_URLS = {
    "modbus": "tcp://192.168.10.50:502",
    "dlt645": "serial:///dev/serial/by-id/NAME",
    "cjt188": "serial:///dev/serial/by-id/NAME",
    "opcua": "opc.tcp://192.168.10.20:4840",
}
_HEADS = {
    "en": {
        "write": "What to write",
        "parameter": "parameter",
        "signal": "signal",
        "at": "address",
        "unit": "unit",
        "guess": "What a good guess gets wrong",
        "box": "Out of the box it speaks {}.",
        "asked": "has to be given",
        "check": "`ganpo check` says what of it is missing; `ganpo check --online` reads every point once.",
        "from": "From: {}",
    },
    "zh": {
        "write": "要写什么",
        "parameter": "参数",
        "signal": "信号",
        "at": "地址",
        "unit": "单位",
        "guess": "容易猜错的地方",
        "box": "出厂设置：{}。",
        "asked": "必填",
        "check": "`ganpo check` 会指出还缺什么；`ganpo check --online` 把每个点读一次。",
        "from": "来源：{}",
    },
}


def page(profile: Profile, language: str) -> str:
    """The recipe of a profile."""
    say = _HEADS[language]
    title = getattr(profile.title, language)
    lines = [f"# {title}", ""]
    if device_of(profile):
        lines += [f"**{device_of(profile)}** · `{profile.id}`", ""]
    if factory_of(profile):
        lines += [say["box"].format(f"`{factory_of(profile)}`"), ""]
    lines += [f"## {say['write']}", "", "```toml", *_written(profile), "```", "", say["check"], ""]
    if profile.parameters:
        lines += [f"| {say['parameter']} | | |", "|---|---|---|"]
        for name, about in profile.parameters.items():
            default = say["asked"] if about.default is None else f"`{about.default}`" if about.default else ""
            lines.append(f"| `{name}` | {_cell(getattr(about, language))} | {default} |")
        lines.append("")
    lines += [f"| {say['signal']} | {say['at']} | {say['unit']} |", "|---|---|---|"]
    for name, signal in profile.signals.items():
        lines.append(f"| `{name}` | {_cell(place_of(signal))} | {_cell(str(signal.unit or ''))} |")
    lines.append("")
    if profile.note:
        lines += [f"## {say['guess']}", "", *(f"- {getattr(note, language)}" for note in profile.note), ""]
    return "\n".join([*lines, say["from"].format(profile.origin), ""])


def _written(profile: Profile) -> Iterator[str]:
    """The tables of agent.toml that read one such device."""
    if profile.driver:
        yield "[connections.line-1]"
        yield f'driver = "{profile.driver}"'
        if url := _URLS.get(profile.driver):
            yield f'url = "{url}"'
        if profile.addressing:
            yield f'addressing = "{profile.addressing}"'
        yield ""
    meter = not profile.states
    yield "[[meters]]" if meter else "[[equipment]]"
    yield 'asset_no = "DB-0101"' if meter else 'asset_no = "SB-0101"'
    yield 'name = "..."'
    if meter:
        yield f'carrier = "{_carrier(profile)}"'
        yield 'role = "sub"'
    yield f'profile = "{profile.id}"'
    if profile.driver:
        yield 'connection = "line-1"'
    needed = " ".join(f"{name}=..." for name, about in profile.parameters.items() if about.default is None)
    if needed:
        yield f'parameters = "{needed}"'


def _carrier(profile: Profile) -> str:
    for word, carrier in (("water", "water"), ("gas", "natural_gas"), ("heat", "heat")):
        if word in profile.id:
            return carrier
    return "electricity"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
