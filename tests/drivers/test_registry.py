"""Which drivers there are, and what becomes of those that cannot be used. Packages are folders on the path."""

import importlib
from pathlib import Path

import pytest

from ganpo_drivers import registry
from ganpo_drivers.modbus.driver import ModbusDriver
from ganpo_model.errors import ConfigError

MODBUS = ("estimates", "identifies", "reports", "traces")
GOOD = "from ganpo_drivers.modbus.driver import ModbusDriver as {}"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Installed":
    monkeypatch.syspath_prepend(tmp_path)
    return Installed(tmp_path)


class Installed:
    """Installs packages of other makers: a module and the metadata that an installer writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, package: str, *entry_points: str, code: str) -> None:
        module = package.replace("-", "_")
        (self._folder / f"{module}.py").write_text(code)
        info = self._folder / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text("[ganpo.drivers]\n" + "\n".join(entry_points))
        importlib.invalidate_caches()


def listed(name: str) -> list[registry.DriverInfo]:
    return [info for info in registry.listing() if info.id == name]


def test_ours_are_there_with_version_origin_and_abilities() -> None:
    (modbus,), (opcua,) = listed("modbus"), listed("opcua")
    assert (modbus.origin, modbus.abilities, modbus.error) == ("ganpo", MODBUS, "")
    assert (opcua.origin, opcua.abilities, opcua.error) == (
        "ganpo",
        ("estimates", "identifies", "reports", "browses", "subscribes"),
        "",
    )
    assert modbus.version == opcua.version != ""
    assert registry.load("modbus") is ModbusDriver


def test_a_driver_that_is_not_there_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"no driver 'modbuss' is installed .*did you mean modbus\?"):
        registry.load("modbuss")
    with pytest.raises(ConfigError, match="`ganpo driver list` shows what there is"):
        registry.load("x")


def test_a_driver_of_another_maker_is_loaded(install: Installed) -> None:
    install("acme-ganpo", "acme = acme_ganpo:Acme", code=GOOD.format("Acme"))
    (info,) = listed("acme")
    assert info == registry.DriverInfo("acme", "1.2", "acme-ganpo", MODBUS)
    assert registry.load("acme") is ModbusDriver


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("1 / 0", "ZeroDivisionError"),
        ("other = 1", "AttributeError"),
        ("broken = 1", "no Driver"),
        ("from ganpo_drivers import Driver as broken", "close, open, prepare, read not implemented"),
    ],
)
def test_a_broken_driver_says_why_and_stops_no_other(install: Installed, code: str, told: str) -> None:
    module = f"broken_{abs(hash(code))}"
    install(module, f"broken = {module}:broken", f"sound = {module}_sound:Sound", code=code)
    install(f"{module}_sound", code=GOOD.format("Sound"))
    (broken,), (sound,) = listed("broken"), listed("sound")
    assert told in broken.error
    assert sound.error == ""
    with pytest.raises(ConfigError, match="'broken' cannot be loaded"):
        registry.load("broken")
    assert registry.load("sound") is registry.load("modbus") is ModbusDriver


def test_ours_cannot_be_shadowed(install: Installed) -> None:
    install("evil-ganpo", "modbus = evil_ganpo:Evil", code="raise SystemError('never imported')")
    ours, evil = sorted(listed("modbus"), key=lambda info: info.origin != "ganpo")
    assert (ours.origin, ours.error) == ("ganpo", "")
    assert (evil.origin, evil.error) == ("evil-ganpo", "another package has this id")
    assert registry.load("modbus") is ModbusDriver


def test_of_two_makers_with_one_id_neither_wins(install: Installed) -> None:
    install("first-twin", "twin = first_twin:Twin", code=GOOD.format("Twin"))
    install("other-twin", "twin = other_twin:Twin", code=GOOD.format("Twin"))
    assert [info.error for info in listed("twin")] == ["another package has this id"] * 2
    with pytest.raises(ConfigError, match="first-twin, other-twin"):
        registry.load("twin")


def test_an_id_is_lower_snake_case(install: Installed) -> None:
    install("loud-ganpo", "Loud-One = loud_ganpo:Loud", code=GOOD.format("Loud"))
    (info,) = listed("Loud-One")
    assert info.error == "its id is not lower_snake_case"
    with pytest.raises(ConfigError):
        registry.load("Loud-One")


def test_a_package_that_points_at_our_class_is_still_another_package(install: Installed) -> None:
    install("copy-ganpo", "modbus = ganpo_drivers.modbus.driver:ModbusDriver", code="")
    assert sorted(info.error for info in listed("modbus")) == ["", "another package has this id"]
