//! Serves client connections: one task each, with bounds on their number and on every wait for a client.

use std::{pin::pin, time::Duration};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_io_timeout::TimeoutStream;
use tracing::{debug, warn};

use crate::unparsed::Explained;

/// The pause after a failed accept, which happens when the process has too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Bounds on the resources that clients may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The number of connections, of some 20 KB each. More wait in the system's queue until one closes.
    pub(crate) connections_max: usize,
    /// The time in which a client must send the head of a request. It bounds the silence between requests as
    /// well.
    pub(crate) head_read_max: Duration,
    /// The time in which a client must accept more of an answer.
    pub(crate) stall_max: Duration,
    /// The same while the server is stopping.
    pub(crate) last_stall_max: Duration,
}

impl Bounds {
    pub(crate) const USUAL: Self = Self {
        connections_max: 8_192,
        head_read_max: Duration::from_secs(30),
        stall_max: Duration::from_secs(30),
        last_stall_max: Duration::from_secs(1),
    };
}

/// Serves until `stopping` is set, then until the running requests are answered.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    mut stopping: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = until_set(&mut stopping) => break,
            Some(_ended) = connections.join_next() => continue,
            accepted = listener.accept(), if connections.len() < bounds.connections_max => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let router = router.clone().layer(Extension(ConnectInfo(peer)));
                connections.spawn(serve_one(stream, router, bounds, stopping.clone()));
            }
            Err(cause) => {
                warn!(%cause, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve_one(stream: TcpStream, router: Router, bounds: Bounds, mut stopping: watch::Receiver<bool>) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(bounds.stall_max));
    let (handling, mut handled) = watch::channel(0_usize);
    let router = TowerToHyperService::new(router.into_service::<Incoming>());
    let service = service_fn(move |request| {
        handling.send_modify(|requests| *requests += 1);
        let (answering, handling) = (router.call(request), handling.clone());
        async move {
            let answer = answering.await;
            handling.send_modify(|requests| *requests -= 1);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_read_max)
        .serve_connection(TokioIo::new(Explained::new(Box::pin(stream))), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = until_set(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = until_idle_for(bounds.last_stall_max, &mut handled) => {
                    return debug!("a client did not read its answer before the server stopped");
                }
            }
        }
    };
    if let Err(cause) = ended {
        debug!(%cause, "a connection broke");
    }
}

/// Waits until no request has been handled for `max`. Then the only thing left is an answer that its client
/// does not read.
async fn until_idle_for(max: Duration, handled: &mut watch::Receiver<usize>) {
    loop {
        let _service_gone = handled.wait_for(|requests| *requests == 0).await.map(drop);
        let begun = handled.wait_for(|requests| *requests > 0);
        if !matches!(tokio::time::timeout(max, begun).await, Ok(Ok(_))) {
            return;
        }
    }
}

async fn until_set(stopping: &mut watch::Receiver<bool>) {
    // Without a sender the server has ended.
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
    const PATIENT: Bounds =
        Bounds { connections_max: 10, head_read_max: LONG, stall_max: LONG, last_stall_max: LONG };
    /// More than the system's buffers of a connection hold.
    const LARGE: usize = 32 * 1024 * 1024;
    const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    async fn start(router: Router, bounds: Bounds) -> (TcpStream, watch::Sender<bool>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, router, bounds, stopping));
        (TcpStream::connect(address).await.unwrap(), stop, serving)
    }

    fn large() -> Router {
        Router::new().route("/", get(|| async { vec![b'a'; LARGE] }))
    }

    async fn rest(mut client: TcpStream) -> String {
        let mut answer = Vec::new();
        let read = tokio::time::timeout(LONG, client.read_to_end(&mut answer)).await;
        let _closed_or_reset = read.expect("the server closes");
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn a_client_that_sends_a_head_byte_by_byte_is_cut_off() {
        let (client, _stop, _serving) =
            start(Router::new(), Bounds { head_read_max: SHORT, ..PATIENT }).await;
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
        assert!(closed.is_ok(), "the connection is still open");
    }

    #[tokio::test]
    async fn a_client_that_sends_no_further_request_is_cut_off() {
        let (mut client, _stop, _serving) =
            start(Router::new().route("/", get("here")), Bounds { head_read_max: SHORT, ..PATIENT }).await;
        client.write_all(GET).await.unwrap();
        assert!(rest(client).await.ends_with("here"));
    }

    #[tokio::test]
    async fn a_running_request_is_answered_before_the_server_stops() {
        let slow = || async {
            tokio::time::sleep(SHORT).await;
            "done"
        };
        let (mut client, stop, serving) =
            start(Router::new().route("/", get(slow)), Bounds { last_stall_max: SHORT / 10, ..PATIENT })
                .await;
        client.write_all(GET).await.unwrap();
        tokio::time::sleep(SHORT / 3).await;
        stop.send_replace(true);
        assert!(rest(client).await.ends_with("done"));
        tokio::time::timeout(LONG, serving).await.expect("the server stops").unwrap();
    }

    #[tokio::test]
    async fn a_client_that_never_reads_its_answer_is_cut_off() {
        let (mut client, _stop, _serving) = start(large(), Bounds { stall_max: SHORT, ..PATIENT }).await;
        client.write_all(GET).await.unwrap();
        // The server answers bytes on a closed connection with a reset, so writing shows when it has closed.
        let closed = async {
            while client.write_all(b"G").await.is_ok() {
                tokio::time::sleep(SHORT / 10).await;
            }
        };
        tokio::time::timeout(LONG, closed).await.expect("the server closes the connection");
        assert!(rest(client).await.len() < LARGE);
    }

    #[tokio::test]
    async fn a_client_that_never_reads_its_answer_does_not_delay_the_stop() {
        let (mut client, stop, serving) = start(large(), Bounds { last_stall_max: SHORT, ..PATIENT }).await;
        client.write_all(GET).await.unwrap();
        client.readable().await.unwrap();
        stop.send_replace(true);
        tokio::time::timeout(LONG / 2, serving).await.expect("the server stops").unwrap();
    }

    #[tokio::test]
    async fn one_connection_too_many_waits_until_another_closes() {
        let router = Router::new().route("/", get("here"));
        let (mut first, _stop, _serving) = start(router, Bounds { connections_max: 1, ..PATIENT }).await;
        let mut second = TcpStream::connect(first.peer_addr().unwrap()).await.unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        for _ in 0..2 {
            first.write_all(GET).await.unwrap();
            first.readable().await.unwrap();
            let mut answer = [0; 1_000];
            assert!(first.read(&mut answer).await.unwrap() > 0);
            let mut waiting = [0; 1];
            assert!(second.try_read(&mut waiting).is_err(), "the second connection must wait");
        }
        drop(first);
        assert!(rest(second).await.ends_with("here"));
    }
}
