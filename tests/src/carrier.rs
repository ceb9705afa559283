//! A simulated carrier of mails and texts (SES and SNS) with answers set by a test.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::SdkConfig;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use futures::stream;
use infra::{
    Clock, aws,
    messenger::{MailSettings, MessengerConfig, Messengers, TextSettings},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{OwnedRwLockWriteGuard, RwLock},
};

/// The sender of mails.
pub const FROM: &str = "Waitlist <hello@example.com>";

/// The time-out of a messenger whose carrier may not answer: short, because a test waits for it.
const TIMEOUT: Duration = Duration::from_millis(400);
const PATIENT: Duration = Duration::from_secs(10);

/// The carrier's behaviour for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Answers with this status and body.
    With(u16, &'static str),
    /// Like `With`, after advancing the sender's clock by so many milliseconds.
    After(i64, u16, &'static str),
    /// Does not answer.
    Never,
    /// Refuses the message and cuts the connection.
    Cut,
    /// Accepts the message and cuts the connection.
    AcceptedAndCut,
}

#[derive(Clone)]
pub struct Carrier {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    seen: Arc<Mutex<Vec<String>>>,
    taken: Arc<Mutex<Vec<String>>>,
    clock: Arc<Mutex<Option<Clock>>>,
    /// Answers wait while a test holds it.
    gate: Arc<RwLock<()>>,
    timeout: Duration,
    url: String,
}

impl Carrier {
    /// Starts a carrier that gives these answers, one to each request, and the last one to all further
    /// requests.
    pub async fn new(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let timeout = if answers.contains(&Answer::Never) { TIMEOUT } else { PATIENT };
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
        let carrier = Self {
            answers,
            seen: Arc::default(),
            taken: Arc::default(),
            clock: Arc::default(),
            gate: Arc::default(),
            timeout,
            url,
        };
        let router = Router::new().fallback(serve).with_state(carrier.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        carrier
    }

    /// Returns messengers that send to this carrier.
    pub async fn messengers(&self, configuration_set: Option<&str>, clock: Clock) -> Messengers {
        *self.clock.lock().unwrap() = Some(clock.clone());
        messengers(&self.sdk().await, self.timeout, configuration_set, clock)
    }

    /// Returns an SDK configuration with the carrier as endpoint.
    pub async fn sdk(&self) -> SdkConfig {
        aws::local(&self.url, "anyone").await
    }

    /// Sets the answers to the next requests.
    pub fn answer(&self, answers: &[Answer]) {
        *self.answers.lock().unwrap() = answers.iter().copied().collect();
    }

    /// Holds back all answers until the guard is dropped.
    pub async fn hold(&self) -> OwnedRwLockWriteGuard<()> {
        self.gate.clone().write_owned().await
    }

    /// Waits until this many requests have arrived.
    pub async fn asked(&self, count: usize) {
        while self.seen().len() < count {
            tokio::task::yield_now().await;
        }
    }

    /// Returns the bodies of all requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns the tags `stream` and `message` of all mails that were accepted so far.
    ///
    /// # Panics
    /// When a request was not a mail or lacks these tags.
    #[must_use]
    pub fn taken(&self) -> Vec<(String, String)> {
        let tags = |body: &String| {
            let mail: Value = serde_json::from_str(body).unwrap();
            let tags = mail["EmailTags"].as_array().unwrap();
            let tag = |name: &str| {
                tags.iter().find(|tag| tag["Name"] == name).unwrap()["Value"].as_str().unwrap().to_owned()
            };
            (tag("stream"), tag("message"))
        };
        self.taken.lock().unwrap().iter().map(tags).collect()
    }

    fn next(&self) -> Answer {
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0] }
    }
}

async fn serve(State(carrier): State<Carrier>, body: Bytes) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    carrier.seen.lock().unwrap().push(body.clone());
    let _open = carrier.gate.read().await;
    let answer = carrier.next();
    if let (Answer::After(ms, ..), Some(clock)) = (answer, &*carrier.clock.lock().unwrap()) {
        clock.advance_millis(ms);
    }
    if matches!(answer, Answer::With(200, _) | Answer::After(_, 200, _) | Answer::AcceptedAndCut) {
        carrier.taken.lock().unwrap().push(body);
    }
    match answer {
        Answer::With(status, body) | Answer::After(_, status, body) => {
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        }
        Answer::Never => std::future::pending().await,
        Answer::Cut | Answer::AcceptedAndCut => {
            let cut =
                stream::once(async { Err::<Bytes, _>(io::Error::other("simulated cut of the connection")) });
            Body::from_stream(cut).into_response()
        }
    }
}

/// Returns messengers that send by SES and SNS with this SDK configuration.
#[must_use]
pub fn messengers(
    sdk: &SdkConfig,
    timeout: Duration,
    configuration_set: Option<&str>,
    clock: Clock,
) -> Messengers {
    let config = MessengerConfig {
        mail: Some(MailSettings {
            from: FROM.into(),
            configuration_set: configuration_set.map(str::to_owned),
        }),
        texts: Some(TextSettings { sender_id: Some("Waitlist".into()) }),
        outbox: "nowhere".into(),
        sends_per_second: 1_000,
        timeout,
    };
    Messengers::new(sdk, &config, clock)
}
