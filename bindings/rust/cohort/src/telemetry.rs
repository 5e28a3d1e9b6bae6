//! Spans and log lines for the `tracing` feature; without it, nothing.
//!
//! A get that does not hit has a span `cohort.get` (debug level) with the group, the key and where the value came from; a run of a
//! getter has `cohort.load`, in which the getter runs. A load that a caller leads is a child of that caller's span.

use crate::wait::Found;

#[cfg(feature = "tracing")]
mod enabled {
    use super::Found;
    use tracing::{field, Span};

    /// Told of how a get or a load ended.
    fn record(span: &Span, found: &Found) {
        match found {
            Ok((value, source)) => {
                span.record("source", field::display(source));
                span.record("bytes", value.len());
            }
            Err(error) => {
                span.record("error", field::display(error));
            }
        }
    }

    fn text(key: &[u8]) -> impl std::fmt::Display + '_ {
        key.escape_ascii()
    }

    pub(crate) struct GetSpan(Span);

    impl GetSpan {
        pub(crate) fn new(group: &str, key: &[u8]) -> Self {
            Self(tracing::debug_span!(
                target: "cohort",
                "cohort.get",
                group,
                key = %text(key),
                source = field::Empty,
                bytes = field::Empty,
                error = field::Empty,
            ))
        }

        pub(crate) fn within<R>(&self, run: impl FnOnce() -> R) -> R {
            self.0.in_scope(run)
        }

        pub(crate) fn ended(&self, found: &Found) {
            record(&self.0, found);
        }
    }

    pub(crate) struct LoadSpan(Span);

    impl LoadSpan {
        pub(crate) fn new(group: &str, key: &[u8]) -> Self {
            Self(tracing::debug_span!(
                target: "cohort",
                "cohort.load",
                group,
                key = %text(key),
                source = field::Empty,
                bytes = field::Empty,
                error = field::Empty,
            ))
        }

        pub(crate) fn within<R>(&self, run: impl FnOnce() -> R) -> R {
            self.0.in_scope(run)
        }

        pub(crate) fn ended(&self, found: &Found) {
            record(&self.0, found);
        }
    }

    /// A line of the engine's log as an event.
    pub(crate) fn log(level: crate::LogLevel, line: &str) {
        match level {
            crate::LogLevel::Debug => tracing::debug!(target: "cohort", "{line}"),
            crate::LogLevel::Info => tracing::info!(target: "cohort", "{line}"),
            crate::LogLevel::Warn => tracing::warn!(target: "cohort", "{line}"),
            crate::LogLevel::Error => tracing::error!(target: "cohort", "{line}"),
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod enabled {
    use super::Found;

    pub(crate) struct GetSpan;

    impl GetSpan {
        pub(crate) fn new(_group: &str, _key: &[u8]) -> Self {
            Self
        }

        pub(crate) fn within<R>(&self, run: impl FnOnce() -> R) -> R {
            run()
        }

        pub(crate) fn ended(&self, _found: &Found) {}
    }

    pub(crate) type LoadSpan = GetSpan;
}

#[cfg(feature = "tracing")]
pub(crate) use enabled::log;
pub(crate) use enabled::{GetSpan, LoadSpan};
