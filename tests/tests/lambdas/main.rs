//! The built lambdas, as processes: events as API Gateway, SQS and DynamoDB Streams bring them, in; their answers, out.

mod accounts;
mod delivery;
mod deployment;
mod erasure;
mod gateway;
mod journey;
mod logs;
mod principal;
mod projector;
mod start;
