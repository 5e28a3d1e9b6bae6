"""A getter's exception travels through the engine as a number, so that all who wait in this process get that very object."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from types import TracebackType

from ._errors import error_of

# While the events that carry a tag are not counted yet, their number is far above 0.
_NOT_COUNTED = 1 << 40


class _Failure:
    __slots__ = ("error", "events", "traceback")

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.traceback: TracebackType | None = error.__traceback__
        self.events = _NOT_COUNTED


_lock = threading.RLock()
_tags = itertools.count(1)
_open: dict[int, _Failure] = {}


def fail(error: Exception, call: Callable[[int], int]) -> None:
    """Runs one failing call with a tag for `error`. The call answers how many events will carry the tag:

    1. the call pushes events           1. the call pushes events
    2. a waiter takes its event         2. the call tells their number
    3. the call tells their number      3. the last waiter takes its event

    Either way the last of these forgets the tag.
    """
    tag = next(_tags)
    failure = _Failure(error)
    with _lock:
        _open[tag] = failure
    events = 0
    try:
        events = call(tag)
    finally:
        with _lock:
            failure.events += events - _NOT_COUNTED
            if failure.events == 0:
                _open.pop(tag, None)


def take(error_tag: int) -> Exception | None:
    """The exception that an event's error tag stands for, with the traceback that it had when the getter raised it."""
    if error_tag == 0:
        return None
    with _lock:
        failure = _open.get(error_tag)
        if failure is None:
            return None
        failure.events -= 1
        if failure.events == 0:
            del _open[error_tag]
    # Each waiter that raises it adds to its traceback: begin anew, or ten thousand waiters would make one of that length.
    return failure.error.with_traceback(failure.traceback)


def of_event(status: int, error_tag: int, message: str) -> Exception:
    """The exception that a failed event stands for."""
    return take(error_tag) or error_of(status, message)


def open_count() -> int:
    """How many exceptions have events that were not taken yet."""
    return len(_open)


def message_of(error: BaseException) -> str:
    """What other members are told of it."""
    return str(error) or type(error).__name__


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()
    _open.clear()


os.register_at_fork(after_in_child=_after_fork)
