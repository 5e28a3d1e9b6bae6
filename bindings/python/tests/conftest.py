"""What the tests share."""

import os
import pathlib
import time
from collections.abc import Callable, Iterator

import pytest

import cohort


def wait_until(condition: Callable[[], bool], what: str, limit: float = 60.0) -> None:
    """Waits for a condition; the limit only turns what never comes true into a failure."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"this did not come true in {limit} s: {what}"
        time.sleep(0.001)


def threads_now() -> int:
    return len(os.listdir("/proc/self/task"))


def descriptors_now() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_kib() -> int:
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * (os.sysconf("SC_PAGE_SIZE") // 1024)


@pytest.fixture
def node() -> Iterator[cohort.Instance]:
    """A member that is alone."""
    with cohort.Instance() as instance:
        yield instance
