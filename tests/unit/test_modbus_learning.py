"""Holes in a device's map: how many requests they cost, and when they are asked for again (drivers.md, G03, F05)."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from ganpo_drivers import FaultKind, Point, PointFault
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.blocks import Block, pack
from ganpo_drivers.modbus.learning import DAY_S, HOUR_S, MINUTE_S, Learned

ILLEGAL = PointFault(FaultKind.BAD, "exception 02")


def block(*numbers: int, unit: int = 1, area: str = "holding", kind: str = "uint16") -> Block:
    points = [
        Point(str(n), ModbusAddress.parse(f"{unit}:{area}:{number}", type=kind))
        for n, number in enumerate(numbers)
    ]
    (only,) = pack(points, 125, 125, 2000).blocks
    return only


def parts(learned: Learned, whole: Block, now: float) -> list[tuple[int, int]]:
    return [(part.first, part.first + part.count) for part in learned.plan(whole, now).parts]


def one(number: int, **more: str) -> Block:
    return block(number, **more)  # type: ignore[arg-type]


def pauses(
    refuse: Callable[[Learned, Block, float], None], learned: Learned, whole: Block, times: int
) -> list[float]:
    found, now = [], 0.0
    for _ in range(times):
        refuse(learned, whole, now)
        pause = MINUTE_S
        while not learned.plan(whole, now + pause).parts:
            pause += MINUTE_S
        found.append(pause)
        now += pause
    return found


def test_what_was_halved_is_joined_a_hole_at_the_end_costs_one_request_and_one_inside_two() -> None:
    for hole, requests in ((99, [(0, 99)]), (0, [(1, 100)]), (37, [(0, 37), (38, 100)])):
        whole, learned = block(*range(100)), Learned()
        learned.answered(one(50))
        learned.refused(one(hole), ILLEGAL, 0)
        assert parts(learned, whole, 1) == requests
        assert learned.plan(whole, 1).faults == {hole: ILLEGAL}
        assert parts(learned, block(*range(100)), 1) == requests, "another query, another session"


def test_a_gap_that_is_refused_is_no_hole_and_costs_two_requests_for_a_day() -> None:
    whole, learned = block(0, 1, 6), Learned()
    left, right = block(0, 1), one(6)
    learned.apart(right, 0)
    assert parts(learned, whole, 1) == [(left.first, 2), (6, 7)]
    assert learned.plan(whole, 1).faults == {}
    assert parts(learned, whole, DAY_S) == [(0, 7)]


def test_an_address_that_once_answered_is_asked_again_after_a_minute_doubling_to_an_hour() -> None:
    learned, whole = Learned(), one(5)
    learned.answered(block(*range(10)))
    refuse = lambda learned, whole, now: learned.refused(whole, ILLEGAL, now)  # noqa: E731
    assert pauses(refuse, learned, whole, 8) == [60, 120, 240, 480, 960, 1920, HOUR_S, HOUR_S]
    learned.answered(whole)
    assert pauses(refuse, learned, whole, 2) == [60, 120]


def test_so_is_every_address_of_a_unit_of_which_nothing_has_answered_yet() -> None:
    learned, starting = Learned(), block(*range(10), unit=3)
    learned.answered(block(*range(10), unit=4))
    learned.refused(starting, ILLEGAL, 0)
    assert parts(learned, starting, MINUTE_S - 1) == []
    assert parts(learned, starting, MINUTE_S) == [(0, 1)], "one request finds out"
    learned.refused(one(0, unit=3), ILLEGAL, MINUTE_S)  # type: ignore[arg-type]
    assert parts(learned, starting, 3 * MINUTE_S - 1) == []
    assert parts(learned, starting, 3 * MINUTE_S) == [(1, 2)], "another one each time"
    learned.answered(one(1, unit=3))  # type: ignore[arg-type]
    assert parts(learned, starting, 3 * MINUTE_S) == [(0, 10)]


def test_an_address_that_never_answered_while_others_do_waits_for_a_day() -> None:
    learned, whole = Learned(), one(500)
    learned.answered(one(1))
    learned.refused(whole, ILLEGAL, 0)
    assert parts(learned, whole, DAY_S - 1) == []
    assert parts(learned, whole, DAY_S) == [(500, 501)]


def test_a_function_that_is_refused_is_one_hole_for_all_its_area() -> None:
    learned = Learned()
    learned.answered(block(*range(4)))
    learned.refused(block(0, area="input"), ILLEGAL, 0, area=True)
    far = block(*range(900, 950), area="input")
    assert parts(learned, far, 1) == []
    assert set(learned.plan(far, 1).faults) == set(range(50))
    assert parts(learned, block(*range(4)), 1) == [(0, 4)]
    assert parts(learned, far, DAY_S) == [(900, 901)]
    learned.answered(one(900, area="input"))
    assert parts(learned, far, DAY_S) == [(900, 950)]


def test_a_function_that_worked_elsewhere_in_the_area_is_refused_for_its_points_only() -> None:
    learned, there, here = Learned(), block(*range(4)), block(*range(50, 54))
    learned.answered(there)
    learned.refused(here, ILLEGAL, 0, area=True)
    assert parts(learned, there, 1) == [(0, 4)]
    assert parts(learned, here, 1) == []


def test_a_wide_value_that_is_refused_takes_no_narrower_one_with_it() -> None:
    points = [
        Point("narrow", ModbusAddress.parse("1:holding:5", type="uint16")),
        Point("wide", ModbusAddress.parse("1:holding:5", type="uint32")),
        Point("before", ModbusAddress.parse("1:holding:4", type="uint16")),
    ]
    (whole,) = pack(points, 16, 125, 2000).blocks
    learned = Learned()
    learned.answered(one(5))
    learned.refused(block(5, kind="uint32"), ILLEGAL, 0)
    plan = learned.plan(whole, 1)
    assert set(plan.faults) == {1}
    assert parts(learned, whole, 1) == [(4, 6)]


@given(
    st.sets(st.integers(0, 60), min_size=1, max_size=40),
    st.sets(st.integers(0, 60), max_size=12),
    st.integers(5, 61),
)
def test_whatever_is_missing_every_register_that_is_there_is_read_and_little_is_asked(
    wanted: set[int], missing: set[int], limit: int
) -> None:
    """A device with holes that takes at most `limit` registers, read as the driver does, until there is no news."""
    whole, learned = block(*sorted(wanted)), Learned()
    numbers = sorted(wanted)

    def refuses(part: Block) -> bool:
        span = set(range(part.first, part.first + part.count))
        return part.count > limit or bool(span & missing)

    def search(part: Block) -> list[Block]:
        halves = part.halves()
        if halves is None:
            return [part]
        refused = [refuses(half) for half in halves]
        found = []
        for half, bad in zip(halves, refused, strict=True):
            if bad:
                found += search(half)
            else:
                learned.answered(half)
        if found == list(halves):
            return [part]
        if not any(refused):
            learned.apart(halves[1], 0)
        return found

    for _ in range(30):
        quiet = True
        for part in learned.plan(whole, 1).parts:
            if refuses(part):
                quiet = False
                for dead in search(part):
                    learned.refused(dead, ILLEGAL, 0)
            else:
                learned.answered(part)
        if quiet:
            break
    else:
        raise AssertionError("it goes on learning")
    plan = learned.plan(whole, 1)
    assert {numbers[index] for index in plan.faults} == wanted & missing
    read = [address.address.number for part in plan.parts for _, address in part.placed]
    assert sorted(read) == sorted(wanted - missing)
    fewest = len(missing) + -(-61 // limit)
    assert len(plan.parts) <= 2 * fewest + 1
