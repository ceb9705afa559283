//! The operations that have a price of their own.

use super::{
    prices::{Bill, DECRYPTIONS, MAILS, QUEUE_CALLS, REQUESTS, SIGNATURES},
    units,
};

/// Assumed milliseconds of an invocation, which were not measured in AWS.
const READING: f64 = 20.0;
const WRITING: f64 = 40.0;
const SENDING: f64 = 150.0;
const HASHING: f64 = 400.0;

/// A message is sent to a queue, received and deleted.
const CALLS_OF_A_MESSAGE: f64 = 3.0;

fn request(function: &str, milliseconds: f64) -> Bill {
    Bill::of(REQUESTS, 1.0) + Bill::run(function, milliseconds)
}

/// The stream records of one commit, each in a batch of its own, as at a time with little traffic.
fn fed(doorbell: &str) -> Bill {
    units(doorbell) + Bill::run("Projector", WRITING) + Bill::run("Reactor", READING)
}

fn queued(function: &str, milliseconds: f64) -> Bill {
    Bill::of(QUEUE_CALLS, CALLS_OF_A_MESSAGE) + Bill::run(function, milliseconds)
}

pub(super) fn authorizing() -> Bill {
    units("the authorizer, once a minute and token") + Bill::run("Authorizer", READING)
}

pub(super) fn signing_in() -> Bill {
    request("Accounts", HASHING)
        + units("signing in, the account's key cached")
        + Bill::of(SIGNATURES, 1.0)
        + Bill::run("Projector", READING)
}

pub(super) fn refreshing() -> Bill {
    request("Accounts", WRITING)
        + units("refreshing a session, however often it was refreshed")
        + Bill::of(SIGNATURES, 1.0)
        + Bill::run("Projector", READING)
}

pub(super) fn joining() -> Bill {
    request("Guests", WRITING) + units("a guest joins by themselves") + fed("a doorbell: a party joins")
}

pub(super) fn adding() -> Bill {
    request("Hosts", WRITING)
        + units("a host adds a party with name, phone and note")
        + fed("a doorbell: a party joins")
}

/// Two commits record the message: started and sent. A text's own price depends on its country.
fn delivering(message: &str) -> Bill {
    queued("Deliver", SENDING) + units(message) + fed("a doorbell: a party's size changes") * 2.0
}

pub(super) fn calling_by_text() -> Bill {
    request("Hosts", WRITING)
        + units("a command with one event")
        + fed("a doorbell: a party is called")
        + delivering("a text to a guest, keys cached")
}

pub(super) fn calling_by_mail() -> Bill {
    request("Hosts", WRITING)
        + units("a command with one event")
        + fed("a doorbell: a party is called")
        + delivering("an e-mail to a guest, keys cached")
        + Bill::of(MAILS, 1.0)
}

pub(super) fn seating() -> Bill {
    request("Hosts", WRITING) + units("a command with one event") + fed("a doorbell: a party is seated")
}

pub(super) fn board() -> Bill {
    request("Reads", READING) + units("a board of 30 parties, keys cached")
}

/// The keys of a board, which a process reads once a minute.
pub(super) fn keys_of_a_board() -> Bill {
    units("a board of 30 parties, no keys cached")
        + units("a board of 30 parties, keys cached") * -1.0
        + Bill::of(DECRYPTIONS, 1.0)
}

pub(super) fn visit() -> Bill {
    request("Reads", READING) + units("a guest's own visit, keys cached")
}

pub(super) fn door() -> Bill {
    request("Reads", READING) + units("a list as guests see it, keys cached")
}

pub(super) fn history() -> Bill {
    request("Reads", WRITING) + units("a page of an account's history: 50 newest events, keys cached")
}

pub(super) fn tick() -> Bill {
    Bill::run("Tick", WRITING) + units("a tick that finds nothing due")
}

pub(super) fn generations() -> Bill {
    units("reading the set of generations, in a process that uses rows at most every 5 s")
}

pub(super) fn all() -> Vec<(&'static str, Bill)> {
    vec![
        ("joins by guests, until the board shows them", joining()),
        ("parties that a host adds", adding()),
        ("calls with a text, its own price left out", calling_by_text()),
        ("calls with an e-mail", calling_by_mail()),
        ("parties seated", seating()),
        ("boards of 30 parties, or answers of 304 to them", board()),
        ("boards of 30 parties whose keys are read", board() + keys_of_a_board()),
        ("guests' visits", visit()),
        ("lists as guests see them", door()),
        ("pages of 50 of an account's history", history()),
        ("sign-ins", signing_in()),
        ("refreshes of a session", refreshing()),
        ("decisions of the authorizer", authorizing()),
        ("ticks that find nothing", tick()),
        ("readings of the set of generations", generations()),
    ]
}
