"""What a group counts. Counters since it was made, but for those that are said to be gauges."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

C = TypeVar("C", bound="GroupStats | CacheStats")


@dataclass(frozen=True, slots=True)
class GroupStats:
    """The counters of a group on this member."""

    gets: int = 0  #: Every get, those of peers included.
    cache_hits: int = 0  #: Answered by either tier.
    get_from_peers_latency_max_ms: int = 0  #: The slowest answer of a peer.
    peer_loads: int = 0  #: Values that came from a peer.
    peer_errors: int = 0  #: Peers that could not be asked, breaker included.
    loads: int = 0  #: Gets that were not hits.
    loads_deduped: int = 0  #: Loads after joining: flights begun.
    local_loads: int = 0  #: Getter runs that brought a value.
    local_load_errors: int = 0  #: Getter runs that failed, not found included.
    remove_keys_requests: int = 0  #: Calls of remove_many with at least one key.
    removed_keys: int = 0  #: Keys in those calls.
    waiting: int = 0  #: Gauge: gets that wait now.
    loading: int = 0  #: Gauge: flights under way now.
    served_to_peers: int = 0  #: Gets that peers asked for.
    misrouted: int = 0  #: Of those, for keys that this member does not own.
    sets: int = 0  #: Calls of set.
    removes: int = 0  #: Calls of remove.
    sets_from_peers: int = 0  #: Values that peers set here.
    removes_from_peers: int = 0  #: Keys that peers dropped here.
    overtaken_loads: int = 0  #: Loads that a remove or set overtook: delivered, never kept.
    timeouts: int = 0  #: Gets that ended by their deadline.
    cancelled: int = 0  #: Gets that their callers cancelled.
    abandoned_loads: int = 0  #: Loads that were given up.


@dataclass(frozen=True, slots=True)
class CacheStats:
    """The counters and gauges of one tier of a group's cache on this member."""

    bytes: int = 0  #: Gauge: keys and values.
    charged_bytes: int = 0  #: Gauge: overheads included; what the budget limits.
    budget_bytes: int = 0  #: Gauge: this tier's part of the budget.
    items: int = 0  #: Gauge: entries.
    gets: int = 0  #: Lookups.
    hits: int = 0  #: Lookups that found a live entry.
    evictions: int = 0  #: Entries that left for room.
    expirations: int = 0  #: Entries whose time had come.
    rejected: int = 0  #: Values that did not fit the tier.


def counters(kind: type[C], numbers: tuple[int, ...]) -> C:
    """A newer library may count more, at the end."""
    return kind(*numbers[: len(fields(kind))])
