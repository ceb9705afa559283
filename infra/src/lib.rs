//! Adapters to DynamoDB, SQS, KMS, SES, SNS, Lambda and the machine; the one package that names the AWS SDKs.

pub mod aws;
pub mod backend;
mod batch;
pub mod checkpoint;
pub mod clock;
pub mod config;
mod crypto;
pub mod failure;
pub mod fault;
pub mod file;
pub mod function;
pub mod generations;
pub mod http;
pub mod key_files;
mod key_pair;
pub mod lambda;
pub mod limits;
pub mod log;
pub mod messenger;
mod query;
pub mod queue;
pub mod rows;
pub mod secret;
pub mod setup;
pub mod stream;
pub mod tables;
pub mod telemetry;
pub mod token;
pub mod vault;

pub use backend::Backend;
pub use clock::Clock;
pub use config::Config;
pub use failure::Failure;
pub use log::Log;
pub use rows::Rows;
pub use vault::Vault;
