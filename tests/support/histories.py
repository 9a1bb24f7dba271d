"""Lives of registers: holes, resets, wraps, dips, spikes, repeated values, declarations; in any mixture."""

from dataclasses import dataclass

from hypothesis import strategies as st

from ganpo_model.clock import DAY_MS, HOUR_MS, MINUTE_MS
from ganpo_model.registers import Declaration, Reading, Register

QUARTER = 15 * MINUTE_MS
HOLES = st.sampled_from(
    [QUARTER] * 5 + [0, 1000, 200_000, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 30 * HOUR_MS, 9 * DAY_MS]
)


@dataclass(frozen=True)
class History:
    """A register's life as it was read, and what a person declared of it."""

    register: Register
    readings: list[Reading]
    declarations: list[Declaration]


REGISTERS = st.builds(
    lambda rate, modulus, resets, update: Register(rate, None if resets else modulus, resets, update),
    st.sampled_from([60, 3600, 360_000]),
    st.sampled_from([None, None, 1000, 65_536]),
    st.booleans(),
    st.sampled_from([None] * 4 + [HOUR_MS, DAY_MS]),
)
# what happens, after how long, how much of the limit it takes, and a value of garbage
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["read"] * 9 + ["stand", "leap", "fall", "garbage", "repeat", "reset", "declare"]),
        HOLES,
        st.integers(0, 100),
        st.sampled_from([0, 1, 2, 30, 900, 5000, 10**6]),
    ),
    min_size=1,
    max_size=40,
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Everything that may happen, in any mixture, whether or not it makes sense."""
    register = draw(REGISTERS)
    # A modulus may be stated wrongly: the device begins again later than it says.
    turn = (register.modulus or 10**15) * draw(st.sampled_from([1, 1, 1, 2]))
    at, raw = draw(st.integers(0, DAY_MS)), draw(st.integers(0, 2000)) % turn
    readings, declarations = [Reading(at, raw)], {}
    for what, dt, share, garbage in draw(EVENTS):
        at += dt
        limit = register.max_rate * dt // HOUR_MS + 1
        raw = (raw + limit * share // 100) % turn
        if what == "stand":
            readings += [Reading(at + n * QUARTER, raw) for n in range(1 + share % 9)]
            at = readings[-1].at
        elif what == "leap":
            raw = (raw + 3 * limit + garbage) % turn
        elif what == "fall":
            raw = max(raw - garbage, 0)
        elif what == "reset":
            raw = share % 8
        elif what == "declare":
            final, first = (raw + garbage % 7) % turn, share % 50
            declarations[at] = Declaration(at, final, first, confirmed=bool(garbage % 2))
            raw = first
        if what in {"garbage", "repeat"}:
            value = abs(raw + garbage * (1 if share % 2 else -1)) % turn if share % 3 else 0
            count = 1 if what == "garbage" else 2 + share % 4
            readings += [Reading(at + n * 5 * MINUTE_MS, value) for n in range(count)]
            at = readings[-1].at
        elif what != "declare" or share % 2:
            readings.append(Reading(at, raw))
    said = sorted(declarations.values())
    if said and draw(st.integers(0, 4)) == 0:
        said[-1] = said[-1]._replace(first=None)
    if said and draw(st.integers(0, 7)) == 0:
        said[0] = Declaration(said[0].at, None, said[0].first or 0)
    return History(register, readings, said)
