"""The kit itself: each way in which the example driver could be wrong fails the test that is about it."""

import contextlib
import gc
import importlib
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ganpo_drivers.opcua.driver import OpcUaDriver
from ganpo_drivers.testing import DriverConformance
from support import leaks

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "ganpo-driver-lines"
CODE = "ganpo_driver_lines/__init__.py"
README = "ganpo_driver_lines/README.md"
SAMPLE = "ganpo_driver_lines/sample.toml"

NEEDED = ("make", "make_unreachable", "known", "expected", "unknown")
READ = """        async with self._asking(ConnectionLost):
            return Scan([await self._value(point.address.name) for point in query.points])"""
WRITES_IN_THE_THIRD = f"""        self.reads = vars(self).get("reads", 0) + 1
        if self.reads == 3:
            await self._value("force=0")
{READ}"""
SWALLOWS = f"""        try:
{textwrap.indent(READ, "    ")}
        except asyncio.CancelledError:
            return Scan([0.0 for _ in query.points])"""
SPEAKS = """    async def subscribe(self, points, deliver):
        other = type(self)(self.connection)
        try:
            await other.open()
            while True:
                await deliver(await other.read(other.prepare(points)))
                await asyncio.sleep(0.02)
        finally:
            await other.close()

    async def browse(self, start):
        for name in ("force", "depth"):
            yield name

    async def close("""
DELIVERED, SILENT, OFFERED = (
    "what_is_subscribed_is_delivered",
    "a_subscription_on_a_line_that_falls_silent",
    "what_the_device_offers",
)
MUTE = [
    # what is right in SPEAKS, what is wrong, test that has to fail
    ("            while True:", "            for _ in range(1):", DELIVERED),
    ("sleep(0.02)", "sleep(3600)", DELIVERED),
    ("prepare(points)", "prepare(points[::-1])", DELIVERED),
    ("prepare(points)", "prepare(points[:-1])", DELIVERED),
    (
        "finally:",
        "except asyncio.CancelledError:\n            await asyncio.sleep(3600)\n        finally:",
        DELIVERED,
    ),
    (
        "        finally:",
        "        except Exception:\n            await asyncio.sleep(3600)\n        finally:",
        SILENT,
    ),
    ("yield name", "yield name.upper()", OFFERED),
    ('"force", "depth"', '"force", "force"', OFFERED),
    ('("force", "depth")', "()", OFFERED),
]
CONNECTS = "socket.create_connection((self.connection.host, self.connection.port)).close()"
MUTANTS = [
    # file, right, wrong, test that has to fail
    (CODE, "in query.points])", "in query.points[::-1]])", "a_value_comes_for_each_point_in_order"),
    (CODE, "in query.points])", "in query.points[:1]])", "a_value_comes_for_each_point_in_order"),
    (CODE, 'answer == b"?\\n"', "not answer", "a_bad_point_spoils_only_itself"),
    (CODE, "FaultKind.ABSENT", "FaultKind.MISSING", "a_bad_point_spoils_only_itself"),
    (CODE, "return LinesQuery(points)", "return LinesQuery(points[:1])", "preparing_is_offline"),
    (CODE, "if stream is not None:", "if True:", "closing_is_safe"),
    (
        CODE,
        "self._stream = await",
        "self.left = asyncio.ensure_future(asyncio.sleep(9)); self._stream = await",
        "closing_is_safe",
    ),
    (
        CODE,
        "self._stream = await",
        'vars(self).setdefault("left", []).append(bytes(9000)); self._stream = await',
        "leave_no_memory_behind",
    ),
    (CODE, "except (OSError, ", "except (", "an_unreachable_device"),
    (CODE, "kind(str(error)", "RuntimeError(str(error)", "a_refused_connection"),
    (CODE, 'where = f"{self', 'where = "" and f"{self', "a_refused_connection"),
    (CODE, "timeout(self.connection.timeout_s)", "timeout(None)", "a_half_open_line_is_told"),
    (CODE, "await self.close()  #", "pass  #", "a_half_open_line_is_told"),
    (CODE, "timeout(self.connection.timeout_s)", "timeout(None)", "opening_a_half_open_line"),
    (CODE, "OSError, EOFError, ValueError", "TimeoutError", "a_connection_reset_in_mid_read"),
    (CODE, "EOFError, ", "", "an_answer_that_is_cut_off"),
    (CODE, 'readuntil(b"\\n")', "read(99)", "an_answer_that_is_cut_off"),
    (CODE, "EOFError, ", "", "a_connection_closed_between_two_reads"),
    (CODE, "timeout(self.connection.timeout_s)", "timeout(0.01)", "slow_answers_are_answers"),
    (CODE, "except (OSError, ", "except (asyncio.CancelledError, OSError, ", "cancelled_in_mid_read"),
    (
        CODE,
        "stream[1].transport.abort()",
        'vars(self).setdefault("left", []).append(stream)',
        "closing_leaves_no_socket_behind",
    ),
    (CODE, "float(answer)", "float(answer) * 10", "a_value_comes_for_each_point_in_order"),
    (CODE, "else float(answer)", "else answer.decode().strip()", "a_value_comes_for_each_point_in_order"),
    (CODE, 'readuntil(b"\\n")', "read(99)", "answers_in_pieces_are_answers"),
    (CODE, READ, SWALLOWS, "cancelled_in_mid_read"),
    (CODE, READ, WRITES_IN_THE_THIRD, "nothing_is_ever_written"),
    (
        CODE,
        "self._stream = await",
        f"{CONNECTS}; self._stream = await",
        "a_value_comes_for_each_point_in_order",
    ),
    (CODE, "return LinesQuery", "socket.socket().close(); return LinesQuery", "preparing_is_offline"),
    (CODE, 'f"{name}?\\n"', 'f"{name}?\\n{name}=0\\n"', "nothing_is_ever_written"),
    (CODE, "writer.write(", "time.sleep(0.5); writer.write(", "slow_answers_are_answers"),
    (CODE, "return cls(name=text)", "return cls(name=text[:2])", "addresses_print_parse_and_round_trip"),
    (CODE, "return self.name", 'return f"name={self.name}"', "addresses_print_parse_and_round_trip"),
    (CODE, "if not (text", "if not (True or text", "what_is_no_address"),
    (CODE, 'ValueError(f"{text!r} is not a name in small letters")', "ValueError()", "what_is_no_address"),
    (CODE, ', description="TCP port"', "", "every_option_is_described"),
    (CODE, "host: str", 'password: str = Field("", description="-")\n    host: str', "no_secret_is_shown"),
    (SAMPLE, "host ", "hots ", "the_sample_is_true"),
    (SAMPLE, "4001", "4002", "the_sample_is_true"),
    (README, "`timeout_s`", "timeout", "the_readme_tells_every_option"),
]
WHY = {
    "float(answer) * 10": "[125.0, 800.0] == [12.5, 80.0]",
    "else answer.decode().strip()": "['12.5', '80'] == [12.5, 80.0]",
    SWALLOWS: "cancelling ends in CancelledError and nothing else",
    WRITES_IN_THE_THIRD: "could change something: ['force=0?']",
    f"{CONNECTS}; self._stream = await": "the event loop waits in socket.",
    "socket.socket().close(); return LinesQuery": "`prepare` is offline, and here it goes outside",
}
"""What these are told as; of the others it is enough that they are red."""


@pytest.mark.filterwarnings("ignore")  # wrong drivers leave what they should not
@pytest.mark.parametrize(("file", "right", "wrong", "test"), MUTANTS)
def test_a_wrong_driver_fails_the_test_that_is_about_it(
    package: Path, gauge: Any, file: str, right: str, wrong: str, test: str
) -> None:
    text = (package / file).read_text()
    assert right in text
    (package / file).write_text("import socket\nimport time\n" * (file == CODE) + text.replace(right, wrong))
    tests = gauge()
    (name,) = (name for name in dir(tests) if name.startswith("test_") and test in name)
    with pytest.raises((Exception, pytest.fail.Exception)) as told:
        getattr(tests, name)()
    assert WHY.get(wrong, "") in str(told.value)
    leaks.blocked.clear()
    gc.collect()


def test_a_driver_that_speaks_and_says_what_it_has_passes(package: Path, gauge: Any) -> None:
    code = (package / CODE).read_text()
    (package / CODE).write_text(code.replace("    async def close(", SPEAKS))
    tests = gauge()
    for name in (name for name in dir(tests) if any(part in name for part in (DELIVERED, SILENT, OFFERED))):
        getattr(tests, name)()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
@pytest.mark.parametrize(("right", "wrong", "test"), MUTE)
def test_a_driver_that_speaks_wrongly_fails_the_test_that_is_about_it(
    package: Path, gauge: Any, right: str, wrong: str, test: str
) -> None:
    assert right in SPEAKS
    code = (package / CODE).read_text()
    (package / CODE).write_text(code.replace("    async def close(", SPEAKS.replace(right, wrong)))
    tests = gauge()
    (name,) = (name for name in dir(tests) if test in name)
    with pytest.raises((Exception, pytest.fail.Exception)):
        getattr(tests, name)()
    leaks.blocked.clear()
    gc.collect()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    copy = tmp_path / "driver"
    shutil.copytree(EXAMPLE, copy)
    monkeypatch.syspath_prepend(copy)
    monkeypatch.syspath_prepend(copy / "tests")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield copy
    for name in ("ganpo_driver_lines", "test_lines"):
        sys.modules.pop(name, None)


@pytest.fixture
def gauge() -> Iterator[Any]:
    """Makes the example's own test class, with its gauge running."""
    with contextlib.ExitStack() as stack:

        def make() -> Any:
            example = importlib.import_module("test_lines")
            stack.enter_context(contextlib.contextmanager(example.gauge.__wrapped__)())
            example.TestLines.limit_s = 1.5
            return example.TestLines()

        yield make


def test_a_test_class_that_lacks_a_method_is_an_error_and_not_skipped() -> None:
    with pytest.raises(TypeError, match="TestHalf: make_unreachable, known, expected, unknown is missing"):

        class TestHalf(DriverConformance):
            def make(self) -> OpcUaDriver:
                raise NotImplementedError


def test_a_test_class_that_does_not_say_what_it_makes_is_an_error() -> None:
    with pytest.raises(TypeError, match="says what it returns"):
        type(
            "TestVague",
            (DriverConformance,),
            dict.fromkeys(NEEDED, lambda _: None),
        )
