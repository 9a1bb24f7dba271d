"""Readings and states are taken as strictly as the printed JSON Schema says, whichever decoder reads them."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest

from ganpo_cloud.inlet import decode as decoding
from ganpo_cloud.inlet.decode import Frame, decode, json_schema
from ganpo_cloud.inlet.observations import body_of
from ganpo_model.errors import FrameError
from ganpo_model.facts import Fact, Reading, States
from ganpo_model.frame import pack, unpack
from ganpo_model.states import State

NOW = datetime(2026, 11, 25, 2, 15, tzinfo=UTC)
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
SEED = 20261125
MUTATED = 10_000
ODD = (
    None,
    True,
    0,
    -1,
    1.0,
    1.5,
    2**31,
    2**63,
    2**64,
    10**30,
    "",
    "IDLE",
    "idle",
    "DB-1",
    "\x00",
    "\ud800",
    "2026-11-25",
)
INSTANTS = (
    "2026-11-25T02:00:00Z",
    "2026-11-25 02:00:00.000Z",
    "2026-11-25T02:00:00.000+00:00",
    "2026-11-25T10:00:00.000+08:00",
    "2026-11-25T02:00:00.0001Z",
    "2026-11-25T02:00:00.000",
    "2026-02-30T02:00:00.000Z",
    "2026-11-25T24:00:00.000Z",
    "2026-11-25T02:00:60.000Z",
    "2026-11-25T02:00:00.000z",
    "\u0662026-11-25T02:00:00.000Z",
    "2020-11-25T02:00:00.000Z",
    "2026-11-25T02:20:00.001Z",
)


def frames(rng: random.Random) -> Iterator[bytes]:
    """The JSON of good frames of one to three facts."""
    while True:
        at = NOW - timedelta(milliseconds=rng.randrange(10**9))
        facts: list[Fact] = []
        for n in range(rng.randrange(1, 4)):
            if rng.random() < 0.5:
                facts.append(
                    Reading("reading", f"电表{n}/energy_import#0123abc{n}", at, rng.randrange(2**63))
                )
            else:
                offsets = sorted({0, *(rng.randrange(900_000) for _ in range(rng.randrange(4)))})
                runs = tuple((offset, rng.choice(list(State))) for offset in offsets)
                facts.append(States("states", f"SB-{n}", at - timedelta(minutes=15), at, runs))
        one = [fact for fact in facts if fact.type == facts[0].type]
        yield unpack(pack(STREAM, rng.randrange(1, 2**53), one))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a structure with each of its keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield value, key
        yield from places(item)


def mutated(rng: random.Random, raw: bytes) -> bytes:
    """The same with one thing wrong, or only another."""
    if rng.random() < 0.2:
        at = rng.randrange(len(raw))
        return (
            raw[:at]
            + rng.choice([b"", b"\xff", b"0", b'"', b",", b"]", b"e9", b" "])
            + raw[at + rng.randrange(2) :]
        )
    whole = json.loads(raw)
    inside, key = rng.choice(list(places(whole)))
    what = rng.randrange(6)
    if what == 0:
        del inside[key]
    elif what == 1 and isinstance(inside, dict):
        inside[rng.choice(["more", "type", "at", "raw", "runs", "v"])] = rng.choice(ODD)
    elif what == 2 and isinstance(inside, list):
        inside.insert(rng.randrange(len(inside) + 1), rng.choice([inside[key], *ODD]))
    elif what == 3:
        inside[key] = rng.choice(INSTANTS)
    elif what == 4:
        inside[key] = rng.choice([[], {}, [0, "IDLE"], [[0, "IDLE"]], [[0, "IDLE", 0]]])
    else:
        inside[key] = rng.choice(ODD)
    return json.dumps(whole).encode()


def answer(raw: bytes) -> Frame | tuple[str, str]:
    """The frame, or why it is none."""
    try:
        return decode(gzip.compress(raw, mtime=0), NOW)
    except FrameError as error:
        return "refused", error.reason


def test_the_quick_decoder_takes_nothing_that_the_schema_refuses_and_changes_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    validator = jsonschema.Draft202012Validator(json_schema())
    good = frames(rng)
    tried = [next(good) for _ in range(500)]
    tried += [mutated(rng, next(good)) for _ in range(MUTATED)]
    quick = [answer(raw) for raw in tried]
    for raw in tried:
        assert body_of(raw) is None or validator.is_valid(json.loads(raw)), raw
    assert all(isinstance(found, Frame) for found in quick[:500])

    def never(_raw: bytes) -> None:
        return None

    monkeypatch.setattr(decoding, "body_of", never)
    for raw, found in zip(tried, quick, strict=True):
        assert answer(raw) == found, raw
    kinds = Counter("taken" if isinstance(found, Frame) else found[1] for found in quick[500:])
    assert min(kinds[kind] for kind in ("taken", "schema", "limits", "time", "type", "version")) > 10, kinds


def test_a_frame_of_our_gateways_needs_no_other_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def explained(_raw: bytes) -> Any:
        raise AssertionError("the quick decoder left it")

    monkeypatch.setattr(decoding, "_explained", explained)
    good = frames(random.Random(SEED))
    assert all(isinstance(answer(next(good)), Frame) for _ in range(50))
