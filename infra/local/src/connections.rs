//! Connections of clients: a task each, and none waits for ever for what its client does not send.

use std::{pin::pin, time::Duration};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tracing::{debug, warn};

/// For how long a client may take to send the head of a request, and stay silent before the next.
pub(crate) const HEAD_READ_MAX: Duration = Duration::from_secs(30);

/// Taking in connections fails when the process has too many files open: some have to close first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Serves until told to stop; then until the requests that run are answered.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    head_read_max: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = until_set(&mut stopping) => break,
            Some(_ended) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let router = router.clone().layer(Extension(ConnectInfo(peer)));
                connections.spawn(serve_one(stream, router, head_read_max, stopping.clone()));
            }
            Err(cause) => {
                warn!(%cause, "could not take in a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve_one(
    stream: TcpStream,
    router: Router,
    head_read_max: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let service = TowerToHyperService::new(router.into_service::<Incoming>());
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_read_max)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = until_set(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        debug!(%cause, "a connection broke");
    }
}

async fn until_set(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone has nothing more to run for either.
    let _gone = stopping.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        task::JoinHandle,
    };

    use super::*;

    const SHORT: Duration = Duration::from_millis(300);
    const LONG: Duration = Duration::from_secs(30);

    async fn start(
        router: Router,
        head_read_max: Duration,
    ) -> (TcpStream, watch::Sender<bool>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, router, head_read_max, stopping));
        (TcpStream::connect(address).await.unwrap(), stop, serving)
    }

    async fn rest(mut client: TcpStream) -> String {
        let mut answer = Vec::new();
        let read =
            tokio::time::timeout(LONG, client.read_to_end(&mut answer)).await.expect("the server closes");
        drop(read); // a reset closes as well
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn who_sends_a_head_byte_by_byte_is_cut_off() {
        let (client, _stop, _serving) = start(Router::new(), SHORT).await;
        let (read, mut write) = client.into_split();
        let dripping = tokio::spawn(async move {
            while write.write_all(b"G").await.is_ok() {
                tokio::time::sleep(SHORT / 10).await;
            }
        });
        let mut answer = Vec::new();
        let mut read = read;
        let closed = tokio::time::timeout(LONG, read.read_to_end(&mut answer)).await;
        dripping.abort();
        assert!(closed.is_ok(), "it is still open");
    }

    #[tokio::test]
    async fn who_asks_nothing_more_is_cut_off() {
        let (mut client, _stop, _serving) = start(Router::new().route("/", get("here")), SHORT).await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(rest(client).await.ends_with("here"));
    }

    #[tokio::test]
    async fn a_request_that_runs_is_answered_before_the_end() {
        let slow = || async {
            tokio::time::sleep(SHORT).await;
            "done"
        };
        let (mut client, stop, serving) = start(Router::new().route("/", get(slow)), LONG).await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        tokio::time::sleep(SHORT / 3).await;
        stop.send_replace(true);
        assert!(rest(client).await.ends_with("done"));
        tokio::time::timeout(LONG, serving).await.expect("it ends").unwrap();
    }
}
