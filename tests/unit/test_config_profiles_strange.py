"""Whatever stands in a profile of a site's own, and in its base: errors with their places, or a profile; no crash."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_config.profile_text import told
from ganpo_config.profiles import Profiles

OWN = """
format = 1
id = "own"
base = "below"
title = { zh = "x", en = "x" }
[parameters]
unit = { default = "3" }
[signals.power]
scale = "{step}"
[[states]]
state = "PRODUCING"
when = { run = true, power = { min = 1, below = "{most}" } }
"""
BELOW = """
format = 1
id = "below"
title = { zh = "x", en = "x" }
origin = "our definition"
driver = "modbus"
addressing = "delta-dvp"
note = [{ zh = "x", en = "x" }]
factory = { speaks = "modbus-rtu", line = "9600 8N1", unit = 1 }
[parameters]
unit = { zh = "x", en = "x" }
step = { zh = "x", en = "x" }
most = { default = "", zh = "x", en = "x" }
[signals.power]
address = "{unit}:D100"
type = "int16"
valid = { min = 0, max = "{most}" }
[signals.run]
address = "M10"
absent = false
[signals.run_state]
parts = [{ address = "D1", times = "10" }, { address = "D2" }]
enum = { Stop = 0, Go = 1 }
unavailable = [9]
[proves]
digital = ["run"]
"""
LOADS = tomllib.loads


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: Any = ()
    if isinstance(document, dict):
        inner = document.items()
    elif isinstance(document, list):
        inner = enumerate(document)
    return [path, *(place for key, value in inner for place in _places(value, (*path, key)))]


PLACES = [(text, path) for text in (OWN, BELOW) for path in _places(LOADS(text)) if path]
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["own", "below", "machine_by_power", "{unit}", "{", "1/0", "\x00", "汇川" * 60]),
    st.dates(),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.sampled_from(["zh", "en", "address", "min", "x"]), st.text(max_size=3), max_size=2),
)


@given(st.lists(st.tuples(st.sampled_from(PLACES), STRANGE), min_size=1, max_size=3))
def test_whatever_stands_there_it_is_an_error_or_a_profile(changes: list[tuple[Any, Any]]) -> None:
    documents = {text: LOADS(text) for text in (OWN, BELOW)}
    for (text, path), value in changes:
        holder = documents[text]
        try:
            for part in path[:-1]:
                holder = holder[part]
            if value is None:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took it away
    found = _read(documents)
    ids = {str(document.get("id")) for document in documents.values()}
    assert ids <= set(found) or found.errors, "either is there, or it is told why not"
    for error in found.errors:
        assert str(error.where).startswith("profiles/")
        assert str(error).isprintable()
    for name in [] if found.errors else ids:
        assert [*told(found[name], "zh")]


def test_what_is_not_strange_is_right() -> None:
    found = _read({text: LOADS(text) for text in (OWN, BELOW)})
    assert found.errors == []
    assert found["own"].parameters["unit"].default == "3"


def _read(documents: dict[str, Any]) -> Profiles:
    """The profiles of a folder whose two files hold these documents."""
    files = {Path("own.toml"): OWN, Path("below.toml"): BELOW}
    read = Path.read_bytes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "is_dir", lambda self: True)
        patch.setattr(Path, "glob", lambda self, pattern: list(files))
        patch.setattr(Path, "read_bytes", lambda self: files[self].encode() if self in files else read(self))
        patch.setattr(tomllib, "loads", lambda text: documents[text] if text in documents else LOADS(text))
        return Profiles(Path("profiles"))
