"""A Runner is where getters that are plain functions run for those who do not run them themselves: a pool of threads that
take their work straight out of the engine's queue. It grows when all of them are busy and shrinks when they are idle."""

from __future__ import annotations

import itertools
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

from . import _core

_IDLE_MS = 10_000
# A getter that waits for another group's value may wait for a load that nobody runs yet, because all threads wait like it. So
# threads that wait do not count, up to that many times the limit.
_MOST_WAITING = 4


class _Current(threading.local):
    """The runner whose thread this is."""

    runner: Runner | None = None


current = _Current()


class Runner:
    """Threads know the Runner and nothing above it, so that an instance that is dropped can be collected."""

    def __init__(self, name: str, most_threads: int) -> None:
        self.queue = _core.cohort_queue_new()
        self._name = name
        self._most = most_threads
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._waiting = 0
        self._closed = False
        self._tags = itertools.count(1)
        self._servers: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._logs: dict[int, Callable[[int, str], object]] = {}

    def register(self, server: Any) -> int:
        """`server.serve(None, what, key)` runs on a thread of the pool; whoever registered it keeps it alive."""
        tag = next(self._tags)
        self._servers[tag] = server
        self._start_if_needed()
        return tag

    def register_log(self, write: Callable[[int, str], object]) -> int:
        tag = next(self._tags)
        self._logs[tag] = write
        self._start_if_needed()
        return tag

    def close(self) -> None:
        """Ends the threads when they have done what they are doing; waits for none of them."""
        self._closed = True
        _core.cohort_queue_close(self.queue)

    def begin_wait(self) -> None:
        """A thread of this pool is about to wait for an answer of the engine."""
        with self._lock:
            self._waiting += 1
        self._start_if_needed()

    def end_wait(self) -> None:
        with self._lock:
            self._waiting -= 1

    def _start_if_needed(self) -> None:
        with self._lock:
            most = self._most + min(self._waiting, self._most * _MOST_WAITING)
            if self._idle > 0 or self._threads >= most or self._closed:
                return
            self._threads += 1
            self._idle += 1
            number = self._threads
        try:
            threading.Thread(target=self._work, name=f"{self._name}-getter-{number}", daemon=True).start()
        except RuntimeError:  # no thread to be had: those that are there will come to it
            with self._lock:
                self._threads -= 1
                self._idle -= 1
            if self._threads == 0:
                raise

    def _work(self) -> None:
        current.runner = self
        while True:
            events = _core.queue_take(self.queue, 1, _IDLE_MS, -1)
            if not events:
                with self._lock:
                    if self._closed or self._idle > 1:
                        self._idle -= 1
                        self._threads -= 1
                        return
                continue
            with self._lock:
                self._idle -= 1
            self._start_if_needed()
            try:
                self._dispatch(events.pop())
            except Exception:
                logging.getLogger("cohort").exception("a getter's thread failed")
            with self._lock:
                self._idle += 1

    def _dispatch(self, event: _core.Event) -> None:
        kind, status, tag, what, key, _ = event
        del event
        if kind == _core.COHORT_EVENT_LOG:
            if (write := self._logs.get(tag)) is not None:
                write(status, what)
        elif (server := self._servers.get(tag)) is not None:  # else what came is given up
            server.serve(None, what, key)
