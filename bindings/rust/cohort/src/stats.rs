//! What a group and its caches count.

/// Makes a public struct of counters from the engine's, field by field.
macro_rules! counters {
    ($(#[$about:meta])* $name:ident from $raw:ident { $($(#[$doc:meta])* $field:ident,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name { $($(#[$doc])* pub $field: i64,)* }

        impl From<cohort_sys::$raw> for $name {
            fn from(raw: cohort_sys::$raw) -> Self {
                Self { $($field: raw.$field,)* }
            }
        }

        impl $name {
            /// Every counter and gauge with its name, in the order of the fields.
            pub fn all(&self) -> impl Iterator<Item = (&'static str, i64)> {
                [$((stringify!($field), self.$field),)*].into_iter()
            }
        }
    };
}

counters! {
    /// Counters of a group since it was made, and gauges where said so.
    GroupStats from cohort_group_stats_t {
        /// Every get, those of peers included.
        gets,
        /// Answered by either tier.
        cache_hits,
        /// The slowest answer of a peer, in milliseconds.
        get_from_peers_latency_max_ms,
        /// Values that came from a peer.
        peer_loads,
        /// Peers that could not be asked, breaker included.
        peer_errors,
        /// Gets that were not hits.
        loads,
        /// Loads after joining: flights begun.
        loads_deduped,
        /// Getter runs that brought a value.
        local_loads,
        /// Getter runs that failed, not found included.
        local_load_errors,
        /// Calls of `remove_keys` with at least one key.
        remove_keys_requests,
        /// Keys in those calls.
        removed_keys,
        /// Gauge: gets that wait now.
        waiting,
        /// Gauge: flights under way now.
        loading,
        /// Gets that peers asked for.
        served_to_peers,
        /// Of those, for keys that this member does not own.
        misrouted,
        /// Calls of `set`.
        sets,
        /// Calls of `remove`.
        removes,
        /// Values that peers set here.
        sets_from_peers,
        /// Keys that peers dropped here.
        removes_from_peers,
        /// Loads that a remove or set overtook: delivered, never kept.
        overtaken_loads,
        /// Gets that ended by their deadline.
        timeouts,
        /// Gets that their callers cancelled.
        cancelled,
        /// Loads that were given up without an answer.
        abandoned_loads,
    }
}

counters! {
    /// Counters and gauges of one tier of a group's cache.
    CacheStats from cohort_cache_stats_t {
        /// Gauge: keys and values.
        bytes,
        /// Gauge: overheads included; what the budget limits.
        charged_bytes,
        /// Gauge: this tier's part of the budget.
        budget_bytes,
        /// Gauge: entries.
        items,
        /// Lookups.
        gets,
        /// Lookups that found a live entry.
        hits,
        /// Entries that left for room.
        evictions,
        /// Entries whose time had come.
        expirations,
        /// Values that did not fit the tier.
        rejected,
    }
}
