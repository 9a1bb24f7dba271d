"""What the enterprises of the invented province make, and the meters that stand at it: by seed, like all of it."""

import random
from dataclasses import dataclass
from functools import lru_cache

from ganpo_demo.fleet import Firm, Gauge


@dataclass(frozen=True, slots=True)
class Product:
    """A product and what a unit of it takes, in the middle of those who make it. `coal`: kgce of coal beside the kWh;
    who burns none makes none of it. `metered`: how many of those with a gateway measure it apart."""

    id: str
    zh: str
    en: str
    unit: str
    kwh: float
    coal: float = 0.0
    metered: float = 0.3


PRODUCTS = {
    "NONFERROUS": (
        Product("copper_rod", "铜杆", "Copper rod", "t", 70),
        Product("copper_tube", "铜管", "Copper tube", "t", 620),
    ),
    "STEEL": (
        Product("rolled_steel", "钢材", "Rolled steel", "t", 120, 50),
        Product("steel_parts", "钢构件", "Steel parts", "t", 200),
    ),
    "BUILDMAT": (
        Product("cement", "水泥", "Cement", "t", 90, 95),
        Product("concrete", "预拌混凝土", "Ready-mixed concrete", "m3", 8),
    ),
    "TEXTILE": (Product("cotton_yarn", "棉纱", "Cotton yarn", "t", 2_200),),
    "FURNITURE": (Product("wooden_parts", "木制家具部件", "Wooden furniture parts", "m3", 85, metered=0.55),),
}
"""By industry; the first that somebody can make is what nearly everybody makes."""
COAL_KG = 1_100_000
"""Of a month, about, where coal is burnt."""
_KGCE = {"electricity": 0.1229, "natural_gas": 1.33, "raw_coal": 0.7143}
_DAYS = 26
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
    """What an enterprise makes: nothing that is listed, one product, or two; some measure each apart."""
    rng = random.Random(f"products {firm.code}")
    goods = tuple(product for product in PRODUCTS.get(firm.industry, ()) if firm.coal or not product.coal)
    if not goods or rng.random() < 0.1:
        return ()
    goods = goods if rng.random() < 0.3 else goods[:1]
    metered = firm.since is not None and rng.random() < goods[0].metered
    main, found = firm.gauges[0], []
    for n, product in enumerate(goods):
        share = (rng.uniform(0.6, 0.9) if metered else 1.0) / len(goods)
        daily = main.daily * share
        gauge = Gauge(_METERS[n], main.carrier, main.signal, main.unit, main.den, daily) if metered else None
        measured = [gauge] if gauge is not None else firm.gauges
        kgce = sum(of.daily / of.den * _KGCE.get(of.carrier, 0.0) for of in measured)
        kgce /= 1 if metered else len(goods)
        burnt = product.coal if not metered and firm.coal else 0.0
        if burnt:
            kgce += COAL_KG * _KGCE["raw_coal"] / _DAYS
        unit = product.kwh * _KGCE["electricity"] + burnt
        quantity = kgce / unit / rng.lognormvariate(0, 0.18)
        found.append(Made(product, quantity, rng.uniform(0.5, 1.02), gauge))
    return tuple(found)


def process_meters(firm: Firm) -> list[Gauge]:
    """The meters below the main one that measure a product each."""
    return [of.gauge for of in made(firm) if of.gauge is not None]
