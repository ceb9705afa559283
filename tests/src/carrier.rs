//! Who carries mails and texts, and answers as a test says.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::SdkConfig;
use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse};
use infra::{
    Clock, aws,
    messenger::{MailSettings, MessengerConfig, Messengers, TextSettings},
};
use tokio::net::TcpListener;

/// From whom mails are.
pub const FROM: &str = "Waitlist <hello@example.com>";

/// Long enough for an answer on this machine, short enough to wait for.
const TIMEOUT: Duration = Duration::from_millis(400);
const PATIENT: Duration = Duration::from_secs(10);

/// What the carrier does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It answers with this status and body.
    With(u16, &'static str),
    /// It does not answer.
    Never,
    /// It cuts the connection once it has read the request.
    Cut,
}

/// A carrier that listens.
#[derive(Clone)]
pub struct Carrier {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    seen: Arc<Mutex<Vec<String>>>,
    timeout: Duration,
    url: String,
}

impl Carrier {
    /// Gives these answers, one to each request; the last of them to all that follow.
    ///
    /// # Panics
    /// When this machine has no port left.
    pub async fn new(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let timeout = if answers.contains(&Answer::Never) { TIMEOUT } else { PATIENT };
        let carrier = Self { answers: Arc::new(Mutex::new(answers.iter().copied().collect())), seen: Arc::default(), timeout, url };
        let router = Router::new().fallback(serve).with_state(carrier.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        carrier
    }

    /// Those who send by way of it.
    pub async fn messengers(&self, configuration_set: Option<&str>, clock: Clock) -> Messengers {
        messengers(&aws::local(&self.url).await, self.timeout, configuration_set, clock)
    }

    /// The bodies of all requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn next(&self) -> Answer {
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0] }
    }
}

async fn serve(State(carrier): State<Carrier>, body: Bytes) -> impl IntoResponse {
    carrier.seen.lock().unwrap().push(String::from_utf8_lossy(&body).into_owned());
    let answer = carrier.next();
    match answer {
        Answer::With(status, body) => (StatusCode::from_u16(status).unwrap(), body),
        Answer::Never => std::future::pending().await,
        Answer::Cut => panic!("the connection is cut here"),
    }
}

/// Those who send by SES and SNS, as wherever this configuration leads to.
#[must_use]
pub fn messengers(sdk: &SdkConfig, timeout: Duration, configuration_set: Option<&str>, clock: Clock) -> Messengers {
    let config = MessengerConfig {
        mail: Some(MailSettings { from: FROM.into(), configuration_set: configuration_set.map(str::to_owned) }),
        texts: Some(TextSettings { sender_id: Some("Waitlist".into()) }),
        outbox: "nowhere".into(),
        sends_per_second: 1_000,
        timeout,
    };
    Messengers::new(sdk, &config, clock)
}
