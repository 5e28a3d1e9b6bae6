//! Where getters run: on the program's runtime if it names one, else on a few threads of the instance's own.

use crate::wait::lock;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// What a spawner runs: to be polled to its end. Dropping it gives the work up, which those who wait are told.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

#[derive(Clone)]
pub(crate) enum Spawner {
    Program(Arc<dyn Fn(Task) + Send + Sync>),
    #[cfg(feature = "tokio")]
    Tokio(tokio::runtime::Handle),
    Own(Arc<Pool>),
}

impl Spawner {
    /// The runtime that the caller runs in, if it can be known; else threads of our own.
    pub(crate) fn find() -> Self {
        #[cfg(feature = "tokio")]
        if let Ok(handle) = tokio::runtime::Handle::try_current() {
            return Self::Tokio(handle);
        }
        Self::Own(Arc::new(Pool::new()))
    }

    pub(crate) fn spawn(&self, task: Task) {
        match self {
            Self::Program(spawn) => {
                // A spawner that panics has dropped the task, which tells its waiters.
                let _ = catch_unwind(AssertUnwindSafe(|| spawn(task)));
            }
            #[cfg(feature = "tokio")]
            Self::Tokio(handle) => drop(handle.spawn(task)),
            Self::Own(pool) => pool.spawn(task),
        }
    }
}

/// A small executor: threads start when there is work and end when there has been none for a while.
pub(crate) struct Pool(Mutex<PoolState>, Condvar);

struct PoolState {
    ready: VecDeque<Arc<Spawned>>,
    threads: usize,
    idle: usize,
}

const MOST_THREADS: usize = 4;
const IDLE: Duration = Duration::from_secs(5);

impl Pool {
    fn new() -> Self {
        Self(Mutex::new(PoolState { ready: VecDeque::new(), threads: 0, idle: 0 }), Condvar::new())
    }

    fn spawn(self: &Arc<Self>, task: Task) {
        let spawned = Spawned { task: Mutex::new(Some(task)), pool: Arc::downgrade(self), state: AtomicU8::new(READY) };
        self.push(Arc::new(spawned));
    }

    fn push(self: &Arc<Self>, spawned: Arc<Spawned>) {
        let mut state = lock(&self.0);
        state.ready.push_back(spawned);
        if state.idle > 0 {
            drop(state);
            self.1.notify_one();
            return;
        }
        let most = std::thread::available_parallelism().map_or(MOST_THREADS, |n| n.get().clamp(2, MOST_THREADS));
        if state.threads >= most {
            return;
        }
        state.threads += 1;
        drop(state);
        let pool = Arc::clone(self);
        let started = std::thread::Builder::new().name("cohort-tasks".into()).spawn(move || pool.work());
        if started.is_err() {
            let mut state = lock(&self.0);
            state.threads -= 1;
            // Without any thread nobody would run it: dropped, its waiters are told.
            let lost = if state.threads == 0 { std::mem::take(&mut state.ready) } else { VecDeque::new() };
            drop(state);
            for spawned in lost {
                let task = lock(&spawned.task).take();
                drop(task);
            }
        }
    }

    fn work(&self) {
        loop {
            let mut state = lock(&self.0);
            let next = loop {
                if let Some(next) = state.ready.pop_front() {
                    break next;
                }
                state.idle += 1;
                let (woken, timeout) = self.1.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
                state = woken;
                state.idle -= 1;
                if timeout.timed_out() && state.ready.is_empty() {
                    state.threads -= 1;
                    return;
                }
            };
            drop(state);
            next.run();
        }
    }
}

const WAITING: u8 = 0; // Nobody has woken it.
const READY: u8 = 1; // It is in the pool's list.
const RUNNING: u8 = 2; // A thread polls it,
const WOKEN: u8 = 3; // and it was woken meanwhile: it is polled again.

struct Spawned {
    task: Mutex<Option<Task>>,
    pool: Weak<Pool>,
    state: AtomicU8,
}

impl Spawned {
    fn run(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        let mut context = Context::from_waker(&waker);
        let mut task = lock(&self.task).take();
        self.state.store(RUNNING, Ordering::SeqCst);
        let Some(running) = task.as_mut() else { return };
        match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(&mut context))) {
            Ok(Poll::Pending) => {
                *lock(&self.task) = task;
                if self.state.compare_exchange(RUNNING, WAITING, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                    self.state.store(READY, Ordering::SeqCst);
                    if let Some(pool) = self.pool.upgrade() {
                        pool.push(self);
                    }
                }
            }
            Ok(Poll::Ready(())) | Err(_) => {
                let _ = catch_unwind(AssertUnwindSafe(|| drop(task)));
            }
        }
    }
}

impl Wake for Spawned {
    fn wake(self: Arc<Self>) {
        loop {
            let (from, to) = match self.state.load(Ordering::SeqCst) {
                WAITING => (WAITING, READY),
                RUNNING => (RUNNING, WOKEN),
                _ => return,
            };
            if self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                if to == READY {
                    if let Some(pool) = self.pool.upgrade() {
                        pool.push(self);
                    }
                }
                return;
            }
        }
    }
}

/// Runs a future on the calling thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Thread(std::thread::Thread);
    impl Wake for Thread {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Thread(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    /// Is woken by another thread so many times before it is ready.
    struct Hops(u32);

    impl Future for Hops {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            if self.0 == 0 {
                return Poll::Ready(());
            }
            self.0 -= 1;
            let waker = context.waker().clone();
            if self.0 % 2 == 0 {
                waker.wake(); // While it is being polled.
            } else {
                std::thread::spawn(move || waker.wake());
            }
            Poll::Pending
        }
    }

    #[test]
    fn tasks_are_polled_to_their_end_also_after_panics() {
        let pool = Arc::new(Pool::new());
        let (done, ends) = channel();
        for n in 0..100 {
            if n % 10 == 0 {
                pool.spawn(Box::pin(async { panic!("on purpose") }));
            }
            let done = done.clone();
            pool.spawn(Box::pin(async move {
                Hops(7).await;
                done.send(n).unwrap();
            }));
        }
        let mut ended: Vec<i32> = (0..100).map(|_| ends.recv_timeout(Duration::from_secs(60)).unwrap()).collect();
        ended.sort_unstable();
        assert_eq!(ended, (0..100).collect::<Vec<_>>());
        assert!(lock(&pool.0).threads <= MOST_THREADS);
    }

    #[test]
    fn block_on_waits_for_another_thread() {
        block_on(Hops(5));
    }
}
