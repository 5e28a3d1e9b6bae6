"""An Instance is one member of a cluster: usually one per process, but a process may hold several."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import warnings
import weakref
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from . import _core, _port, _wait
from ._errors import Closed, CohortError, error_of
from ._getter import Getter, Loader
from ._kinds import Eviction, Policy, Reason, Ring, Tier
from ._runner import Runner
from ._time import timeout_ms
from .codecs import BYTES, Codec
from .group import Group, Key
from .transport import Response, Transport, header_lines, header_list

if TYPE_CHECKING:
    from typing import Self

    from typing_extensions import Buffer

T = TypeVar("T")
_LOG_LEVELS = {
    _core.COHORT_LOG_DEBUG: logging.DEBUG,
    _core.COHORT_LOG_INFO: logging.INFO,
    _core.COHORT_LOG_WARN: logging.WARNING,
    _core.COHORT_LOG_ERROR: logging.ERROR,
}


_LOGGER = logging.getLogger("cohort")


class Instance:
    """One member. Local only until it is given peers. Any thread and any event loop may use it.

    Close it with `close` or `aclose`, or use it in a ``with`` or ``async with`` block.
    """

    def __init__(
        self,
        listen: str | None = None,
        *,
        name: str = "cohort",
        ring: Ring = Ring.GROUPCACHE_V3,
        replicas: int = 50,
        hash: Callable[[bytes], int] | None = None,
        base_path: str = "/_groupcache/",
        transport: Transport | None = None,
        logger: logging.Logger | None = _LOGGER,
        max_getter_threads: int = 64,
    ) -> None:
        """Makes the instance and, with `listen` ("host:port"; port 0 picks a free one), serves peers there.

        :param name: a name for logs.
        :param ring: how keys find their owners; every member must use the same `ring`, `replicas` and `hash`.
        :param replicas: points per peer on the ring.
        :param hash: a pure function in place of the ring's own; it is called from engine threads for each key.
        :param base_path: the path under which peers are served and asked.
        :param transport: how peers are reached; None: HTTP with default settings.
        :param logger: takes the engine's lines at the level that is effective now; None: no lines.
        :param max_getter_threads: how many getters that are functions run at once for callers that do not run them
            themselves: peers, tasks, and `get_many`. Those that wait for other groups' values do not count.
        """
        self._pid = os.getpid()
        self._closed = True  # until it is made
        self._groups: dict[str, Group[Any]] = {}
        self._base_path = base_path
        self._transport = transport
        self._without_gil = hash is not None
        options = _core.cohort_instance_options_new()
        _core.cohort_instance_options_set_name(options, name)
        _core.cohort_instance_options_set_ring(options, ring)
        _core.cohort_instance_options_set_replicas(options, replicas)
        _core.cohort_instance_options_set_base_path(options, base_path)
        if hash is not None:
            _core.instance_options_set_hash(options, hash)
        if transport is not None:
            _core.cohort_instance_options_set_transport(options, transport._handle)
        if max_getter_threads < 1:
            raise ValueError(f"max_getter_threads must be at least 1; it is {max_getter_threads}")
        self._runner = Runner(name, max_getter_threads)
        try:
            if logger is not None and logger.isEnabledFor(logging.ERROR):
                level = max(
                    (ours for ours, theirs in _LOG_LEVELS.items() if theirs <= logger.getEffectiveLevel()), default=0
                )
                tag = self._runner.register_log(
                    lambda at, line: logger.log(_LOG_LEVELS.get(at, logging.ERROR), "%s", line)
                )
                _core.cohort_instance_options_set_log_queue(options, level, self._runner.queue, tag)
            self._handle = _core.cohort_instance_new(options)
            if listen is not None:
                self.listen(listen)
        except BaseException:
            self._runner.close()
            raise
        self._closed = False
        _open.add(self)

    def __repr__(self) -> str:
        return f"<cohort.Instance {'closed' if self._closed else self.address or 'that does not listen'}>"

    # ---- peers

    def listen(self, address: str) -> str:
        """Starts to serve peers at "host:port"; returns the address with its port. `SystemFailure` if it is taken."""
        _core.cohort_instance_listen(self._handle, address)
        return self.address

    def stop_listening(self, timeout: float = 1.0) -> None:
        """Stops to serve peers; requests under way get up to `timeout` seconds to end. `listen` may follow."""
        _core.cohort_instance_stop_listening(self._handle, round(timeout * 1000))

    @property
    def address(self) -> str:
        """The resolved address that is listened on; empty if none."""
        return _text(_core.cohort_instance_listen_address(self._handle))

    @property
    def base_path(self) -> str:
        """The path under which peers are served."""
        return self._base_path

    def set_peers(self, addresses: Iterable[str], self_address: str | None = None) -> None:
        """Replaces the set of peers, at any time. No addresses: local only.

        :param addresses: every member's address, this one's included; the same strings, byte for byte, on every member.
        :param self_address: which of them is this member; None: the address that it listens on.
        """
        if isinstance(addresses, str):
            raise TypeError("addresses must be several strings, not one")
        members = list(addresses)
        _core.cohort_instance_set_peers(
            self._handle,
            "\n".join(members),
            (self.address if members else "") if self_address is None else self_address,
        )

    def owner(self, key: Key) -> str:
        """The address of the key's owner by this member's ring; empty while local only."""
        return _text(_core.cohort_instance_owner(self._handle, key))

    # ---- groups

    @overload
    def new_group(
        self,
        name: str,
        getter: Getter[bytes] | Getter[bytearray] | Getter[memoryview] | None = None,
        *,
        cache_bytes: int = ...,
        max_entries: int = ...,
        policy: Policy = ...,
        load_timeout: float = ...,
        ttl: float | None = ...,
        on_eviction: Callable[[Eviction], object] | None = ...,
    ) -> Group[bytes]: ...
    @overload
    def new_group(
        self,
        name: str,
        getter: Getter[T] | None = None,
        *,
        codec: Codec[T],
        cache_bytes: int = ...,
        max_entries: int = ...,
        policy: Policy = ...,
        load_timeout: float = ...,
        ttl: float | None = ...,
        on_eviction: Callable[[Eviction], object] | None = ...,
    ) -> Group[T]: ...
    def new_group(
        self,
        name: str,
        getter: Any = None,
        *,
        codec: Any = BYTES,
        cache_bytes: int = 64 << 20,
        max_entries: int = 0,
        policy: Policy = Policy.ADAPTIVE,
        load_timeout: float = 60.0,
        ttl: float | None = None,
        on_eviction: Callable[[Eviction], object] | None = None,
    ) -> Any:
        """Makes a group. Every member makes it under the same name, with a budget and a getter of its own.

        :param getter: brings the value of a key that no cache holds; raises `NotFound` if there is none. A function
            runs on the thread of a blocking `get`, or on one of `max_getter_threads`, and may block. A coroutine function
            runs on the event loop that runs now (else on one of the library's own), and is cancelled when nobody waits
            any more. It gets the key as str, returns a value or `Expiring`, and may get from other groups. None: this
            member can read what others load.
        :param codec: what values are: `codecs.BYTES`, `TEXT`, `JSON`, `Protobuf(Message)`, `VIEW`, or one of your own.
        :param cache_bytes: for both tiers, overheads included; 0 or less turns caching off.
        :param max_entries: for both tiers; 0 is no limit.
        :param policy: which value leaves when room is needed.
        :param load_timeout: seconds that one load may take, after which its waiters end with `Timeout`.
        :param ttl: seconds that values live unless said otherwise; None: for ever.
        :param on_eviction: told of entries that leave for room or by expiry, on any thread; it must not block.
        """
        if getter is not None and not callable(getter):
            raise TypeError(f"a getter must be callable, not {type(getter).__name__}")
        loader: Loader[Any] = Loader(name, getter, codec, ttl)
        options = _core.cohort_group_options_new()
        _core.cohort_group_options_set_cache_bytes(options, cache_bytes)
        _core.cohort_group_options_set_max_entries(options, max_entries)
        _core.cohort_group_options_set_policy(options, policy)
        _core.cohort_group_options_set_load_timeout_ms(options, timeout_ms(load_timeout))
        if loader.is_async:
            loader.port = _port.running_port() if _port.loop_is_running() else _port.background_port()
            _core.cohort_group_options_set_getter_queue(options, loader.port.queue, loader.port.register(loader))
        elif getter is not None:
            _core.cohort_group_options_set_getter_queue(options, self._runner.queue, self._runner.register(loader))
        if on_eviction is not None:
            _core.group_options_set_eviction_listener(options, _eviction_listener(on_eviction))
        handle = _core.cohort_instance_new_group(self._handle, name, options)
        group: Group[Any] = Group(self, handle, loader, self._without_gil)
        self._groups[name] = group
        return group

    @overload
    def group(
        self,
        name: str,
        *,
        cache_bytes: int = ...,
        max_entries: int = ...,
        policy: Policy = ...,
        load_timeout: float = ...,
        ttl: float | None = ...,
        on_eviction: Callable[[Eviction], object] | None = ...,
    ) -> Callable[[Getter[bytes] | Getter[bytearray] | Getter[memoryview]], Group[bytes]]: ...
    @overload
    def group(
        self,
        name: str,
        *,
        codec: Codec[T],
        cache_bytes: int = ...,
        max_entries: int = ...,
        policy: Policy = ...,
        load_timeout: float = ...,
        ttl: float | None = ...,
        on_eviction: Callable[[Eviction], object] | None = ...,
    ) -> Callable[[Getter[T]], Group[T]]: ...
    def group(self, name: str, **options: Any) -> Any:
        """`new_group` as a decorator: the function below becomes the getter, and its name the group."""

        def decorate(getter: Any) -> Group[Any]:
            group: Group[Any] = self.new_group(name, getter, **options)
            return group

        return decorate

    def get_group(self, name: str) -> Group[Any]:
        """The group of that name. KeyError if there is none."""
        return self._groups[name]

    def remove_group(self, name: str) -> None:
        """Takes the group out and closes it: waiting gets end with `Closed`, peers are told that it is not there."""
        _core.cohort_instance_remove_group(self._handle, name)
        self._groups.pop(name, None)

    # ---- on the application's own server

    def handle_request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: Buffer = b"",
        *,
        timeout: float = 60.0,
    ) -> Response:
        """Answers a peer's HTTP request; blocks. `target` is the escaped path, with the query if there is one.

        `cohort.wsgi` and `cohort.asgi` call this for you.
        """
        waiter = _wait.borrow()
        _core.cohort_instance_handle_request(
            self._handle,
            method,
            target,
            header_lines(list(headers)),
            cast(Any, body),
            timeout_ms(timeout),
            waiter.queue,
            1,
        )
        try:
            event = waiter.events(1)[0]
        except BaseException:
            waiter.discard()
            raise
        _wait.give_back(waiter)
        return _response_of(event)

    async def ahandle_request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: Buffer = b"",
        *,
        timeout: float = 60.0,
    ) -> Response:
        """As `handle_request`, for tasks."""
        port = _port.running_port()
        tag = port.reserve(1)
        _core.cohort_instance_handle_request(
            self._handle,
            method,
            target,
            header_lines(list(headers)),
            cast(Any, body),
            timeout_ms(timeout),
            port.queue,
            tag,
        )
        return _response_of(await port.event(tag, lambda: None))

    # ---- the end

    def close(self, timeout: float = 1.0) -> None:
        """Stops to listen, refuses new work, gives what is under way up to `timeout` seconds, then ends the rest with
        `Closed` and stops every thread of the engine. Idempotent. On an event loop await `aclose` instead."""
        if self._closed or self._pid != os.getpid():
            return
        self._closed = True
        _open.discard(self)
        try:
            _core.cohort_instance_shutdown(self._handle, round(timeout * 1000))
        finally:
            self._runner.close()

    async def aclose(self, timeout: float = 1.0) -> None:
        """As `close`, without blocking the loop."""
        await asyncio.to_thread(self.close, timeout)

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and self._pid == os.getpid():
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            self.close(0)


def _text(value: _core.Value | None) -> str:
    return "" if value is None else bytes(value).decode("utf-8", "surrogateescape")


def _response_of(event: _core.Event) -> Response:
    kind, status, _, what, _, _ = event
    if kind != _core.COHORT_EVENT_RESPONSE or not isinstance(what, _core.Handle):
        raise error_of(status or Closed.status, what or "the instance is closed")
    http_status, headers, body = _core.response_view(what)
    return Response(http_status, header_list(headers), body)


def _eviction_listener(listener: Callable[[Eviction], object]) -> Callable[[int, int, bytes, Any], None]:
    def evicted(tier: int, reason: int, key: bytes, value: Any) -> None:
        listener(Eviction(Tier(tier), Reason(reason), key.decode("utf-8", "surrogateescape"), memoryview(value)))

    return evicted


# ---- at exit: engine threads must not meet an interpreter that is ending

_open: weakref.WeakSet[Instance] = weakref.WeakSet()


def _close_all() -> None:
    for instance in list(_open):
        try:
            instance.close(0)
        except CohortError:
            logging.getLogger("cohort").exception("an instance could not be closed at exit")
    _core.stop_upcalls()


atexit.register(_close_all)
