"""The worked histories of registers: sixteen written by hand, twelve checked by reasoning."""

import json
from pathlib import Path
from typing import Any

import pytest

from ganpo_model.registers import Declaration, Register, StepKind, judge

VECTORS = json.loads(Path(__file__).with_name("registers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_judgement_is_the_worked_one(vector: dict[str, Any]) -> None:
    about = vector["register"]
    register = Register(about["max_rate_per_hour"], about["modulus"], about["resets"], about.get("update_ms"))
    declarations = [Declaration(d["at"], d["old"], d["new"], d["confirmed"]) for d in vector["declarations"]]
    found = judge(register, vector["readings_ms"], declarations)
    expect = vector["expect"]
    assert [[str(s.kind), [*s.start], [*s.end], s.amount] for s in found.steps] == expect["steps"], (
        vector.get("why")
    )
    assert sum(s.amount for s in found.steps if s.kind is StepKind.USED) == expect["used"]
    assert [s.amount for s in found.steps if s.kind is StepKind.OPEN] == expect["open"]
    assert sum(s.amount for s in found.steps if s.kind is StepKind.BREAK) == expect["breaks"]
    assert [[*r] for r in found.rejected] == sorted(expect["rejected"])
    assert [[*r] for r in found.set_aside] == expect["set_aside"]
