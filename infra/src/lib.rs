//! Where things live: the one package that names the AWS SDKs.

pub mod clock;
pub mod queue;
pub mod vault;
