"""Machines and meters as they are now."""

from dataclasses import dataclass
from typing import Annotated, Literal

from sqlalchemy import Connection

from ganpo_cloud.web import views
from ganpo_cloud.web.answers.fields import AssetNo, Code, Instant, Unit, filled, said
from ganpo_cloud.web.asking import Asked, Question
from ganpo_model.states import State


@dataclass(frozen=True, slots=True)
class Register:
    """A register and where it stands."""

    id: Annotated[str, said("asset_no/signal#hash of what it is read from", "DB-0101/energy_import#1f3a9c02")]
    signal: Annotated[str, said("what it counts", "energy_import")]
    carrier: Annotated[str | None, said("what the meter measures", "electricity")]
    unit: Unit
    num: Annotated[int, said("one count is num/den of the unit", 1)]
    den: Annotated[int, said("one count is num/den of the unit", 100)]
    raw: Annotated[int | None, said("counts at the last accepted reading", 4820300)]
    at: Annotated[Instant | None, said("time of the last accepted reading", "2026-11-25T02:15:03.120Z")]


@dataclass(frozen=True, slots=True)
class Subject:
    """A machine or a meter."""

    enterprise: Code
    asset_no: AssetNo
    kind: Annotated[Literal["equipment", "meter"], said("what it is", "equipment")]
    name: Annotated[str, said("as its gateway names it", "立式加工中心 VMC850")]
    withdrawn: Annotated[bool, said("no inventory names it any more", False)]
    gateways: Annotated[list[str], said("whose inventories name it", ["gw-nc-0007"])]
    state: Annotated[
        State | None,
        said("of a machine, now; UNKNOWN where nobody observes it; null without a connection", "PRODUCING"),
    ]
    state_since: Annotated[Instant | None, said("since when", "2026-11-25T02:07:12.000Z")]
    registers: Annotated[list[Register], said("what it counts")]
    last_word: Annotated[Instant | None, said("newest observation stored", "2026-11-25T02:15:00.000Z")]


def subjects(connection: Connection, question: Question, _asked: Asked) -> list[Subject]:
    """All subjects, with state or registers now."""
    return [
        filled(
            Subject,
            view,
            gateways=list(view.gateways),
            registers=[filled(Register, register) for register in view.registers],
        )
        for view in views.subjects(connection, question.now)
    ]
