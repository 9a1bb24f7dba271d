"""Commands and the gateway page speak Chinese: every text of the sources has its translation, and is recognised."""

import re

import click
import pytest
from click.testing import CliRunner

import ganpo_agent.cli.main
import ganpo_cloud.cli.main
import ganpo_demo.cli
from ganpo_agent.cli import online
from ganpo_agent.cli.text import Progress
from ganpo_agent.device.online import ConnectionResult
from ganpo_agent.reading import plan
from ganpo_drivers import Cost
from ganpo_model.errors import ConfigError, UnitSilent
from ganpo_service import catalogue, commands, units, words
from support import extracting

CATALOGUE = extracting.catalogue()
COMMANDS = {
    "ganpo": ganpo_agent.cli.main.main,
    "ganpo-cloud": ganpo_cloud.cli.main.main,
    "ganpo-demo": ganpo_demo.cli.main,
}
HOLE = re.compile(r"(?<!\{)\{(\d*)\}(?!\})")
HAN = "\u4e00-\u9fff"
TEMPLATES = {text: told for text, told in CATALOGUE.items() if HOLE.search(text)}


def holes(text: str) -> list[int]:
    found = HOLE.findall(text)
    return [int(number) if number else place for place, number in enumerate(found)]


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    wanted = extracting.messages().keys() | extracting.CLICK | extracting.FROM_PARTS
    assert CATALOGUE.keys() == wanted, "python -m support.extracting lists them, with --write it puts them in"


def test_words_that_stand_alone_still_stand_in_the_sources() -> None:
    sources = "".join(file.read_text() for file in extracting.files())
    assert not [word for word in extracting.WORDS if not re.search(f"[\"'}}]{word}[\"']", sources)]


def test_a_template_says_as_many_values_in_both_languages() -> None:
    for text, told in TEMPLATES.items():
        plural = {place for place, part in enumerate(HOLE.split(text)[:-1:2]) if re.search("[a-z]$", part)}
        assert set(holes(text)) - set(holes(told)) <= plural, text
        assert set(holes(told)) <= set(holes(text)), text
        assert len({bool(number) for number in HOLE.findall(told)}) <= 1, f"{text}: all are numbered or none"


@pytest.mark.parametrize("given", [["Q7"] * 9, ["/dev/ttyS0", "3.5 Q"] * 5, ["", "1:holding:5"] * 5])
def test_what_is_made_from_a_template_is_recognised(given: list[str]) -> None:
    for text, told in TEMPLATES.items():
        values = given
        if re.search(r"\} *\{| \{\}[a-z]", text) or not catalogue._telling(HOLE.split(text)[::2]):
            values = [value.replace(" ", "") for value in given]  # nobody could tell where one ends
        assert words.tell(filled(text, values), "zh") == filled(told, values), text


def filled(template: str, values: list[str]) -> str:
    following = iter(values)
    made = HOLE.sub(lambda hole: values[int(hole[1])] if hole[1] else next(following), template)
    return made.replace("{{", "{").replace("}}", "}")


def test_chinese_is_set_as_chinese() -> None:
    for told in CATALOGUE.values():
        if not re.search(f"[{HAN}]", told):
            continue
        code = re.sub(r"`[^`]*`|\[default.*|unit:area\S*", "`", told)
        assert not re.search(rf"[{HAN}] [\dA-Za-z{{]|[\dA-Za-z}}] [{HAN}]", code), (
            f"a blank beside Chinese: {told}"
        )
        assert not re.search(rf"[{HAN}][,;:?!]|[,;:?!][{HAN}]|[{HAN}]\(|\)[{HAN}]", code), (
            f"half-width: {told}"
        )


def test_the_language_is_asked_for_or_that_of_the_environment_and_english_where_it_cannot_be_shown() -> None:
    def chosen(
        asked: str | None, encoding: str | None = "utf-8", *, terminal: bool = True, **environment: str
    ) -> str:
        return words.choose(asked, environment, encoding, terminal=terminal)

    assert chosen(None) == "en"
    assert chosen(None, LANG="zh_CN.UTF-8") == "zh"
    assert chosen(None, LANG="zh_CN.UTF-8", LC_ALL="C.UTF-8") == "en"
    assert chosen(None, LANG="de_DE.UTF-8", LC_MESSAGES="zh_CN.UTF-8") == "zh"
    assert chosen("en", LANG="zh_CN.UTF-8") == "en"
    assert chosen("zh", "gbk", LANG="C") == "zh"
    assert chosen("zh", "ascii") == chosen("zh", None) == chosen("zh", "iso-8859-1") == "en"
    assert chosen(None, LANG="zh_CN.UTF-8", TERM="linux") == "en"
    assert chosen("zh", TERM="linux") == "zh"
    assert chosen(None, LANG="zh_CN.UTF-8", TERM="linux", terminal=False) == "zh"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_is_in_the_language_and_fits_80_columns(name: str, language: str) -> None:
    def below(command: click.Command, path: list[str]) -> list[list[str]]:
        found = [path]
        if isinstance(command, click.Group):
            for word, other in command.commands.items():
                found += below(other, [*path, word])
        return found

    for path in below(COMMANDS[name], []):
        said = CliRunner().invoke(COMMANDS[name], [*path, "--help", "--lang", language])
        assert said.exit_code == 0, said.output
        assert said.stdout.startswith({"zh": "用法：", "en": "Usage: "}[language])
        for line in said.stdout.splitlines():
            assert words.width(line) <= 80 or "演示数据" in line, line
        summary = next(
            line for line in said.stdout.splitlines()[1:] if line.strip() and line.startswith("  ")
        )
        assert bool(re.search(f"[{HAN}]", summary)) == (language == "zh"), summary


def test_an_error_has_its_place_and_its_code_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    error = UnitSilent("no answer within 1 s", where="tcp://10.0.0.1:502 unit 3", hint="")
    wrong = ConfigError("no such connection", where="connections.hal", hint="did you mean hall?")
    for lang, lines in {
        "en": [
            "tcp://10.0.0.1:502 unit 3: no answer within 1 s [unit-silent]",
            "connections.hal: no such connection; did you mean hall? [config]",
        ],
        "zh": [
            "tcp://10.0.0.1:502单元3: 1秒内无应答 [unit-silent]",
            "connections.hal：没有这个连接；是不是hall？ [config]",
        ],
    }.items():
        with words.speaking(lang):
            commands.say(error)
            commands.say(wrong)
        assert capsys.readouterr().out.splitlines() == lines


def test_lang_may_stand_anywhere_and_a_wrong_one_is_refused() -> None:
    for line in (["--lang", "zh", "browse"], ["browse", "--lang=zh"], ["browse", "--lang", "zh"]):
        said = CliRunner().invoke(COMMANDS["ganpo"], line)
        assert said.exit_code == 2
        assert "错误：缺少参数" in said.stderr
    said = CliRunner().invoke(COMMANDS["ganpo"], ["check", "--lang", "fr"])
    assert said.exit_code == 2
    assert "'fr' is not one of 'zh', 'en'" in said.stderr


def test_what_is_typed_wrong_is_told_in_the_language_too() -> None:
    for line in (
        "nonsense",
        "service instal",
        "ping --jsn",
        "ping x --unit",
        "ping x --count 0",
        "watch --every 99",
        "watch --every x",
        "decode x --at 1 --unit a",
        "scan --bits=1 x",
        "status a b",
        "run --log-format x",
        "service install --root /nonexistent",
        f"service install --root {__file__}",
        "export /",
    ):
        said = CliRunner().invoke(COMMANDS["ganpo"], ["--lang", "zh", *line.split()])
        told = said.stderr.splitlines()[-1]
        assert (said.exit_code, told[:3]) == (2, "错误："), line
        assert not re.search("[A-Za-z]{3}", re.sub("'[^']*'", "", told)), told


def test_programs_are_answered_in_english() -> None:
    said = CliRunner().invoke(COMMANDS["ganpo-cloud"], ["schema", "--lang", "zh"])
    assert said.exit_code == 0
    assert not re.search(f"[{HAN}]", said.stdout)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "no unit answers any more: bus unit 3: no answer within 1 s",
            "已没有任何单元应答：bus单元3: 1秒内无应答",
        ),
        (
            "error    meters.csv row 3, ct = x: no ratio like 400/5",
            "错误     meters.csv第3行，ct = x：不是400/5这样的比值",
        ),
        ("agent.toml: meters: not a list", "agent.toml: meters：不是列表"),
        (
            "agent.toml line 33 (DB-1): meters[0].ct = x: no ratio like 400/5",
            "agent.toml 第33行（DB-1）：meters[0].ct = x：不是400/5这样的比值",
        ),
        ("is missing (name of its connection)", "缺失（所在连接的名称）"),
        ("what a stranger says: no such thing as this", "what a stranger says: no such thing as this"),
        ("Machine of the north, in the hall", "Machine of the north, in the hall"),
    ],
)
def test_what_is_put_together_is_told_in_its_parts_and_what_nobody_knows_stays(
    english: str, chinese: str
) -> None:
    assert words.tell(english, "zh") == chinese
    assert words.tell(english, "en") == english


def test_what_commands_put_together_is_told_in_chinese_to_its_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state: dict[str, str | bool | None] = dict.fromkeys(("service", "active", "enabled", "state_dir"), "-")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with words.speaking("zh"):
        online.tell([ConnectionResult("b1", held=True, cycle_s=0.081, load=0.03)])
        progress = Progress("scanning")
        progress._begun -= 5
        progress.at(1, 2)
        commands.say(
            str(
                plan.ConnectionPlan(
                    "b1",
                    "modbus",
                    [
                        plan.PlannedGroup(
                            5, "1", 1, [], Cost(1, 2, 0, 0.01, 1.0, "a device begins its answer after 10 ms")
                        )
                    ],
                    (),
                    plan.Times(0.1, 0.1, 0.0),
                    None,
                )
            )
        )
        for serial in (True, False):
            commands.say(
                units.as_text(state | {"unit": None, "current": True, "serial": serial}, as_json=False)
            )
    told = capsys.readouterr()
    assert "b1: 0个正常，0个可疑，0个失败；全部读一遍需0.081秒，占线路时间的3%" in told.out
    left = re.sub(r"b1|modbus|\x1b\[K", "", told.out + told.err)
    assert re.findall(r"[A-Za-z]{3,}", left) == []


def test_cells_of_a_table_keep_their_columns_in_chinese() -> None:
    told = words.tell("none                  nothing else          7", "zh")
    assert [words.width(told[: told.index(cell)]) for cell in ("无", "没有别的", "7")] == [0, 22, 44]


def test_chinese_is_wrapped_by_its_width_and_never_before_its_signs() -> None:
    text = "配置有错误时运行上一份可用的配置，并予以说明。https://example.org/a/long/path"
    for room in range(12, 60):
        lines = words.wrapped(text, room)
        assert "".join(lines).replace(" ", "") == text
        assert not [line for line in lines[1:] if line[0] in "，。；：、）"]
        assert max(map(words.width, lines)) <= max(room + 2, 22)
