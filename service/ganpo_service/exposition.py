"""What `/metrics` tells, in the text format of Prometheus (0.0.4); of every process of ours the same."""

import bisect
import os
import resource
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ganpo_service.release import RELEASED

CONTENT_TYPE = "text/plain; version=0.0.4"
VERSION = version("ganpo")
"""Looked up on the disk, which no loop waits for."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]
"""What follows the name, by which labels, and its value."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with all its samples. `kind`: counter, gauge, summary, histogram; `help`: one line, with its unit."""

    name: str
    kind: str
    help: str
    samples: Sequence[Sample]


def counter(name: str, about: str, value: float) -> Family:
    """One that only rises."""
    return Family(name, "counter", about, [("", {}, value)])


def gauge(name: str, about: str, value: float | None) -> Family:
    """One value; none where nobody knows."""
    return Family(name, "gauge", about, [] if value is None else [("", {}, value)])


def each(name: str, kind: str, about: str, samples: Iterable[tuple[Labels, float | None]]) -> Family:
    """A value for each of several; none of those of which nobody knows it."""
    return Family(name, kind, about, [("", labels, value) for labels, value in samples if value is not None])


class Histogram:
    """How often a value was at most so much, since the process began; by the value of one label, or of none."""

    def __init__(self, name: str, about: str, bounds: Sequence[float], *labels: str) -> None:
        self._about = (name, about)
        self._bounds = tuple(bounds)
        self._labels = labels
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        if not labels:
            self._counts[()], self._sums[()] = [0] * (len(self._bounds) + 1), 0.0

    def observe(self, value: float, *labels: str) -> None:
        """One more; `labels` in the order in which they were named."""
        counts = self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
        counts[bisect.bisect_left(self._bounds, value)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + value

    def family(self) -> Family:
        """As it stands."""
        samples: list[Sample] = []
        for key, counts in list(self._counts.items()):
            labels, total = dict(zip(self._labels, key, strict=True)), 0
            for bound, count in zip((*self._bounds, None), counts, strict=True):
                total += count
                samples.append(
                    ("_bucket", {**labels, "le": "+Inf" if bound is None else f"{bound:g}"}, total)
                )
            samples += [("_sum", labels, self._sums[key]), ("_count", labels, total)]
        name, about = self._about
        return Family(name, "histogram", about, samples)


def text(families: Iterable[Family]) -> str:
    """The body of an answer."""
    lines: list[str] = []
    for family in families:
        told = family.help.replace("\\", r"\\").replace("\n", r"\n")
        lines += [f"# HELP {family.name} {told}", f"# TYPE {family.name} {family.kind}"]
        lines += [
            f"{family.name}{suffix}{_braced(of)} {_number(value)}" for suffix, of, value in family.samples
        ]
    return "".join(f"{line}\n" for line in lines)


def build(name: str) -> Family:
    """Which version this is, and of which day."""
    labels = {"version": VERSION, "released": f"{RELEASED:%Y-%m-%d}"}
    return Family(name, "gauge", "1, by version and the day of its release.", [("", labels, 1)])


def process() -> list[Family]:
    """What Prometheus' own libraries tell of a process on Linux, by the same names; less where /proc is closed."""
    found: list[Family] = []
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime
    found.append(counter("process_cpu_seconds_total", "Processor time spent, in seconds.", round(spent, 3)))
    with suppress(OSError, ValueError, IndexError):
        words = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        began = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + int(words[19]) / _TICKS
        found += [
            gauge("process_start_time_seconds", "When it began, in seconds since 1970.", round(began, 2)),
            gauge("process_resident_memory_bytes", "Memory that it holds, in bytes.", int(words[21]) * _PAGE),
        ]
    with suppress(OSError):
        files = len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - one more is open to look
        found.append(gauge("process_open_fds", "Open files and sockets.", files))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    found.append(gauge("process_max_fds", "Files and sockets that it may open.", most))
    return found


def _braced(labels: Labels) -> str:
    if not labels:
        return ""
    escaped = (
        (name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n"))
        for name, value in labels.items()
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"


def _number(value: float) -> str:
    return f"{value:.15g}" if isinstance(value, float) else f"{value}"
