//! Compares what came with what a case expects.

use cohort::{Error, Source, Value};
use serde_json::Value as Json;
use std::time::SystemTime;

/// What came of a step.
#[derive(Debug)]
pub enum Answer {
    Value(Value, Option<Source>),
    Miss,
    Ok,
    /// The caller has given its get up: its future is dropped, so nothing comes.
    GivenUp,
    Failed(Error),
}

impl From<Result<(), Error>> for Answer {
    fn from(result: Result<(), Error>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Ok)
    }
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::NotFound(_) => "not_found",
        Error::Load(_) => "load_failed",
        Error::Remote(_) => "remote_failed",
        Error::Timeout => "timeout",
        Error::Cancelled => "cancelled",
        Error::Closed => "closed",
        Error::InvalidArgument(_) => "invalid_argument",
        Error::TooLarge(_) => "too_large",
        Error::WouldDeadlock => "would_deadlock",
        Error::NoGetter => "no_getter",
        Error::Unreachable(_) => "unreachable",
        Error::Abandoned => "load_abandoned",
        Error::AlreadyExists(_) => "already_exists",
        _ => "other",
    }
}

/// What names in a case stand for.
pub trait Names {
    fn var(&self, name: &str) -> Vec<u8>;
    fn address(&self, node: usize) -> String;
}

fn base64(text: &str) -> Vec<u8> {
    let mut bits = 0_u32;
    let mut held = 0;
    let mut bytes = Vec::new();
    for c in text.bytes().filter(|c| *c != b'=') {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let six = alphabet.iter().position(|known| *known == c).expect("base64") as u32;
        bits = bits << 6 | six;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

pub fn bytes(said: &Json, names: &dyn Names) -> Vec<u8> {
    if let Some(text) = said.as_str() {
        text.as_bytes().to_vec()
    } else if let Some(text) = said["base64"].as_str() {
        base64(text)
    } else if let Some(name) = said["var"].as_str() {
        names.var(name)
    } else if let Some(node) = said["address"].as_u64() {
        names.address(node as usize).into_bytes()
    } else if let Some(parts) = said["concat"].as_array() {
        parts.iter().flat_map(|part| bytes(part, names)).collect()
    } else if let (false, Some(count)) = (said["repeat"].is_null(), said["count"].as_u64()) {
        bytes(&said["repeat"], names).repeat(count as usize)
    } else {
        panic!("these are no bytes: {said}")
    }
}

fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(80)];
    format!("{} bytes \"{}\"", bytes.len(), cut.escape_ascii())
}

/// What is wrong; nothing if the expectation is met.
pub fn mismatch(expected: &Json, answer: &Answer, names: &dyn Names) -> Result<(), String> {
    if let Some(any) = expected["any_of"].as_array() {
        let wrong: Vec<_> = any.iter().filter_map(|each| mismatch(each, answer, names).err()).collect();
        return if wrong.len() < any.len() { Ok(()) } else { Err(wrong.join("; ")) };
    }
    let other =
        || Err(format!("expected {}, came {answer:?}", expected.to_string().chars().take(200).collect::<String>()));
    match answer {
        Answer::Miss if expected["miss"] == true => Ok(()),
        Answer::Ok if expected["ok"] == true => Ok(()),
        Answer::GivenUp if expected["error"] == "cancelled" => Ok(()),
        Answer::Failed(error) if expected["error"].is_string() => {
            if expected["error"] != kind(error) {
                return other();
            }
            let text = error.to_string();
            if !expected["message"].is_null() && bytes(&expected["message"], names) != text.as_bytes() {
                return Err(format!("the message is {text:?}"));
            }
            if !expected["message_contains"].is_null() {
                let part = String::from_utf8_lossy(&bytes(&expected["message_contains"], names)).into_owned();
                if !text.contains(&part) {
                    return Err(format!("the message is {text:?}, without {part:?}"));
                }
            }
            Ok(())
        }
        Answer::Value(value, source) if !expected["value"].is_null() || expected["value_size"].is_u64() => {
            if expected["value_size"].is_u64() && expected["value_size"] != value.len() {
                return Err(format!("came {}", shown(value)));
            }
            if !expected["value"].is_null() {
                let wanted = bytes(&expected["value"], names);
                if *value != wanted {
                    return Err(format!("expected {}, came {}", shown(&wanted), shown(value)));
                }
            }
            if let (Some(wanted), Some(source)) = (expected["source"].as_str(), source) {
                if source.to_string() != wanted {
                    return Err(format!("it came from {source}"));
                }
            }
            match (expected["expires_in_ms"].as_i64(), value.expiry().time()) {
                (None, _) | (Some(0), None) => Ok(()),
                (Some(most), Some(at)) => {
                    let left = at.duration_since(SystemTime::now()).map_or(-1, |left| left.as_millis() as i64);
                    if most > 0 && (most / 2..=most).contains(&left) {
                        Ok(())
                    } else {
                        Err(format!("it expires in {left} ms"))
                    }
                }
                (Some(_), None) => Err("it never expires".into()),
            }
        }
        _ => other(),
    }
}
