//! Logs: one line per thing handled, on standard error, without people in it.

use tracing_subscriber::{EnvFilter, fmt};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For a person at a terminal.
    Text,
    /// For CloudWatch and its like.
    Json,
}

/// Starts logging. The usual `RUST_LOG` chooses what; by default our own lines and others' warnings.
pub fn init(style: Style) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,aws_config=warn,lambda_runtime=warn,dynoxide=error"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second subscriber is refused; whoever came first decides.
    let _already_started = match style {
        Style::Text => builder.compact().try_init(),
        Style::Json => builder.json().flatten_event(true).try_init(),
    };
}
