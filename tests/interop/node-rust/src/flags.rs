//! The flags of a conformance node, as Go's flag package reads them: `-name value`, `-name=value`, with one dash or two.

use std::time::Duration;

pub struct Flags {
    pub listen: String,
    pub ctl: String,
    pub peers: String,
    pub name: String,
    pub group: String,
    pub bytes: i64,
    pub replicas: u32,
    /// The expiry of every loaded value; zero: none.
    pub expire: Duration,
}

impl Flags {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut flags = Self {
            listen: "127.0.0.1:0".into(),
            ctl: "127.0.0.1:0".into(),
            peers: String::new(),
            name: "n".into(),
            group: "g".into(),
            bytes: 64 << 20,
            replicas: 50,
            expire: Duration::ZERO,
        };
        while let Some(argument) = arguments.next() {
            let name = argument.trim_start_matches('-');
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name.to_string(), value.to_string()),
                None => {
                    let value = arguments.next().ok_or_else(|| format!("the flag -{name} needs a value"))?;
                    (name.to_string(), value)
                }
            };
            let wrong = || format!("the flag -{name} cannot be {value:?}");
            match name.as_str() {
                "listen" => flags.listen = value,
                "ctl" => flags.ctl = value,
                "peers" => flags.peers = value,
                "name" => flags.name = value,
                "group" => flags.group = value,
                "bytes" => flags.bytes = value.parse().map_err(|_| wrong())?,
                "replicas" => flags.replicas = value.parse().map_err(|_| wrong())?,
                "expire" => flags.expire = duration(&value).ok_or_else(wrong)?,
                _ => return Err(format!("no flag is called -{name}")),
            }
        }
        Ok(flags)
    }
}

/// A Go duration, such as "1m30s" or "250ms".
fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let units =
            [("ns", 1e-9), ("us", 1e-6), ("\u{b5}s", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
        let (unit, factor) = units.into_iter().find(|(unit, _)| rest[end..].starts_with(unit))?;
        seconds += number * factor;
        rest = &rest[end + unit.len()..];
    }
    (!text.is_empty()).then(|| Duration::from_secs_f64(seconds))
}
