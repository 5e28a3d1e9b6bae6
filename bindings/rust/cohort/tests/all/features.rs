//! Codecs, spans and metrics.

use crate::help::node;
use cohort::{Error, Json, Proto, Value};
use std::sync::{Arc, Mutex};

#[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq, Clone)]
struct User {
    id: u32,
    name: String,
}

#[test]
fn json_values() {
    let node = node();
    let users = node
        .new_group("users")
        .getter(|key| async move { Ok(Json(User { id: key.as_str()?.parse()?, name: "Ada".into() })) })
        .build()
        .unwrap();
    let user: User = users.get_blocking("7").unwrap().json().unwrap();
    assert_eq!(user, User { id: 7, name: "Ada".into() });
    users.set("8", Json(&user)).wait().unwrap();
    assert_eq!(users.get_blocking("8").unwrap().json::<User>().unwrap(), user);
    assert!(matches!(users.get_blocking("8").unwrap().json::<u32>(), Err(Error::Codec(_))));
    assert!(users.get_blocking("x").unwrap_err().getter_error::<std::num::ParseIntError>().is_some());
}

#[derive(Clone, PartialEq, prost::Message)]
struct Point {
    #[prost(int32, tag = "1")]
    x: i32,
    #[prost(string, tag = "2")]
    label: String,
}

#[test]
fn protobuf_values() {
    let node = node();
    let points = node
        .new_group("points")
        .getter(|key| async move { Ok(Proto(Point { x: 5, label: key.to_string() })) })
        .build()
        .unwrap();
    let point: Point = points.get_blocking("here").unwrap().proto().unwrap();
    assert_eq!(point, Point { x: 5, label: "here".into() });
    assert!(matches!(Value::new([0xff; 3]).unwrap().proto::<Point>(), Err(Error::Codec(_))));
}

#[test]
fn bytes_both_ways_without_a_copy() {
    let node = node();
    let group = node.new_group("g").getter(|_| async { Ok(bytes::Bytes::from_static(b"static")) }).build().unwrap();
    let value = group.get_blocking("key").unwrap();
    let at = value.as_ptr();
    let bytes = bytes::Bytes::from(value);
    assert_eq!((&bytes[..], bytes.as_ptr()), (&b"static"[..], at));
}

/// A subscriber that notes the names of spans, with their parents, and the events.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<NotesState>>);

#[derive(Default)]
struct NotesState {
    spans: Vec<&'static str>,
    stack: Vec<u64>,
    parents: Vec<(&'static str, Option<&'static str>)>,
    recorded: Vec<String>,
}

struct Fields<'a>(&'a mut Vec<String>);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.push(format!("{field}={value:?}"));
    }
}

impl tracing::Subscriber for Notes {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "cohort"
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        let mut notes = self.0.lock().unwrap();
        let name = span.metadata().name();
        notes.spans.push(name);
        let parent = notes.stack.last().map(|id| notes.spans[*id as usize - 1]);
        notes.parents.push((name, parent));
        span.record(&mut Fields(&mut notes.recorded));
        tracing::span::Id::from_u64(notes.spans.len() as u64)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap().recorded));
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, span: &tracing::span::Id) {
        self.0.lock().unwrap().stack.push(span.into_u64());
    }

    fn exit(&self, _: &tracing::span::Id) {
        self.0.lock().unwrap().stack.pop();
    }
}

#[test]
fn gets_that_load_have_spans() {
    let notes = Notes::default();
    tracing::subscriber::with_default(notes.clone(), || {
        let node = node();
        let group = node.new_group("pages").blocking_getter(|_| Ok("page")).build().unwrap();
        group.get_blocking("index").unwrap();
        group.get_blocking("index").unwrap(); // A hit has none.
    });
    let notes = notes.0.lock().unwrap();
    assert_eq!(notes.parents, [("cohort.get", None), ("cohort.load", Some("cohort.get"))]);
    for expected in ["group=\"pages\"", "key=index", "source=load", "bytes=4"] {
        assert!(notes.recorded.iter().any(|field| field == expected), "{expected}: {:?}", notes.recorded);
    }
}

/// A recorder that keeps the last value of each metric.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<std::collections::BTreeMap<String, f64>>>);

struct Metric(Recorder, String);

impl metrics::CounterFn for Metric {
    fn increment(&self, value: u64) {
        *self.0 .0.lock().unwrap().entry(self.1.clone()).or_default() += value as f64;
    }
    fn absolute(&self, value: u64) {
        self.0 .0.lock().unwrap().insert(self.1.clone(), value as f64);
    }
}

impl metrics::GaugeFn for Metric {
    fn increment(&self, value: f64) {
        *self.0 .0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }
    fn decrement(&self, value: f64) {
        *self.0 .0.lock().unwrap().entry(self.1.clone()).or_default() -= value;
    }
    fn set(&self, value: f64) {
        self.0 .0.lock().unwrap().insert(self.1.clone(), value);
    }
}

fn name_of(key: &metrics::Key) -> String {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_gauge(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_histogram(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn register_counter(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        metrics::Counter::from_arc(Arc::new(Metric(self.clone(), name_of(key))))
    }
    fn register_gauge(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::from_arc(Arc::new(Metric(self.clone(), name_of(key))))
    }
    fn register_histogram(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}

#[test]
fn counters_and_gauges_are_recorded() {
    let recorder = Recorder::default();
    metrics::with_local_recorder(&recorder, || {
        let node = node();
        let group = node.new_group("pages").blocking_getter(|_| Ok("page")).build().unwrap();
        group.get_blocking("index").unwrap();
        group.get_blocking("index").unwrap();
        group.record_metrics();
        group.record_metrics(); // They are absolute.
    });
    let seen = recorder.0.lock().unwrap();
    assert_eq!(seen["cohort_group_gets{group=pages}"], 2.0);
    assert_eq!(seen["cohort_group_cache_hits{group=pages}"], 1.0);
    assert_eq!(seen["cohort_cache_items{group=pages,tier=main}"], 1.0);
    assert_eq!(seen["cohort_cache_bytes{group=pages,tier=main}"], 9.0);
    assert!(seen.contains_key("cohort_cache_budget_bytes{group=pages,tier=hot}"));
}
