//! Sessions and measuring: a program prints a line of JSON when it is ready, and answers each line of its input with one.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Ends the program with one line that says why.
pub fn die(message: &str) -> ! {
    eprintln!("bench: {message}");
    std::process::exit(1)
}

/// The flags of the command line: "-name value" pairs.
pub struct Flags(HashMap<String, String>);

impl Flags {
    pub fn new(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut flags = HashMap::new();
        while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
            flags.insert(name, value);
        }
        Self(flags)
    }

    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub fn number(&self, name: &str, otherwise: usize) -> usize {
        self.0
            .get(name)
            .map_or(otherwise, |text| text.parse().unwrap_or_else(|_| die(&format!("{name} takes a number"))))
    }
}

/// What a question is answered with: numbers by name.
pub type Answer = Vec<(&'static str, f64)>;

fn say(answer: &Answer) {
    let pairs: Vec<String> = answer.iter().map(|(name, number)| format!("\"{name}\": {number}")).collect();
    println!("{{{}}}", pairs.join(", "));
    io::stdout().flush().expect("somebody listens");
}

/// Says that the subject is ready and answers questions until the input ends.
pub fn serve(ready: &Answer, mut answer: impl FnMut(&[&str]) -> Answer) -> ! {
    say(ready);
    for line in io::stdin().lock().lines() {
        let line = line.expect("the input is text");
        let words: Vec<&str> = line.split_whitespace().collect();
        say(&answer(&words));
    }
    std::process::exit(0)
}

/// A word of a question as a number.
pub fn number<T: std::str::FromStr>(words: &[&str], i: usize) -> T {
    words.get(i).and_then(|w| w.parse().ok()).unwrap_or_else(|| die("a question lacks a number"))
}

/// Times in buckets that are at most 1 % wide.
struct Histogram(Vec<u64>);

impl Histogram {
    fn new() -> Self {
        Self(vec![0; 64 << 7])
    }

    fn add(&mut self, time: Duration) {
        let x = time.as_nanos() as u64;
        let at = if x < 1 << 7 {
            x
        } else {
            let shift = u64::from(63 - x.leading_zeros()) - 7;
            ((shift + 1) << 7) + ((x >> shift) & ((1 << 7) - 1))
        };
        self.0[at as usize] += 1;
    }

    fn quantile_us(&self, q: f64) -> f64 {
        let mut left = (q * self.0.iter().sum::<u64>() as f64) as i64;
        for (i, &count) in self.0.iter().enumerate() {
            left -= count as i64;
            if left < 0 {
                let shift = i >> 7;
                let ns = if shift == 0 { i as u64 } else { ((i as u64 & 127) | 128) << (shift - 1) };
                return ns as f64 / 1e3;
            }
        }
        0.0
    }
}

/// The CPU time that this process has used, in seconds.
fn cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is ours to be written.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Runs operations on n threads for some seconds: `make(thread)` makes the one of a thread, which is called with the number
/// of the call and says how many operations it was. Between looks at whether the time is over there are `turn` of them.
pub fn measure<Op: FnMut(usize) -> usize>(
    n: usize,
    seconds: f64,
    turn: usize,
    times: bool,
    make: impl Fn(usize) -> Op + Sync,
) -> Answer {
    let stop = AtomicBool::new(false);
    let (cpu, begin) = (cpu_seconds(), Instant::now());
    let all: Vec<(usize, Histogram)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..n)
            .map(|t| {
                let (stop, make) = (&stop, &make);
                scope.spawn(move || {
                    let mut op = make(t);
                    let mut histogram = Histogram::new();
                    let (mut done, mut calls) = (0, 0);
                    while calls == 0 || !stop.load(Ordering::Relaxed) {
                        for _ in 0..turn {
                            if times {
                                let begin = Instant::now();
                                done += op(calls);
                                histogram.add(begin.elapsed());
                            } else {
                                done += op(calls);
                            }
                            calls += 1;
                        }
                    }
                    (done, histogram)
                })
            })
            .collect();
        thread::sleep(Duration::from_secs_f64(seconds));
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|t| t.join().unwrap_or_else(|_| die("a thread panicked"))).collect()
    });
    let elapsed = begin.elapsed().as_secs_f64();
    let operations = all.iter().map(|(done, _)| *done).sum::<usize>() as f64;
    let mut answer = vec![("ops_per_s", operations / elapsed), ("cpu_us", (cpu_seconds() - cpu) / operations * 1e6)];
    if times {
        let mut sum = Histogram::new();
        for (_, histogram) in &all {
            sum.0.iter_mut().zip(&histogram.0).for_each(|(a, b)| *a += b);
        }
        for (name, q) in [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)] {
            answer.push((name, sum.quantile_us(q)));
        }
    }
    answer
}

/// Resident memory of this process, in bytes.
pub fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_else(|| die("no VmRSS"));
    line.trim_end_matches("kB").trim().parse::<f64>().unwrap_or_else(|_| die("no VmRSS")) * 1024.0
}
