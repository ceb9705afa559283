//! Replaces the bare answers of hyper to requests that it cannot parse with problem documents.
//!
//! Hyper writes these answers, a status without a body, before any handler is called. They are recognised on
//! their way to the connection: our own answers have a body and the header X-Request-Id.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use infra::Clock;
use schema::{Problem, Slug};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracing::info;

/// A connection on which problem documents replace hyper's bare answers.
pub(crate) struct Explained<S> {
    stream: S,
    /// The unwritten rest of a problem document.
    pending: Bytes,
}

impl<S: AsyncWrite + Unpin> Explained<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, pending: Bytes::new() }
    }

    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.pending.has_remaining() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Explained<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

/// Vectored writes are not offered, so that the head of an answer comes in one buffer.
impl<S: AsyncWrite + Unpin> AsyncWrite for Explained<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(context))?;
        match explain(buffer) {
            None => Pin::new(&mut self.stream).poll_write(context, buffer),
            Some(answer) => {
                self.pending = answer;
                Poll::Ready(Ok(buffer.len()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Returns the problem document that replaces a bare answer, with the answer's status line and headers.
/// Returns `None` for any other answer.
fn explain(written: &[u8]) -> Option<Bytes> {
    const NO_BODY: &str = "content-length: 0\r\n";
    let status = written.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    let problem = match status {
        b"400" => Problem::new(Slug::MalformedRequest, "Send a request of HTTP/1.1."),
        b"414" => Problem::new(Slug::UriTooLong, "Send a shorter path and query."),
        b"431" => Problem::new(Slug::HeadersTooLarge, "Send fewer or shorter headers."),
        _ => return None,
    };
    let head = std::str::from_utf8(written).ok()?.strip_suffix("\r\n\r\n")?.to_owned() + "\r\n";
    if head.contains("\r\nx-request-id:") || !head.contains(NO_BODY) {
        return None;
    }
    let clock = Clock::system(); // a manual clock may move only under the gate, which such requests do not pass
    let request_id = clock.id(clock.now()).to_string();
    info!(%request_id, status = problem.slug.status(), "answered a request that could not be parsed");
    let body = problem.to_json(&request_id).to_string();
    let fields = format!(
        "content-type: application/problem+json\r\ncontent-length: {}\r\nx-request-id: {request_id}\r\n",
        body.len()
    );
    Some(format!("{}\r\n{body}", head.replace(NO_BODY, &fields)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_answer_gets_a_body_and_other_answers_are_unchanged() {
        let bare =
            b"HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        let answer = explain(bare).unwrap();
        let (head, body) = std::str::from_utf8(&answer).unwrap().split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-type: "),
            "{head}"
        );
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())) && head.ends_with("date: now"));
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert!(head.contains(&format!("x-request-id: {}", problem["request_id"].as_str().unwrap())));
        assert_eq!(problem["status"], 414);
        for other in [
            b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n".as_slice(),
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            b"HTTP/1.1 400 Bad Request\r\nx-request-id: 7\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 400",
            b"",
        ] {
            assert_eq!(explain(other), None);
        }
    }
}
