"""A value on a device's own display beside what is read of it at that moment: the event `commissioned`."""

import unicodedata
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from pydantic import Field

from ganpo_agent.device import by_hand
from ganpo_agent.local.body import Body, question
from ganpo_agent.local.running import Running, task_of
from ganpo_agent.observing.meaning import understanding
from ganpo_config.nameplate import UNITS
from ganpo_config.plant import BoundPoint, Plant, Register, SignalValue
from ganpo_drivers import PointFault
from ganpo_model import reference
from ganpo_model.clock import iso
from ganpo_model.commissioning import MAX_TEXT, Commissioned, number_typed
from ganpo_model.errors import ConfigError, GanpoError, UnitError
from ganpo_model.facts import Event, EventKind

_SPOKEN = {
    **dict.fromkeys(("度", "千瓦时", "千瓦小时"), "kWh"),
    "兆瓦时": "MWh",
    "千瓦": "kW",
    "瓦": "W",
    "安": "A",
    "伏": "V",
    "千伏": "kV",
    "赫兹": "Hz",
    "小时": "h",
    "分钟": "min",
    "秒": "s",
    "千克": "kg",
    "公斤": "kg",
    "吨": "t",
    "升": "L",
    "兆焦": "MJ",
    "吉焦": "GJ",
    **dict.fromkeys(("立方米", "立方", "方"), "m3"),
    **dict.fromkeys(("°c", "c", "摄氏度"), "degC"),
    **dict.fromkeys(("rpm", "r/min", "转/分"), "1/min"),
}
"""How people write a unit."""
_TRUTH = {
    **dict.fromkeys(("1", "on", "yes", "true", "开", "是"), "true"),
    **dict.fromkeys(("0", "off", "no", "false", "关", "否"), "false"),
}
_MAIN = ("energy_import", "heat_total", "volume_total")
"""The register that a meter is there for, and that its display shows first."""
_PLACES = 12
_LONGEST = 40
"""Digits of a number: what is decoded in the wrong order may be 1e+300, and is no number on any display."""


class _Commission(Body):
    asset_no: str
    signal: str | None = None
    displayed: str = Field(max_length=MAX_TEXT)
    unit: str | None = None
    by: str = Field(min_length=1, max_length=MAX_TEXT)


class _Shown(NamedTuple):
    """What stands on the display: `unit` as it is written here, None where there is none; one of it is `factor` of the
    signal's own."""

    text: str
    unit: str | None = None
    factor: Fraction = Fraction(1)


async def commission(agent: Running, body: bytes) -> dict[str, Any]:
    """Read the point now, and send what was read beside what its display shows, whether or not they agree.

    Raises ConfigError for what is no such point or no such value, GanpoError while time is not trusted, and what
    reading raises; then nothing is sent.
    """
    asked = question(_Commission, body)
    if not agent.time.trusted():
        raise GanpoError(
            "the gateway waits for the time, and a record without its time proves nothing",
            hint="`ganpo status`",
        )
    connection, point = point_of(agent.plant, asked.asset_no, asked.signal)
    shown = _shown(point, asked.displayed, asked.unit)
    answered = await task_of(agent, connection).ask(lambda driver: by_hand.read(driver, [point.address]))
    at, value = agent.time.now(), answered.told[0].value
    if not isinstance(value, PointFault):
        value = understanding(point.meaning)(value)
    if isinstance(value, PointFault):
        hint = "there is nothing to compare: `ganpo points` shows it"
        raise UnitError(
            f"{point.name}: {point.address}: {value.text}", where=f"connections.{connection}", hint=hint
        )
    item = point.meaning.item if isinstance(point.meaning, Register) else None
    record = Commissioned(
        point.name,
        item.id if item is not None else None,
        shown.text,
        _read(point, value, shown.factor),
        value if item is not None and isinstance(value, int) else None,
        shown.unit,
        _line(asked.by, "by"),
    )
    data = asdict(record)
    agent.keeper.put([Event("event", at, EventKind.COMMISSIONED, point.subject, data)])
    compared = record.compared()
    step, off = (None if number is None else f"{number:f}" for number in (compared.step, compared.off))
    return {
        "asset_no": point.subject,
        "at": iso(at),
        **data,
        "agrees": compared.agrees,
        "step": step,
        "off": off,
    }


def point_of(plant: Plant, asset_no: str, signal: str | None) -> tuple[str, BoundPoint]:
    """The point of a subject, and its connection: of this signal, else its one register (of several the one by which
    a meter of its kind is known: an electricity meter's import), else its one point.

    Raises ConfigError where there is none, or where it is not said which.
    """
    found = [
        (link.name, point) for link in plant.connections for point in link.points if point.subject == asset_no
    ]
    if not found:
        known = {item.asset_no for item in plant.equipment} | {item.asset_no for item in plant.meters}
        what = "nothing of it is read" if asset_no in known else "no such machine or meter"
        raise ConfigError(what, where=asset_no, hint="`ganpo points` lists what is read")
    names = ", ".join(sorted(point.signal for _, point in found)[:20])
    if signal is not None:
        for one in found:
            if one[1].signal == signal:
                return one
        raise ConfigError(f"nothing of it is read as {signal}", where=asset_no, hint=f"there are: {names}")
    registers = [one for one in found if isinstance(one[1].meaning, Register)]
    main = [one for one in registers if one[1].signal in _MAIN]
    for several in (registers, main, found):
        if len(several) == 1:
            return several[0]
    raise ConfigError("several of its values are read: say which", where=asset_no, hint=f"there are: {names}")


def _shown(point: BoundPoint, displayed: str, unit: str | None) -> _Shown:
    """Raises ConfigError."""
    kind = point.meaning.type if not isinstance(point.meaning, Register) else "register"
    word = unicodedata.normalize("NFKC", displayed).strip()
    if kind == "bool":
        if (truth := _TRUTH.get(word.casefold())) is None:
            raise ConfigError(
                f"{displayed[:40]!r} is neither on nor off", where="displayed", hint="type 1 or 0"
            )
        return _Shown(truth)
    if kind in ("enum", "string"):
        return _Shown(_line(word, "displayed"))
    digits, behind = number_typed(displayed)
    own = _own_unit(point)
    if not (asked := behind or unit or ""):
        return _Shown(digits, own)
    named = _named(asked, own)
    if named == own:
        return _Shown(digits, own)
    if own is None or (factor := UNITS.get((named, own))) is None:
        known = ", ".join([own or "none", *(one for one, other in UNITS if other == own)])
        raise ConfigError(
            f"{asked[:20]!r} is no unit of {point.signal}", where="unit", hint=f"there are: {known}"
        )
    return _Shown(digits, named, factor)


def _line(text: str, where: str) -> str:
    """Text of one line that people can read: everything else the collector would not take."""
    plain = " ".join(text.split())
    if not plain:
        raise ConfigError("nothing was typed", where=where)
    if not plain.isprintable() or len(plain) > MAX_TEXT:
        raise ConfigError(f"{plain[:40]!r} is no line of at most {MAX_TEXT} signs", where=where)
    return plain


def _own_unit(point: BoundPoint) -> str | None:
    meaning = point.meaning
    unit = meaning.item.unit if isinstance(meaning, Register) else reference.signals()[point.signal].unit
    return None if unit in ("", "1") else unit


def _named(typed: str, own: str | None) -> str:
    """A unit as the table writes it; milli and mega differ by their capital alone, everything else by none."""
    plain = unicodedata.normalize("NFKC", typed).replace("·", "").replace("²", "2").strip()
    plain = _SPOKEN.get(plain.casefold(), plain)
    known = [own or "", *(one for one, other in UNITS if other == own)]
    if plain in known:
        return plain
    alike = [one for one in known if one.casefold() == plain.casefold()]
    return alike[0] if len(alike) == 1 else plain


def _read(point: BoundPoint, value: SignalValue, factor: Fraction) -> str:
    """What was read, in the unit of the display: a register in its own resolution, everything else as it is."""
    if isinstance(point.meaning, Register) and isinstance(value, int):
        step = Fraction(point.meaning.item.num, point.meaning.item.den) / factor
        places = next((n for n in range(_PLACES) if (step * 10**n).denominator == 1), _PLACES)
        return f"{Decimal(round(value * step * 10**places)).scaleb(-places):f}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        text = f"{float(Fraction(value) / factor):.12g}"
        plain = f"{Decimal(text):f}"
        return plain if len(plain) <= _LONGEST else text
    return "".join(sign if sign.isprintable() else "?" for sign in value)[:MAX_TEXT]
