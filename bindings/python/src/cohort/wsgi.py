"""Peers on the application's own WSGI server: a middleware that answers what is below the instance's base path."""

from __future__ import annotations

import http
import urllib.parse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ._errors import CohortError
from .instance import Instance

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_MAX_BODY_BYTES = 256 << 20


class Mount:
    """``application = cohort.wsgi.Mount(node, application)``. Without an application everything else is 404.

    Each request of a peer holds one of the server's threads while it waits for a load.
    """

    def __init__(
        self,
        instance: Instance,
        application: WSGIApplication | None = None,
        *,
        timeout: float = 60.0,
        max_body_bytes: int = _MAX_BODY_BYTES,
    ) -> None:
        self._instance = instance
        self._application = application
        self._timeout = timeout
        self._max_body_bytes = max_body_bytes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        target = _target(environ)
        if not target.startswith(self._instance.base_path):
            if self._application is not None:
                return self._application(environ, start_response)
            return _answer(start_response, 404, [("Content-Type", "text/plain")], b"not found\n")
        try:
            size = int(environ.get("CONTENT_LENGTH") or 0)
            if size > self._max_body_bytes:
                return _answer(start_response, 413, [("Content-Type", "text/plain")], b"the body is too large\n")
            body = environ["wsgi.input"].read(size) if size else b""
            response = self._instance.handle_request(
                environ["REQUEST_METHOD"], target, _headers(environ), body, timeout=self._timeout
            )
        except CohortError as error:
            return _answer(start_response, 503, [("Content-Type", "text/plain")], f"{error}\n".encode())
        return _answer(start_response, response.status, response.headers, response.body)


def _target(environ: dict[str, Any]) -> str:
    """The path as it was sent, escapes and all. WSGI itself has only the unescaped one; servers have both."""
    for name in ("RAW_URI", "REQUEST_URI"):
        raw: str = environ.get(name, "")
        if raw:
            parts = urllib.parse.urlsplit(raw)
            return parts.path + (f"?{parts.query}" if parts.query else "")
    path = urllib.parse.quote(
        environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""), safe="/:@!$&'()*,;=~+", encoding="latin-1"
    )
    query: str = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def _headers(environ: dict[str, Any]) -> list[tuple[str, str]]:
    headers = [(name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")]
    headers += [(name.replace("_", "-"), environ[name]) for name in ("CONTENT_TYPE",) if environ.get(name)]
    return headers


def _answer(
    start_response: Callable[..., Any], status: int, headers: list[tuple[str, str]], body: bytes
) -> list[bytes]:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    start_response(f"{status} {phrase}", [*headers, ("Content-Length", str(len(body)))])
    return [body]
