"""A time-series store that is none: it takes what is written, or refuses it with a sentence (InfluxDB v2 write API)."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class Sink:
    """`refuse` gives status and sentence for a body (bytes: the whole answer), or None to take it; `requests`: (body,
    status) as they came."""

    def __init__(self, refuse: Callable[[bytes], tuple[int, str | bytes] | None]) -> None:
        self.refuse = refuse
        self.requests: list[tuple[bytes, int]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                said = sink.refuse(body)
                status = said[0] if said else 204
                sink.requests.append((body, status))
                what = said[1] if said else b""
                answer = (
                    what
                    if isinstance(what, bytes)
                    else json.dumps({"code": "refused", "message": what}).encode()
                )
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Nothing on stderr."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
