//! The built lambdas, as processes: events as API Gateway, SQS and DynamoDB Streams bring them, in; their answers, out.

#![allow(clippy::unwrap_used, reason = "what a test stands on may fail it")]

mod deployment;
mod gateway;
mod journey;
mod logs;
mod principal;
mod projector;
mod start;
