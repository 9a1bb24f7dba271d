"""What the demo asks of its own page: the same API anybody may ask."""

import asyncio
import http.client
import json
from typing import Any
from urllib.parse import urlencode

from ganpo_demo.loopback import HOST

_LIMIT_S = 2.0


class Page:
    """The API at a port of loopback. Each call raises OSError where it does not answer in time or not with 200."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{HOST}:{port}/"
        self._port = port

    async def get(self, path: str, **query: str) -> Any:
        """The JSON at `/api/v1/PATH`."""
        return await asyncio.to_thread(self._get, f"/api/v1/{path}?{urlencode(query)}")

    def _get(self, target: str) -> Any:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=_LIMIT_S)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise OSError(f"{target}: {answer.status} {body[:200]!r}")
            return json.loads(body)
        except http.client.HTTPException as error:
            raise OSError(f"{target}: {error}") from error
        finally:
            connection.close()
