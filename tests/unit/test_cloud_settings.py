"""cloud.toml: every mistake at once, with its place; secrets never in the file, an error or a repr."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ganpo_cloud.cli.main import main
from ganpo_cloud.store.settings import CloudSettings, DatabaseSettings, load
from support.shut import shut

MISTAKES = """
format = 2
[broker]
url = "http://mqtt.example"
uzer = "me"
password = "s3cret"
back_off_max_s = "soon"
[database]
url = "postgresql://db"
[http]
listen = "0.0.0.0:8700"
[projektion]
url = "http://tsdb.example"
"""


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))


def file(folder: Path, text: str) -> Path:
    path = folder / "cloud.toml"
    path.write_text(text)
    return path


def errors(folder: Path, text: str) -> list[str]:
    loaded = load(file(folder, text))
    assert loaded.settings is None
    return [str(error).removeprefix(f"{folder}/") for error in loaded.errors]


def settings(path: Path) -> CloudSettings:
    loaded = load(path)
    assert loaded.settings is not None, loaded.errors
    return loaded.settings


def test_all_mistakes_are_told_in_one_pass_with_file_and_key(tmp_path: Path) -> None:
    told = errors(tmp_path, MISTAKES)
    print("\n".join(told))
    assert told == [
        "cloud.toml: broker.password: is never written into this file; use password_file",
        "cloud.toml: format = 2: Input should be 1",
        "cloud.toml: broker.url = http://mqtt.example: expected mqtt://HOST:PORT or mqtts://HOST:PORT",
        "cloud.toml: broker.back_off_max_s = soon: Input should be a valid number, unable to parse string as a number",
        "cloud.toml: broker.uzer: no such key; did you mean user?",
        (
            "cloud.toml: database.url = postgresql://db: expected sqlite:///FILE, four slashes before an absolute path;"
            " or postgresql://USER@HOST[:PORT]/NAME"
        ),
        (
            "cloud.toml: http.listen = 0.0.0.0:8700: there are no accounts yet: anybody who reaches this address"
            " reads everything; say allow_unauthenticated = true if that is meant"
        ),
        "cloud.toml: projektion: no such key; did you mean projection?",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("format = \n", "cloud.toml: not TOML: Invalid value (at line 1, column 10)"),
        ("broker = 3", "cloud.toml: broker = 3: is a table; write [broker]"),
        ("[projection]", "cloud.toml: projection.url: is missing: http://HOST:PORT or https://HOST:PORT"),
        (
            "[http]\nlisten = '127.0.0.1:99999'",
            "cloud.toml: http.listen = 127.0.0.1:99999: a port is at most 65535",
        ),
        (
            "[broker]\nurl = 'mqtt://127.0.0.1:99999'",
            "cloud.toml: broker.url = mqtt://127.0.0.1:99999: names no host and port: Port out of range 0-65535",
        ),
        (
            "[projection]\nurl = 'http://[::1'",
            "cloud.toml: projection.url = http://[::1: names no host and port: Invalid IPv6 URL",
        ),
        ("[broker]\nurl = 'mqtt://:1883'", "cloud.toml: broker.url = mqtt://:1883: names no host and port"),
        (
            "[database]\nurl = 'postgresql://me@db:x/ganpo'",
            (
                "cloud.toml: database.url = postgresql://...@db:x/ganpo: names no host and port: Port could not be cast"
                " to integer value as 'x'"
            ),
        ),
        (
            "[broker]\nurl = 'mqtt://me:s3cret@host'",
            "cloud.toml: broker.url = mqtt://...@host: expected mqtt://HOST:PORT or mqtts://HOST:PORT",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    assert errors(tmp_path, text) == [told]


def test_a_missing_secret_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    (told,) = errors(tmp_path, "[broker]\npassword_file = 'mqtt_password'")
    assert told == (
        "cloud.toml: broker.password_file = mqtt_password: no such file;"
        f" make it: install -m 600 /dev/stdin {tmp_path}/mqtt_password"
    )


def test_a_secret_of_another_user_is_a_mistake_that_says_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(tmp_path, "[broker]\npassword_file = 'mqtt_password'")
    monkeypatch.chdir(tmp_path)
    with shut(tmp_path / "secrets"):
        (told,) = load(Path("cloud.toml"), {"CREDENTIALS_DIRECTORY": "secrets"}).errors
    what = "cannot be read: Permission denied; the same with sudo"
    assert str(told) == f"cloud.toml: broker.password_file = mqtt_password: {what}"


def test_a_secret_whose_name_is_too_long_is_a_mistake(tmp_path: Path) -> None:
    (told,) = errors(tmp_path, f"[broker]\npassword_file = '{'x' * 300}'")
    assert "cannot be read: File name too long" in told


def test_a_secret_is_read_from_its_file_and_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "mqtt_password").write_text("s3cret\n")
    (tmp_path / "ca.pem").write_text("a certificate")
    found = settings(file(tmp_path, "[broker]\npassword_file = 'mqtt_password'\nca_file = 'ca.pem'"))
    assert found.broker.password is not None
    assert found.broker.password.get_secret_value() == "s3cret"
    assert found.broker.ca_path == tmp_path / "ca.pem"
    assert "s3cret" not in repr(found) + str(found) + found.model_dump_json()


def test_the_environment_stands_above_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("GANPO_CLOUD_BROKER__URL", "mqtt://other:1883")
    monkeypatch.setenv("GANPO_CLOUD_PROJECTION__URL", "http://tsdb:8428")
    monkeypatch.setenv("GANPO_CLOUD_PROJECTION__TOKEN_FILE", "token")
    found = settings(file(tmp_path, "[broker]\nurl = 'mqtt://one:1883'\nuser = 'me'"))
    assert (found.broker.url, found.broker.user) == ("mqtt://other:1883", "me")
    assert found.projection is not None
    assert found.projection.token is not None
    assert found.projection.token.get_secret_value() == "s3cret"


def test_a_mistake_in_the_environment_is_told_by_the_name_of_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANPO_CLOUD_BROKER__URL", "nowhere")
    monkeypatch.setenv("GANPO_CLOUD_BROKER__UZER", "me")
    monkeypatch.setenv("GANPO_CLOUD_BROKER__PASSWORD", "s3cret")
    told = errors(tmp_path, "")
    assert told == [
        "GANPO_CLOUD_BROKER__PASSWORD: no such setting; did you mean GANPO_CLOUD_BROKER__PASSWORD_FILE?",
        "GANPO_CLOUD_BROKER__UZER: no such setting; did you mean GANPO_CLOUD_BROKER__USER?",
        "GANPO_CLOUD_BROKER__URL = nowhere: expected mqtt://HOST:PORT or mqtts://HOST:PORT",
    ]


def test_a_file_that_is_named_and_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANPO_CLOUD_CONFIG", str(tmp_path / "none.toml"))
    loaded = load()
    assert [str(error) for error in loaded.errors] == [f"{tmp_path}/none.toml: no such file"]


def test_a_command_makes_no_database_of_its_own_where_nothing_says_which_one_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a collector whose configuration was not given it would work on a new, empty one, and report success."""
    monkeypatch.delenv("GANPO_CLOUD_CONFIG", raising=False)
    monkeypatch.setattr("ganpo_cloud.store.settings.DEFAULT_FILE", tmp_path / "cloud.toml")
    nobodys = DatabaseSettings().file
    assert nobodys is not None
    add = ["gateway", "add", "gw-test-0001", "--enterprise", "91360000625912173B", "--site", "plant-1"]
    said = CliRunner().invoke(main, add)
    assert said.exit_code == 1
    assert said.stderr == (
        f"{tmp_path}/cloud.toml: no such file, and no database at {nobodys};"
        " give --config FILE, or GANPO_CLOUD_CONFIG: nothing was changed [config]\n"
    )
    assert not nobodys.exists()
    mine = tmp_path / "mine.db"
    said = CliRunner().invoke(main, add, env={"GANPO_CLOUD_DATABASE__URL": f"sqlite:///{mine}"})
    assert (said.exit_code, said.stderr) == (0, f"{mine}: there was no database, this one is new\n")
    said = CliRunner().invoke(main, add, env={"GANPO_CLOUD_DATABASE__URL": f"sqlite:///{mine}"})
    assert (said.exit_code, said.stderr) == (0, "")


def test_a_file_that_an_editor_began_with_a_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "cloud.toml").write_bytes(b"\xef\xbb\xbfformat = 1\n[broker]\nuser = 'me'\n")
    assert settings(tmp_path / "cloud.toml").broker.user == "me"


def test_where_systemd_laid_down_the_whole_folder_secrets_are_found_by_their_own_names(
    tmp_path: Path,
) -> None:
    (tmp_path / "secrets_mqtt_password").write_text("hush")
    found = settings(file(tmp_path, 'format = 1\n[broker]\npassword_file = "mqtt_password"\n'))
    assert found.broker.password is not None
    assert found.broker.password.get_secret_value() == "hush"
