//! Answers the benchmark's questions with the Rust client; client.py says how.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use microsandbox::{BaseSandbox, PythonSandbox, SandboxError, SandboxOptions};

async fn created() -> Result<PythonSandbox, SandboxError> {
    let mut sandbox = PythonSandbox::create_with_options(SandboxOptions::default()).await?;
    sandbox.start(None).await?;
    Ok(sandbox)
}

/// Milliseconds until the cell's result is there.
async fn timed(begin: Instant, sandbox: &PythonSandbox) -> Result<f64, SandboxError> {
    let execution = sandbox.run("6 * 7", None).await?;
    let taken = begin.elapsed().as_secs_f64() * 1000.0;
    assert_eq!(execution.output().await?, "42");
    Ok(taken)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut kept = created().await?;
    for line in stdin().lock().lines() {
        let line = line?;
        let (question, count) = line.split_once(' ').ok_or("a question and a count")?;
        let mut taken = Vec::new();
        for _ in 0..count.parse()? {
            let begin = Instant::now();
            if question == "cell" {
                taken.push(timed(begin, &kept).await?);
            } else {
                let mut sandbox = created().await?;
                taken.push(timed(begin, &sandbox).await?);
                sandbox.stop().await?;
            }
        }
        let texts: Vec<String> = taken.iter().map(f64::to_string).collect();
        writeln!(stdout(), "{}", texts.join(" "))?;
    }
    kept.stop().await?;
    Ok(())
}
