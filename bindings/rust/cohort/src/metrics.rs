//! A group's counters and gauges through the `metrics` facade.

use crate::{Group, Tier};
use metrics::{counter, gauge};

/// What goes up and down; all else is counted.
const GAUGES: [&str; 7] =
    ["waiting", "loading", "bytes", "charged_bytes", "budget_bytes", "items", "get_from_peers_latency_max_ms"];

impl Group {
    /// Hands every counter and gauge to the `metrics` recorder that is installed: `cohort_group_<name>` with the label `group`, and
    /// `cohort_cache_<name>` with `group` and `tier`. Call it whenever metrics are collected, for example once for each scrape.
    pub fn record_metrics(&self) {
        let group = self.name().to_string();
        for (name, value) in self.stats().all() {
            let full = format!("cohort_group_{name}");
            if GAUGES.contains(&name) {
                gauge!(full, "group" => group.clone()).set(value as f64);
            } else {
                counter!(full, "group" => group.clone()).absolute(u64::try_from(value).unwrap_or(0));
            }
        }
        for (tier, label) in [(Tier::Main, "main"), (Tier::Hot, "hot")] {
            for (name, value) in self.cache_stats(tier).all() {
                let full = format!("cohort_cache_{name}");
                if GAUGES.contains(&name) {
                    gauge!(full, "group" => group.clone(), "tier" => label).set(value as f64);
                } else {
                    let value = u64::try_from(value).unwrap_or(0);
                    counter!(full, "group" => group.clone(), "tier" => label).absolute(value);
                }
            }
        }
    }
}
