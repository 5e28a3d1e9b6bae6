//! Puts an rpath to libcohort into this crate's own tests, and passes its folder on to build scripts of programs.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Ok(folder) = env::var("DEP_COHORT_LIBDIR") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
        println!("cargo::metadata=libdir={folder}");
    }
}
