"""The control protocol that drives the node from outside, over a small HTTP server; each waiting call is a task."""

import asyncio
import base64
import json
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any

from loader import Loader

import cohort


class Control:
    """Answers the calls of ../README.md for one member of a cluster."""

    def __init__(
        self, name: str, listen: str, node: cohort.Instance, group: "cohort.Group[bytes]", loader: Loader
    ) -> None:
        self._name, self._listen, self._node, self._group, self._loader = name, listen, node, group, loader

    async def serve(self, address: str) -> None:
        """Serves until it is cancelled."""
        host, _, port = address.rpartition(":")
        server = await asyncio.start_server(self._connection, host, int(port), limit=1 << 20, backlog=1024)
        async with server:
            await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                _method, target, _ = head[0].split(" ")
                headers = {
                    name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, answer = await self._answer(target, body)
                writer.write(
                    b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                    % (status, len(answer))
                )
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, target: str, body: bytes) -> tuple[bytes, bytes]:
        path, _, query_text = target.partition("?")
        query = {name: values[0] for name, values in urllib.parse.parse_qs(query_text, keep_blank_values=True).items()}
        call: Callable[[dict[str, str], bytes], Awaitable[Any]] | None = getattr(self, "_call_" + path[1:], None)
        if call is None:
            return b"404 Not Found", b"no such call"
        try:
            return b"200 OK", json.dumps(await call(query, body)).encode()
        except cohort.CohortError as error:
            return b"200 OK", json.dumps(_failure(error)).encode()
        except (ValueError, KeyError, TypeError) as problem:
            return b"400 Bad Request", str(problem).encode()

    async def _call_ping(self, query: dict[str, str], body: bytes) -> Any:
        return {"name": self._name, "peer": self._listen, "impl": "python"}

    async def _call_get(self, query: dict[str, str], body: bytes) -> Any:
        key, _ = _subject(query, body)
        timeout = int(query.get("timeout_ms", 0)) / 1000 or None
        try:
            return _value(await self._group.aget_entry(key, timeout=timeout))
        except Exception as error:
            return _failure(error)

    async def _call_getmany(self, query: dict[str, str], body: bytes) -> Any:
        keys = _keys(body)
        found = await self._group.aget_many(keys, return_exceptions=True)
        entries = {key: self._group.peek_entry(key) for key in found}
        return [_many(found[key], entries[key]) for key in keys]

    async def _call_set(self, query: dict[str, str], body: bytes) -> Any:
        key, value = _subject(query, body)
        ms = int(query.get("expire_ms", 0))
        await self._group.aset(key, value, ttl=ms / 1000 if ms else None)
        return {"ok": True}

    async def _call_remove(self, query: dict[str, str], body: bytes) -> Any:
        await self._group.aremove(_subject(query, body)[0])
        return {"ok": True}

    async def _call_removekeys(self, query: dict[str, str], body: bytes) -> Any:
        await self._group.aremove_many(_keys(body))
        return {"ok": True}

    async def _call_owners(self, query: dict[str, str], body: bytes) -> Any:
        return [self._node.owner(key) for key in _keys(body)]

    async def _call_peers(self, query: dict[str, str], body: bytes) -> Any:
        self._node.set_peers(json.loads(body) or [], query.get("self", self._listen))
        return {"ok": True}

    async def _call_loads(self, query: dict[str, str], body: bytes) -> Any:
        counts = {_b64(key): count for key, count in self._loader.counts.items()}
        if "reset" in query:
            self._loader.counts.clear()
        return counts

    async def _call_stats(self, query: dict[str, str], body: bytes) -> Any:
        stats = self._group.stats()
        return {
            "gets": stats.gets,
            "cache_hits": stats.cache_hits,
            "peer_loads": stats.peer_loads,
            "peer_errors": stats.peer_errors,
            "loads": stats.loads,
            "loads_deduped": stats.loads_deduped,
            "local_loads": stats.local_loads,
            "local_load_errs": stats.local_load_errors,
            "main_bytes": self._group.cache_stats(cohort.Tier.MAIN).bytes,
            "hot_bytes": self._group.cache_stats(cohort.Tier.HOT).bytes,
        }


def _subject(query: dict[str, str], body: bytes) -> tuple[bytes, bytes]:
    """What a call is about: ?k64= or ?key= and the body as the value, or both in a JSON body."""
    if "k64" in query:
        return base64.b64decode(query["k64"]), body
    if "key" in query or not body:
        return query.get("key", "").encode(), body
    both = json.loads(body)
    return base64.b64decode(both["k64"]), base64.b64decode(both.get("v64") or "")


def _keys(body: bytes) -> list[bytes]:
    return [base64.b64decode(k64) for k64 in json.loads(body) or []]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _value(entry: "cohort.Entry[bytes]") -> dict[str, Any]:
    shown: dict[str, Any] = {"ok": True, "v64": _b64(entry.value), "len": len(entry.value)}
    if entry.expires_at is not None:
        shown["exp_ns"] = int(entry.expires_at * 1e9)
    return shown


def _many(found: bytes | Exception, entry: "cohort.Entry[bytes] | None") -> dict[str, Any]:
    """get_many hands out values alone: the expiry is the cached entry's."""
    if isinstance(found, Exception):
        return _failure(found)
    return _value(cohort.Entry(found, cohort.Source.NONE, entry.expires_at if entry else None))


def _failure(error: Exception) -> dict[str, Any]:
    kind = (
        "notfound"
        if isinstance(error, cohort.NotFound)
        else "remote"
        if isinstance(error, cohort.LoadError)
        else "other"
    )
    return {"ok": False, "err": str(error), "kind": kind}
