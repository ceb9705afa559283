//! Named points at which a test can have the process die, as a machine would: at once, in the middle.

/// Aborts the process here when `WAITLIST_ABORT_AT` names this point. In release builds there is nothing here.
#[inline]
pub fn point(name: &'static str) {
    #[cfg(debug_assertions)]
    abort_at(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// `name` or `name:n`: the n-th time the point is passed.
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
