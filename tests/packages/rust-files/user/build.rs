//! As the guide says: the program finds libcohort where it was found when it was built.

fn main() {
    if let Ok(folder) = std::env::var("DEP_COHORT_RUST_LIBDIR") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
