//! A connection between a client and the engine that loses or delays appends to the log as a test demands.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::RetryConfig},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::stage::Stage;

/// The fate of one append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    /// Not executed, and not answered.
    RequestLost,
    /// Executed, but not answered.
    AnswerLost,
    /// Not answered, and executed later: right before the next append, or by [`Wire::flush`].
    Late,
    /// Not executed, and answered with this error of DynamoDB in JSON.
    Answered(&'static str),
}

/// A listening connection. The appends take the given fates in order; further appends and all other calls are
/// delivered.
#[derive(Clone, Debug)]
pub struct Wire {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    engine: String,
    events_table: String,
    fates: Mutex<VecDeque<Fate>>,
    late: Mutex<Vec<Vec<u8>>>,
    appends: Mutex<usize>,
}

impl Wire {
    /// Starts a connection to the stage's engine.
    pub async fn new(stage: &Stage) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            engine: stage.engine_address(),
            events_table: format!("\"{}\"", schema::table::EVENTS.name(&stage.prefix)),
            fates: Mutex::default(),
            late: Mutex::default(),
            appends: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                // A connection that a test cuts ends with an error, which only the client has to see.
                tokio::spawn(async move { drop(serve(client, &state).await) });
            }
        });
        Self { address, state }
    }

    /// Returns a client on this connection that makes up to `attempts` attempts of each call, with short
    /// pauses.
    #[must_use]
    pub fn client(&self, stage: &Stage, attempts: u32) -> Client {
        let retries = RetryConfig::standard()
            .with_max_attempts(attempts)
            .with_initial_backoff(Duration::from_millis(1));
        Client::from_conf(
            Builder::from(&stage.sdk)
                .endpoint_url(format!("http://{}", self.address))
                .retry_config(retries)
                .build(),
        )
    }

    /// Sets the fates of the next appends.
    pub fn expect(&self, fates: impl IntoIterator<Item = Fate>) {
        *self.state.fates.lock().unwrap() = fates.into_iter().collect();
    }

    /// Returns the number of appends since the last call.
    #[must_use]
    pub fn appends(&self) -> usize {
        std::mem::take(&mut self.state.appends.lock().unwrap())
    }

    /// Executes the late appends.
    pub async fn flush(&self) {
        self.state.flush().await.unwrap();
    }
}

impl State {
    /// Returns `None` if the request is not an append.
    fn fate(&self, request: &[u8]) -> Option<Fate> {
        let text = String::from_utf8_lossy(request);
        let writes = text.contains(".PutItem\r\n") || text.contains(".TransactWriteItems\r\n");
        if !writes || !text.contains(&self.events_table) {
            return None;
        }
        *self.appends.lock().unwrap() += 1;
        Some(self.fates.lock().unwrap().pop_front().unwrap_or(Fate::Delivered))
    }

    async fn flush(&self) -> io::Result<()> {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        for request in late {
            self.forward(&request).await?;
        }
        Ok(())
    }

    /// Sends a request over a new connection, so that it does not depend on the client's connection.
    async fn forward(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut engine = BufReader::new(TcpStream::connect(&self.engine).await?);
        engine.write_all(request).await?;
        read_message(&mut engine).await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

async fn serve(client: TcpStream, state: &State) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut engine = BufReader::new(TcpStream::connect(&state.engine).await?);
    while let Some(request) = read_message(&mut client).await? {
        let fate = state.fate(&request);
        if matches!(fate, Some(Fate::Delivered | Fate::AnswerLost)) {
            state.flush().await?;
        }
        match fate {
            Some(Fate::RequestLost) => return Ok(()),
            Some(Fate::AnswerLost) => return state.forward(&request).await.map(drop),
            Some(Fate::Late) => {
                state.late.lock().unwrap().push(request);
                return Ok(());
            }
            Some(Fate::Answered(error)) => {
                let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: ";
                client.write_all(format!("{head}{}\r\n\r\n{error}", error.len()).as_bytes()).await?;
            }
            Some(Fate::Delivered) | None => {
                engine.write_all(&request).await?;
                let answer = read_message(&mut engine).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
                client.write_all(&answer).await?;
            }
        }
    }
    Ok(())
}

/// Reads an HTTP/1.1 message with a content length. Returns `None` at the end of the connection.
async fn read_message(from: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let mut length = 0;
    loop {
        let begun = message.len();
        if from.read_until(b'\n', &mut message).await? == 0 {
            return if begun == 0 { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        let line = String::from_utf8_lossy(&message[begun..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(|_| io::ErrorKind::InvalidData)?;
        }
        if line.starts_with("transfer-encoding:") {
            return Err(io::Error::other("only messages with a content length are supported"));
        }
        if line == "\r\n" {
            break;
        }
    }
    let head = message.len();
    message.resize(head + length, 0);
    from.read_exact(&mut message[head..]).await?;
    Ok(Some(message))
}
