"""What a person should know of an enterprise: why something is not counted, and what needs somebody. One kind of thing,
worded where it is shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ganpo_cloud.inlet import lives
from ganpo_cloud.inlet.gateways import Gateway
from ganpo_model.moves import Step, step_of

Translator = Callable[..., str]
"""Of an English text and what fills its `{names}`."""
HEALTH = "curl http://127.0.0.1:8780/health"
SERVICE = "systemctl status ganpo-agent"
REASONS: Mapping[str, str] = {
    "enterprise": "the enterprise is not in the registry",
    "gateway": "no gateway of the enterprise is registered",
    "never": "the gateway was never heard",
    "offline": "the gateway is offline",
    "clock": "the gateway waits for the time: its clock is not trusted",
    "clock_off": "its clock differs from ours by {by} (h:mm:ss)",
    "quarantine": "{n} frames are in quarantine: {reason}",
    "stranger": "is not registered; its frames wait: {n}",
    "link": "its connection says: {error}",
    "faults": "{n} of its {all} points have no usable answer: {fault}",
    "alone": "a frame does not get through: {frame}",
    "missing": "frames missing: {n}; not stored, not declared lost, not at the gateway",
    "both": "two boxes send with this id: give one of them an id of its own",
    "contents": "number {seq} of {stream} came with two contents: a disk was set back or copied",
    "beyond": "its disk was set back or copied: frames up to {seq} of {stream} lie behind the end it tells",
    "runs": "its disk was set back or copied: two runs follow {stream}",
    "suspect": "jumps more than 60 times an hour: check max_rate, unit, decoding",
    "fault": "{name}: fault",
    "read": "{name} is still read, though the newest inventory of its gateway does not name it",
    "elsewhere": "is observed by gateway {gateway}, which belongs to {other}",
    "unknown": "neither a list nor an inventory names it",
    "unnamed": "no inventory of this enterprise names it yet: what is observed of it counts once one does",
    "status": "it does not count: {status}",
    "outdated": "it is outdated capacity to be retired ({document}) and counts nowhere, but for its energy and water",
    "forbidden": "it is forbidden ({document}) and counts nowhere, but for its energy and water",
    "alarm": "runs though it is banned (alarm {n})",
    "main": "it is not said to be main production equipment",
    "nc": "it is not said to be numerically controlled",
    "claimed": "numerical control is only claimed: no document, and the controller has not shown it",
    "claimed_digital": "that it is digital is only claimed: no document",
    "claimed_intelligent": "that it is intelligent is only claimed: no document",
    "empty": "no equipment of it is in the ledger",
    "ledger": "it stands in the ledger only: no gateway names it",
    "connection": "its gateway has no connection to it",
    "apart": "its numbers cannot be worked out, and it is set apart: {reason}",
    "device": "it does not answer: {reason}",
    "silent": "no Good value of it was ever stored",
    "point": "it answers, but its state is unknown: a point that it needs has no good value",
    "reading": "its link is up, but no reading of it came for more than two slots",
    "withdrawn": "no inventory of its gateway names it any more",
    "inside": "{outer} above it has measured what it measures: it counts as a sub-meter, not in the total",
    "below": "in {days} days the meters below it measured {below}, itself {through}: check CT, scale, parent",
    "open": "a step of {n} counts is open: it counts nothing until somebody says what it was",
    "regular": "a step is open every {hours} h, {n} counts in all: say so if it shows a new number only so often",
    "follows": "a new register of this meter begins: nobody said where the old one ended",
    "not_believed": "not believed, its readings contradict one another: check unit, decoding",
    "too_fast": "not believed, it rises by {asked} an hour, at most {allowed} are allowed: check max_rate, CT, unit,"
    " decoding",
    "differs": "its display showed {displayed}, {read} was read: check CT, scale, unit, decoding",
    "holiday": "its site is off today ({what}): silence is no fault, and it still counts",
    "gone": "nothing Good was seen of it for 90 days: it left the current counts",
    "quiet": "nothing Good was seen of it for 14 days, 7 of them planned: it counts, and is not active",
    "seldom": "it is not active: of the planned days of the last 30, 90% need half of their time known, 5 at least",
    "transit": "its gateway has seen it, and what it saw was not stored by then",
    "not_taken": "the time-series store has not taken {measurement}: {problem}",
    "left_out": "not written to the time-series store, which does not read these names as they are: {names}",
}
"""What each reason says; translated where it is shown."""
STEPS: Mapping[Step, str] = {
    Step.REGISTER: "register it",
    Step.CONNECT: "connect it",
    Step.BRING_BACK: "bring it back and keep it there",
    Step.DOCUMENT: "bring a document",
    Step.POPULATION: "answer for the population",
    Step.NONE: "no step",
}
"""What somebody can do about it; translated where it is shown."""
STATUS: Mapping[str, str] = {
    "in_use": "in use",
    "idle": "idle",
    "under_repair": "under repair",
    "sealed": "sealed",
    "not_commissioned": "not commissioned",
    "leased_out": "leased out",
    "retired": "retired",
}
"""What the ledger says of a device; translated where it is shown."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that a person should know: why something is not counted, or what needs somebody.

    `who`: the device, register or gateway, where it is not the one that was asked for; `since`: ms, where it is known;
    `details` fill the words; `command` closes it; `level`: alarm (act now) or warn (look).
    """

    code: str
    since: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    who: str = ""
    level: str = "warn"

    def said(self, t: Translator) -> str:
        """What is the matter, in the language of `t`."""
        words = {
            name: t(STATUS[value]) if name == "status" else value for name, value in self.details.items()
        }
        return t(REASONS[self.code], **words)

    @property
    def step(self) -> Step:
        """What would do away with it."""
        return step_of(self.code)

    def told(self, t: Translator) -> str:
        """The same, and of whom."""
        said = self.said(t)
        return f"{self.who}: {said}" if self.who else said


def of_apart(row: Any) -> Reason:
    """What is set apart, and why."""
    who = row.subject or row.enterprise
    return Reason("apart", row.since, {"reason": row.reason[:200]}, "journalctl -u ganpo-cloud", who, "alarm")


def of_gateways(found: Sequence[Gateway]) -> Iterator[Reason]:
    """What keeps gateways from being heard; where at least half of them are away somebody has to act."""
    away = sum(not view.online for view in found)
    level = "alarm" if 2 * away >= len(found) else "warn"
    for view in found:
        if not view.online and (view.last_word is not None or not view.kept):
            code = "never" if view.last_word is None else "offline"
            yield Reason(code, view.last_word, {}, SERVICE, view.id, level)
        elif view.online and view.live.get("trusted") is False:
            yield Reason("clock", None, {}, "timedatectl status", view.id)
        elif view.online and (off := lives.clock_off_ms(view.live)):
            by = f"{'+' if off > 0 else '-'}{timedelta(seconds=abs(off) // 1000)}"
            yield Reason("clock_off", None, {"by": by}, "timedatectl status", view.id)
        for one in view.kept:
            details = {"n": f"{one.frames:,}", "reason": f"{one.reason}: {one.detail}"[:160]}
            yield Reason("quarantine", one.since, details, "ganpo-cloud quarantine list", view.id)
