"""Peers on the application's own ASGI server: a middleware that answers what is below the instance's base path."""

from __future__ import annotations

import urllib.parse
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ._errors import CohortError
from .instance import Instance
from .transport import Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_MAX_BODY_BYTES = 256 << 20
_TEXT = [("Content-Type", "text/plain")]


class Mount:
    """``application = cohort.asgi.Mount(node, application)``. Without an application everything else is 404.

    A request of a peer that waits for a load is a suspended task, nothing more.
    """

    def __init__(
        self,
        instance: Instance,
        application: Application | None = None,
        *,
        timeout: float = 60.0,
        max_body_bytes: int = _MAX_BODY_BYTES,
    ) -> None:
        self._instance = instance
        self._application = application
        self._timeout = timeout
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _path(scope).startswith(self._instance.base_path):
            if self._application is not None:
                await self._application(scope, receive, send)
            elif scope["type"] == "http":
                await _answer(send, Response(404, _TEXT, b"not found\n"))
            elif scope["type"] == "lifespan":
                await _lifespan(receive, send)
            return
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_body_bytes:
                await _answer(send, Response(413, _TEXT, b"the body is too large\n"))
                return
            if not message.get("more_body", False):
                break
        query = scope.get("query_string", b"").decode("latin-1")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        try:
            response = await self._instance.ahandle_request(
                scope["method"],
                _path(scope) + (f"?{query}" if query else ""),
                headers,
                b"".join(parts),
                timeout=self._timeout,
            )
        except CohortError as error:
            response = Response(503, _TEXT, f"{error}\n".encode())
        await _answer(send, response)


def _path(scope: Scope) -> str:
    """The path as it was sent, escapes and all."""
    raw: bytes | None = scope.get("raw_path")
    if raw is not None:
        return raw.decode("latin-1").partition("?")[0]
    return urllib.parse.quote(scope["path"], safe="/:@!$&'()*,;=~+", errors="surrogateescape")


async def _answer(send: Send, response: Response) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
