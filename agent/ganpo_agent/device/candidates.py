"""What a device may be by the library: each profile with every way to answer what it asks for, and its addresses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ganpo_agent.device.session import Device
from ganpo_config.bind import Link, address_of
from ganpo_config.parameters import PARAMETER, Parameters
from ganpo_config.profile import Profile, ProfileSignal
from ganpo_config.wanted import BindError, Wanted, of_profile
from ganpo_drivers import Address
from ganpo_model import reference

_KEYS = ("energy_import", "voltage_l1", "voltage_l1_l2", "power", "volume_total", "heat_total", "frequency")
"""By the first of these that a profile has, it is seen whether it is worth more."""
_CHOICES = {
    "order": ("ABCD", "CDAB"),
    "energy_unit": ("kWh", "MWh"),
    "volume_unit": ("m3", "L"),
    "heat_unit": ("kWh", "MJ", "GJ"),
    "unit": ("m3", "kWh", "MJ", "GJ"),
}
_STEPS = ("1", "0.1", "0.01", "0.001")
_ROUND = {"modbus": "unit", "dlt645": "meter", "cjt188": "meter"}
"""The parameter of a profile that says which unit of a line it is."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A profile with one way to answer what it asks for. `values`: its parameters; `free`: how many of them nobody has
    said; `addresses`: by signal."""

    profile: Profile
    values: Mapping[str, str]
    free: int
    addresses: Mapping[str, Address]

    @property
    def key(self) -> Address:
        """What shows whether it is worth more questions."""
        name = next((key for key in _KEYS if key in self.addresses), next(iter(self.addresses)))
        return self.addresses[name]


def candidates(device: Device, unit: str, profile: Profile) -> Iterator[Candidate]:
    """Every way of a profile that gives addresses on this line. `unit`: as a row of the list would say it."""
    bound = device.bound
    if profile.driver != bound.driver_id:
        return
    here = _ROUND.get(bound.driver_id)
    given = {name: about.default for name, about in profile.parameters.items() if about.default is not None}
    if here is not None and here in profile.parameters and unit:
        given[here] = unit
    asked = [name for name in profile.parameters if name not in given]
    places = {
        name for s in profile.signals.values() for name in PARAMETER.findall(f"{s.cell} {s.type} {s.order}")
    }
    ways = [
        [(name, way) for way in _CHOICES.get(name, ())] or [(name, "")] for name in asked if name in places
    ]
    link = Link(bound.name, bound.driver_id, bound.driver, bound.settings)
    for some in product(*ways):
        values = given | {name: _first(name) for name in asked if name not in places} | dict(some)
        addresses = {}
        for name, about in profile.signals.items():
            address = _address(name, about, profile, values, link)
            if address is not None:
                addresses[name] = address
        if addresses:
            yield Candidate(profile, values, len(asked), addresses)


def _address(
    name: str, about: ProfileSignal, profile: Profile, values: Mapping[str, str], link: Link
) -> Address | None:
    """None: it has none, or one that the plant alone knows."""
    template = f"{about.cell or ''} {about.type} {about.order}"
    if about.cell is None or not Parameters(values).fill(about.cell):
        return None
    known = {key for key, said in profile.parameters.items() if said.default is not None or values.get(key)}
    if not known.issuperset(PARAMETER.findall(template)):
        return None
    try:
        wanted = wanted_of(name, about, profile, values)
        return address_of(wanted, link, 1.0)
    except BindError:
        return None


def wanted_of(name: str, about: ProfileSignal, profile: Profile, values: Mapping[str, str]) -> Wanted:
    """What a signal of a profile comes to with these parameters. Raises BindError."""
    return of_profile("guess", reference.signals()[name], about, profile, Parameters(values))


def identity(address: Address) -> object:
    """What is asked for, and as what; how much a unit answers at once does not matter."""
    return type(address), str(address), getattr(address, "type", ""), getattr(address, "order", "")


def ways_of(name: str) -> Sequence[str]:
    """How a scale or a unit may be answered that a plant has to say; none of anything else."""
    if name.endswith(("_scale", "_step")):
        return _STEPS
    return _CHOICES.get(name, ()) if name.endswith("_unit") else ()


def _first(name: str) -> str:
    return next(iter(ways_of(name)), "")
