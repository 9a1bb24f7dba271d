"""docs/frame.schema.json is what the collector takes."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from ganpo_cloud.inlet.decode import json_schema
from ganpo_model import facts as f
from ganpo_model.frame import pack, unpack
from ganpo_model.states import State

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "frame.schema.json").read_text())
NOW = datetime(2026, 11, 25, 2, 15, tzinfo=UTC)

FACTS: dict[str, f.Fact] = {
    "reading": f.Reading("reading", "DB-1/energy_import#0123abcd", NOW, 48203),
    "states": f.States(
        "states", "SB-1", NOW - timedelta(minutes=15), NOW, ((0, State.IDLE), (9, State.HELD))
    ),
    "event": f.Event("event", NOW, f.EventKind.LINK_DOWN, "SB-1", {"reason": "unplugged"}),
    "inventory": f.Inventory(
        "inventory",
        NOW,
        f.SiteItem("plant-1", "一车间", "Asia/Shanghai", 900_000),
        f.CalendarItem(
            (f.ShiftItem("early", "mon-fri", "06:00", "14:00", ("10:00-10:30",)),),
            (f.ExceptionItem(date(2027, 2, 5), date(2027, 2, 11), "off", "春节"),),
        ),
        (f.EquipmentItem("SB-1", "车床", None, (), (), ("main",), "in_use", date(2025, 3, 1), 95),),
        (f.MeterItem("DB-1", "总电表", "electricity", "boundary_in", None, None),),
        (f.RegisterItem("DB-1/x#0123abcd", "DB-1", "x", None, "kWh", 1, 100, None, 80_000, False),),
    ),
}


def test_the_schema_in_the_docs_is_the_one_the_collector_prints() -> None:
    assert json_schema() == SCHEMA, "ganpo-cloud schema > docs/frame.schema.json"


@pytest.mark.parametrize("kind", FACTS)
def test_what_an_agent_packs_is_a_frame_by_the_schema(kind: str) -> None:
    whole = json.loads(unpack(pack("01HF7YAT00V3RS3DTR98H6BCFN", 1, [FACTS[kind]])))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate(whole)
    whole["facts"][0]["more"] = 1
    assert not validator.is_valid(whole)


def test_every_kind_of_fact_is_tried() -> None:
    assert set(FACTS) == set(f.KINDS)
