"""The file as a whole: sources, secrets, syntax; and that nothing a person writes is more than an error."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_config import load
from ganpo_model.facts import ExceptionItem, ShiftItem
from support.configs import BUS, CELL, HEAD, errors, meter, plant, write
from support.shut import shut

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
EXAMPLE = (EXAMPLES / "agent.toml").read_text()
SECRET = "hunter2-of-the-plant"


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.toml")), ids=lambda file: file.name)
def test_an_example_is_right_and_warns_of_nothing(file: Path) -> None:
    loaded = load(file, {})
    assert loaded.errors == ()
    assert loaded.warnings == ()
    assert loaded.plant is not None


def test_the_example_comes_to_its_plant() -> None:
    found = load(EXAMPLES / "agent.toml", {}).plant
    assert found is not None
    assert found.site.slot_ms == 900_000
    assert found.calendar.shifts[2] == ShiftItem("night", "mon-thu", "22:00", "06:00", ())
    first, last = found.calendar.exceptions[0].first, found.calendar.exceptions[0].last
    assert found.calendar.exceptions[0] == ExceptionItem(first, last, "off", "春节")
    assert (last - first).days == 6
    ledger = {item.asset_no: item for item in found.equipment}
    assert ledger["SB-0003"].states == ()
    assert ledger["SB-0141"].planned_run_time_s == 95
    assert [
        point.name for link in found.connections for point in link.points if point.subject == "SB-0003"
    ] == []


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    environ = {"GANPO_UPLINK__BROKER": "mqtts://other:8883", "GANPO_SITE__NAME": "Other", "GANPO_DEMO_X": "1"}
    found = plant(tmp_path, "", environ)
    assert found.uplink.broker == "mqtts://other:8883"
    assert found.site.name == "Other"
    assert found.gateway.id == "gw-test-0001"


def test_the_environment_may_bring_a_whole_section(tmp_path: Path) -> None:
    (tmp_path / "mqtt_password").write_text(SECRET + "\n")
    text = HEAD.replace('[uplink]\nbroker = "mqtt://127.0.0.1:1883"\n', "")
    environ = {
        "GANPO_UPLINK__BROKER": "mqtt://here",
        "GANPO_UPLINK__PASSWORD_FILE": "mqtt_password",
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    loaded = write(tmp_path, text, environ)
    assert loaded.errors == ()
    assert loaded.plant is not None
    assert loaded.plant.uplink.password is not None
    assert loaded.plant.uplink.password.get_secret_value() == SECRET


def test_the_file_is_the_one_given_then_that_of_the_environment(tmp_path: Path) -> None:
    for name in ("given", "named"):
        (tmp_path / f"{name}.toml").write_text(HEAD.replace("Test plant", name))
    environ = {"GANPO_CONFIG": str(tmp_path / "named.toml")}
    for path, name in ((tmp_path / "given.toml", "given"), (None, "named")):
        found = load(path, environ).plant
        assert found is not None
        assert found.site.name == name


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (
            {"GANPO_UPLINK__BROKR": "x"},
            "GANPO_UPLINK__BROKR: no such setting; did you mean GANPO_UPLINK__BROKER?",
        ),
        ({"GANPO_UPLINK__PASSWORD": SECRET}, "GANPO_UPLINK__PASSWORD: no such setting; did you mean"),
        ({"GANPO_CONNECTIONS__BUS__URL": "x"}, "GANPO_CONNECTIONS__BUS__URL: no such setting; "),
        ({"GANPO_UPLINK__LIVE_S": "soon"}, "GANPO_UPLINK__LIVE_S = soon: not a number"),
        ({"GANPO_SITE__SLOT": "2h"}, "agent.toml: site.slot = 2h: not 1s ... 60min"),
        ({"GANPO_UPLINK__BROKER": f"mqtt://u:{SECRET}@h"}, "GANPO_UPLINK__BROKER = mqtt://***@h: no user"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(tmp_path: Path, environ: dict[str, str], told: str) -> None:
    (found,) = errors(tmp_path, "", environ)
    assert found.startswith(told)
    assert SECRET not in found


def test_where_systemd_laid_down_the_whole_folder_secrets_are_found_by_their_own_names(
    tmp_path: Path,
) -> None:
    (tmp_path / "secrets_mqtt").write_text(SECRET)
    (tmp_path / "secrets_ca.pem").write_text("certificate")
    text = HEAD.replace("[site]", 'password_file = "mqtt"\nca_file = "ca.pem"\n[site]')
    loaded = write(tmp_path, text, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert loaded.errors == ()
    assert loaded.plant is not None
    assert loaded.plant.uplink.ca_path == tmp_path / "secrets_ca.pem"
    assert loaded.plant.uplink.password is not None
    assert loaded.plant.uplink.password.get_secret_value() == SECRET


def test_passwords_are_read_from_files_and_shown_nowhere(tmp_path: Path) -> None:
    for name in ("mqtt", "cell"):
        (tmp_path / name).write_text(f"{SECRET}-{name}\n")
    (tmp_path / "ca.pem").write_text("certificate")
    text = HEAD.replace("[site]", 'password_file = "mqtt"\nca_file = "ca.pem"\n[site]')
    text += CELL + 'username = "monitor"\npassword_file = "cell"\n'
    loaded = write(tmp_path, text, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert loaded.errors == ()
    assert loaded.plant is not None
    uplink, settings = loaded.plant.uplink, loaded.plant.connections[0].settings
    assert uplink.ca_path == tmp_path / "ca.pem"
    assert uplink.password is not None
    assert uplink.password.get_secret_value() == f"{SECRET}-mqtt"
    assert settings.password.get_secret_value() == f"{SECRET}-cell"  # type: ignore[attr-defined]
    assert SECRET not in repr(loaded)
    assert SECRET not in str(uplink.model_dump())


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (
            'password_file = "gone"',
            "no such file: {folder}/gone; make it: sudo install -D -m 600 /dev/stdin",
        ),
        ('password_file = "gone"', "/etc/ganpo/secrets/gone, and restart the service"),
        ('password_file = "empty"', "agent.toml: uplink.password_file = empty: its file is empty"),
        (
            'password_file = "../agent.toml"',
            "uplink.password_file = ../agent.toml: not the name of a file in",
        ),
        ("password_file = 7", "agent.toml: uplink.password_file = 7: not a text: put it in quotes"),
        ('ca_file = "gone"', "agent.toml: uplink.ca_file = gone: no such file: "),
        ('ca_path = "/x"', "agent.toml: uplink.ca_path: no such key; did you mean ca_file?"),
        (
            f'password = "{SECRET}"',
            "agent.toml: uplink.password: a secret never stands here; password_file = ",
        ),
    ],
)
def test_a_secret_that_is_no_file_is_told(tmp_path: Path, key: str, told: str) -> None:
    (tmp_path / "empty").write_text("\n")
    loaded = write(
        tmp_path, HEAD.replace("[site]", f"{key}\n[site]"), {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    )
    (found,) = map(str, loaded.errors)
    assert told.replace("{folder}", str(tmp_path)) in found
    assert SECRET not in found


def test_a_secret_of_another_user_is_told_and_nobody_is_asked_to_make_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HEAD.replace("[site]", 'password_file = "mqtt_password"\n[site]')
    (tmp_path / "agent.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with shut(tmp_path / "secrets"):
        (found,) = load(Path("agent.toml"), {"CREDENTIALS_DIRECTORY": "secrets"}).errors
    what = "cannot be read: Permission denied: secrets/secrets_mqtt_password; the same with sudo"
    assert f"uplink.password_file = mqtt_password: {what}" in str(found)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            b"format = 1\n[gateway\n",
            "agent.toml: not TOML: Expected ']' at the end of a table declaration (at line 2, column 9)",
        ),
        (b"a = 1\na = 2\n", "agent.toml: not TOML: Cannot overwrite a value (at line 2, column 6)"),
        (b"x = " + b"[" * 5000, "agent.toml: not TOML: nested too deeply"),
        ('name = "车间"'.encode("gbk"), "is not UTF-8 (byte 8); save it as UTF-8"),
    ],
)
def test_what_is_no_toml_is_told_with_its_place(tmp_path: Path, raw: bytes, told: str) -> None:
    (tmp_path / "agent.toml").write_bytes(raw)
    (found,) = load(tmp_path / "agent.toml", {}).errors
    assert told in str(found)


def test_a_file_that_is_not_there_or_no_file_is_told(tmp_path: Path) -> None:
    assert "no such file; give one with --config" in str(load(tmp_path / "none.toml", {}).errors[0])
    assert "cannot be read: Is a directory" in str(load(tmp_path, {}).errors[0])


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert load(tmp_path / "agent.toml", {}).errors == ()


def test_all_mistakes_are_told_in_one_pass(tmp_path: Path) -> None:
    text = HEAD.replace("gw-test-0001", "GW").replace("Shanghai", "Shanghia")
    text += BUS.replace("addressing", "adressing") + CELL + meter('cat = "x"\nct = "400"', parameters="unt=1")
    text += '[[equipment]]\nasset_no = "DB-1"\nname = "x"\nstatus = "broken"\nprofile = "machine"\n'
    told = [str(error) for error in write(tmp_path, text, {"GANPO_X": "1"}).errors]
    for place in (
        "GANPO_X: ",
        "agent.toml: gateway.id = GW: ",
        "agent.toml: site.timezone = Asia/Shanghia: ",
        "agent.toml: connections.bus.addressing: is missing",
        "agent.toml: connections.bus.adressing: no such key; did you mean addressing?",
        "agent.toml: meters[0].cat: no such key; did you mean ct?",
        "agent.toml: meters[0].ct = 400: no ratio like 400/5",
        "agent.toml: meters[0].parameters = unt=1: no such parameter",
        "agent.toml: equipment[0].status = broken: none of ",
        "agent.toml: equipment[0].profile = machine: no such profile",
        "agent.toml: meters[0].asset_no = DB-1: stands in agent.toml: equipment[0].asset_no too",
    ):
        assert [line for line in told if line.startswith(place)], place


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    return [path, *(place for key, value in inner for place in _places(value, (*path, key)))]


LOADS = tomllib.loads
DOCUMENT = tomllib.loads(EXAMPLE)
PLACES = [path for path in _places(DOCUMENT) if path]
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["1e999999999", "9" * 5000, "1/0", "{unit}", "'", "a=", "\x00", "nsu=;", "-", "none"]),
    st.dates(),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)


@given(st.lists(st.tuples(st.sampled_from(PLACES), STRANGE), min_size=1, max_size=3))
def test_whatever_stands_there_it_is_an_error_or_a_plant_and_never_a_crash(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    changed = tomllib.loads(EXAMPLE)
    for path, value in changes:
        holder = changed
        try:
            for part in path[:-1]:
                holder = holder[part]
            if value is None:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took it away
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tomllib, "loads", lambda text: changed if text == EXAMPLE else LOADS(text))
        loaded = load(EXAMPLES / "agent.toml", {})
    assert (loaded.plant is None) == bool(loaded.errors)
    assert all(note.isprintable() for note in (*loaded.warnings, *loaded.notes))
    for error in loaded.errors:
        assert error.where
        assert str(error).isprintable()
