"""Mistakes that people make: each is told with its place, its cause and what to do, in both languages, and nothing is
written."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ganpo_config
from ganpo_agent.cli.main import main
from ganpo_service import words
from support.mistakes import LANGUAGES, Mistake, families, lay_down, mistakes

ALL = list(mistakes())


def held(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder, and what stands in it."""
    return {
        str(file.relative_to(folder)): None if file.is_dir() else file.read_bytes()
        for file in sorted(folder.rglob("*"))
    }


def said(folder: Path, mistake: Mistake | None, lang: str) -> tuple[int, str]:
    config = ["--config", str(folder / "agent.toml"), "--lang", lang]
    if mistake is not None and mistake.imported:
        file = str(folder / mistake.imported)
        looked = (
            ["--preview"] if mistake.exit_code == 0 else []
        )  # without: what is refused changes nothing either
        result = CliRunner().invoke(main, ["lists", "import", file, *looked, *config])
    else:
        result = CliRunner().invoke(main, ["check", *config])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output.replace(str(folder), "FOLDER")


@pytest.fixture(autouse=True)
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "secrets"))


def test_the_configuration_that_they_are_made_in_is_right(tmp_path: Path) -> None:
    lay_down(tmp_path)
    code, output = said(tmp_path, None, "en")
    assert code == 0
    assert output.rstrip().endswith("3 meters, 0 warnings")


@pytest.mark.parametrize("mistake", ALL, ids=str)
def test_a_mistake_is_told_with_place_cause_and_remedy_and_nothing_is_written(
    mistake: Mistake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_down(tmp_path, mistake.change)
    before = held(tmp_path)
    found: list[ganpo_config.Loaded] = []

    def once(*args: Any, **options: Any) -> ganpo_config.Loaded:
        if not found:  # the languages differ in what is printed alone
            found.append(load(*args, **options))
        return found[0]

    load = ganpo_config.load
    if not mistake.imported:
        monkeypatch.setattr(ganpo_config, "load", once)
    for lang in LANGUAGES:
        code, output = said(tmp_path, mistake, lang)
        assert code == mistake.exit_code, output
        told = mistake.told[lang]
        assert all(told), "place, cause and remedy"
        assert [line for line in output.splitlines() if all(part in line for part in told)], output
    assert held(tmp_path) == before


def test_there_are_as_many_as_promised_and_none_twice() -> None:
    assert len(ALL) >= 200
    assert len({str(one.change) for one in ALL}) == len(ALL)
    assert set(families()) == {one.family for one in ALL}
    assert words.LANGUAGES.keys() == set(LANGUAGES)
