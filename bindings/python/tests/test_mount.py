"""Members on the application's own server: ASGI by uvicorn, WSGI by the standard library, both with other members."""

import asyncio
import socket
import threading
import urllib.error
import urllib.request
import wsgiref.simple_server
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from socketserver import ThreadingMixIn
from typing import Any

import pytest
import uvicorn

import cohort
import cohort.asgi
import cohort.wsgi

ODD_KEYS = ["plain", "a/b", "a%2Fb", "ä ö?&#", "..", "", b"\x00\xff\x80", "k" * 3000]


def getter_of(name: str) -> Any:
    def getter(key: str) -> bytes:
        if key.startswith("missing"):
            raise cohort.NotFound(key)
        return f"{name}:".encode() + cohort.key_bytes(key)

    return getter


class ThreadingServer(ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True
    request_queue_size = 100


class QuietHandler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def get_environ(self) -> dict[str, Any]:
        return {**super().get_environ(), **({"RAW_URI": self.path} if type(self).raw else {})}

    raw = True


class HandlerWithoutRawTarget(QuietHandler):
    raw = False


@contextmanager
def wsgi_member(application: Any, handler: type[QuietHandler]) -> Iterator[tuple[cohort.Instance, str]]:
    with cohort.Instance() as node:
        server = wsgiref.simple_server.make_server(
            "127.0.0.1", 0, cohort.wsgi.Mount(node, application), ThreadingServer, handler
        )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield node, f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def check_together(mounted: cohort.Instance, address: str, odd_keys: list[Any]) -> None:
    """A mounted member and one that listens by itself are one cluster."""
    with cohort.Instance("127.0.0.1:0") as other:
        for node, name, own in ((mounted, "mounted", address), (other, "other", other.address)):
            node.set_peers([address, other.address], own)
            node.new_group("g", getter_of(name))
        groups = [mounted.get_group("g"), other.get_group("g")]
        owners = {address: "mounted", other.address: "other"}
        for key in [*odd_keys, *(f"{i}-key" for i in range(20))]:
            value = owners[mounted.owner(key)].encode() + b":" + cohort.key_bytes(key)
            assert [group.get(key) for group in groups] == [value, value], key
        key = next(key for i in range(1000) if mounted.owner(key := f"{i}-key") == address)
        groups[1].set(key, b"set")
        assert groups[0].peek(key) == b"set"
        groups[1].remove(key)
        assert groups[0].peek(key) is None
        missing = next(key for i in range(1000) if mounted.owner(key := f"missing{i}-key") == address)
        with pytest.raises(cohort.NotFound, match=missing):
            groups[1].get(missing)
        assert groups[0].stats().served_to_peers > 0


def fetch(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def hello(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the application's own"]


@pytest.mark.parametrize("handler", [QuietHandler, HandlerWithoutRawTarget], ids=["raw", "unescaped"])
def test_wsgi(handler: type[QuietHandler]) -> None:
    with wsgi_member(hello, handler) as (node, address):
        # Without the raw target "%2F" in a key cannot be told from "/" by any WSGI application.
        check_together(node, address, ODD_KEYS if handler.raw else ["plain", "a/b", "ä ö?&#", b"\x00\xff\x80"])
        assert fetch(f"http://{address}/index") == (200, b"the application's own")
        node.close()
        assert fetch(f"http://{address}/_groupcache/g/a")[0] == 503


def test_wsgi_alone() -> None:
    with wsgi_member(None, QuietHandler) as (_, address):
        assert fetch(f"http://{address}/index")[0] == 404


@asynccontextmanager
async def asgi_server(application: Any) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, log_level="error", lifespan="on", ws="none", http="h11", h11_max_incomplete_event_size=1 << 20
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        assert not task.done(), task.exception()
        await asyncio.sleep(0.001)
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def ahello(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": message["type"] + ".complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the application's own"})


def test_asgi() -> None:
    async def main() -> None:
        async with cohort.Instance() as node, asgi_server(cohort.asgi.Mount(node, ahello)) as address:
            await asyncio.to_thread(check_together, node, address, ODD_KEYS)
            assert await asyncio.to_thread(fetch, f"http://{address}/index") == (200, b"the application's own")
            await node.aclose()
            assert (await asyncio.to_thread(fetch, f"http://{address}/_groupcache/g/a"))[0] == 503

    asyncio.run(main())


def test_asgi_alone() -> None:
    async def main() -> None:
        async with cohort.Instance() as node, asgi_server(cohort.asgi.Mount(node, max_body_bytes=10)) as address:
            assert (await asyncio.to_thread(fetch, f"http://{address}/index"))[0] == 404
            request = urllib.request.Request(f"http://{address}/_groupcache/g/a", data=b"x" * 11, method="PUT")
            with pytest.raises(urllib.error.HTTPError, match="413") as caught:
                await asyncio.to_thread(urllib.request.urlopen, request, timeout=60)
            caught.value.close()

    asyncio.run(main())


def test_requests_by_hand(node: cohort.Instance) -> None:
    node.new_group("g", lambda key: key.encode())
    response = node.handle_request("GET", "/_groupcache/g/abc")
    assert response.status == 200
    assert b"abc" in response.body
    assert "Content-Type" in dict(response.headers)
    assert asyncio.run(node.ahandle_request("GET", "/_groupcache/nothing/abc")).status >= 400
    assert node.handle_request("GET", "/elsewhere").status == 404
    node.close()
    with pytest.raises(cohort.Closed):
        node.handle_request("GET", "/_groupcache/g/abc")
