//! The built lambdas as processes: they get events as API Gateway, SQS and DynamoDB streams send them.

mod accounts;
mod delivery;
mod deployment;
mod erasure;
mod gateway;
mod journey;
mod logs;
mod mapping;
mod pages;
mod principal;
mod projector;
mod setup;
mod start;
mod sweep;
