"""The exceptions: every failure is a CohortError, and a built-in one where Python has a word for it."""

from __future__ import annotations

from . import _core


class CohortError(Exception):
    """Something failed; the message is one line that a person can act on."""

    #: The status of the C ABI, one of its ``COHORT_*`` numbers.
    status: int = _core.COHORT_INTERNAL

    def __init__(self, message: str = "", status: int | None = None) -> None:
        super().__init__(message)
        if status is not None:
            self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (str(self), self.status))


class NotFound(CohortError, LookupError):
    """There is no such key. Getters raise it, here or on another member, and gets do."""

    status = _core.COHORT_NOT_FOUND

    def __init__(self, message: str = "not found", status: int | None = None) -> None:
        super().__init__(message, status)


class LoadError(CohortError):
    """The getter on the key's owner failed. A getter of this process that fails raises its own exception instead."""

    status = _core.COHORT_REMOTE_FAILED


class Timeout(CohortError, TimeoutError):
    """The deadline passed: the caller's own, or the group's longest load time."""

    status = _core.COHORT_TIMEOUT


class Closed(CohortError):
    """The instance or the group is closed."""

    status = _core.COHORT_CLOSED


class InvalidArgument(CohortError, ValueError):
    """The message names the argument."""

    status = _core.COHORT_INVALID_ARGUMENT


class TooLarge(CohortError, ValueError):
    """A size is beyond a limit; the message names it."""

    status = _core.COHORT_TOO_LARGE


class AlreadyExists(CohortError, ValueError):
    """A group of that name exists."""

    status = _core.COHORT_ALREADY_EXISTS


class Unreachable(CohortError, ConnectionError):
    """A peer could not be reached or did not acknowledge; the message names it."""

    status = _core.COHORT_UNREACHABLE


class NoGetter(CohortError):
    """A load was needed and nothing in this process can run it."""

    status = _core.COHORT_NO_GETTER


class LoadAbandoned(CohortError):
    """The load was given up and no waiter was left to take it over."""

    status = _core.COHORT_LOAD_ABANDONED


class WouldDeadlock(CohortError, RuntimeError):
    """The call would wait for itself: a getter that gets its own key, or a blocking get on the getter's event loop."""

    status = _core.COHORT_WOULD_DEADLOCK


class SystemFailure(CohortError, OSError):
    """The operating system refused: the port is taken, a certificate cannot be read."""

    status = _core.COHORT_IO


class Forked(CohortError, RuntimeError):
    """The object was made by the parent process: make another one after the fork."""

    status = _core.COHORT_FORKED


class Unsupported(CohortError, NotImplementedError):
    """This object or platform cannot do that."""

    status = _core.COHORT_UNSUPPORTED


_KINDS: dict[int, type[CohortError]] = {
    kind.status: kind
    for kind in (
        NotFound,
        LoadError,
        Timeout,
        Closed,
        InvalidArgument,
        TooLarge,
        AlreadyExists,
        Unreachable,
        NoGetter,
        LoadAbandoned,
        WouldDeadlock,
        SystemFailure,
        Forked,
        Unsupported,
    )
}
_KINDS[_core.COHORT_LOAD_FAILED] = LoadError


def error_of(status: int, message: str) -> Exception:
    """The exception that a status of the C ABI stands for."""
    if status == _core.COHORT_NO_MEMORY:
        return MemoryError(message)
    return _KINDS.get(status, CohortError)(message, status)


_core.set_error_factory(error_of)
