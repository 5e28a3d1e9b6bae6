//! The C ABI of libcohort as it is. Programs use the `cohort` crate, which is safe; this one is for those who build another
//! face on it.
//!
//! Every comment is the header's own. The build script finds the library with pkg-config or builds it from source, and tells
//! dependent build scripts its folder as `DEP_COHORT_LIBDIR`.
#![no_std]
#![allow(non_camel_case_types)]

mod ffi;

pub use ffi::*;
