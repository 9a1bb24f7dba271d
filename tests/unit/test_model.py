"""Frames, units, and the tables that give words their meaning."""

import gzip
import json
import random
import zlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ganpo_model import reference
from ganpo_model.clock import floor_ms, from_ms, iso, to_ms
from ganpo_model.errors import FrameError
from ganpo_model.facts import Event, EventKind, Reading
from ganpo_model.frame import MAX_PACKED, MAX_UNPACKED, crc32_of, new_stream, pack, renumber, unpack
from ganpo_model.registers import StepKind
from ganpo_model.states import PRECEDENCE, State

NOW = datetime(2026, 11, 25, 2, 15, 3, 120_999, tzinfo=UTC)
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"


def test_a_frame_is_one_gzip_member_of_compact_json_and_names_itself_by_its_crc() -> None:
    packed = pack(STREAM, 7, [Reading("reading", "DB-1/energy_import#0123abcd", NOW, 48203)])
    raw = unpack(packed)
    assert json.loads(raw) == {
        "v": 1,
        "stream": STREAM,
        "seq": 7,
        "facts": [
            {
                "type": "reading",
                "register": "DB-1/energy_import#0123abcd",
                "at": "2026-11-25T02:15:03.120Z",
                "raw": 48203,
            }
        ],
    }
    assert crc32_of(packed) == zlib.crc32(raw)
    assert gzip.decompress(packed) == raw
    assert pack(STREAM, 7, [Reading("reading", "DB-1/energy_import#0123abcd", NOW, 48203)]) == packed, (
        "no time in it"
    )
    assert json.loads(unpack(renumber(packed, 9))) == json.loads(raw) | {"seq": 9}


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"", "schema"),
        (b"plain", "schema"),
        (gzip.compress(b"{}", mtime=0)[:-1], "schema"),
        (gzip.compress(b"{}", mtime=0) + b"\0", "schema"),
        (gzip.compress(b"{}", mtime=0) * 2, "schema"),
        (gzip.compress(bytes(MAX_UNPACKED + 1), mtime=0), "limits"),
        (bytes(MAX_PACKED + 1), "limits"),
    ],
)
def test_what_is_no_frame_is_refused_with_its_reason(packed: bytes, reason: str) -> None:
    with pytest.raises(FrameError) as told:
        unpack(packed)
    assert told.value.reason == reason


def test_a_frame_too_large_for_a_collector_is_not_made() -> None:
    text = random.Random(1).randbytes(MAX_PACKED).hex()
    with pytest.raises(FrameError, match="a frame holds"):
        pack(STREAM, 1, [Event("event", NOW, EventKind.SUSPECT, None, {"text": text})])
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack(STREAM, 1, [Event("event", NOW, EventKind.SUSPECT, None, {"value": float("nan")})])


def test_streams_sort_by_time_and_never_fall_below_the_newest() -> None:
    rng = random.Random(1)
    streams = [new_stream(ms, None, rng) for ms in (0, 1, 1_700_000_000_000, 1_700_000_000_001)]
    assert streams == sorted(streams)
    assert all(len(stream) == 26 for stream in streams)
    newest = new_stream(1_900_000_000_000, None, rng)
    assert new_stream(1_700_000_000_000, newest, rng) > newest


def test_instants_travel_as_utc_with_milliseconds() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=8)))
    assert iso(local) == iso(NOW) == "2026-11-25T02:15:03.120Z"
    assert from_ms(to_ms(NOW)) == floor_ms(NOW)
    assert to_ms(datetime.fromisoformat(iso(NOW))) == to_ms(NOW)


def test_every_word_of_the_code_stands_in_the_tables_and_the_other_way_round() -> None:
    states = reference.rows("canonical_states")
    assert [(row["state"], int(row["code"])) for row in states] == [
        (str(state), state.code) for state in State
    ]
    order = [
        row["state"] for row in reference.rows("state_precedence") if row["state"] not in ("UNKNOWN", "IDLE")
    ]
    assert order == [str(state) for state in PRECEDENCE]
    kinds = {row["kind"] for row in reference.rows("register_steps")}
    assert kinds == {str(kind) for kind in StepKind} | {"rejected", "set_aside"}
    mapped = {row["canonical"] for row in reference.rows("state_mapping")}
    assert {word for word in mapped if word and not word.startswith("use ")} <= {
        str(state) for state in State
    }
    assert "electricity" in reference.carriers()
    assert reference.signals()["energy_import"].unit == "kWh"
    assert set(reference.flags()) == {"main", "numerical_control", "digital", "intelligent"}
