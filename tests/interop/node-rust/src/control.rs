//! The control protocol that drives the node from outside.

use crate::Node;
use base64::prelude::{Engine, BASE64_STANDARD};
use cohort::{Error, Expiry, Tier, Value};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use serde_json::{json, Map, Value as Json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What is wrong with a call, in a line.
type Refused = String;

/// One call of the protocol.
struct Call {
    path: String,
    query: HashMap<String, String>,
    body: Bytes,
}

pub async fn answer(node: Arc<Node>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let done = match body.collect().await {
        Ok(body) => {
            let query = parameters(head.uri.query().unwrap_or_default());
            serve(&node, &Call { path: head.uri.path().to_string(), query, body: body.to_bytes() }).await
        }
        Err(error) => Err(error.to_string()),
    };
    let (status, text) = match done {
        Ok(Some(json)) => (StatusCode::OK, json.to_string()),
        Ok(None) => (StatusCode::NOT_FOUND, "no such call".into()),
        Err(wrong) => (StatusCode::BAD_REQUEST, wrong),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    Ok(response)
}

async fn serve(node: &Node, call: &Call) -> Result<Option<Json>, Refused> {
    Ok(Some(match call.path.as_str() {
        "/ping" => json!({"name": node.name, "peer": node.listen, "impl": "rust"}),
        "/get" => {
            let (key, _) = call.subject()?;
            let get = node.group.get(key);
            match call.number("timeout_ms")? {
                Some(ms) => found(get.timeout(Duration::from_millis(ms.max(0).unsigned_abs())).await),
                None => found(get.await),
            }
        }
        "/getmany" => node.group.get_many(call.keys()?).await.into_iter().map(found).collect(),
        "/set" => {
            let (key, value) = call.subject()?;
            let expiry = match call.number("expire_ms")? {
                None | Some(0) => Expiry::NEVER,
                Some(ms) if ms < 0 => Expiry::at(SystemTime::now() - Duration::from_millis(ms.unsigned_abs())),
                Some(ms) => Expiry::after(Duration::from_millis(ms.unsigned_abs())),
            };
            done(node.group.set(key, value).expires(expiry).await)
        }
        "/remove" => done(node.group.remove(call.subject()?.0).await),
        "/removekeys" => done(node.group.remove_keys(call.keys()?).await),
        "/owners" => {
            let owner =
                |key| node.instance.owner(key).map(Option::unwrap_or_default).map_err(|error| error.to_string());
            call.keys()?.into_iter().map(owner).collect::<Result<Json, _>>()?
        }
        "/peers" => {
            let addresses = strings(&call.body)?;
            let own = call.query.get("self").unwrap_or(&node.listen);
            done(node.instance.set_peers(addresses, own))
        }
        "/loads" => {
            let wanted = call.query.get("k64");
            let counts = node.loader.counts(call.query.contains_key("reset")).into_iter();
            let counts = counts.map(|(key, count)| (BASE64_STANDARD.encode(key), Json::from(count)));
            Json::Object(counts.filter(|(key, _)| wanted.is_none_or(|wanted| wanted == key)).collect())
        }
        "/stats" => stats(node),
        _ => return Ok(None),
    }))
}

fn stats(node: &Node) -> Json {
    let stats = node.group.stats();
    json!({
        "gets": stats.gets,
        "cache_hits": stats.cache_hits,
        "peer_loads": stats.peer_loads,
        "peer_errors": stats.peer_errors,
        "loads": stats.loads,
        "loads_deduped": stats.loads_deduped,
        "local_loads": stats.local_loads,
        "local_load_errs": stats.local_load_errors,
        "main_bytes": node.group.cache_stats(Tier::Main).bytes,
        "hot_bytes": node.group.cache_stats(Tier::Hot).bytes,
    })
}

fn found(found: Result<Value, Error>) -> Json {
    let value = match found {
        Ok(value) => value,
        Err(error) => return failed(&error),
    };
    let mut answer = Map::new();
    answer.insert("ok".into(), true.into());
    answer.insert("v64".into(), BASE64_STANDARD.encode(&value).into());
    answer.insert("len".into(), value.len().into());
    if value.expiry() != Expiry::NEVER {
        answer.insert("exp_ns".into(), value.expiry().unix_ns().into());
    }
    answer.into()
}

fn done(done: Result<(), Error>) -> Json {
    done.map_or_else(|error| failed(&error), |()| json!({"ok": true}))
}

fn failed(error: &Error) -> Json {
    let kind = match error {
        Error::NotFound(_) => "notfound",
        Error::Remote(_) => "remote",
        _ => "other",
    };
    json!({"ok": false, "err": error.to_string(), "kind": kind})
}

fn decoded(text: &str) -> Result<Vec<u8>, Refused> {
    BASE64_STANDARD.decode(text).map_err(|error| format!("{text:?} is no base64: {error}"))
}

/// A JSON array of strings, or null.
fn strings(body: &[u8]) -> Result<Vec<String>, Refused> {
    let list: Option<Vec<String>> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok(list.unwrap_or_default())
}

impl Call {
    /// What the call is about: ?k64= or ?key= and the body as the value, or both in a JSON body.
    fn subject(&self) -> Result<(Vec<u8>, Vec<u8>), Refused> {
        if let Some(key) = self.query.get("k64") {
            return Ok((decoded(key)?, self.body.to_vec()));
        }
        if self.query.contains_key("key") || self.body.is_empty() {
            let key = self.query.get("key").cloned().unwrap_or_default();
            return Ok((key.into_bytes(), self.body.to_vec()));
        }
        let body: Json = serde_json::from_slice(&self.body).map_err(|error| error.to_string())?;
        let field = |name: &str| decoded(body[name].as_str().unwrap_or_default());
        Ok((field("k64")?, field("v64")?))
    }

    fn keys(&self) -> Result<Vec<Vec<u8>>, Refused> {
        strings(&self.body)?.iter().map(|key| decoded(key)).collect()
    }

    fn number(&self, name: &str) -> Result<Option<i64>, Refused> {
        let text = self.query.get(name).filter(|text| !text.is_empty());
        text.map(|text| text.parse().map_err(|_| format!("{name} is no number: {text:?}"))).transpose()
    }
}

/// The parameters of a query, unescaped.
fn parameters(query: &str) -> HashMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (unescaped(n), unescaped(v))).collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
