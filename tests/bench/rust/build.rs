//! Puts the folder of libcohort into the benchmarks, so that they run where the library is not installed.

fn main() {
    if let Ok(folder) = std::env::var("DEP_COHORT_RUST_LIBDIR") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
