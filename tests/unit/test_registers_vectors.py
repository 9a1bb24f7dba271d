"""The worked histories of registers: sixteen written by hand, twelve checked by reasoning; and cases of the field."""

import json
from pathlib import Path
from typing import Any

import pytest

from ganpo_model.registers import Declaration, Judged, Reading, Register, StepKind, judge

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


MINUTE = 60_000
WALLBOX = [(0, 312_455), (15, 312_986), (30, 313_514), (90, 307_660), (105, 307_660), (120, 308_190)]


def amounts(judged: Judged, kind: StepKind) -> list[int]:
    return [step.amount for step in judged.steps if step.kind is kind]


def minutes(*readings: tuple[float, int]) -> list[Reading]:
    return [Reading(int(minute * MINUTE), raw) for minute, raw in readings]


def test_a_counter_of_23_bits_goes_on_where_it_begins_again() -> None:
    """F12."""
    raws = [8386980, 8387112, 8387246, 8387510, 8387644, 8387910, 8388176, 8388442, 98, 364, 498]
    readings = minutes(*((2.5 * n, raw) for n, raw in enumerate(raws)))
    whole = judge(Register(14_400, 8_388_608), readings)
    assert (sum(amounts(whole, StepKind.USED)), whole.rejected, whole.set_aside) == (2126, [], [])
    without = judge(Register(14_400), readings)
    assert amounts(without, StepKind.OPEN) == []
    assert sum(amounts(without, StepKind.USED)) == 1462
    assert [r.raw for r in without.set_aside] == [98, 364, 498]


def test_an_older_total_that_is_restored_is_open_until_it_is_declared_and_nothing_when_it_passes_the_old_one() -> (
    None
):
    """F13."""
    readings = minutes(*WALLBOX, (135, 308_721), *((135 + 15 * n, 308_721 + 530 * n) for n in range(1, 12)))
    judged = judge(Register(2640), readings)
    assert amounts(judged, StepKind.OPEN) == [307_660 - 313_514]
    assert sum(amounts(judged, StepKind.USED)) == 1059 + 1061 + 11 * 530
    declared = judge(Register(2640), readings, [Declaration(90 * MINUTE, 313_514, 307_660)])
    assert amounts(declared, StepKind.OPEN) == []
    assert amounts(declared, StepKind.BREAK) == [307_660 - 313_514]
    assert sum(amounts(declared, StepKind.USED)) == sum(amounts(judged, StepKind.USED))


@pytest.mark.parametrize(
    ("raws", "used", "opened", "rejected"),
    [
        ([4225555, 4225567, 4225563, 4225571, 4225580], 25, [], 1),
        ([4225555, 4225567, 4225567, 4225567, 4225563, 4225563, 4225563, 4225571], 20, [-4], 0),
    ],
)
def test_a_small_correction_downwards_is_never_the_whole_total(
    raws: list[int], used: int, opened: list[int], rejected: int
) -> None:
    """F15."""
    judged = judge(Register(1000), minutes(*((15 * n, raw) for n, raw in enumerate(raws))))
    assert sum(amounts(judged, StepKind.USED)) == used
    assert amounts(judged, StepKind.OPEN) == opened
    assert len(judged.rejected) == rejected
