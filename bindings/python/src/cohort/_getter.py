"""A Loader runs a group's getter and ends the load in the engine, whatever the getter does."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Union, cast

from . import _core, _failures, _load
from ._errors import LoadError, NotFound
from ._time import When, expire_unix_ns

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ._port import Port
    from .codecs import Codec

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Expiring(Generic[T]):
    """What a getter returns to say when its value expires: ``Expiring(page, ttl=60)``.

    `ttl` is in seconds from now; `expires_at` is a datetime or seconds since the Unix epoch. Neither: never, whatever the
    group's `ttl` is.
    """

    value: T
    ttl: float | None = None
    expires_at: When | None = None


Result = Union[T, Expiring[T]]  # noqa: UP007 (mypy takes no bare T | ... for an alias)
Getter = Callable[[str], T | Expiring[T] | Awaitable[T | Expiring[T]]]


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    # Its own, or that of the class of a callable object.
    called = getattr(type(function), "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


class Loader(Generic[T]):
    """A group's getter, its codec and its own time to live. Groups without a getter have one as well."""

    def __init__(self, name: str, getter: Getter[T] | None, codec: Codec[T], ttl: float | None) -> None:
        self.name = name
        self.getter = getter
        self.codec = codec
        self.ttl = ttl
        self.port: Port | None = None  # where a coroutine getter runs
        self.context = contextvars.copy_context()

    @property
    def is_async(self) -> bool:
        return self.getter is not None and is_coroutine_function(self.getter)

    def encode(self, result: Result[T]) -> tuple[Buffer, int]:
        if isinstance(result, Expiring):
            return self.codec.encode(result.value), expire_unix_ns(result.ttl, result.expires_at)
        return self.codec.encode(result), expire_unix_ns(self.ttl, None)

    def lead(self, handle: _core.Handle, key: str | bytes) -> tuple[bytes, int]:
        """Runs a function on this thread, and returns the value's bytes and expiry; raises what the getter raised.

        KeyboardInterrupt is this thread's business alone: the load is given up, and the next waiter that can runs the getter.
        """
        getter = self.getter
        assert getter is not None
        token = _load.enter(handle, self, _load.key_bytes(key))
        try:
            result = getter(_load.key_text(key))
            if inspect.isawaitable(result):
                if inspect.iscoroutine(result):
                    result.close()
                raise TypeError(f"the getter of group {self.name!r} returned an awaitable: declare it with 'async def'")
            data, expire = self.encode(result)
            _core.load_complete(handle, data, expire)
        except KeyboardInterrupt:
            self.abandon(handle)
            raise
        except BaseException as error:
            self.fail(handle, error)
            raise
        finally:
            _load.leave(token)
        return bytes(data), expire

    def serve(self, port: Port | None, handle: _core.Handle, key: bytes) -> None:
        """Runs the getter for those who wait in the engine: a coroutine on its port, a function on this thread."""
        if port is not None:
            port.start(
                self.run_async(handle, key),
                lambda tag: _core.cohort_load_watch(handle, port.queue, tag),
                lambda: not self._is_unwanted(handle),
                self.context.copy(),
            )
            return
        try:
            self.context.copy().run(self.lead, handle, key)
        except BaseException:
            pass  # it has gone to those who wait: not even SystemExit ends a thread of the pool

    async def run_async(self, handle: _core.Handle, key: bytes) -> None:
        """Runs a coroutine for those who wait in the engine. Cancelled, it gives the load up.

        If it was cancelled because nobody waited, somebody may have come meanwhile. A failure makes the engine begin anew
        for those:

        1. the last waiter leaves: CANCEL            1. the last waiter leaves: CANCEL
        2. the coroutine is cancelled and fails      2. another waiter joins the load
        3. another waiter comes: a new load          3. the coroutine is cancelled and fails: a new load
        """
        getter = self.getter
        assert getter is not None
        _load.enter(handle, self, key)  # the task's own context ends with it
        try:
            data, expire = self.encode(await cast("Awaitable[Result[T]]", getter(_load.key_text(key))))
            _core.load_complete(handle, data, expire)
        except asyncio.CancelledError:
            if self.port is not None and asyncio.current_task() in self.port.unwanted:
                self.fail(handle, LoadError("nobody waited for the load any more"))
            else:
                self.abandon(handle)
            raise
        except KeyboardInterrupt:
            self.abandon(handle)
            raise
        except BaseException as error:
            self.fail(handle, error)  # not even SystemExit ends the loop

    @staticmethod
    def _is_unwanted(handle: _core.Handle) -> bool:
        try:
            return _core.cohort_load_cancelled(handle) != 0
        except ValueError:
            return False  # it has ended, and the coroutine is about to

    def abandon(self, handle: _core.Handle) -> None:
        """Not left to the garbage collector: tracebacks may keep the handle alive for long."""
        try:
            _core.load_abandon(handle)
        except ValueError:
            pass  # it has ended

    def fail(self, handle: _core.Handle, error: BaseException) -> None:
        if not isinstance(error, Exception):
            # Others must not be ended by what was meant for this thread.
            error = LoadError(f"{type(error).__name__}: {error}", _core.COHORT_LOAD_FAILED)
        failure = error
        status = _core.COHORT_NOT_FOUND if isinstance(failure, NotFound) else _core.COHORT_LOAD_FAILED
        try:
            _failures.fail(failure, lambda tag: _core.load_fail(handle, status, _failures.message_of(failure), tag))
        except ValueError:
            pass  # the load has ended: its value was refused, and everybody was told why
