"""Durations and times: seconds and datetimes in Python, milliseconds and nanoseconds in the engine."""

from __future__ import annotations

import datetime
import math
import time

When = float | datetime.datetime


def timeout_ms(timeout: float | None) -> int:
    """The engine's form of a timeout in seconds; None is 0, no limit. Rounded up, so that it is never early."""
    if timeout is None:
        return 0
    if not timeout > 0:
        raise ValueError(f"timeout must be more than 0 seconds, or None; it is {timeout!r}")
    return min(math.ceil(timeout * 1000), 1 << 40)


def expire_unix_ns(ttl: float | None, expires_at: When | None) -> int:
    """The engine's form of an expiry; 0 is never. A time in the past is allowed: it has expired already."""
    if ttl is None and expires_at is None:
        return 0
    if ttl is not None and expires_at is not None:
        raise ValueError("give ttl or expires_at, not both")
    if ttl is not None:
        at = time.time_ns() + int(ttl * 1e9)
    elif isinstance(expires_at, datetime.datetime):
        at = int(expires_at.timestamp() * 1e6) * 1000
    else:
        assert expires_at is not None
        at = int(expires_at * 1e9)
    # 0 would be never; what is out of range is as good as the first or the last moment that can be said.
    return max(1, min(at, (1 << 63) - 1))


def from_unix_ns(expire_ns: int) -> float | None:
    """Seconds since the Unix epoch; None is never."""
    return expire_ns / 1e9 if expire_ns else None
