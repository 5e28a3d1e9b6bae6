//! Runs the shared list of behaviours, tests/behaviours/cases.json of the repository, through the public face of this binding.
//!
//! Faces: async getters and gets on tokio, and blocking ones without a runtime; each inside the process and over HTTP. A filter on
//! the command line names cases: `cargo test --features full --test behaviours -- GetLoadsOnce`.

mod expectation;
mod getter;
mod run;

use run::{run_case, Face};
use serde_json::Value as Json;
use std::path::PathBuf;
use std::time::Duration;

/// What this language cannot do, by what a case says, with the reason.
const SKIPS: [(&str, &str); 1] =
    [("\"drop-", "a getter returns or panics: it has no load in its hands that it could let go of")];

const FACES: [Face; 4] = [
    Face { name: "async, in the process", blocking: false, http: false },
    Face { name: "async, over HTTP", blocking: false, http: true },
    Face { name: "blocking, in the process", blocking: true, http: false },
    Face { name: "blocking, over HTTP", blocking: true, http: true },
];

fn cases(file: &str) -> Vec<Json> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/behaviours").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let list: Json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(list["version"], 1, "another version of the list");
    list["cases"].as_array().expect("cases").clone()
}

fn main() {
    let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |case: &Json| {
        let name = case["name"].as_str().unwrap_or_default();
        filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()))
    };
    // Getters panic on purpose here; what matters of a panic comes back as an error.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for face in &FACES {
        for case in cases("cases.json").iter().filter(|case| wanted(case)) {
            let text = case.to_string();
            if let Some((_, reason)) = SKIPS.iter().find(|(what, _)| text.contains(what)) {
                println!("skipped: {}: {reason}", case["name"].as_str().unwrap_or_default());
                skipped += 1;
                continue;
            }
            match run_case(face, case, Duration::from_secs(60)) {
                Ok(()) => passed += 1,
                Err(failure) => {
                    println!("FAILED ({}) {}", face.name, failure.text);
                    failed += 1;
                }
            }
        }
    }
    // The runner can fail: each of these has one wrong expectation, which it must find.
    let face = &FACES[0];
    for case in cases("must_fail.json").iter().filter(|case| wanted(case)) {
        let at = case["fails_at"].as_u64().expect("fails_at") as usize;
        match run_case(face, case, Duration::from_millis(500)) {
            Err(failure) if failure.step == at => passed += 1,
            Err(failure) => {
                println!("FAILED to fail at step {at}: {}", failure.text);
                failed += 1;
            }
            Ok(()) => {
                println!("FAILED to fail: {}", case["name"].as_str().unwrap_or_default());
                failed += 1;
            }
        }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {result}. {passed} passed; {failed} failed; {skipped} ignored; behaviours");
    std::process::exit(i32::from(failed > 0 || passed == 0));
}
