//! Named points at which a test can make the process abort, as if the machine had failed.

/// Aborts the process if `WAITLIST_ABORT_AT` names this point. Does nothing in release builds.
#[inline]
pub fn point(name: &'static str) {
    #[cfg(debug_assertions)]
    abort_at(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// `WAITLIST_ABORT_AT` is `name` or `name:n`; with `n` the process aborts when it passes the point for the
/// n-th time.
#[cfg(debug_assertions)]
fn abort_at(name: &'static str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering},
    };
    static CHOSEN: LazyLock<Option<(String, AtomicI64)>> = LazyLock::new(|| {
        let value = std::env::var("WAITLIST_ABORT_AT").ok()?;
        let (name, nth) = value.split_once(':').unwrap_or((&value, "1"));
        Some((name.to_owned(), AtomicI64::new(nth.parse().unwrap_or(1))))
    });
    if let Some((chosen, left)) = &*CHOSEN
        && chosen == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}
