//! The pages, in a browser, on a running server. `.ci/with-chromium cargo test --test pages` installs and starts what they
//! need.

mod audit;
mod every;
mod guest;
mod history;
mod home;
mod host;
mod mailed;
mod operator;
mod owner;
mod replay;
mod scene;
