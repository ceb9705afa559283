//! The prices of AWS, and bills made of them.

use std::ops::{Add, Mul};

use waitlist_tests::template::resource;

/// A price in dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Price {
    pub of: &'static str,
    pub dollars: f64,
    pub per: f64,
}

const fn price(of: &'static str, dollars: f64, per: f64) -> Price {
    Price { of, dollars, per }
}

pub(super) const WRITES: Price = price("DynamoDB write units", 0.625, 1e6);
pub(super) const READS: Price = price("DynamoDB read units", 0.125, 1e6);
pub(super) const STORED: Price = price("DynamoDB, GB stored for a month", 0.25, 1.0);
pub(super) const RECOVERABLE: Price = price("DynamoDB point-in-time recovery, GB for a month", 0.20, 1.0);
pub(super) const REQUESTS: Price = price("API Gateway, requests to an HTTP API", 1.00, 1e6);
pub(super) const INVOCATIONS: Price = price("Lambda, invocations", 0.20, 1e6);
pub(super) const GB_SECONDS: Price = price("Lambda, GB-seconds on x86", 0.000_016_666_7, 1.0);
pub(super) const QUEUE_CALLS: Price = price("SQS, calls", 0.40, 1e6);
pub(super) const SIGNATURES: Price = price("KMS, signatures with an elliptic curve", 0.15, 1e4);
pub(super) const DECRYPTIONS: Price = price("KMS, calls with a symmetric key", 0.03, 1e4);
pub(super) const LOGGED: Price = price("CloudWatch, GB of logs", 0.50, 1.0);
pub(super) const TRACES: Price = price("X-Ray, recorded traces", 5.00, 1e6);
pub(super) const MAILS: Price = price("SES, mails", 0.10, 1e3);
pub(super) const KEYS: Price = price("KMS, a key for a month", 1.00, 1.0);
pub(super) const SECRETS: Price = price("Secrets Manager, a secret for a month", 0.40, 1.0);
pub(super) const ALARMS: Price = price("CloudWatch, an alarm for a month", 0.10, 1.0);
pub(super) const DASHBOARDS: Price = price("CloudWatch, a dashboard for a month", 3.00, 1.0);
pub(super) const METRICS: Price = price("CloudWatch, a metric for a month", 0.30, 1.0);

pub(super) const ALL: [Price; 18] = [
    WRITES,
    READS,
    STORED,
    RECOVERABLE,
    REQUESTS,
    INVOCATIONS,
    GB_SECONDS,
    QUEUE_CALLS,
    SIGNATURES,
    DECRYPTIONS,
    LOGGED,
    TRACES,
    MAILS,
    KEYS,
    SECRETS,
    ALARMS,
    DASHBOARDS,
    METRICS,
];

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
