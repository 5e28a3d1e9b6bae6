"""Transports: how the members of a cluster reach each other."""

from __future__ import annotations

import asyncio
import contextvars
import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from . import _core, _failures, _port
from ._errors import InvalidArgument, LoadError, NotFound, Unreachable
from ._getter import Expiring, is_coroutine_function
from ._runner import Runner
from ._time import expire_unix_ns, from_unix_ns

if TYPE_CHECKING:
    from typing_extensions import Buffer


@dataclass(frozen=True, slots=True)
class TLS:
    """The PEM files of TLS, for listening and for asking. They are read when the instance is made."""

    ca_file: str = ""  #: Trusted authorities for peers' certificates; empty: the system's.
    cert_file: str = ""  #: This member's certificate chain; empty, like key_file: it only asks.
    key_file: str = ""
    require_client_certificate: bool = False  #: Mutual TLS.


class Op(enum.IntEnum):
    """What a request asks for."""

    GET = _core.COHORT_REQUEST_GET
    SET = _core.COHORT_REQUEST_SET
    REMOVE = _core.COHORT_REQUEST_REMOVE
    REMOVE_KEYS = _core.COHORT_REQUEST_REMOVE_KEYS
    RAW = _core.COHORT_REQUEST_RAW


class Response(NamedTuple):
    """An HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What a transport of the program's own has to send to `peer`."""

    op: Op
    peer: str
    group: str  #: Not RAW.
    keys: list[bytes]  #: One for GET, SET and REMOVE.
    data: bytes  #: SET: the value's bytes. RAW: the body.
    expires_at: float | None  #: SET: seconds since the Unix epoch.
    method: str  #: RAW: "GET", ...
    target: str  #: RAW: the escaped path.
    headers: list[tuple[str, str]] = field(default_factory=list)  #: RAW.
    time_left: float = 0.0  #: Seconds until the engine stops to wait.

    @property
    def key(self) -> bytes:
        """The only key: GET, SET, REMOVE."""
        return self.keys[0]


Reply = Any  # bytes-like or Expiring (GET), None (SET, REMOVE, REMOVE_KEYS), Response (RAW)
Send = Callable[[Request], Reply | Awaitable[Reply]]


class Transport:
    """Made by one of its class methods; may be shared by several instances."""

    def __init__(self, handle: _core.Handle, sender: _Sender | None = None) -> None:
        self._handle = handle
        self._sender = sender

    @classmethod
    def http(
        cls,
        *,
        tls: TLS | None = None,
        max_connections_per_peer: int | None = None,
        connect_timeout: float | None = None,
        idle_timeout: float | None = None,
        max_body_bytes: int | None = None,
        max_server_threads: int | None = None,
        keep_alive: float | None = None,
        request_timeout: float | None = None,
    ) -> Transport:
        """HTTP/1.1, with or without TLS: the default. Times are in seconds; None keeps the engine's default."""
        handle = _core.cohort_transport_new_http()
        times = {
            "connect_timeout": (_core.COHORT_HTTP_CONNECT_TIMEOUT_MS, connect_timeout),
            "idle_timeout": (_core.COHORT_HTTP_IDLE_TIMEOUT_MS, idle_timeout),
            "keep_alive": (_core.COHORT_HTTP_KEEP_ALIVE_MS, keep_alive),
            "request_timeout": (_core.COHORT_HTTP_REQUEST_TIMEOUT_MS, request_timeout),
        }
        limits = {
            "max_connections_per_peer": (_core.COHORT_HTTP_MAX_CONNECTIONS_PER_PEER, max_connections_per_peer),
            "max_body_bytes": (_core.COHORT_HTTP_MAX_BODY_BYTES, max_body_bytes),
            "max_server_threads": (_core.COHORT_HTTP_MAX_SERVER_THREADS, max_server_threads),
        }
        for name, (limit, seconds) in times.items():
            limits[name] = (limit, None if seconds is None else round(seconds * 1000))
        for name, (limit, value) in limits.items():
            if value is None:
                continue
            try:
                _core.cohort_transport_set_limit(handle, limit, value)
            except InvalidArgument as error:
                unit = "milliseconds " if name in times else ""
                raise InvalidArgument(f"{name}: {unit}{str(error).partition(' is ')[2]}") from None
        if tls is not None:
            _core.cohort_transport_set_tls(
                handle, tls.ca_file, tls.cert_file, tls.key_file, int(tls.require_client_certificate)
            )
        return cls(handle)

    @classmethod
    def inproc(cls) -> Transport:
        """A network inside the process, for tests: instances with the same transport reach each other by address."""
        return cls(_core.cohort_transport_new_inproc())

    @classmethod
    def calls(cls, send: Send, *, max_threads: int = 64) -> Transport:
        """A transport of the program's own that carries calls: GET, SET, REMOVE and REMOVE_KEYS with their keys.

        `send` is a function, which may block and runs on up to `max_threads` threads, or a coroutine function, which
        runs on the event loop that runs now (else on one of the library's own). For GET it returns bytes or `Expiring`.
        If it raises `NotFound` or `LoadError` that is the owner's answer; anything else means that the peer was not
        reached. On the other side the program calls `Group.local_get` or `alocal_get`, `local_set` and `local_remove`.
        """
        return cls._custom(_core.COHORT_SEND_CALLS, send, max_threads)

    @classmethod
    def raw(cls, send: Send, *, max_threads: int = 64) -> Transport:
        """The same for HTTP requests as they are: `send` returns a `Response`, which the other side has from
        `Instance.handle_request`."""
        return cls._custom(_core.COHORT_SEND_RAW, send, max_threads)

    @classmethod
    def _custom(cls, mode: int, send: Send, max_threads: int) -> Transport:
        sender = _Sender(send, max_threads)
        return cls(_core.cohort_transport_new_queue(mode, sender.queue, sender.tag), sender)


class _Sender:
    """Runs `send`, on threads of its own or on an event loop, and answers the engine's request whatever it does."""

    def __init__(self, send: Send, max_threads: int) -> None:
        self._send = send
        self._context = contextvars.copy_context()
        self._runner: Runner | None = None
        if is_coroutine_function(send):
            port = _port.running_port() if _port.loop_is_running() else _port.background_port()
            self.queue, self.tag = port.queue, port.register(self)
        else:
            self._runner = Runner("cohort-transport", max_threads)
            self.queue, self.tag = self._runner.queue, self._runner.register(self)

    def __del__(self) -> None:
        runner = getattr(self, "_runner", None)
        if runner is not None:
            runner.close()

    def serve(self, port: _port.Port | None, handle: _core.Handle, _: bytes | None) -> None:
        if port is not None:
            port.start(
                self._run_async(handle),
                lambda tag: _core.cohort_request_watch(handle, port.queue, tag),
                lambda: False,
                self._context.copy(),
            )
            return
        try:
            request = _request_of(handle)
            _reply(handle, request, self._context.copy().run(self._send, request))
        except Exception as error:
            _fail(handle, error)

    async def _run_async(self, handle: _core.Handle) -> None:
        try:
            request = _request_of(handle)
            _reply(handle, request, await cast("Awaitable[Reply]", self._send(request)))
        except asyncio.CancelledError:
            _fail(handle, Unreachable("the request was cancelled"))
            raise
        except Exception as error:
            _fail(handle, error)


def _request_of(handle: _core.Handle) -> Request:
    op, peer, group, keys, data, expire, method, target, headers, left = _core.request_view(handle)
    return Request(
        Op(op), peer, group, keys, data, from_unix_ns(expire), method, target, header_list(headers), left / 1000
    )


def _reply(handle: _core.Handle, request: Request, reply: Reply) -> None:
    if request.op is Op.RAW:
        status, headers, body = reply
        _core.request_reply_raw(handle, status, header_lines(headers), body)
        return
    data: Buffer = b""
    expire = 0
    if request.op is Op.GET:
        data = reply.value if isinstance(reply, Expiring) else reply
        expire = expire_unix_ns(reply.ttl, reply.expires_at) if isinstance(reply, Expiring) else 0
        memoryview(data)  # raises for what is not bytes-like, before the request is given away
    _core.request_reply(handle, data, expire)


def _fail(handle: _core.Handle, error: Exception) -> None:
    if isinstance(error, LoadError):
        error = LoadError(str(error))  # to those who asked, the other side's failure is remote
    status = error.status if isinstance(error, (NotFound, LoadError)) else Unreachable.status
    try:
        _failures.fail(error, lambda tag: _core.request_fail(handle, status, _failures.message_of(error), tag))
    except ValueError:
        pass  # it was answered already


def header_lines(headers: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")


def header_list(lines: bytes) -> list[tuple[str, str]]:
    pairs = (line.partition(":") for line in lines.decode("latin-1").split("\r\n") if line)
    return [(name, value.strip()) for name, _, value in pairs]
