"""A blocking call waits on a queue that is its own while it lasts, so the answer wakes the very thread that waits for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from . import _core, _failures, _runner

R = TypeVar("R")

_MOST_IDLE = 64
_main = threading.main_thread().ident


class Waiter:
    """One queue for one blocking call at a time. Its tags are the call's to choose."""

    __slots__ = ("_fd", "queue")

    def __init__(self) -> None:
        self.queue = _core.cohort_queue_new()
        self._fd = -1

    @staticmethod
    def lends() -> bool:
        """Whether a get of this thread may ask the owner itself: it hears of no signal meanwhile, and nobody takes its place."""
        return threading.get_ident() != _main and _runner.current.runner is None

    def events(self, most: int) -> list[_core.Event]:
        """Waits for at least one event, without the GIL. On the main thread signals are handled meanwhile."""
        return self._until(lambda fd: _core.queue_take(self.queue, most, -1, fd))

    def fill(self, results: list[Any], first_tag: int, hit_as: int) -> tuple[int, list[_core.Event]]:
        """As `events`, of many gets: what they bring is put into `results`. How many ended, and the events of failures."""
        return self._until(lambda fd: _core.queue_take_many(self.queue, results, first_tag, hit_as, fd))

    def _until(self, take: Callable[[int], R]) -> R:
        fd = -1
        if threading.get_ident() == _main:
            if self._fd < 0:
                self._fd = _core.cohort_queue_fd(self.queue)
            fd = self._fd
        runner = _runner.current.runner
        if runner is not None:
            runner.begin_wait()
        try:
            while not (taken := take(fd)):
                pass
            return taken
        finally:
            if runner is not None:
                runner.end_wait()

    def discard(self) -> None:
        """For a call that ends without its events, because of an exception in a signal handler."""
        _core.cohort_queue_close(self.queue)
        while events := _core.queue_take(self.queue, 64, 0, -1):
            for event in events:
                _failures.take(event[5])


#: Waiters that nobody uses now.
idle: list[Waiter] = []


def borrow() -> Waiter:
    try:
        return idle.pop()
    except IndexError:
        return Waiter()


def give_back(waiter: Waiter) -> None:
    """Only when every event that was begun with it has come."""
    if len(idle) < _MOST_IDLE:
        idle.append(waiter)


def _after_fork() -> None:
    global _main
    _main = threading.main_thread().ident
    idle.clear()


os.register_at_fork(after_in_child=_after_fork)
