//! Finds libcohort with pkg-config, or builds it with CMake from the sources in `vendor/`.
//!
//! Tells the crates that depend on this one where the library lies (`DEP_COHORT_LIBDIR`), so that they can put an rpath
//! into their programs, and lets `cargo run` and `cargo test` find it in any case.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=COHORT_VENDORED");
    println!("cargo::rerun-if-changed=build.rs");
    let vendored = env::var_os("CARGO_FEATURE_VENDORED").is_some() || env::var_os("COHORT_VENDORED").is_some();
    let found = if vendored { None } else { installed() };
    let folder = found.unwrap_or_else(from_source);
    println!("cargo::metadata=libdir={}", folder.display());
}

/// What pkg-config finds; it honours PKG_CONFIG_PATH. `None`: nothing that is new enough.
fn installed() -> Option<PathBuf> {
    let library = pkg_config::Config::new().atleast_version("0.1").probe("cohort").ok()?;
    let folder = library.link_paths.first().cloned().or_else(|| {
        // A folder that the linker searches by itself is not told.
        pkg_config::get_variable("cohort", "libdir").ok().map(PathBuf::from)
    })?;
    help_cargo_run(&folder);
    Some(folder)
}

/// `cargo run` and `cargo test` look into search paths below the target folder: a link there leads to the library.
fn help_cargo_run(folder: &Path) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for name in ["libcohort.so.0", "libcohort.0.dylib"] {
        if folder.join(name).exists() {
            println!("cargo::rerun-if-changed={}", folder.join(name).display());
            let link = out.join(name);
            let _ = std::fs::remove_file(&link);
            #[cfg(unix)]
            if std::os::unix::fs::symlink(folder.join(name), &link).is_ok() {
                println!("cargo::rustc-link-search=native={}", out.display());
            }
        }
    }
}

fn from_source() -> PathBuf {
    let source = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR")).join("vendor");
    if !source.join("CMakeLists.txt").exists() {
        panic!(
            "libcohort is not installed (pkg-config does not find cohort) and its sources are not in {}",
            source.display()
        );
    }
    for part in ["CMakeLists.txt", "cmake", "include", "src", "capi"] {
        println!("cargo::rerun-if-changed={}", source.join(part).display());
    }
    let built = cmake::Config::new(&source)
        .profile("RelWithDebInfo")
        .define("COHORT_TESTS", "OFF")
        .define("COHORT_EXAMPLES", "OFF")
        .define("COHORT_INSTALL", "OFF")
        .define("COHORT_WERROR", "OFF")
        .build_target("cohort")
        .build();
    let folder = built.join("build");
    println!("cargo::rustc-link-search=native={}", folder.display());
    println!("cargo::rustc-link-lib=dylib=cohort");
    folder
}
