"""What the enterprises of the invented province make, and the meters that stand at it: by seed, like all of it."""

import random
from dataclasses import dataclass
from functools import lru_cache

from ganpo_demo.fleet import Firm, Gauge


@dataclass(frozen=True, slots=True)
class Product:
    """A product and what a unit of it takes. `kwh`: in the middle of those who make it."""

    id: str
    zh: str
    en: str
    unit: str
    kwh: float


PRODUCTS = {
    "NONFERROUS": (
        Product("copper_rod", "铜杆", "Copper rod", "t", 70),
        Product("copper_tube", "铜管", "Copper tube", "t", 620),
    ),
    "STEEL": (Product("rolled_steel", "钢材", "Rolled steel", "t", 120),),
    "BUILDMAT": (
        Product("cement", "水泥", "Cement", "t", 90),
        Product("concrete", "预拌混凝土", "Ready-mixed concrete", "m3", 8),
    ),
    "TEXTILE": (Product("cotton_yarn", "棉纱", "Cotton yarn", "t", 2_200),),
}
"""By industry; the first is what nearly everybody there makes."""
_METERS = ("GX-0101", "GX-0201")


@dataclass(frozen=True, slots=True)
class Made:
    """One product of an enterprise. `daily`: units of a planned day; `use`: output by design capacity; `gauge`: its
    process meter."""

    product: Product
    daily: float
    use: float
    gauge: Gauge | None


@lru_cache(maxsize=1000)
def made(firm: Firm) -> tuple[Made, ...]:
    """What an enterprise makes: nothing that is listed, one product, or two; a third of them measure it apart."""
    rng = random.Random(f"products {firm.code}")
    goods = PRODUCTS.get(firm.industry, ())
    lot = rng.random()
    if not goods or lot < 0.1:
        return ()
    metered = lot < 0.45
    goods = goods if lot > 0.8 or lot < 0.2 else goods[:1]
    main, found = firm.gauges[0], []
    for n, product in enumerate(goods):
        share = (rng.uniform(0.6, 0.9) if metered else 1.0) / len(goods)
        daily = main.daily * share
        gauge = Gauge(_METERS[n], main.carrier, main.signal, main.unit, main.den, daily) if metered else None
        quantity = daily / main.den / product.kwh / rng.lognormvariate(0, 0.18)
        found.append(Made(product, quantity, rng.uniform(0.5, 1.02), gauge))
    return tuple(found)


def process_meters(firm: Firm) -> list[Gauge]:
    """The meters below the main one that measure a product each."""
    return [of.gauge for of in made(firm) if of.gauge is not None]
