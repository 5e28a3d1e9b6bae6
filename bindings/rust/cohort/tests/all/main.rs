//! Tests of the binding as its users see it, in one program.

mod cancel;
mod change;
mod close;
mod cluster;
mod features;
mod get;
mod getters;
mod help;
mod many;
mod mount;
mod options;
mod send;
mod values;
