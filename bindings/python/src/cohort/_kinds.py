"""The small vocabularies of the interface, with the numbers of the C ABI."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Generic, TypeVar

from . import _core

T = TypeVar("T")


class Ring(enum.IntEnum):
    """How keys find their owners. Every member of a cluster must use the same."""

    GROUPCACHE_V3 = _core.COHORT_RING_GROUPCACHE_V3  #: groupcache-go v3: FNV-1 64 over MD5 points. The default.
    GROUPCACHE = _core.COHORT_RING_GROUPCACHE  #: The original groupcache: CRC-32.
    XXH3 = _core.COHORT_RING_XXH3  #: The fastest; Cohort members only.


class Policy(enum.IntEnum):
    """Which value leaves a group's cache when room is needed."""

    LRU = _core.COHORT_POLICY_LRU  #: The least recently used, as in groupcache. Keeps every new value.
    #: By recency, reuse, frequency or frequency for the size, whichever hits most at the time; the default. Resists scans,
    #: and may not keep a value that a getter has brought; one that was set is always kept.
    ADAPTIVE = _core.COHORT_POLICY_ADAPTIVE


class Tier(enum.IntEnum):
    """The two tiers of a group's cache."""

    MAIN = _core.COHORT_TIER_MAIN  #: Keys that this member owns: 7/8 of the bytes.
    HOT = _core.COHORT_TIER_HOT  #: Copies of other members' values: 1/8.


class Source(enum.IntEnum):
    """Where a value came from."""

    NONE = _core.COHORT_SOURCE_NONE
    MAIN = _core.COHORT_SOURCE_MAIN  #: This member's main cache.
    HOT = _core.COHORT_SOURCE_HOT  #: This member's hot cache.
    PEER = _core.COHORT_SOURCE_PEER  #: The key's owner.
    LOAD = _core.COHORT_SOURCE_LOAD  #: A getter of this process.


class Reason(enum.IntEnum):
    """Why an entry left a cache by itself."""

    ROOM = _core.COHORT_EVICTED_FOR_ROOM
    EXPIRED = _core.COHORT_EVICTED_EXPIRED


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A value with what is known about it."""

    value: T
    source: Source
    expires_at: float | None  #: Seconds since the Unix epoch; None: never.


@dataclass(frozen=True, slots=True)
class Eviction:
    """An entry that left a cache for room or by expiry."""

    tier: Tier
    reason: Reason
    key: str
    data: memoryview  #: The value's bytes, not decoded.
