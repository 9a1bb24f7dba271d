"""Machines and meters as they are now."""

from typing import Literal

from sqlalchemy import Connection

from ganpo_cloud.web import views
from ganpo_cloud.web.answers.fields import AssetNo, Code, Instant, Unit, answer, filled, said
from ganpo_cloud.web.asking import Asked, Question
from ganpo_model.states import State


@answer
class Register:
    """A register and where it stands."""

    id: str = said("asset_no/signal#hash of what it is read from", "DB-0101/energy_import#1f3a9c02")
    signal: str = said("what it counts", "energy_import")
    carrier: str | None = said("what the meter measures", "electricity")
    unit: Unit
    num: int = said("one count is num/den of the unit", 1)
    den: int = said("one count is num/den of the unit", 100)
    raw: int | None = said("counts at the last accepted reading", 4820300)
    at: Instant | None = said("time of the last accepted reading", "2026-11-25T02:15:03.120Z")


@answer
class Subject:
    """A machine or a meter."""

    enterprise: Code
    asset_no: AssetNo
    kind: Literal["equipment", "meter"] = said("what it is", "equipment")
    name: str = said("as its gateway names it", "立式加工中心 VMC850")
    withdrawn: bool = said("no inventory names it any more", False)
    gateways: list[str] = said("whose inventories name it", ["gw-nc-0007"])
    state: State | None = said(
        "of a machine, now; UNKNOWN where nobody observes it; null without a connection", "PRODUCING"
    )
    state_since: Instant | None = said("since when", "2026-11-25T02:07:12.000Z")
    registers: list[Register] = said("what it counts")
    last_word: Instant | None = said("newest observation stored", "2026-11-25T02:15:00.000Z")


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
