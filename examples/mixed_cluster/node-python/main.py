"""A member of the mixed cluster in Python.

The getter renders a package's page from the SQLite database. The control port serves the driver:
/ping /get /set /remove /stats /loads /owner.
"""

import argparse
import json
import pathlib
import sqlite3
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cohort


class Catalog:
    """This node's source of truth, and what it was asked. Each thread has a connection of its own."""

    def __init__(self, database: str, statement: str) -> None:
        self._uri = pathlib.Path(database).absolute().as_uri() + "?mode=ro"
        self._page = pathlib.Path(statement).read_text(encoding="utf-8")
        self._local = threading.local()
        self.loads: list[str] = []

    def page(self, key: str) -> str:
        """The getter."""
        self.loads.append(key)
        if not hasattr(self._local, "connection"):
            self._local.connection = sqlite3.connect(self._uri, uri=True)
        row = self._local.connection.execute(self._page, (key,)).fetchone()
        if row is None:
            raise cohort.NotFound("no such package")
        return str(row[0])


class Control(BaseHTTPRequestHandler):
    """One request of the driver."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    node: cohort.Instance
    packages: cohort.Group[str]
    catalog: Catalog
    name: str

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        began = time.perf_counter_ns()
        try:
            status, answer = 200, self.answer(url.path, query, body)
        except cohort.NotFound as error:
            status, answer = 404, f"{error}\n"
        except Exception as error:
            status, answer = 502, f"{error}\n"
        data = answer.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Get-Us", str((time.perf_counter_ns() - began) // 1000))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 (the base class looks for these names)

    def answer(self, path: str, query: dict[str, str], body: bytes) -> str:
        key = query.get("key", "")
        match path:
            case "/ping":
                return self.name
            case "/get":
                return self.packages.get(key, timeout=10)
            case "/set":
                ms = int(query.get("expire_ms") or 0)
                self.packages.set(key, body.decode(), ttl=ms / 1000 if ms > 0 else None)
            case "/remove":
                self.packages.remove(key)
            case "/owner":
                return self.node.owner(key)
            case "/stats":
                stats = self.packages.stats()
                return json.dumps(
                    {
                        "gets": stats.gets,
                        "hits": stats.cache_hits,
                        "from_peers": stats.peer_loads,
                        "loads": stats.local_loads,
                        "queries": len(self.catalog.loads),
                    }
                )
            case "/loads":
                return "".join(f"{key}\n" for key in self.catalog.loads)
            case _:
                raise ValueError(f"there is no {path}")
        return ""

    def log_message(self, format: str, *arguments: object) -> None:
        """Silent: the driver asks ten thousands of times."""


class Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


def main() -> None:
    flags = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("listen", "ctl", "peers", "db", "sql"):
        flags.add_argument(f"-{name}", required=True)
    flags.add_argument("-name", default="Python")
    options = flags.parse_args()
    host, _, port = options.ctl.rpartition(":")
    with cohort.Instance(options.listen, name=options.name, logger=None) as node:
        Control.node, Control.name = node, options.name
        Control.catalog = Catalog(options.db, options.sql)
        Control.packages = node.new_group("packages", Control.catalog.page, codec=cohort.TEXT, cache_bytes=64 << 20)
        node.set_peers(options.peers.split(","), options.listen)
        Server((host, int(port)), Control).serve_forever()


if __name__ == "__main__":
    main()
