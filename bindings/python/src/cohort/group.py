"""A Group is a named cache that all members share, and the way to its values."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, overload

from . import _core, _failures, _load, _port, _wait
from ._errors import Closed, NotFound, WouldDeadlock
from ._kinds import Entry, Source, Tier
from ._stats import CacheStats, GroupStats, counters
from ._time import When, expire_unix_ns, from_unix_ns, timeout_ms
from .codecs import BYTES, TEXT, VIEW

if TYPE_CHECKING:
    from ._getter import Loader
    from .instance import Instance

T = TypeVar("T")
D = TypeVar("D")
Key = str | bytes
K = TypeVar("K", str, bytes)

_CAN_LEAD = _core.COHORT_GET_CAN_LEAD
_PEEK = _core.COHORT_GET_PEEK
_OK = _core.COHORT_OK
_Handle = _core.Handle
_begin = _core.group_begin
_running_loop = asyncio._get_running_loop
_Value = _core.Value
_AS_VALUE = 1
#: What the core makes of a hit by itself; other codecs are handed Values.
_AS: list[tuple[Any, int]] = [(BYTES, 0), (TEXT, 2), (VIEW, 3)]


class Group(Generic[T]):
    """Made by `Instance.new_group` or the decorator `Instance.group`. Any thread and any event loop may use it.

    Each call that may wait exists twice: `get` blocks the calling thread without the GIL, `aget` suspends the calling task.
    A `timeout` is in seconds and limits the caller's own wait; None is no limit but the group's longest load time (gets) or
    10 seconds (changes). A function getter that runs on the calling thread ends when it ends.

    A key is str (its UTF-8 bytes) or bytes; "k" and b"k" are the same key.
    """

    def __init__(self, instance: Instance, handle: _core.Handle, loader: Loader[T], without_gil: bool) -> None:
        self._instance = instance
        self._handle = handle
        self._loader = loader
        self._codec = loader.codec
        self._plain = cast(Any, loader.codec) is BYTES
        self._as = next((form for codec, form in _AS if loader.codec is codec), _AS_VALUE)
        self._decoded = self._as != _AS_VALUE  # hits come as what callers get
        self._lead = 0 if loader.getter is None or loader.port is not None else _CAN_LEAD
        self._without_gil = int(without_gil)
        self._begin = _core.getter_new(handle, _wait.idle, _wait.Waiter, self._lead, self._as, self._without_gil)
        self._last_port: _port.Port | None = None  # of the loop that awaited last

    def __repr__(self) -> str:
        return f"<cohort.Group {self.name!r}>"

    @property
    def name(self) -> str:
        """The name by which all members know it."""
        return self._loader.name

    @property
    def instance(self) -> Instance:
        """The member that made it."""
        return self._instance

    # ---- getting

    def get(self, key: Key, *, timeout: float | None = None) -> T:
        """The value: from a cache, the key's owner, or the getter.

        Raises the getter's own exception if it failed in this process; `NotFound`, `LoadError` if it failed at the key's
        owner; `Timeout`, `Closed` and other kinds of `CohortError`.
        """
        answer = self._begin(key, 0 if timeout is None else timeout_ms(timeout))
        if type(answer) is tuple:
            answer = self._missed(key, *answer)
            return answer if type(answer) is not _Value else self._decode(answer)
        return cast(T, answer) if self._decoded else self._decode(answer)

    async def aget(self, key: Key, *, timeout: float | None = None) -> T:
        """As `get`, for tasks. Cancelling the task ends its own wait alone."""
        limit = 0 if timeout is None else timeout_ms(timeout)
        port = self._last_port
        if port is None or port.loop is not _running_loop() or port.closed:
            self._last_port = port = _port.running_port()
        tag = port.reserve(1)
        answer = self._begin(key, limit, port.queue, tag)
        if type(answer) is int:
            return self._decode(await self._await(port, tag, key, answer))
        return cast(T, answer) if self._decoded else self._decode(answer)

    def get_entry(self, key: Key, *, timeout: float | None = None) -> Entry[T]:
        """As `get`, with where the value came from and when it expires."""
        waiter = _wait.borrow()
        answer = _begin(
            self._handle, key, self._lead, timeout_ms(timeout), waiter.queue, 1, _AS_VALUE, self._without_gil
        )
        if type(answer) is int:
            answer = self._wait_for(waiter, key, answer)
        _wait.give_back(waiter)
        if type(answer) is _Handle:
            data, expire = self._loader.lead(answer, key)
            return Entry(self._decode_bytes(data), Source.LOAD, from_unix_ns(expire))
        return self._entry(cast(_core.Value, answer))

    async def aget_entry(self, key: Key, *, timeout: float | None = None) -> Entry[T]:
        """As `get_entry`, for tasks."""
        port = _port.running_port()
        tag = port.reserve(1)
        answer = _begin(self._handle, key, 0, timeout_ms(timeout), port.queue, tag, _AS_VALUE, self._without_gil)
        if type(answer) is int:
            answer = await self._await(port, tag, key, answer)
        return self._entry(cast(_core.Value, answer))

    @overload
    def peek(self, key: Key) -> T | None: ...
    @overload
    def peek(self, key: Key, default: D) -> T | D: ...
    def peek(self, key: Key, default: Any = None) -> Any:
        """What this member has in its caches; `default` if that is nothing. Never loads, never waits."""
        try:
            hit = self._begin(key)
        except Closed:
            return default  # a closed group has nothing
        if hit is None:
            return default
        return hit if self._decoded else self._decode(hit)

    def peek_entry(self, key: Key) -> Entry[T] | None:
        """As `peek`, with the tier that has it and when it expires."""
        try:
            value = _begin(self._handle, key, _PEEK, 0, None, 0, _AS_VALUE, self._without_gil)
        except Closed:
            return None
        return None if value is None else self._entry(cast(_core.Value, value))

    # ---- getting many

    @overload
    def get_many(
        self, keys: Iterable[K], *, timeout: float | None = None, return_exceptions: Literal[False] = False
    ) -> dict[K, T]: ...
    @overload
    def get_many(
        self, keys: Iterable[K], *, timeout: float | None = None, return_exceptions: Literal[True]
    ) -> dict[K, T | Exception]: ...
    def get_many(self, keys: Iterable[Any], *, timeout: float | None = None, return_exceptions: bool = False) -> Any:
        """The values of many keys with one call; those of one owner travel together.

        A dict in the order of the keys. Keys that are not found are left out; the first other failure is raised when all
        have come. With `return_exceptions` every key is in the dict, with its value or its exception, `NotFound` included.
        """
        asked = list(dict.fromkeys(keys))
        waiter = _wait.borrow()
        results, left = _core.group_begin_many(self._handle, asked, 0, timeout_ms(timeout), waiter.queue, 1, self._as)
        if not left:
            _wait.give_back(waiter)
            return self._gather(asked, results, return_exceptions)
        pending = {i + 1: answer for i, answer in enumerate(results) if type(answer) is int}
        try:
            self._refuse_own_loads(asked, pending)
            self._refuse_blocking_the_loop()
            while left > 0:
                ended, failed = waiter.fill(results, 1, self._as)
                left -= ended
                for event in failed:
                    results[event[2] - 1] = self._result(event)
        except BaseException:
            self._cancel_many(pending)
            waiter.discard()
            raise
        _wait.give_back(waiter)
        return self._gather(asked, results, return_exceptions)

    @overload
    async def aget_many(
        self, keys: Iterable[K], *, timeout: float | None = None, return_exceptions: Literal[False] = False
    ) -> dict[K, T]: ...
    @overload
    async def aget_many(
        self, keys: Iterable[K], *, timeout: float | None = None, return_exceptions: Literal[True]
    ) -> dict[K, T | Exception]: ...
    async def aget_many(
        self, keys: Iterable[Any], *, timeout: float | None = None, return_exceptions: bool = False
    ) -> Any:
        """As `get_many`, for tasks."""
        asked = list(dict.fromkeys(keys))
        port = _port.running_port()
        first = port.reserve(len(asked))
        limit = timeout_ms(timeout)
        results, left = _core.group_begin_many(self._handle, asked, 0, limit, port.queue, first, self._as)
        if left:
            pending = {first + i: answer for i, answer in enumerate(results) if type(answer) is int}
            waiting = port.events(list(pending), lambda: self._cancel_many(pending))
            try:
                self._refuse_own_loads(asked, {tag - first + 1: ticket for tag, ticket in pending.items()})
            except WouldDeadlock:
                self._cancel_many(pending)
                await waiting
                raise
            for event in await waiting:
                results[event[2] - first] = self._result(event)
        return self._gather(asked, results, return_exceptions)

    # ---- changing

    def set(
        self,
        key: Key,
        value: T,
        *,
        ttl: float | None = None,
        expires_at: When | None = None,
        timeout: float | None = None,
    ) -> None:
        """Stores the value at the key's owner; every other member drops its copy before this returns.

        Raises `Unreachable` when a member did not acknowledge; the message names it. `ttl` is in seconds, `expires_at` a
        datetime or seconds since the Unix epoch; neither: the group's `ttl`.
        """
        data, expire = self._encode(value, ttl, expires_at)
        waiter = _wait.borrow()
        _core.cohort_group_set_queue(self._handle, key, data, expire, timeout_ms(timeout), waiter.queue, 1)
        self._wait_done(waiter)

    async def aset(
        self,
        key: Key,
        value: T,
        *,
        ttl: float | None = None,
        expires_at: When | None = None,
        timeout: float | None = None,
    ) -> None:
        """As `set`, for tasks. Cancelling the task does not take it back."""
        data, expire = self._encode(value, ttl, expires_at)
        port = _port.running_port()
        tag = port.reserve(1)
        _core.cohort_group_set_queue(self._handle, key, data, expire, timeout_ms(timeout), port.queue, tag)
        await self._await_done(port, tag)

    def remove(self, key: Key, *, timeout: float | None = None) -> None:
        """Drops the key everywhere: when this returns, no member answers with the old value. Raises as `set` does."""
        waiter = _wait.borrow()
        _core.cohort_group_remove_queue(self._handle, key, timeout_ms(timeout), waiter.queue, 1)
        self._wait_done(waiter)

    async def aremove(self, key: Key, *, timeout: float | None = None) -> None:
        """As `remove`, for tasks."""
        port = _port.running_port()
        tag = port.reserve(1)
        _core.cohort_group_remove_queue(self._handle, key, timeout_ms(timeout), port.queue, tag)
        await self._await_done(port, tag)

    def remove_many(self, keys: Iterable[Key], *, timeout: float | None = None) -> None:
        """Drops the keys everywhere, with one request to each member."""
        waiter = _wait.borrow()
        _core.cohort_group_remove_keys_queue(self._handle, list(keys), timeout_ms(timeout), waiter.queue, 1)
        self._wait_done(waiter)

    async def aremove_many(self, keys: Iterable[Key], *, timeout: float | None = None) -> None:
        """As `remove_many`, for tasks."""
        port = _port.running_port()
        tag = port.reserve(1)
        _core.cohort_group_remove_keys_queue(self._handle, list(keys), timeout_ms(timeout), port.queue, tag)
        await self._await_done(port, tag)

    def reset_cache(self, cache_bytes: int) -> None:
        """Forgets every entry of this member and gives its caches a new budget; 0 or less turns caching off."""
        _core.cohort_group_reset_cache(self._handle, cache_bytes)

    # ---- what a server of a custom transport does for a peer

    def local_get(self, key: Key, *, timeout: float | None = None) -> Entry[bytes]:
        """What a peer's get does here: never asks another peer. The value's bytes, not decoded."""
        waiter = _wait.borrow()
        answer = _begin(
            self._handle,
            key,
            _core.COHORT_GET_LOCAL,
            timeout_ms(timeout),
            waiter.queue,
            1,
            _AS_VALUE,
            self._without_gil,
        )
        if type(answer) is int:
            answer = self._wait_for(waiter, key, answer)
        _wait.give_back(waiter)
        return _for_a_peer(cast(_core.Value, answer))

    async def alocal_get(self, key: Key, *, timeout: float | None = None) -> Entry[bytes]:
        """As `local_get`, for tasks."""
        port = _port.running_port()
        tag = port.reserve(1)
        flags, limit = _core.COHORT_GET_LOCAL, timeout_ms(timeout)
        answer = _begin(self._handle, key, flags, limit, port.queue, tag, _AS_VALUE, self._without_gil)
        if type(answer) is int:
            answer = await self._await(port, tag, key, answer)
        return _for_a_peer(cast(_core.Value, answer))

    def local_set(self, key: Key, data: bytes, *, expires_at: When | None = None) -> None:
        """What a peer's set does here."""
        _core.cohort_group_local_set(self._handle, key, data, expire_unix_ns(None, expires_at))

    def local_remove(self, key: Key) -> None:
        """What a peer's remove does here."""
        _core.cohort_group_local_remove(self._handle, key)

    # ---- watching

    def stats(self) -> GroupStats:
        """What this member has counted since it made the group."""
        return counters(GroupStats, _core.group_stats(self._handle))

    def cache_stats(self, tier: Tier) -> CacheStats:
        """The counters and gauges of one tier on this member."""
        return counters(CacheStats, _core.group_cache_stats(self._handle, tier))

    # ---- the inside

    def _missed(self, key: Key, waiter: _wait.Waiter | None, answer: Any) -> Any:
        """The end of a blocking get that was no hit: what it returns, or the Value."""
        if waiter is not None:
            answer = self._wait_for(waiter, key, answer)
            _wait.give_back(waiter)
        if type(answer) is _Handle:
            return self._decode_bytes(self._loader.lead(answer, key)[0])
        return answer

    def _decode(self, value: _core.Value) -> T:
        return cast(T, bytes(value)) if self._plain else self._codec.decode(memoryview(cast(Any, value)))

    def _entry(self, value: _core.Value) -> Entry[T]:
        return Entry(self._decode(value), Source(value.source), from_unix_ns(value.expire_unix_ns))

    def _encode(self, value: T, ttl: float | None, expires_at: When | None) -> tuple[Any, int]:
        if ttl is None and expires_at is None:
            ttl = self._loader.ttl
        return self._codec.encode(value), expire_unix_ns(ttl, expires_at)

    def _decode_bytes(self, data: bytes) -> T:
        return cast(T, data) if self._plain else self._codec.decode(memoryview(data))

    def _result(self, event: _core.Event) -> Any:
        """What a GET event brought: a Value, or the exception that it stands for."""
        _, status, _, what, _, error_tag = event
        return what if status == _OK else _failures.of_event(status, error_tag, what)

    def _wait_for(self, waiter: _wait.Waiter, key: Key, ticket: int) -> Any:
        """Waits for the Value, or for a load that this thread is to lead."""
        try:
            self._refuse_own_load(key)
            self._refuse_blocking_the_loop()
            event = waiter.events(1)[0]
        except BaseException:
            _core.cohort_group_cancel(self._handle, ticket)
            waiter.discard()
            raise
        if event[1] != _OK:
            _wait.give_back(waiter)
            raise _failures.of_event(event[1], event[5], event[3])
        return event[3]

    async def _await(self, port: _port.Port, tag: int, key: Key, ticket: int) -> Any:
        waiting = port.event(tag, lambda: _core.cohort_group_cancel(self._handle, ticket))
        self._give_up_a_closed_loop()
        try:
            self._refuse_own_load(key)
        except WouldDeadlock:
            _core.cohort_group_cancel(self._handle, ticket)
            await waiting
            raise
        event = await waiting
        if event[1] != _OK:
            raise _failures.of_event(event[1], event[5], event[3])
        return event[3]

    def _refuse_own_load(self, key: Key) -> None:
        if _load.is_loading(self._loader, key):
            raise WouldDeadlock(f"the getter of group {self.name!r} asked for the key that it is loading")

    def _refuse_own_loads(self, asked: list[Key], pending: dict[int, int]) -> None:
        if _load.current_load() is not None:
            for position in pending:
                self._refuse_own_load(asked[position - 1])

    def _give_up_a_closed_loop(self) -> None:
        """A loop that was closed without ending its asynchronous generators has told nobody."""
        port = self._loader.port
        if port is not None and port.loop.is_closed():
            port.close()

    def _refuse_blocking_the_loop(self) -> None:
        self._give_up_a_closed_loop()
        port = self._loader.port
        if port is not None and asyncio._get_running_loop() is port.loop:
            raise WouldDeadlock(
                f"this would block the event loop that runs the getter of group {self.name!r}: "
                "await the call whose name begins with 'a'"
            )

    def _cancel_many(self, pending: dict[int, int]) -> None:
        for ticket in pending.values():
            _core.cohort_group_cancel(self._handle, ticket)

    def _gather(self, asked: list[Any], results: list[Any], return_exceptions: bool) -> dict[Any, Any]:
        """`results`: of each key the Value, what callers get, or an exception."""
        types = set(map(type, results))
        if len(types) == 1 and self._decoded and _Value not in types and not issubclass(types.pop(), Exception):
            return dict(zip(asked, results, strict=True))
        gathered: dict[Any, Any] = {}
        failure: Exception | None = None
        for key, result in zip(asked, results, strict=True):
            if type(result) is _Value:
                gathered[key] = self._decode(result)
            elif not isinstance(result, Exception) or return_exceptions:
                gathered[key] = result
            elif not isinstance(result, NotFound):
                failure = failure or result
        if failure is not None:
            raise failure
        return gathered

    def _wait_done(self, waiter: _wait.Waiter) -> None:
        try:
            event = waiter.events(1)[0]
        except BaseException:
            waiter.discard()
            raise
        _wait.give_back(waiter)
        if event[1] != _OK:
            raise _failures.of_event(event[1], event[5], event[3])

    async def _await_done(self, port: _port.Port, tag: int) -> None:
        event = await port.event(tag, lambda: None)
        if event[1] != _OK:
            raise _failures.of_event(event[1], event[5], event[3])


def _for_a_peer(value: _core.Value) -> Entry[bytes]:
    # What a remove or set overtook is handed out once and kept nowhere: the peer must not keep it either.
    expires_at = 1e-9 if value.overtaken else from_unix_ns(value.expire_unix_ns)
    return Entry(bytes(value), Source(value.source), expires_at)
