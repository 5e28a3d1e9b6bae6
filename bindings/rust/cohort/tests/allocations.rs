//! A hit allocates nothing: counted, on the thread that gets. A program of its own: it counts every allocation of Rust's.

use cohort::{Group, Instance};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

const SIZE: usize = 1024;
const TIMES: usize = 1000;

thread_local! {
    static MADE: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    let _ = MADE.try_with(|made| made.set(made.get() + 1));
}

// SAFETY: everything is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations so many calls make, when one has gone before them.
fn allocations(times: usize, mut call: impl FnMut()) -> usize {
    call();
    let before = MADE.get();
    (0..times).for_each(|_| call());
    MADE.get() - before
}

fn filled() -> (Instance, Group) {
    let node = Instance::builder().build().unwrap();
    let group = node.new_group("g").blocking_getter(|_| Ok(vec![b'.'; SIZE])).build().unwrap();
    group.get_blocking("key").unwrap();
    (node, group)
}

#[test]
fn a_hit_allocates_nothing() {
    let (_node, group) = filled();
    assert_eq!(allocations(TIMES, || assert_eq!(group.get_blocking("key").unwrap().len(), SIZE)), 0);
    assert_eq!(allocations(TIMES, || assert_eq!(group.peek("key").unwrap().len(), SIZE)), 0);
    assert_eq!(allocations(TIMES, || assert!(group.peek("another").is_none())), 0);
    let mut context = Context::from_waker(Waker::noop());
    let awaited = allocations(TIMES, || match pin!(group.get("key")).poll(&mut context) {
        Poll::Ready(value) => assert_eq!(value.unwrap().len(), SIZE),
        Poll::Pending => panic!("it is here"),
    });
    assert_eq!(awaited, 0);
}

#[test]
fn a_hit_into_a_buffer_with_room_allocates_nothing() {
    let (_node, group) = filled();
    let mut buffer = Vec::with_capacity(SIZE);
    assert_eq!(allocations(TIMES, || group.get_blocking_into("key", &mut buffer).unwrap()), 0);
    assert_eq!(allocations(TIMES, || assert!(group.peek_into("key", &mut buffer))), 0);
    assert_eq!(buffer, [b'.'; SIZE]);
}

#[test]
fn what_is_counted_are_allocations() {
    assert_eq!(allocations(TIMES, || drop(std::hint::black_box(Box::new(1)))), TIMES);
    let (_node, group) = filled();
    assert_eq!(allocations(TIMES, || group.get_blocking_into("key", &mut Vec::new()).unwrap()), TIMES);
}
