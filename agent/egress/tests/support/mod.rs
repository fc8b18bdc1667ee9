//! What the tests of the capture share.

#![allow(dead_code)]

pub mod host;
pub mod sandbox;
