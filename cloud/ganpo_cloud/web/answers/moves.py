"""What would move a number: a work list."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from sqlalchemy import Connection

from ganpo_cloud.province import gains, lists
from ganpo_cloud.province.gains import MOVED, Work
from ganpo_cloud.province.indicators import Indicator, Indicators
from ganpo_cloud.province.snapshots import snapshot
from ganpo_cloud.store.counted_tables import NOWHERE
from ganpo_cloud.store.described import Code, Listing, Ratio, answer, said, somewhere, unsaid
from ganpo_cloud.web.asking import Listed, Question, asks
from ganpo_cloud.web.marked import only
from ganpo_cloud.web.problems import Refused
from ganpo_model.moves import Change, Number, Step, taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving(Listed):
    """A number, and by what it is to be moved."""

    indicator: Annotated[str, asks("id of a definition that steps move", "nc_rate_main", max_length=40)] = (
        "nc_rate_main"
    )
    by: Annotated[
        Literal["enterprise", "device"],
        asks("enterprises, all devices of one with the same step together; or devices alone", "enterprise"),
    ] = "enterprise"
    step: Annotated[
        Literal["", "connect", "bring_back", "document"], asks("only what has this step", "document")
    ] = ""


@answer
class Move:
    """One line of the list."""

    rank: int = said("in the order of what is gained", 1)
    enterprise: Code
    firm: str | None = unsaid()
    """Its name; None where it is not in the registry."""
    area: str | None = said("its statistical home; null where nobody said", "360681")
    branch: str | None = said(
        "code of the branch that has the device; null: the enterprise itself has it", "91360000625912173B"
    )
    asset_no: str | None = said("the device; null: all of the enterprise with this step", "SB-0141")
    name: str | None = said("what people call the device; null: several", "立式加工中心 VMC850")
    todo: Literal["connect", "bring_back", "document"] = said("the step: what is to be done", "document")
    number: int = said("how many devices have this step", 3, adds=True)
    gain: Ratio = said("what the number gains, exactly; a count has no denominator")
    after: Ratio | None = said(
        "what the number is once this and every line before are done; null of devices where enterprises are counted"
    )
    cause: str = unsaid()
    more: Fraction = unsaid()
    """What it gains, of a rate in points."""


@dataclass(frozen=True, slots=True)
class Worklist(Listing[Move]):
    """The same with what pages say beside it."""

    work: Work
    item: Indicator
    wanted: lists.Filter
    by: str
    step: str


def moves(connection: Connection, question: Question, asked: Moving) -> Listing[Move]:
    """What would move a number: for each enterprise or device what it gains once its first step is done."""
    if asked.indicator not in MOVED:
        raise Refused(422, "indicator", f"no step moves it; one of {', '.join(MOVED)}", "indicator")
    these = only(connection, question)
    found = snapshot(connection, question.province, question.past, question.now, these)
    items = Indicators(found).of(question.area, question.industry)
    item = next(item for item in items if item.definition.id == asked.indicator)
    wanted = lists.Filter(question.area, question.industry, found.day, asked.text, these)
    step = Step(asked.step) if asked.step else None
    work = gains.work(connection, question.province, wanted, item, asked.by, step)
    before = (asked.page - 1) * asked.limit
    rows, then = [], taken(work.number, work.groups, before)
    for rank, row in enumerate(work.page(connection, asked.limit, asked.page), start=before + 1):
        change = Change(row.numerator, row.denominator)
        then = then.after(change)
        rows.append(_move(work, row, rank, change, then))
    return Worklist(rows, work.total, work, item, wanted, asked.by, asked.step)


def _move(work: Work, row: Any, rank: int, change: Change, then: Number) -> Move:
    gain = work.number.gain(change) or Fraction(0)
    ratio = Ratio(int(gain), None) if work.number.among is None else Ratio(*(gain / 100).as_integer_ratio())
    after = Ratio(then.count, then.among) if work.adds_up else None
    home = somewhere(row.home or NOWHERE)
    cause = work.moved.causes[row.rank] if row.asset_no else ""
    branch = row.own if row.own not in ("", row.enterprise) else None
    about = (row.enterprise, row.firm, home, branch, row.asset_no or None, row.name or None)
    return Move(rank, *about, row.step, row.devices, ratio, after, cause, gain)
