//! Compiles the channel's messages from the contract that the host's end is compiled from as well; no protoc is needed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../spec/agent.proto");
    let contract = protox::compile(["agent.proto"], ["../spec"])?;
    prost_build::Config::new()
        .btree_map(["."])
        .compile_fds(contract)?;
    Ok(())
}
