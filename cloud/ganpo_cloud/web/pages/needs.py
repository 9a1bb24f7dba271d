"""What needs a person: alarms first, each with the command that closes it, where there is one (ui.md)."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection, func, select

from ganpo_cloud.days.open_items import OpenItem, open_items
from ganpo_cloud.inlet import lives
from ganpo_cloud.store import apart, projected
from ganpo_cloud.store.tables import event, inventory
from ganpo_cloud.web import i18n, views
from ganpo_model.clock import from_ms
from ganpo_model.facts import EventKind
from ganpo_model.states import State

DAY_MS = 24 * 3_600_000
"""How long an event of a gateway is shown."""
CLONES = {
    "contents": "number {seq} of {stream} came with two contents: a disk was set back or copied ({at})",
    "beyond": "its disk was set back or copied: frames up to {seq} of {stream} lie behind the end it tells ({at})",
    "runs": "its disk was set back or copied: two runs follow {stream} ({at})",
}


@dataclass(frozen=True, slots=True)
class Need:
    """One line: who, and what is the matter. `level`: alarm (act now) or warn (look)."""

    level: str
    who: str
    what: str
    command: str = ""


class Needs:
    """Words the findings of one instant `now_ms` in one language. `told` writes an instant for people."""

    def __init__(
        self, words: Callable[[str], str], lang: str, now_ms: int, told: Callable[[int], str]
    ) -> None:
        self._t, self._lang, self._now, self._told = words, lang, now_ms, told

    def all(
        self,
        connection: Connection,
        subjects: Sequence[views.SubjectView],
        gateways: Sequence[views.GatewayView],
        enterprise: str | None = None,
    ) -> list[Need]:
        """Everything, or of one enterprise, alarms first."""
        fault = self._t("{name}: fault for {age}")
        found = [
            Need("alarm", view.asset_no, fault.format(name=view.name, age=self._since(view.state_since)))
            for view in subjects
            if view.state is State.FAULT and not view.withdrawn
        ]
        for gateway in gateways:
            found += self._clones(gateway)
            found += self._registered(gateway) if gateway.enterprise else [self._stranger(gateway)]
        found += self._apart(connection, enterprise)
        for view in subjects:
            found += self._withdrawn(connection, view) if view.withdrawn else []
        found += self.open(connection, enterprise)
        found += [need for gateway in gateways for need in self._suspects(connection, gateway)]
        return [*found, *self._projection(connection)]

    def open(self, connection: Connection, enterprise: str | None, asset_no: str | None = None) -> list[Need]:
        """Registers that wait, the largest first: all, or those of one enterprise or of one of its subjects."""
        items = open_items(connection, from_ms(self._now), enterprise, asset_no)
        return [self._open(item) for item in items]

    def _stranger(self, view: views.GatewayView) -> Need:
        what = self._t("is not registered; its frames wait: {n}").format(n=view.quarantined)
        return Need("warn", view.id, what, f"ganpo-cloud gateway add {view.id} --enterprise CODE --site ID")

    def _registered(self, view: views.GatewayView) -> Iterable[Need]:
        t = self._t
        if not view.online:
            what = t("gateway is offline; last word {age} ago").format(age=self._since(view.last_word))
            yield Need("warn", view.id, what, "systemctl status ganpo-agent")
        for name, item in sorted(view.connections.items()):
            if view.online and isinstance(item, dict) and item.get("error"):
                yield Need("warn", name, str(item["error"])[:200], "curl http://127.0.0.1:8780/health")
        alone = view.said.get("alone")
        for frame in alone if isinstance(alone, list) else []:
            what = t("a frame does not get through: {frame}").format(frame=str(frame)[:200])
            yield Need("warn", view.id, what, "curl http://127.0.0.1:8780/health")
        held = view.said.get("waiting")
        missing = sum(stream.missing for stream in view.streams)
        if view.online and missing > (held if isinstance(held, int) else 0):
            what = t("{n} frames are missing: not stored, not declared lost, not at the gateway")
            yield Need("warn", view.id, what.format(n=missing), "systemctl status ganpo-agent")
        if view.online and (off := lives.clock_off_ms(view.said)):
            what = t("its clock is {age} ahead of ours") if off > 0 else t("its clock is {age} behind ours")
            yield Need("warn", view.id, what.format(age=i18n.age(abs(off), self._lang)), "timedatectl status")
        for kept in view.kept:
            what = t("{n} frames in quarantine: {why}").format(
                n=kept.frames, why=f"{kept.reason}: {kept.detail}"[:160]
            )
            yield Need("warn", view.id, what, "ganpo-cloud quarantine list")

    def _clones(self, view: views.GatewayView) -> Iterable[Need]:
        """One line for a second box, one for each thing else that one box cannot have sent."""
        add = "ganpo-cloud gateway add NEW_ID --enterprise CODE --site ID"
        for clone in view.clones:
            at = self._told(clone.since)
            if clone.both:
                what = self._t("two boxes send with this id since {at}: give one of them an id of its own")
                yield Need("alarm", view.id, what.format(at=at), add)
                return
        for clone in view.clones:
            what = self._t(CLONES[clone.kind]).format(
                at=self._told(clone.since), seq=clone.seq, stream=clone.stream
            )
            yield Need("warn", view.id, what)

    def _apart(self, connection: Connection, enterprise: str | None) -> Iterable[Need]:
        for row in apart.found(connection, enterprise):
            what = self._t("its numbers cannot be worked out since {at}: {reason}").format(
                at=self._told(row.since), reason=row.reason[:200]
            )
            yield Need("alarm", row.subject or row.enterprise, what, "journalctl -u ganpo-cloud")

    def _withdrawn(self, connection: Connection, view: views.SubjectView) -> Iterable[Need]:
        """A second box with the same id names other devices than the first, and what the first reads is withdrawn."""
        named = select(func.max(inventory.c.at)).where(
            (inventory.c.enterprise == view.enterprise) & inventory.c.gateway.in_(view.gateways)
        )
        newest = connection.execute(named).scalar()
        recent = max(newest or 0, self._now - DAY_MS)
        if view.last_word is not None and view.last_word > recent:
            what = self._t(
                "{name} is still read, though the newest inventory of its gateway does not name it"
            )
            yield Need("warn", view.asset_no, what.format(name=view.name), "ganpo check")

    def _open(self, item: OpenItem) -> Need:
        t = self._t
        if item.kind == "open":
            what = t(
                "step of {n} counts is open since {at}: it counts nothing until somebody says what it was"
            )
        elif item.kind == "daily":
            what = t(
                "a step is open every day since {at}, {n} counts in all: say so if it shows a new number once a day"
            )
        elif item.kind == "follows":
            what = t("a new register of this meter begins at {at}: nobody said where the old one ended")
        elif item.asked is None:
            what = t("not believed since {at}: its readings contradict one another: check unit, decoding")
        else:
            what = t(
                "not believed since {at}: it rises by {asked} an hour, at most {allowed} are allowed:"
                " check max_rate, CT, unit, decoding"
            )
        told = what.format(
            n=f"{item.amount or 0:,}".replace("-", "\u2212"),
            at=self._told(item.since),
            asked=rate(item.asked, item.unit),
            allowed=rate(item.allowed, item.unit),
        )
        return Need("warn", item.register, told, item.command)

    def _suspects(self, connection: Connection, view: views.GatewayView) -> Iterable[Need]:
        """Registers of which a gateway saw more jumps than it may send, in the last day."""
        recent = (event.c.gateway == view.id) & (event.c.at > self._now - DAY_MS)
        query = select(event.c.at, event.c.data).where(recent & (event.c.kind == EventKind.SUSPECT))
        newest = {str(json.loads(data).get("register")): at for at, data in connection.execute(query)}
        for register, at in sorted(newest.items()):
            what = self._t("jumps more than 60 times an hour, last at {at}: check max_rate, unit, decoding")
            yield Need("warn", register, what.format(at=self._told(at)), "ganpo check")

    def _projection(self, connection: Connection) -> Iterable[Need]:
        """What the time-series store does not take, in its own words, and what it cannot."""
        for item in projected.failing(connection):
            what = self._t("the time-series store has not taken {measurement} for {age}: {problem}").format(
                measurement=item.measurement, age=self._since(item.since), problem=item.problem
            )
            yield Need("warn", "projection", what, "curl http://127.0.0.1:8700/health")
        if names := projected.left_out(connection):
            what = self._t(
                "not written to the time-series store, which does not read these names as they are: {names}"
            )
            yield Need("warn", "projection", what.format(names=", ".join(names[:10])))

    def _since(self, instant: int | None) -> str:
        return "—" if instant is None else i18n.age(self._now - instant, self._lang)


def rate(value: Fraction | None, unit: str) -> str:
    """In six digits, or all before the point: 8,640 kWh."""
    if value is None:
        return ""
    digits = f"{float(value):,.6g}" if value < 100_000 else f"{round(value):,}"
    return f"{digits} {unit.replace('m3', 'm³')}".removesuffix(" 1")
