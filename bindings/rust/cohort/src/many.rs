//! Many gets in one call: those of one owner travel in one request.

use crate::ffi::{Sat, Seat, MAX_BATCH};
use crate::get::millis;
use crate::group::Group;
use crate::spawn::block_on;
use crate::wait::{found, leave_seat, take_seat, Batch, Found, Source};
use crate::{Error, Value};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// Keys as the engine takes them: their bytes one after the other, and their sizes.
#[derive(Default)]
pub(crate) struct Packed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) sizes: Vec<i64>,
}

impl Packed {
    pub(crate) fn new<K: AsRef<[u8]>>(keys: impl IntoIterator<Item = K>) -> Self {
        let mut packed = Self::default();
        for key in keys {
            let key = key.as_ref();
            packed.bytes.extend_from_slice(key);
            packed.sizes.push(i64::try_from(key.len()).unwrap_or(i64::MAX));
        }
        packed
    }

    /// Their bytes and sizes, so many at once as the engine takes.
    fn parts(&self) -> impl Iterator<Item = (&[u8], &[i64])> {
        let mut at = 0;
        self.sizes.chunks(MOST_KEYS).map(move |sizes| {
            let first = at;
            at += sizes.iter().sum::<i64>() as usize;
            (&self.bytes[first..at], sizes)
        })
    }
}

/// The engine takes no more keys in one call.
const MOST_KEYS: usize = 1_000_000;
const _: () = assert!(MOST_KEYS <= MAX_BATCH);

/// Many gets, to be awaited or waited for; made by [`Group::get_many`](crate::Group::get_many).
///
/// Ends with one result for each key, in the order of the keys. Dropping it cancels its waits only.
#[must_use = "gets do nothing unless they are awaited or waited for"]
pub struct GetMany {
    group: Group,
    keys: Packed,
    timeout: Option<Duration>,
    begun: Option<Vec<Part>>,
    found: Vec<Found>,
}

struct Part {
    batch: Arc<Batch>,
    number: u64,
    tickets: Vec<u64>,
}

impl GetMany {
    pub(crate) fn new(group: Group, keys: Packed) -> Self {
        Self { group, keys, timeout: None, begun: None, found: Vec::new() }
    }

    /// Ends the waits with [`Error::Timeout`] after that long, counted from the first poll. Values that have come by then are there.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Waits on this thread.
    pub fn wait(self) -> Vec<Result<Value, Error>> {
        if self.begun.is_some() {
            return block_on(self);
        }
        match take_seat() {
            Ok(seat) => self.wait_here(seat),
            Err(error) => self.keys.sizes.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// Begins, and takes the events where they come, with nobody in between.
    fn wait_here(&self, mut seat: Box<Seat>) -> Vec<Result<Value, Error>> {
        let core = &self.group.0.core;
        let mut ends: Vec<Option<Result<Value, Error>>> = Vec::with_capacity(self.keys.sizes.len());
        let mut coming = 0;
        for (keys, sizes) in self.keys.parts() {
            let first = ends.len() as u64;
            let mut begun = self.group.0.handle.begin_many_seated(keys, sizes, millis(self.timeout), &seat, first);
            if let (Err(Error::Forked), 0, Ok(new)) = (&begun, coming, Seat::new()) {
                // Perhaps it is only the seat that a parent of this process has made.
                *seat = new;
                begun = self.group.0.handle.begin_many_seated(keys, sizes, millis(self.timeout), &seat, first);
            }
            match begun {
                Ok(begun) => ends.extend(begun.hits.into_iter().map(|hit| match hit {
                    Some((value, _)) => Some(Ok(Value(value))),
                    None => {
                        coming += 1;
                        None
                    }
                })),
                Err(error) => ends.extend(sizes.iter().map(|_| Some(Err(error.clone())))),
            }
        }
        seat.wait(coming, |tag, sat| {
            let end = match sat {
                Sat::Got(got) => found(got, |tag| core.shared.failures.receive(tag)).map(|(value, _)| value),
                Sat::Lead(_) => Err(Error::Internal("a get of many was to lead".into())),
            };
            if let Some(place) = ends.get_mut(usize::try_from(tag).unwrap_or(usize::MAX)) {
                *place = Some(end);
            }
        });
        leave_seat(seat);
        ends.into_iter()
            .map(|end| end.unwrap_or_else(|| Err(Error::Internal("a get of many had no end".into()))))
            .collect()
    }

    fn begin(&mut self) -> Vec<Part> {
        self.keys.parts().map(|(keys, sizes)| self.begin_part(keys, sizes)).collect()
    }

    fn begin_part(&self, keys: &[u8], sizes: &[i64]) -> Part {
        let shared = &self.group.0.core.shared;
        let batch = Arc::new(Batch::new(sizes.len()));
        let number = shared.batches.add(Arc::clone(&batch));
        let tickets = match self.group.0.handle.begin_many(keys, sizes, millis(self.timeout), &shared.queue, number) {
            Ok(begun) => {
                let hit = |(value, source)| Ok((Value(value), Source::from_number(source)));
                batch.expect(begun.hits.into_iter().map(|found| found.map(hit)).collect());
                begun.tickets
            }
            Err(error) => {
                batch.expect(sizes.iter().map(|_| Some(Err(error.clone()))).collect());
                Vec::new()
            }
        };
        shared.batches.forget_if_ended(number);
        Part { batch, number, tickets }
    }
}

impl Future for GetMany {
    type Output = Vec<Result<Value, Error>>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.begun.is_none() {
            let mut parts = this.begin();
            parts.reverse();
            this.begun = Some(parts);
        }
        let parts = this.begun.get_or_insert_default();
        while let Some(part) = parts.last() {
            match part.batch.poll(context) {
                Poll::Ready(found) => this.found.extend(found),
                Poll::Pending => return Poll::Pending,
            }
            parts.pop();
        }
        Poll::Ready(std::mem::take(&mut this.found).into_iter().map(|found| found.map(|(value, _)| value)).collect())
    }
}

impl Drop for GetMany {
    fn drop(&mut self) {
        for part in self.begun.take().unwrap_or_default() {
            if !part.batch.ended() {
                for ticket in part.tickets.into_iter().filter(|ticket| *ticket != 0) {
                    self.group.0.handle.cancel(ticket);
                }
            }
            self.group.0.core.shared.batches.forget_if_ended(part.number);
        }
    }
}
