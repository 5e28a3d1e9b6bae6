//! Keys and the order in which they are asked for: the same in every language.

use crate::harness::die;

/// The size of each value but for `fill`.
pub const VALUE_BYTES: usize = 1024;
/// How many draws an order has; then it begins again.
pub const ORDER: usize = 1 << 18;

/// The i-th key, of 12 bytes.
pub fn key(i: usize) -> String {
    format!("key-{i:08}")
}

/// What `key` made the key of.
pub fn number_of(key: &str) -> u64 {
    key["key-".len()..].parse().unwrap_or_else(|_| die("a key has no number"))
}

/// splitmix64 (Steele, Lea and Flood 2014), which each language of the benchmarks has in the same words.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}

/// Writes the value of the i-th key, which each language makes in the same way: the first word of `Random(i)`, little endian,
/// again and again. Every byte is written, so that no value is a page of zeroes that the kernel shares among all of them.
pub fn write_value(i: u64, value: &mut [u8]) {
    let word = Random(i).next().to_le_bytes();
    for part in value.chunks_mut(word.len()) {
        part.copy_from_slice(&word[..part.len()]);
    }
}

/// The value of the i-th key.
pub fn value(i: u64, size: usize) -> Vec<u8> {
    let mut value = vec![0; size];
    write_value(i, &mut value);
    value
}

/// Numbers below n by a Zipf distribution with exponent 0.99; popular ones are spread over all of them.
fn zipf_order(n: usize, seed: u64) -> Vec<u32> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=n)
        .map(|rank| {
            sum += (rank as f64).powf(-0.99);
            sum
        })
        .collect();
    let mut random = Random(seed);
    let mut draw = || {
        let at = (random.next() >> 11) as f64 / (1_u64 << 53) as f64 * sum;
        let rank = sums.partition_point(|&s| s < at).min(n - 1);
        (rank * 48271 % n) as u32
    };
    (0..ORDER).map(|_| draw()).collect()
}

/// The keys of a process, and the orders in which its threads ask for them.
pub struct Asked {
    pub keys: Vec<String>,
    orders: Vec<Vec<u32>>,
}

impl Asked {
    pub fn new(entries: usize) -> Self {
        Self { keys: (0..entries).map(key).collect(), orders: (0..8).map(|t| zipf_order(entries, t)).collect() }
    }

    pub fn key(&self, thread: usize, call: usize) -> &str {
        &self.keys[self.orders[thread % 8][call % ORDER] as usize]
    }
}
