"""A proxy before the REST API of BigQuery's emulator, which refuses some requests and lets the answers of others get lost."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self

_REASONS = {429: "rateLimitExceeded", 500: "backendError", 503: "backendError", 403: "accessDenied", 400: "invalid"}
_KEPT = ("Content-Type", "Authorization", "X-Goog-Api-Client")
LOST = 0
"""The request is carried out, and the connection ends without an answer."""


class Request(NamedTuple):
    """What is asked of BigQuery."""

    method: str
    path: str
    body: bytes


Meant = Callable[[Request], bool]


@dataclass
class Fault:
    """What becomes of requests that are meant: the status of the answer, or LOST, so often; how often it was so."""

    meant: Meant
    status: int
    times: int = 1
    fired: int = 0

    def meets(self, request: Request) -> bool:
        """Whether this one is struck."""
        is_met = self.fired < self.times and self.meant(request)
        self.fired += is_met
        return is_met


class Proxy:
    """Listens, as a context, and forwards to the emulator what no fault meets."""

    def __init__(self, behind: str) -> None:
        self.behind, self.fault = behind, Fault(lambda request: False, LOST)
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @contextmanager
    def striking(self, meant: Meant, status: int, times: int = 1) -> Iterator[Fault]:
        """The fault is there inside."""
        self.fault = Fault(meant, status, times)
        try:
            yield self.fault
        finally:
            self.fault = Fault(lambda request: False, LOST)


class _Handler(BaseHTTPRequestHandler):
    owner: Proxy
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, body)
        fault = self.owner.fault
        if not fault.meets(request):
            self._answer(*self._forwarded(request))
        elif fault.status == LOST:
            self._forwarded(request)
            self.close_connection = True
        else:
            said = {"code": fault.status, "message": "no", "errors": [{"reason": _REASONS[fault.status]}]}
            self._answer(fault.status, json.dumps({"error": said}).encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  their names in the library

    def _forwarded(self, request: Request) -> tuple[int, bytes]:
        headers = {name: value for name in _KEPT if (value := self.headers.get(name))}
        body = request.body or None
        asked = urllib.request.Request(f"{self.owner.behind}{request.path}", body, headers, method=request.method)
        try:
            with urllib.request.urlopen(asked, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Nobody reads it."""
