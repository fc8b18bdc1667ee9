//! The agent of a sandbox: PID 1, the other end of the host's one channel. spec/channel.md is what it speaks.
//!
//! One thread, one epoll set, no panics: a panic is caught by the loop and costs the connection, not the sandbox.

#![deny(unsafe_code)]

pub mod agent;
mod answers;
mod background;
mod burial;
mod capture;
mod cell_output;
mod cells;
mod configure;
pub mod connection;
mod context;
mod draft;
pub mod driver;
mod ending;
mod environment;
pub mod error;
mod exit;
mod file_carrier;
mod file_pump;
mod file_stream;
mod file_task;
mod files;
pub mod frame;
mod hearing;
mod inflow;
mod interpreter;
mod kept_file;
mod lane;
pub mod link;
mod not_started;
mod object;
pub mod output;
mod poll;
mod process;
mod requests;
mod spawn;
mod starting;
mod stdin;
#[allow(unsafe_code)]
pub mod sys;
mod timers;
mod upload;
pub mod users;
mod viewing;

/// The messages of spec/agent.proto.
#[allow(clippy::all, missing_debug_implementations)]
pub mod wire {
    include!(concat!(env!("OUT_DIR"), "/microsandbox.agent.v1.rs"));
}
