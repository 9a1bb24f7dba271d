"""The overview, a past day's, and the lists behind its numbers, with 100,000 devices: milliseconds of a request.

Pages, and two lists of the API. Over HTTP, one request at a time, each with an Accept of its own: none is answered with
what is kept of another.
"""

import http.client
import itertools
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from sides import compared, sides
from stores import stores

_ASKED = (
    ("overview", "/overview?lang=en", ""),
    ("overview, a past day", "/overview?lang=en&as_of=2026-11-20", ""),
    ("equipment behind a number", "/equipment?lang=en&measure=networked", "<= 150 ms"),
    ("equipment of a city", "/equipment?lang=en&area=360100", "<= 150 ms"),
    ("enterprises", "/enterprises?lang=en", "<= 150 ms"),
    ("enterprises of a city", "/enterprises?lang=en&area=360100", "<= 150 ms"),
    ("API, 1,000 equipment", "/api/v1/equipment?measure=networked", ""),
    ("API, 1,000 enterprises", "/api/v1/enterprises", ""),
)
_number = itertools.count()


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    devices, runs = (1000, 1) if short else (100_000, 5)
    with sides() as each, stores() as kinds:
        for store in kinds:
            urls = []
            for side in each:
                url = store.new(f"province_{side.name}")
                side.ask("province", url=url, devices=devices)
                urls.append(urlsplit(side.ask("serve", url=url)).netloc)
            for name, path, goal in _ASKED:
                found: list[list[float]] = [[] for _ in each]
                for _ in range(runs + 1):
                    for values, host in zip(found, urls, strict=True):
                        values.append(_asked(host, path))
                yield from compared(
                    f"{store.kind}, {name}", [values[1:] for values in found], "ms", goal=goal
                )


def _asked(host: str, path: str) -> float:
    """Milliseconds until all of the answer is here."""
    connection = http.client.HTTPConnection(host, timeout=600)
    began = time.perf_counter()
    connection.request("GET", path, headers={"Accept": f"text/html, application/json, x/{next(_number)}"})
    answer = connection.getresponse()
    answer.read()
    took = 1000 * (time.perf_counter() - began)
    connection.close()
    assert answer.status == http.HTTPStatus.OK, f"{path}: {answer.status}"
    return took
