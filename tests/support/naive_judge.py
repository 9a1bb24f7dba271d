"""A second judge, written from metrics.md section 5 alone: the whole chain in a list, everything searched anew.

It keeps nothing small and nothing from step to step but the chain itself; `ganpo_model` is held to it over random
histories. Kinds of steps: rise, still (fitted only because the register stood, or shows a number only so often),
wrap, reset; open, break.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

Point = tuple[int, int]
"""(at, raw)"""


class Link(NamedTuple):
    """One step. `stated`: it ends at a value that a person stated as the new beginning."""

    kind: str
    p: Point
    q: Point
    amount: int
    stated: bool = False


class Verdict(NamedTuple):
    """What becomes of a history. `doubted`: since when nothing is believed."""

    steps: Sequence[tuple[str, Point, Point, int]]
    rejected: Sequence[Point]
    aside: Sequence[Point]
    doubted: int | None


def naive_judge(register: Any, readings: Sequence[Sequence[int]], declarations: Sequence[Any]) -> Verdict:
    """Judge a whole history; declarations as (at, F or None, S or None, confirmed)."""
    judge = _Judge(register)
    said = sorted(declarations, key=lambda d: d[0])
    begins = next((d[0] for d in said if d[1] is None), None) if said and said[0][1] is None else None
    told = [(d[0], 0, d) for d in said]
    read = [(at, 1, (at, raw)) for at, raw in {(at, raw) for at, raw in readings}]
    for at, what, item in sorted(told + read, key=lambda event: (event[0], event[1], event[2][1] or 0)):
        if what == 0:
            judge.declare(*item)
        elif judge.over or (begins is not None and at < begins):
            judge.rejected.append(item)
        else:
            judge.read(item)
    steps = [
        (link.kind if link.kind in {"open", "break"} else "used", link.p, link.q, link.amount)
        for link in judge.chain
    ]
    return Verdict(steps, sorted(judge.rejected), judge.aside, judge.doubted)


class _Judge:
    def __init__(self, register: Any) -> None:
        self.rate, self.modulus = register.max_rate, register.modulus
        self.resets, self.update = register.resets, register.update_ms
        self.first: Point | None = None
        self.begun_by_person = False
        self.chain: list[Link] = []
        self.aside: list[Point] = []
        self.rejected: list[Point] = []
        self.doubted: int | None = None
        self.since_accepted: list[Point] = []
        self.over = False

    # What can be said of the chain, searched for.

    def last(self) -> Point | None:
        return self.chain[-1].q if self.chain else self.first

    def stood_since(self, chain: Sequence[Link], begin: Point | None) -> int | None:
        """The last rise; where there was none, `begin`'s time (None: it is not known)."""
        for link in reversed(chain):
            if link.kind in {"open", "break", "reset"}:
                return None
            if link.amount > 0:
                return link.q[0]
        return begin[0] if begin is not None else None

    def is_stated(self, n: int) -> bool:
        """Whether the n-th accepted reading is an S."""
        return self.chain[n - 1].stated if n else self.begun_by_person

    # Rule 1.

    def limit(self, dt: int) -> int:
        return int(self.rate * dt // HOUR + 1)

    def fit(
        self, a: Point, b: Point, since: int | None, most: int = HOUR, *, watch: bool = False
    ) -> tuple[str, int] | None:
        dt = b[0] - a[0] + (HOUR if watch else 0)
        rise = b[1] - a[1]
        turn = self.modulus
        if turn is not None and self.limit(dt) >= turn:
            return None
        if rise < 0:
            if turn is not None and 0 <= rise + turn <= self.limit(dt):
                return "wrap", rise + turn
            return ("reset", b[1]) if self.resets and b[1] <= self.limit(dt) else None
        if rise <= self.limit(dt):
            return "rise", rise
        stood = [self.update] if self.update is not None else []
        if since is not None:
            stood.append(min(b[0] - since, most))
        for length in stood:
            if rise <= self.limit(length) and not (turn is not None and self.limit(length) >= turn):
                return "still", rise
        return None

    def fit_after(self, n: int, g: Point, most: int = HOUR, *, watch: bool = False) -> tuple[str, int] | None:
        """Whether g follows the n-th accepted reading."""
        before = self.chain[:n]
        p = before[-1].q if before else self.first
        assert p is not None
        since = self.stood_since(before, self.first)
        return self.fit(p, g, since, most, watch=watch or self.is_stated(n))

    # Rules 2 and 3.

    def read(self, r: Point) -> None:
        last = self.last()
        if last is None:
            self.first = r
            return
        above = [x for x in self.since_accepted if self.modulus is not None or x[1] > last[1]]
        found = self.fit_after(len(self.chain), r)
        if found and len(above) < 2:
            self.rejected += self.aside
            self.aside = []
            self.accept(found[0], r, found[1])
        elif not self.resets and last[1] - 2 <= r[1] <= last[1] - 1:
            self.rejected.append(r)
        else:
            self.set_aside(r)

    def accept(self, kind: str, q: Point, amount: int, *, stated: bool = False) -> None:
        p = self.last()
        assert p is not None
        self.chain.append(Link(kind, p, q, amount, stated))
        self.since_accepted, self.doubted = [], None

    def links(self, points: Sequence[Point]) -> list[Link]:
        """The set-aside readings as a chain of their own; its last rise is begun empty."""
        links: list[Link] = []
        for a, b in pairwise(points):
            found = self.fit(a, b, self.stood_since(links, None))
            assert found is not None
            links.append(Link(found[0], a, b, found[1]))
        return links

    def set_aside(self, r: Point) -> None:
        self.since_accepted.append(r)
        if self.doubted is None:
            self.doubted = r[0]
        if self.aside:
            since = self.stood_since(self.links(self.aside), None)
            if self.fit(self.aside[-1], r, since) is None:
                self.rejected += self.aside
                self.aside = []
        self.aside.append(r)
        if len(self.aside) > 1 and r[0] - self.aside[0][0] >= 10 * MINUTE:
            self.look()

    def look(self) -> None:
        g, group = self.aside[0], len(self.aside) > 2
        last = self.last()
        assert last is not None
        if group and (found := self.fit_after(len(self.chain), g, 7 * DAY)):
            self.believe(*found)
        elif (n := self.way_back(g, group=group)) is not None:
            self.rejected += [link.q for link in self.chain[n:]]
            found = self.fit_after(n, g)
            assert found is not None
            del self.chain[n:]
            self.believe(*found)
        elif group:
            self.believe("open", g[1] - last[1])

    def believe(self, kind: str, amount: int) -> None:
        inner = self.links(self.aside)
        g, self.aside = self.aside[0], []
        self.accept(kind, g, amount)
        for link in inner:
            self.accept(link.kind, link.q, link.amount)

    def way_back(self, g: Point, *, group: bool) -> int | None:
        """The place of the newest step over which g returns."""
        for n in reversed(range(len(self.chain))):
            link = self.chain[n]
            if link.kind == "break":
                return None
            ago = g[0] - link.q[0]
            odd = link.kind in {"open", "reset", "wrap", "still"}
            candidate = n == len(self.chain) - 1 or ago <= 10 * MINUTE or (odd and ago <= 7 * DAY)
            beyond = any(later.q[1] < link.p[1] or later.q[1] > g[1] for later in self.chain[n:])
            if candidate and g[1] >= link.p[1] and beyond and self.fit_after(n, g):
                return n
            if not group:
                return None
        return None

    # Rule 4.

    def declare(self, at: int, final: int | None, first: int | None, confirmed: bool) -> None:
        lives = self.first is not None and not self.over
        if (final is None and lives) or (final is not None and self.over):
            return
        self.rejected += self.aside
        self.aside = []
        if final is not None:
            self.end(at, final, confirmed=confirmed)
            self.over = first is None
        if first is not None:
            last = self.last()
            if last is None:
                self.first, self.begun_by_person = (at, first), True
            else:
                self.over = False
                self.accept("break", (at, first), first - last[1], stated=True)

    def end(self, at: int, final: int, *, confirmed: bool) -> None:
        last = self.last()
        if last is None:
            self.first = (at, final)
            return
        rise = final - last[1]
        found = self.fit_after(len(self.chain), (at, final), watch=True)
        if found is None and confirmed:
            if self.modulus is not None:
                found = "wrap" if rise < 0 else "rise", rise % self.modulus
            elif rise >= 0:
                found = "rise", rise
            elif self.resets:
                found = "reset", final
        kind, amount = found or ("open", rise)
        self.accept(kind, (at, final), amount)
