//! The reader takes events from an instance's queue and hands each to whoever it is for. One thread for an instance, however many
//! callers wait.

use crate::ffi::{Event, Room, To};
use crate::shared::{Late, Shared};
use crate::wait::{found, Outcome};
use crate::Error;
use std::sync::Arc;

/// So many events are taken in one call.
const BATCH: usize = 256;

/// Starts the reader, which ends when the queue is closed and empty.
pub(crate) fn start(shared: &Arc<Shared>, name: &str) -> Result<(), Error> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new()
        .name(format!("{name}-events"))
        .stack_size(256 << 10)
        .spawn(move || {
            let (mut room, mut late) = (Room::new(BATCH), Late::default());
            loop {
                let timeout_ms = late.end_due();
                if !shared.queue.wait(&mut room, timeout_ms, |event| dispatch(&shared, &mut late, event)) {
                    return;
                }
            }
        })
        .map(drop)
        .map_err(|error| Error::Io(format!("cannot start the thread that takes events: {error}")))
}

fn dispatch(shared: &Shared, late: &mut Late, event: Event) {
    match event {
        Event::Got(to, got) => {
            let found = found(got, |tag| shared.failures.receive(tag));
            match to {
                To::Waiter(waiter) => waiter.end(Outcome::Found(found)),
                To::Batch { number, index } => {
                    if let Some(batch) = shared.batches.get(number) {
                        batch.end(index, found);
                        shared.batches.forget_if_ended(number);
                    }
                }
            }
        }
        Event::Lead(waiter, load) => waiter.end(Outcome::Lead(load)),
        Event::Load { group, load } => match shared.groups.get(group) {
            Some(core) => core.load(load),
            None => drop(load), // The group is closed.
        },
        Event::Done(waiter, result) => waiter.end(Outcome::Done(result)),
        Event::Response(waiter, response) => waiter.end(Outcome::Response(response)),
        Event::Cancel { tag, status } => shared.watches.cancel(tag, status, late),
    }
}
