"""What a person must do, most urgent first, each with the command that shows or mends it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from ganpo_agent.keeping.backlog import Backlog
from ganpo_agent.local.running import Running, now_ms, past
from ganpo_agent.reading.connection import ConnectionTask
from ganpo_model.clock import from_ms, iso

SOON_DAYS = 30
"""A certificate that ends within is looked at; within `NOW_DAYS` it is urgent."""
NOW_DAYS = 7
_UNKNOWN = "gateway"
"""Why the collector keeps frames of a gateway that nobody has registered."""
FULL = 0.8
"""Of the outbox' size waits: look."""


class Need(NamedTuple):
    """`level`: alarm (act now) or look; `who`: a name, or of the gateway's own a word of ours; `since`: ISO, None where
    nobody knows."""

    level: str
    who: str
    what: str
    since: str | None
    command: str


def of(agent: Running, backlog: Backlog | None) -> list[dict[str, Any]]:
    """The needs of this moment: alarms first, then by how long they have waited. `of` says whose name `who` is: a
    connection may be called `time`."""
    of_what: dict[str, Iterable[Need]] = {
        "gateway": (*_time(agent), *_configuration(agent), *_outbox(agent, backlog), *_uplink(agent)),
        "connection": (need for task in agent.connections for need in _connection(agent, task)),
        "point": _points(agent),
    }
    found = [(need, {"of": kind}) for kind, needs in of_what.items() for need in needs]
    found.sort(key=lambda one: (one[0].level != "alarm", one[0].since is None, one[0].since or ""))
    return [need._asdict() | kind for need, kind in found]


def days_left(agent: Running, end: datetime | None) -> int | None:
    """Whole days until a certificate ends; None where there is none, or while time is not trusted."""
    return None if end is None or not agent.time.trusted() else (end - agent.time.now()).days


def _time(agent: Running) -> Iterable[Need]:
    time = agent.time
    if (why := time.why) is not None:
        yield Need("alarm", "time", f"waiting for time: {why}", None, "timedatectl")
    elif time.is_off():
        off_s = (time.off_ms() or 0) / 1000
        what = f"this machine's clock is {off_s:+.0f} s off the collector's"
        yield Need("look", "time", what, None, "timedatectl set-ntp true")


def _configuration(agent: Running) -> Iterable[Need]:
    if wrong := agent.reloading.wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        what = f"the file is not what runs: {wrong[0]}{more}"
        yield Need("alarm", "configuration", what, iso(agent.reloading.since), "ganpo check")


def _connection(agent: Running, task: ConnectionTask) -> Iterable[Need]:
    name, since = task.bound.name, iso(task.since) if agent.time.trusted() else None
    if task.state == "parked":
        trust = task.code == "certificate-not-trusted"
        command = f"ganpo trust {name}" if trust else f"ganpo ping {name}"
        yield Need("alarm", name, task.error, since, command)
    elif task.state != "up" and task.error:
        yield Need("alarm", name, task.error, since, f"ganpo ping {name}")
    else:
        for key, breaker in task.breakers.items():
            if breaker.opened is not None:
                who = f"{name} {key}".strip()
                silent = past(agent, breaker.opened)
                command = f"ganpo ping {name} --unit {key}" if key else f"ganpo ping {name}"
                yield Need("alarm", who, breaker.reason, silent, command)
    for whose, end in sorted(task.report().expire.items()):
        if (days := days_left(agent, end)) is not None and days < SOON_DAYS:
            what = f"the certificate ({whose}) ends in {days} days"
            command = "ganpo cert renew" if whose == "own" else f"ganpo trust {name}"
            yield Need("alarm" if days < NOW_DAYS else "look", name, what, None, command)
    if (load := task.pace.load) is not None and load > 1:
        what = f"its line is asked for more than it can do: {load:.0%} of its time"
        yield Need("look", name, what, None, f"ganpo plan {name}")
    if task.bugs:
        what = f"its driver failed {task.bugs} times in a way that it should not; the log has where"
        yield Need("look", name, what, None, "journalctl -u ganpo-agent")


def _outbox(agent: Running, backlog: Backlog | None) -> Iterable[Need]:
    keeper, folder = agent.keeper, agent.plant.gateway.state_dir
    if keeper.problem is not None:
        yield Need("alarm", "outbox", str(keeper.problem), None, f"df -h {folder}")
    if keeper.dropped:
        what = f"{keeper.dropped} facts were given up: the disk did not take them"
        yield Need("alarm", "outbox", what, None, f"df -h {folder}")
    if keeper.outbox.dropped:
        what = f"{keeper.outbox.dropped} frames were given up because it was full; their loss is declared"
        yield Need("alarm", "outbox", what, None, "ganpo doctor")
    elif backlog is not None and backlog.bytes > FULL * keeper.outbox.limit:
        what = f"{backlog.bytes / keeper.outbox.limit:.0%} of its size waits; at 100% the oldest states go"
        yield Need("look", "outbox", what, None, "ganpo doctor")
    for file in keeper.outbox.aside:
        what = f"it was damaged and taken over; {file} is what was left: look after the disk, then remove it"
        yield Need("look", "outbox", what, None, f"ls -l {folder / file}")


def _uplink(agent: Running) -> Iterable[Need]:
    uplink, gateway = agent.uplink, agent.plant.gateway.id
    last = iso(uplink.last_ack) if uplink.last_ack else None
    if uplink.problem:
        yield Need("alarm", "uplink", uplink.problem, last, "ganpo doctor")
    elif uplink.connected and not uplink.window.open:
        what = "the broker is there, and the collector does not answer: does it run, on this broker?"
        yield Need("alarm", "uplink", what, last, "ganpo doctor")
    if (days := days_left(agent, uplink.expires)) is not None and days < SOON_DAYS:
        what = f"the certificate of the broker ends in {days} days: then nothing is sent any more"
        yield Need("alarm" if days < NOW_DAYS else "look", "uplink", what, None, "ganpo doctor")
    if uplink.refused and _UNKNOWN in uplink.quarantined:
        what = "the collector does not know this gateway: what is sent waits there and is not counted"
        site = agent.plant.site.id
        command = f"ganpo-cloud gateway add {gateway} --enterprise CREDIT-CODE --site {site}"
        yield Need("alarm", "uplink", what, last, command)
    elif uplink.refused:
        yield Need("alarm", "uplink", uplink.refused, last, "ganpo-cloud quarantine list")
    for (stream, seq), one in sorted(uplink.window.alone().items()):
        what = f"frame {stream}/{seq} of {one.size:,} bytes goes alone: {one.why}"
        yield Need("look", "uplink", what, None, "ganpo doctor")


def _points(agent: Running) -> Iterable[Need]:
    """By what is wrong, so that fifty registers of one meter are one thing to do."""
    observer = agent.observer
    if observer is None:
        return
    lacking = observer.at_fault()
    for task in agent.connections:
        if task.state != "up":
            continue
        silent = {key for key, breaker in task.breakers.items() if breaker.opened is not None}
        texts: dict[str, list[str]] = {}
        for point in task.bound.points:
            if point.name in lacking and point.address.key not in silent:
                fault = observer.seen[point.name].fault
                texts.setdefault(fault.text if fault is not None else "", []).append(point.name)
        for text, names in texts.items():
            first = next(point for point in task.bound.points if point.name == names[0])
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            command = f"ganpo read {task.bound.name} {first.address} --raw"
            since = min((at for name in names if (at := observer.since(name)) is not None), default=None)
            told = None if since is None else iso(from_ms(since))
            yield Need("look", f"{names[0]}{more}", f"{first.address}: {text}", told, command)
    for name, state in observer.seen.items():
        odd = state.register.odd if state.register is not None else None
        if odd is not None and state.register is not None and state.register.doubted(now_ms(agent)):
            what = f"the register went from {odd.before:,} to {odd.after:,} counts: a person has to say what that was"
            yield Need("look", name, what, iso(from_ms(odd.at)), f"ganpo-cloud why {state.point.subject}")
