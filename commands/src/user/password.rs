//! Passwords: whether one is good, and how it is kept.
