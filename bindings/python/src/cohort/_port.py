"""A Port is where an asyncio event loop meets the engine: one queue, whose descriptor the loop watches."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import os
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

from . import _core, _failures

# Tags of servers are told from those of waits by this bit.
_SERVERS = 1 << 62
_server_tags = itertools.count()
# A getter that nobody waits for goes on for that long. A peer that waits for several callers asks again when the first one's
# time is over; a load that was cancelled in between would begin anew.
_PATIENCE_S = 0.25
Deliver = Callable[["_core.Event"], object]


class Port:
    """All that is awaited on one loop. Used on the loop's thread alone, and never waits for anything."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.queue = _core.cohort_queue_new()
        self._next = 1
        self.closed = False
        self._waiting: dict[int, Deliver] = {}
        # What takes LOAD and SEND events, by its tag; whoever registered it keeps it alive.
        self._servers: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._tasks: dict[int, tuple[asyncio.Task[None], Callable[[], bool]]] = {}
        #: Tasks that were cancelled because nobody waits for them.
        self.unwanted: weakref.WeakSet[asyncio.Task[None]] = weakref.WeakSet()
        self._fd = _core.cohort_queue_fd(self.queue)
        # The reader runs in an empty context: getters are given the one that their group was made in.
        contextvars.Context().run(loop.add_reader, self._fd, self._drain)
        # asyncio.run ends the asynchronous generators of a loop before it closes it: that is when to stop.
        self._end = _closed_with_the_loop(weakref.ref(self))
        try:
            self._end.__anext__().send(None)
        except StopIteration:
            pass

    def reserve(self, count: int) -> int:
        """The first of that many tags in a row."""
        first = self._next
        self._next += count
        return first

    def register(self, server: Any) -> int:
        """`server.serve(port, what, key)` is called for events with this tag; whoever registered it keeps it alive."""
        tag = _SERVERS | next(_server_tags)  # any thread may register
        self._servers[tag] = server
        return tag

    async def event(self, tag: int, cancel: Callable[[], object]) -> _core.Event:
        """Waits for the event of a call that was begun with that tag."""
        future: asyncio.Future[_core.Event] = self.loop.create_future()

        def deliver(event: _core.Event) -> None:
            if future.done():
                _failures.take(event[5])  # the caller has gone
            else:
                future.set_result(event)

        self._waiting[tag] = deliver
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                _failures.take(future.result()[5])  # it had come just before
            cancel()  # else it comes all the same
            raise

    async def events(self, tags: list[int], cancel: Callable[[], object]) -> list[_core.Event]:
        """Waits for the events of all these tags."""
        done: asyncio.Future[None] = self.loop.create_future()
        events: list[_core.Event] = []

        def deliver(event: _core.Event) -> None:
            events.append(event)
            if len(events) == len(tags) and not done.done():
                done.set_result(None)
            if done.cancelled():
                _failures.take(event[5])

        for tag in tags:
            self._waiting[tag] = deliver
        try:
            await done
        except asyncio.CancelledError:
            for event in events:
                _failures.take(event[5])
            cancel()
            raise
        return events

    def start(
        self,
        work: Coroutine[Any, Any, None],
        watch: Callable[[int], object],
        is_wanted: Callable[[], bool],
        context: contextvars.Context,
    ) -> None:
        """Runs a getter's or sender's coroutine as a task, which is cancelled when nobody waits for it any more."""
        tag = self.reserve(1)
        task = self.loop.create_task(work, context=context)
        self._tasks[tag] = (task, is_wanted)
        task.add_done_callback(lambda _: self._tasks.pop(tag, None))
        try:
            watch(tag)
        except Exception:
            pass  # it has ended already, or nobody waits: the coroutine finds out

    def _drain(self) -> None:
        for event in _core.queue_take(self.queue, 64, 0, -1):
            self._dispatch(event)

    def _dispatch(self, event: _core.Event) -> None:
        kind, _, tag, what, key, _ = event
        if kind in (_core.COHORT_EVENT_LOAD, _core.COHORT_EVENT_SEND):
            server = self._servers.get(tag)
            if server is not None:  # else what came is given up
                server.serve(self, what, key)
        elif kind == _core.COHORT_EVENT_CANCEL:
            self.loop.call_later(_PATIENCE_S, self._cancel_if_unwanted, tag)
        elif (deliver := self._waiting.pop(tag, None)) is not None:
            deliver(event)

    def _cancel_if_unwanted(self, tag: int) -> None:
        """Some time after CANCEL, which comes once: whoever came meanwhile may leave as well."""
        task, is_wanted = self._tasks.get(tag, (None, None))
        if task is None or is_wanted is None:
            return
        if is_wanted():
            self.loop.call_later(_PATIENCE_S, self._cancel_if_unwanted, tag)
        else:
            self.unwanted.add(task)
            task.cancel()

    def close(self) -> None:
        """Fails all that waits here. What is begun here afterwards fails at once."""
        if self.closed:
            return
        self.closed = True
        if not self.loop.is_closed():
            self.loop.remove_reader(self._fd)
        _core.cohort_queue_close(self.queue)
        while events := _core.queue_take(self.queue, 64, 0, -1):
            for event in events:
                if self.loop.is_closed():
                    _failures.take(event[5])
                else:
                    self._dispatch(event)
        if _ports.loop is self.loop:
            _ports.port = _ports.loop = None


async def _closed_with_the_loop(port: weakref.ref[Port]) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        if (still := port()) is not None:
            still.close()


class _Ports(threading.local):
    """The port of the loop that this thread ran last. The loop's reader keeps it alive as well."""

    loop: asyncio.AbstractEventLoop | None = None
    port: Port | None = None


_ports = _Ports()
_known: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[Port]] = weakref.WeakKeyDictionary()


def running_port() -> Port:
    """The port of the running loop. RuntimeError where no loop runs."""
    loop = asyncio.get_running_loop()
    if loop is _ports.loop and _ports.port is not None:
        return _ports.port
    known = _known.get(loop)
    port = known() if known is not None else None
    if port is None:
        port = Port(loop)
        _known[loop] = weakref.ref(port)
    _ports.loop, _ports.port = loop, port
    return port


def loop_is_running() -> bool:
    return asyncio._get_running_loop() is not None


# ---- the loop for coroutine getters of groups that are made where no loop runs

_background_lock = threading.Lock()
_background: Port | None = None


def background_port() -> Port:
    """The port of a loop on a thread of our own, which runs for as long as the process."""
    global _background
    with _background_lock:
        if _background is None:
            ready: list[Port] = []
            started = threading.Event()

            async def announce() -> None:
                ready.append(running_port())
                started.set()

            def run() -> None:
                loop = asyncio.new_event_loop()
                loop.run_until_complete(announce())
                loop.run_forever()

            threading.Thread(target=run, name="cohort-getters", daemon=True).start()
            started.wait()
            _background = ready[0]
        return _background


def _after_fork() -> None:
    global _background, _background_lock
    _background_lock = threading.Lock()
    _background = None
    _ports.loop = _ports.port = None
    _known.clear()


os.register_at_fork(after_in_child=_after_fork)
