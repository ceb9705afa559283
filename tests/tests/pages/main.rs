//! The pages, in a browser, on a running server. `.ci/with-chromium cargo test --test pages` installs and starts what they
//! need.

mod every;
mod home;
mod host;
mod scene;
