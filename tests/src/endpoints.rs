//! Engines of services that the embedded engine does not have.

/// Returns the endpoint that the variable names. Without one, prints that the test is skipped.
#[must_use]
pub fn endpoint(test: &str, variable: &str) -> Option<String> {
    let endpoint = std::env::var(variable).ok();
    if endpoint.is_none() {
        println!("SKIPPED {test}: no engine, {variable} is not set");
    }
    endpoint
}
