//! The processor time of processes.

/// The processor time of a process since its start in seconds, as Linux tells it in hundredths; 0 elsewhere. `process` is an
/// id, or `self`.
#[must_use]
pub fn cpu_seconds(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
