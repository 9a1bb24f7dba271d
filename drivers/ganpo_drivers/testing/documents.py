"""What a person reads and writes: addresses, settings, README.md and sample.toml of the driver's package."""

import inspect
import re
import tomllib
from importlib import resources
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from ganpo_drivers.api import Address
from ganpo_drivers.testing.hooks import Hooks

_SECRET = re.compile(r"password|passphrase|secret|token")
_HIDDEN = "made-up by the test kit"


class Documents(Hooks):
    """No device is needed."""

    def test_addresses_print_parse_and_round_trip(self) -> None:
        for address in (*self.known(), self.unknown()):
            assert type(address) is self.driver_type.address_type
            assert self._parsed(str(address), address) == address
            assert isinstance(address.key, str)
            assert {address: 1}[address.model_copy()] == 1, "an address is hashable"
            with pytest.raises(ValidationError, match="frozen"):
                setattr(address, next(iter(type(address).model_fields)), None)

    def test_what_is_no_address_is_refused_with_the_reason(self) -> None:
        for text in self.bad_addresses:
            with pytest.raises(ValueError) as told:  # noqa: PT011  # the reason is the driver's own
                self.driver_type.address_type.parse(text)
            assert str(told.value), f"{text!r} is refused without a reason"

    def test_every_option_is_described_and_unknown_ones_are_refused(self) -> None:
        model = self.driver_type.connection_type
        blank = [name for name, option in model.model_fields.items() if not option.description]
        assert not blank, f"options without description: {blank}"
        connection = self.make().connection
        with pytest.raises(ValidationError):
            model.model_validate({**dict(connection), "no_such_option": 1})
        with pytest.raises(ValidationError, match="frozen"):
            connection.driver = "another"

    def test_no_secret_is_shown(self) -> None:
        connection = self.make().connection
        secrets = [name for name in type(connection).model_fields if _SECRET.search(name)]
        secrets += [name for name, value in connection if isinstance(value, SecretStr)]
        hidden = connection.model_copy(update=dict.fromkeys(secrets, SecretStr(_HIDDEN)))
        for name in secrets:
            annotation = str(type(connection).model_fields[name].annotation)
            assert "SecretStr" in annotation, f"{name} is a secret and no SecretStr"
        driver = self.driver_type(hidden)
        assert _HIDDEN not in repr(hidden) + repr(driver) + repr(vars(driver))

    def test_the_sample_is_true(self) -> None:
        text = self._text("sample.toml")
        self._check(text)
        options = self.driver_type.connection_type.model_fields
        commented = {
            name
            for name in re.findall(r"^# *(\w+) *=", text, re.MULTILINE)
            if name.removesuffix("_file") in options
        }
        whole = re.sub(rf"^# *({'|'.join(commented)}) *=", r"\1 =", text, flags=re.MULTILINE)
        for found in self._check(whole):
            for name in commented & found.keys() & options.keys():
                default = options[name].default
                assert default is None or found[name] == default, f"the default of {name} is {default!r}"

    def test_the_readme_tells_every_option(self) -> None:
        text = self._text("README.md")
        missing = [name for name in self.driver_type.connection_type.model_fields if f"`{name}`" not in text]
        assert not missing, f"README.md does not tell of {missing}"
        for block in re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            if "[connections." in block:
                self._check(block)

    def _parsed(self, text: str, like: Address) -> Address:
        columns = {name: getattr(like, name, "") for name in ("type", "order")}
        return self.driver_type.address_type.parse(
            text, **{name: value for name, value in columns.items() if value}
        )

    def _text(self, name: str) -> str:
        module = inspect.getmodule(self.driver_type)
        assert module is not None
        assert module.__package__, "a driver is a package with README.md and sample.toml"
        file = resources.files(module.__package__).joinpath(name)
        assert file.is_file(), f"{name} is not in the package {module.__package__} that is installed: {file}"
        return file.read_text(encoding="utf-8")

    def _check(self, text: str) -> list[dict[str, Any]]:
        """The connections of a configuration, each accepted; a `NAME_file` stands for the secret in it."""
        model = self.driver_type.connection_type
        found: list[dict[str, Any]] = list(tomllib.loads(text)["connections"].values())
        assert found
        for connection in found:
            for name in [name for name in connection if name not in model.model_fields]:
                if name.removesuffix("_file") in model.model_fields:
                    connection[name.removesuffix("_file")] = str(connection.pop(name))
            model.model_validate(connection)
        return found
