"""What a subject consumed or made over a period, by carrier."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ganpo_cloud.days import quantities
from ganpo_cloud.days.quantities import RegisterQuantity
from ganpo_cloud.days.subjects import Counter
from ganpo_cloud.store.described import Instant, Unit, answer, said
from ganpo_model.registers import Step as Judged


@answer
class Step:
    """A step between two readings that counts nothing."""

    register: str = said("id of the register", "DB-0101/energy_import#1f3a9c02")
    start: Instant = said("time of the first reading", "2026-11-25T02:15:03.120Z")
    end: Instant = said("time of the second reading", "2026-11-25T02:30:00.480Z")
    from_raw: int = said("counts at `start`", 80500)
    to_raw: int = said("counts at `end`", 12)
    amount: int = said("difference in counts", -80488)


@answer
class Quantity:
    """The quantity of one carrier over a period."""

    carrier: str | None = said("null where a register counts parts", "electricity")
    unit: Unit
    millionths: int | None = said(
        "of the unit; null where nothing is known of it: before the first reading, or not believed",
        521199760000,
    )
    spread_ms: int = said("length of the parts between border readings further apart than 30 min", 0)
    unknown_ms: int = said(
        "length of the part for which a register is not believed; it is not in the quantity", 0
    )
    open: list[Step] = said("steps that wait for a person")
    breaks: list[Step] = said("declared exchanges")
    start: Instant = said("begin of the period", "2026-11-24T16:00:00.000Z", name="from")
    end: Instant = said("end of the period, exclusive", "2026-11-25T16:00:00.000Z", name="to")


def of_subject(
    connection: Connection, enterprise: str, asset_no: str, start: int, end: int
) -> list[Quantity]:
    """What a subject says about [start, end), one by carrier; registers without carrier one by one."""
    found = quantities.of_subject(connection, enterprise, asset_no, start, end)
    carriers = sorted({counter.carrier for counter, _ in found if counter.carrier is not None})
    parts = [[one for one in found if one.counter.carrier == carrier] for carrier in carriers]
    parts += [[one] for one in found if one.counter.carrier is None]
    return [total for part in parts if (total := _total(part, start, end)) is not None]


def of_carrier(
    connection: Connection, enterprise: str, asset_no: str, carrier: str, start: int, end: int
) -> Quantity | None:
    """What it says of one carrier; None where it does not measure that."""
    every = of_subject(connection, enterprise, asset_no, start, end)
    return next((one for one in every if one.carrier == carrier), None)


def _total(registers: Sequence[RegisterQuantity], start: int, end: int) -> Quantity | None:
    """Registers of one carrier, added up. `energy_export` counts the other way and is left out."""
    mine = [one for one in registers if one.counter.signal != "energy_export"]
    if not mine:
        return None
    known = [of.millionths for _, of in mine if of.millionths is not None]
    return Quantity(
        mine[0].counter.carrier,
        mine[0].counter.unit,
        sum(known) if known else None,
        max(of.spread_ms for _, of in mine),
        max(of.unknown_ms for _, of in mine),
        [_step(counter, step) for counter, of in mine for step in of.open],
        [_step(counter, step) for counter, of in mine for step in of.breaks],
        start,
        end,
    )


def _step(counter: Counter, step: Judged) -> Step:
    return Step(counter.id, step.start.at, step.end.at, step.start.raw, step.end.raw, step.amount)
