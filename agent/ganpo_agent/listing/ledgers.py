"""Columns of a plant's own ledger that say in another way what ours say: read, and told what to write instead.

A ledger has the model of a device where a row of ours has its profile, the protocol where it has the connection, the
address on the bus where it has a parameter, and the product of the transformers where it has each. None of them says
all that has to be known; each is a proposal, a remark, or a question.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from ganpo_config.exact import NumberError, ratio
from ganpo_config.lists import ASIDE
from ganpo_config.profiles import Profiles
from ganpo_model.errors import ConfigError
from ganpo_model.tables import List, Row

_MODEL = re.compile(r"[A-Za-z][A-Za-z0-9.-]*[0-9][A-Za-z0-9.-]*")
_SHORTEST = 5
_MOST = 6
"""Profiles that are proposed for a model; with more the word says too little."""
_NOTHING = ("", "1", "1.0", "-", "--", "/", "无", "1/1")
_SAID_OF = {
    "protocol": "left out: its connection says it, in a column 连接 (connection) with a name of agent.toml",
    "station": "left out: the parameters of its profile say it, in a column 参数 (parameters): unit=1",
}
_DRIVERS = (("645", "dlt645"), ("188", "cjt188"), ("opc", "opcua"), ("modbus", "modbus"))


def taken(name: str, found: List, profiles: Profiles) -> List:
    """A list without the columns that are set aside, with what has to be said of them."""
    aside = ASIDE[name]
    notes, errors = list(found.notes), list(found.errors)
    if "model" in found.columns:
        notes += _models(found, profiles)
    for column, what in _SAID_OF.items():
        if column in found.columns and (row := next((row for row in found.rows if row.cells[column]), None)):
            notes.append(f"{row.place(column)}: {what}")
    if "ratio" in found.columns:
        errors += filter(None, map(_ratio, found.rows))
    rows = tuple(
        replace(row, cells={c: cell for c, cell in row.cells.items() if c not in aside}) for row in found.rows
    )
    columns = found.columns - set(aside)
    return replace(found, rows=rows, errors=tuple(errors), notes=tuple(notes), columns=columns)


def _models(found: List, profiles: Profiles) -> Iterator[str]:
    """Which profile a model may be, once for each of those that rows without a profile name."""
    told: dict[tuple[str, str], tuple[Row, int]] = {}
    for row in found.rows:
        if (model := row.cells.get("model", "")) and not row.cells["profile"]:
            key = model, row.cells["protocol"]
            first, count = told.get(key, (row, 0))
            told[key] = first, count + 1
    unknown: list[Row] = []
    for (model, protocol), (row, count) in told.items():
        if names := proposed(model, protocol, profiles):
            more = f" ({count} rows)" if count > 1 else ""
            hint = "a column 设备类型 (profile) says it"
            yield f"{row.place('model')}{more}: is its profile {' or '.join(names)}? {hint}"
        else:
            unknown.append(row)
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        yield f"{unknown[0].place('model')}{more}: left out: no profile is of this model; `ganpo profile list` has all"


def proposed(model: str, protocol: str, profiles: Profiles) -> list[str]:
    """The profiles of a model as a nameplate or a ledger writes it: `安科瑞 DTSD1352-C/K`."""
    driver = next((driver for word, driver in _DRIVERS if word in protocol.casefold()), "")
    for word in _words(model):
        found = [name for name in profiles.having(word) if driver in ("", profiles[name].driver)]
        if 0 < len(found) <= _MOST:
            return found
    return []


def _words(model: str) -> Iterator[str]:
    """A model, then what is left of it without its last parts: DTSD1352-C, DTSD1352."""
    for word in _MODEL.findall(model):
        while len(word) >= _SHORTEST and any(map(str.isdigit, word)):
            yield word
            word = word.rpartition("-")[0]


def _ratio(row: Row) -> ConfigError | None:
    """What is wrong with the product of the transformers: that alone does not say them, and it may differ."""
    text, sides = row.cells.get("ratio", ""), (row.cells.get("ct", ""), row.cells.get("pt", ""))
    if text in _NOTHING:
        return None
    if not any(sides):
        hint = "write them into a column CT变比 (ct), 400/5, and PT变比 (pt), 10000/100, as their nameplates have it"
        return ConfigError("of which transformers?", where=row.place("ratio"), hint=hint)
    try:
        product = math.prod(
            (first / second for first, second in map(ratio, filter(None, sides))), start=Fraction(1)
        )
        if Fraction(text) == product:
            return None
    except (NumberError, ValueError):
        return None  # what is wrong with a transformer is told of it
    named = " x ".join(f"{kind} {side}" for kind, side in zip(("ct", "pt"), sides, strict=True) if side)
    hint = "correct the one that is wrong, or leave this one empty"
    return ConfigError(f"{named} comes to {float(product):g}", where=row.place("ratio"), hint=hint)
