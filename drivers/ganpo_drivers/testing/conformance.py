"""The test class that vendors inherit."""

from typing import Any, ClassVar, get_type_hints

from ganpo_drivers.api import Browses, Driver, Identifies, Reports, Subscribes
from ganpo_drivers.testing.documents import Documents
from ganpo_drivers.testing.faults import Faults
from ganpo_drivers.testing.hooks import Hooks
from ganpo_drivers.testing.reading import Reading
from ganpo_drivers.testing.speaking import Speaking

_NEEDED = ("make", "make_unreachable", "known", "expected", "unknown")
_OF_ABILITIES = {
    "test_it_says_who_it_is": Identifies,
    "test_what_failed_on_the_line_is_reported": Reports,
    "test_what_is_subscribed_is_delivered_and_confirmed_while_nothing_changes": Subscribes,
    "test_a_subscription_on_a_line_that_falls_silent_ends": Subscribes,
    "test_what_the_device_offers_is_an_address_that_can_be_read": Browses,
}
_OF_THE_WIRE = "test_nothing_is_ever_written_to_the_device"


class DriverConformance(Reading, Speaking, Faults, Documents):
    """Holds a driver to the contract.

        class TestAcme(DriverConformance):
            def make(self) -> AcmeDriver: ...
            def make_unreachable(self) -> AcmeDriver: ...
            def known(self) -> list[AcmeAddress]: ...
            def expected(self) -> list[Value]: ...
            def unknown(self) -> AcmeAddress: ...

    Tests that do not apply to the driver (abilities it lacks; the wire where there is no `forbidden`) are not
    collected. A class that lacks a method is an error when it is made: pytest would skip it in silence.
    """

    __test__: ClassVar[bool] = False

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if not cls.__dict__.get("__test__", True):
            return
        missing = [name for name in _NEEDED if getattr(cls, name) is getattr(Hooks, name)]
        if missing:
            raise TypeError(f"{cls.__name__}: {', '.join(missing)} is missing")
        driver = get_type_hints(cls.make).get("return")
        if not (isinstance(driver, type) and issubclass(driver, Driver) and driver is not Driver):
            raise TypeError(f"{cls.__name__}.make says what it returns: def make(self) -> AcmeDriver")
        cls.__test__ = True
        cls.driver_type = driver
        for test, ability in _OF_ABILITIES.items():
            if not issubclass(driver, ability):
                setattr(cls, test, None)
        if cls.forbidden is Hooks.forbidden:
            setattr(cls, _OF_THE_WIRE, None)
