"""Rules 1-4 of metrics.md section 5 once more, word by word: the whole history in lists, nothing kept small.

What `ganpo_model.fold` forgets early, this never forgets; the two are compared over random histories.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ganpo_model.steps import Declaration, Reading, Register

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


class Accepted(NamedTuple):
    """A step: how it came about, from, to, amount; the last rise at its start, and whether that start was declared."""

    kind: str
    p: Reading
    q: Reading
    amount: int
    rise: int | None
    stated: bool
    how: str


def naive_judge(
    register: Register, readings: Sequence[tuple[int, int]], declarations: Sequence[Declaration]
) -> tuple[list[tuple[str, Reading, Reading, int]], list[Reading], list[Reading]]:
    """Steps, rejected, set aside. Declarations: exchanges, a last one may end the register."""
    steps: list[Accepted] = []
    rejected: list[Reading] = []
    aside: list[tuple[Reading, int, str]] = []
    last: Reading | None = None
    rise: int | None = None
    stated, doubts, over = False, 0, False

    def fit(
        a: Reading, b: Reading, since: int | None, stated: bool, still: int = HOUR
    ) -> tuple[int, str] | None:
        dt = b.at - a.at + (HOUR if stated else 0)
        most = register.max_rate * dt // HOUR + 1
        if register.modulus is not None and most >= register.modulus:
            return None
        if 0 <= b.raw - a.raw <= most:
            return b.raw - a.raw, "rise"
        if b.raw >= a.raw and since is not None:
            longer = register.max_rate * max(dt, min(b.at - since, still)) // HOUR + 1
            if b.raw - a.raw <= longer and (register.modulus is None or longer < register.modulus):
                return b.raw - a.raw, "standstill"
        if b.raw < a.raw and register.modulus is not None and b.raw - a.raw + register.modulus <= most:
            return b.raw - a.raw + register.modulus, "wrap"
        if b.raw < a.raw and register.resets and b.raw <= most:
            return b.raw, "reset"
        return None

    def accept(kind: str, q: Reading, amount: int, how: str, new_stated: bool = False) -> None:
        nonlocal last, rise, stated, doubts
        assert last is not None
        steps.append(Accepted(kind, last, q, amount, rise, stated, how))
        if kind != "used" or how == "reset":
            rise = None
        if kind == "used" and amount > 0:
            rise = q.at
        last, stated, doubts = q, new_stated, 0

    def believe(kind: str, amount: int, how: str) -> None:
        chain, aside[:] = list(aside), []
        accept(kind, chain[0][0], amount, how)
        for reading, its_amount, its_how in chain[1:]:
            accept("used", reading, its_amount, its_how)

    def find_return(g: Reading, only_last: bool) -> int | None:
        for n in range(len(steps) - 1, len(steps) - 2 if only_last else -1, -1):
            if n < 0 or steps[n].kind == "break":
                return None
            p, q = steps[n].p, steps[n].q
            odd = steps[n].kind == "open" or steps[n].how in {"reset", "wrap", "standstill"}
            near = g.at - q.at <= 10 * MINUTE or (odd and g.at - q.at <= 7 * DAY)
            after = [step.q.raw for step in steps[n:]]
            back = g.raw >= p.raw and any(raw < p.raw or raw > g.raw for raw in after)
            if (n == len(steps) - 1 or near) and back and fit(p, g, steps[n].rise, steps[n].stated):
                return n
        return None

    def decide() -> None:
        nonlocal last, rise, stated
        assert last is not None
        g, group = aside[0][0], len(aside) >= 3
        if group and (found := fit(last, g, rise, stated, 7 * DAY)):
            believe("used", *found)
        elif (n := find_return(g, not group)) is not None:
            rejected.extend(step.q for step in steps[n:])
            last, rise, stated = steps[n].p, steps[n].rise, steps[n].stated
            del steps[n:]
            found = fit(last, g, rise, stated)
            assert found is not None
            believe("used", *found)
        elif group:
            believe("open", g.raw - last.raw, "open")

    def feed(r: Reading) -> None:
        nonlocal last, doubts
        if over:
            rejected.append(r)
        elif last is None:
            last = r
        elif doubts < 2 and (found := fit(last, r, rise, stated)):
            rejected.extend(reading for reading, _, _ in aside)
            aside.clear()
            accept("used", r, *found)
        elif not register.resets and r.raw in {last.raw - 1, last.raw - 2}:
            rejected.append(r)
        else:
            own: int | None = None
            for reading, amount, how in aside[1:]:
                own = reading.at if amount > 0 else None if how == "reset" else own
            found = fit(aside[-1][0], r, own, False) if aside else None
            if found is None:
                rejected.extend(reading for reading, _, _ in aside)
                aside.clear()
            aside.append((r, *(found or (0, ""))))
            doubts += register.modulus is not None or r.raw > last.raw
            if len(aside) >= 2 and aside[-1][0].at - aside[0][0].at >= 10 * MINUTE:
                decide()

    def declare(d: Declaration) -> None:
        nonlocal last, over, rise, stated
        assert d.final is not None
        rejected.extend(reading for reading, _, _ in aside)
        aside.clear()
        f = Reading(d.at, d.final)
        if last is None:
            last = f
        else:
            found = fit(last, f, rise, True)
            difference = f.raw - last.raw
            if found is None and d.confirmed and difference >= 0:
                found = difference, ""
            elif found is None and d.confirmed and register.modulus:
                found = difference % register.modulus, ""
            elif found is None and d.confirmed and register.resets:
                found = f.raw, "reset"
            accept("used" if found else "open", f, *(found or (difference, "open")))
        if d.first is None:
            over = True
        else:
            accept("break", Reading(d.at, d.first), d.first - d.final, "", True)

    waiting = sorted(declarations)
    for at, raw in sorted(set(readings)):
        while waiting and waiting[0].at <= at and not over:
            declare(waiting.pop(0))
        feed(Reading(at, raw))
    for d in waiting:
        if not over:
            declare(d)
    return (
        [(step.kind, step.p, step.q, step.amount) for step in steps],
        sorted(rejected),
        [reading for reading, _, _ in aside],
    )
