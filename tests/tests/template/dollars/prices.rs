//! The prices of AWS, and bills made of them.

use std::ops::{Add, Mul};

use schema::body::projection::{READ_MILLION_DOLLARS, WRITE_MILLION_DOLLARS};
use waitlist_tests::template::resource;

/// A price in dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Price {
    pub of: &'static str,
    pub dollars: f64,
    pub per: f64,
}

macro_rules! prices {
    ($($name:ident = $of:literal, $dollars:expr, $per:literal;)+) => {
        $(pub(super) const $name: Price = Price { of: $of, dollars: $dollars, per: $per };)+

        /// All prices.
        pub(super) const ALL: &[Price] = &[$($name),+];
    };
}

prices! {
    WRITES = "DynamoDB write units", WRITE_MILLION_DOLLARS, 1e6;
    READS = "DynamoDB read units", READ_MILLION_DOLLARS, 1e6;
    STORED = "DynamoDB, GB stored for a month", 0.25, 1.0;
    RECOVERABLE = "DynamoDB point-in-time recovery, GB for a month", 0.20, 1.0;
    REQUESTS = "API Gateway, requests to an HTTP API", 1.00, 1e6;
    INVOCATIONS = "Lambda, invocations", 0.20, 1e6;
    GB_SECONDS = "Lambda, GB-seconds on x86", 0.000_016_666_7, 1.0;
    QUEUE_CALLS = "SQS, calls", 0.40, 1e6;
    SIGNATURES = "KMS, signatures with an elliptic curve", 0.15, 1e4;
    DECRYPTIONS = "KMS, calls with a symmetric key", 0.03, 1e4;
    LOGGED = "CloudWatch, GB of logs", 0.50, 1.0;
    TRACES = "X-Ray, recorded traces", 5.00, 1e6;
    MAILS = "SES, mails", 0.10, 1e3;
    KEYS = "KMS, a key for a month", 1.00, 1.0;
    SECRETS = "Secrets Manager, a secret for a month", 0.40, 1.0;
    ALARMS = "CloudWatch, an alarm for a month", 0.10, 1.0;
    DASHBOARDS = "CloudWatch, a dashboard for a month", 3.00, 1.0;
    METRICS = "CloudWatch, a metric for a month", 0.30, 1.0;
}

/// The logs of one invocation: its own lines, Lambda's report, and its metrics.
const LOGGED_BYTES: f64 = 2_000.0;

/// Amounts of things that have a price.
#[derive(Clone, Debug, Default)]
pub(super) struct Bill(Vec<(Price, f64)>);

impl Bill {
    pub(super) fn of(price: Price, amount: f64) -> Self {
        Self(vec![(price, amount)])
    }

    /// An invocation of a function, with its logs.
    pub(super) fn run(function: &str, milliseconds: f64) -> Self {
        let megabytes = resource(function).property("MemorySize").as_f64().unwrap();
        let gb_seconds = megabytes / 1_024.0 * milliseconds / 1_000.0;
        Self(vec![(INVOCATIONS, 1.0), (GB_SECONDS, gb_seconds), (LOGGED, LOGGED_BYTES / 1e9)])
    }

    pub(super) fn dollars(&self) -> f64 {
        self.0.iter().map(|(price, amount)| amount * price.dollars / price.per).sum()
    }

    /// The dollars of these prices alone.
    pub(super) fn dollars_of(&self, prices: &[Price]) -> f64 {
        let these = self.0.iter().filter(|(price, _)| prices.contains(price)).copied();
        Self(these.collect()).dollars()
    }
}

impl Add for Bill {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl Mul<f64> for Bill {
    type Output = Self;

    fn mul(mut self, times: f64) -> Self {
        for (_, amount) in &mut self.0 {
            *amount *= times;
        }
        self
    }
}
