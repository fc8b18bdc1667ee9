//! Servers that do not answer, or not as they should.

use crate::support::canned::{Answer, Canned, ok};
use libtest_mimic::Trial;
use microsandbox::{BaseSandbox, PythonSandbox, SandboxError, SandboxOptions};
use std::time::Duration;
use tokio::net::TcpListener;

pub fn trials() -> Vec<Trial> {
    crate::trials!("failures":
        a_named_server_that_does_not_answer_is_an_error_and_none_is_started,
        a_server_that_does_not_answer_in_time_is_an_error,
        an_answer_that_is_cut_off_is_an_error,
        an_answer_that_is_not_json_or_not_a_run_is_an_error,
        an_answer_that_is_no_http_is_an_error,
        an_endless_head_is_an_error,
        an_endless_answer_is_an_error,
        an_endless_event_is_an_error,
    )
}

async fn refused(answer: Answer) -> SandboxError {
    let server = Canned::on_port(move |_| answer.clone()).await;
    server
        .started()
        .await
        .run("1", None)
        .await
        .expect_err("no answer that can be")
}

async fn a_named_server_that_does_not_answer_is_an_error_and_none_is_started() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let free = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    for url in [free.as_str(), "unix:/nonexistent/socket"] {
        let options = SandboxOptions::default().server_url(url);
        let mut sandbox = PythonSandbox::create_with_options(options)
            .await
            .expect("a sandbox");
        let error = sandbox.start(None).await.expect_err("nobody answers");
        assert!(
            matches!(error, SandboxError::ServerUnreachable(_)),
            "{error:?}"
        );
        assert!(
            error.retryable() && error.message().contains("msb server start"),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
}

async fn a_server_that_does_not_answer_in_time_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let options = SandboxOptions::default()
        .server_url(url)
        .start_timeout(Duration::from_millis(200));
    let mut sandbox = PythonSandbox::create_with_options(options)
        .await
        .expect("a sandbox");
    let error = sandbox.start(None).await.expect_err("it is silent");
    assert!(error.message().contains("nothing within 0.2 s"), "{error}");
}

async fn an_answer_that_is_cut_off_is_an_error() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"outcome\": ";
    for answer in ["", "HTTP/1.1 200", cut] {
        let error = refused(Answer::Cut(answer.into())).await;
        assert!(
            matches!(error, SandboxError::ServerUnreachable(_)),
            "{error:?}"
        );
    }
}

async fn an_answer_that_is_not_json_or_not_a_run_is_an_error() {
    let html = refused(ok("<html>hello</html>")).await;
    assert!(html.message().contains("'<html>hello"), "{html}");
    let deep = "[".repeat(100_000);
    for answer in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"outcome": 1}"#,
        r#"{"outcome": "ok", "stdout": null}"#,
        &deep,
    ] {
        let error = refused(ok(answer)).await;
        assert!(matches!(error, SandboxError::Internal(_)), "{error:?}");
        assert!(error.message().len() < 500, "{error}");
    }
}

async fn an_answer_that_is_no_http_is_an_error() {
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\0\0\0\0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    ] {
        let error = refused(Answer::Cut(answer.into())).await;
        assert!(
            matches!(error, SandboxError::ServerUnreachable(_)),
            "{error:?}"
        );
    }
}

async fn an_endless_head_is_an_error() {
    let begin = b"HTTP/1.1 200 OK\r\n".to_vec();
    let many = refused(Answer::Endless(begin.clone(), b"a: b\r\n".repeat(1000))).await;
    let long = refused(Answer::Endless(
        [&begin, b"a: ".as_slice()].concat(),
        vec![b'x'; 10_000],
    ))
    .await;
    for error in [many, long] {
        assert!(
            matches!(error, SandboxError::ServerUnreachable(_)),
            "{error:?}"
        );
    }
}

async fn an_endless_answer_is_an_error() {
    let block = [b"100000\r\n".as_slice(), &vec![b' '; 0x10_0000], b"\r\n"].concat();
    let begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let error = refused(Answer::Endless(begin, block)).await;
    assert!(matches!(error, SandboxError::Internal(_)), "{error:?}");
    assert!(error.message().contains("more than"), "{error}");
}

async fn an_endless_event_is_an_error() {
    let block = [b"100000\r\n".as_slice(), &vec![b'x'; 0x10_0000], b"\r\n"].concat();
    let begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let answer = Answer::Endless(begin, block);
    let server = Canned::on_port(move |_| answer.clone()).await;
    let mut events = server
        .started()
        .await
        .stream("1", None)
        .await
        .expect("a stream");
    let error = events
        .next()
        .await
        .expect("an end")
        .expect_err("an endless event");
    assert!(error.message().contains("endless"), "{error}");
    assert!(events.next().await.is_none());
}
