//! What the benchmarks share: keys, and a value.

/// So many keys are asked for in turn.
pub const KEYS: usize = 10_000;

/// Keys as a program has them.
pub fn keys() -> Vec<String> {
    (0..KEYS).map(|n| format!("user:{n}:profile")).collect()
}

/// A value of so many bytes.
pub fn value(size: usize) -> Vec<u8> {
    vec![b'.'; size]
}
