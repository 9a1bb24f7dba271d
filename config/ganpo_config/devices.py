"""docs/devices.md and docs/zh/devices.md, written from the profiles: `python -m ganpo_config.devices docs`."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ganpo_config.known_devices import addressed, unreadable
from ganpo_config.profile import Profile
from ganpo_config.profile_text import device_of, factory_of
from ganpo_config.profiles import Profiles


@dataclass(frozen=True, slots=True)
class _Words:
    """What the page says of itself, in one language."""

    head: str
    machines: str
    meters: str
    table: str
    addressed: str
    unreadable: str
    counts: str
    at_most: str


_RULE = "\n|---|---|---|---|---|---|---|---|"
_WORDS = {
    "en": _Words(
        """# Devices

Written from the profiles by `python -m ganpo_config.devices docs`; a test holds it to them. `ganpo profile list WORD`
finds one, `ganpo profile show NAME` tells its addresses, states, sources and notes; the name goes into the column
`profile` of [equipment and meters](configuration.md#profiles). A parameter in bold has no default: `ganpo check` asks
for it. Confidence: high is two independent sources that agree, or the maker's manual.
""",
        "## Machines, drives and controllers: {}",
        "## Meters: {}",
        "\n| device | profile | signals | parameters | out of the box | a request | CT and PT | confidence |"
        + _RULE,
        """
## In a point list, by the names of their manuals

Any register of these is a row of `[[points]]` or of a profile of your own: with the `addressing` named here its address
is written as the manual has it, and `ganpo check` prints the protocol's. The driver's
[README](../drivers/ganpo_drivers/modbus/README.md#addresses) has all names.

| device | addressing | address | note | confidence |
|---|---|---|---|---|""",
        """
## Not readable

They speak what none of our drivers speaks.

| device | why | what helps |
|---|---|---|""",
        "counts the {} side",
        "at most {} registers",
    ),
    "zh": _Words(
        """# 设备

由`python -m ganpo_config.devices docs`从模板写成；有测试保证与模板一致。`ganpo profile list WORD`查找模板，
`ganpo profile show NAME`说明它的地址、状态、来源和备注；
模板名写在[设备和计量表](configuration.md#profiles)的`profile`列。
粗体的参数没有默认值：`ganpo check`会要求填写。可信度：high为两个独立来源一致，或厂商手册。
""",
        "## 机床、变频器和控制器：{}",
        "## 计量表：{}",
        "\n| 设备 | 模板 | 信号 | 参数 | 出厂设置 | 一次请求 | CT和PT | 可信度 |" + _RULE,
        """
## 在点位清单中，按手册的名称

以下设备的任何寄存器都可以作为`[[points]]`或您自己模板的一行：写上这里列出的`addressing`，地址就按手册的写法写，
`ganpo check`会列出协议的地址。全部名称见驱动的[README](../../drivers/ganpo_drivers/modbus/README.md#addresses)。

| 设备 | 编址 | 地址 | 备注 | 可信度 |
|---|---|---|---|---|""",
        """
## 无法读取

它们讲的协议，我们的驱动都不会。

| 设备 | 原因 | 怎么办 |
|---|---|---|""",
        "计{}侧",
        "至多{}个寄存器",
    ),
}


def page(profiles: Iterable[Profile], lang: str) -> str:
    """The page in `zh` or `en`: machines, meters, what is read by addresses, and what cannot be read."""
    ordered = sorted(profiles, key=lambda profile: (device_of(profile).casefold(), profile.id))
    machines = [profile for profile in ordered if profile.states]
    meters = [profile for profile in ordered if not profile.states]
    words = _WORDS[lang]
    return "\n".join(
        [
            words.head,
            words.machines.format(len(machines)),
            words.table,
            *(_row(profile, lang) for profile in machines),
            "",
            words.meters.format(len(meters)),
            words.table,
            *(_row(profile, lang) for profile in meters),
            words.addressed,
            *_addressed_rows(lang),
            words.unreadable,
            *_unreadable_rows(lang),
            "",
        ]
    )


def _row(profile: Profile, lang: str) -> str:
    words = _WORDS[lang]
    parameters = (
        f"`{name}`" if about.default is not None else f"**`{name}`**"
        for name, about in profile.parameters.items()
    )
    reads = words.counts.format(profile.reads) if profile.reads else "-"
    cells = (
        device_of(profile) or (profile.title.zh if lang == "zh" else profile.title.en),
        f"`{profile.id}`",
        ", ".join(profile.signals),
        ", ".join(parameters) or "-",
        factory_of(profile) or "-",
        words.at_most.format(most) if (most := profile.max_registers) else "-",
        reads,
        profile.confidence or "-",
    )
    return f"| {' | '.join(cells)} |"


def _addressed_rows(lang: str) -> Iterator[str]:
    for one in addressed():
        note = one.note_zh if lang == "zh" else one.note_en
        told = f"`{one.addressing}` | `{one.example}` | {note} | {one.confidence}"
        yield f"| {one.vendor} {one.device} | {told} |"


def _unreadable_rows(lang: str) -> Iterator[str]:
    for device in sorted(unreadable(), key=lambda device: (device.vendor.casefold(), device.device)):
        why, instead = (
            (device.why_zh, device.instead_zh) if lang == "zh" else (device.why_en, device.instead_en)
        )
        yield f"| {device.vendor} {device.device} | {why} | {instead} |"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for place, lang in ((folder / "devices.md", "en"), (folder / "zh" / "devices.md", "zh")):
        place.write_text(page(Profiles(Path("nowhere")).values(), lang), encoding="utf-8")
