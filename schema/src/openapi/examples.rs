//! Examples of bodies. They tell of one list, one visit on it, and the account of its host.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::body::{
    AddWaitee, Audit, ChangeWaitee, ChangeWaitlist, CreateWaitlist, Empty, Erasing, History, Move, Page,
    Transition, Verification, Waitee, Waitlist, Written,
    account::{
        AskPasswordReset, ChangeMe, ChangePassword, ConfirmEmail, EraseMe, Refresh, Register, ResetPassword,
        SignIn, Tokens, User,
    },
    guest::{JoinWaitlist, Joined, PublicWaitlist, Visit},
    projection::{DeadLetter, PRICED_ON, Projection, Quote, Rebuild, StartRebuild},
    system::{Health, Jwks},
};

const ACCOUNT: &str = "01920000-0000-7000-8000-00000000000a";
const LIST: &str = "01920000-0000-7000-8000-000000000001";
const VISIT: &str = "01920000-0000-7000-8000-000000000002";
const OTHER_VISIT: &str = "01920000-0000-7000-8000-000000000003";
const REBUILD: &str = "01920000-0000-7000-8000-000000000004";
const DEAD_LETTER: &str = "01920000-0000-7000-8000-000000000005";
const PASSWORD: &str = "correct horse battery staple";
const MAILED_TOKEN: &str = "AZIAAAAAcACAAAAAAAAACgAAAZOf2UAAyJ2u5m7Ck0w4vQ1rXe8TzA";
const REFRESH_TOKEN: &str = "AZIAAAAAcACAAAAAAAAADAAAAAFhYmNkZWZnaGlqa2xtbm9w";
pub(super) const VISIT_TOKEN: &str = "AZIAAAAAcACAAAAAAAAAAmFiY2RlZmdoaWprbG1ub3A";

/// A body with an example.
pub(super) trait Example {
    fn example() -> Value;
}

/// Declares the examples of bodies.
macro_rules! examples {
    ($($body:ty => $example:tt,)+) => {
        $(impl Example for $body {
            fn example() -> Value {
                json!($example)
            }
        })+
    };
}

examples! {
    Register => { "email": "ana@example.com", "password": PASSWORD, "name": "Ana" },
    ConfirmEmail => { "token": MAILED_TOKEN },
    AskPasswordReset => { "email": "ana@example.com" },
    ResetPassword => { "token": MAILED_TOKEN, "new_password": "quite another long passphrase" },
    ChangeMe => { "name": "Ana Maria" },
    ChangePassword => { "current_password": PASSWORD, "new_password": "quite another long passphrase" },
    EraseMe => { "current_password": PASSWORD },
    SignIn => { "email": "ana@example.com", "password": PASSWORD },
    Refresh => { "refresh_token": REFRESH_TOKEN },
    Tokens => {
        "access_token": "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTkyIn0.c2lnbmF0dXJl",
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": REFRESH_TOKEN,
        "refresh_expires_at": "2026-12-21T03:00:00.000Z",
    },
    User => {
        "id": ACCOUNT, "email": "ana@example.com", "name": "Ana", "email_confirmed": true, "operator": false,
        "registered_at": "2026-11-01T17:00:00.000Z", "welcome": "sent", "seq": 2,
    },
    CreateWaitlist => {
        "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "quote_minutes": 5,
        "remind_minutes": 3,
    },
    ChangeWaitlist => { "hold_minutes": 15, "quote_minutes": null },
    Empty => {},
    AddWaitee => {
        "name": "Ben", "party_size": 4, "phone": "(415) 555-2671", "note": "window seat", "quoted_minutes": 25,
    },
    ChangeWaitee => { "party_size": 5, "note": null },
    Transition => { "reason": "could not wait longer" },
    Move => { "before": OTHER_VISIT },
    JoinWaitlist => { "name": "Ben", "party_size": 4, "phone": "(415) 555-2671" },
    Written => { "id": VISIT, "seq": 3, "state": "called" },
    Erasing => { "status": "erasing" },
    Joined => {
        "id": VISIT, "seq": 1, "state": "waiting", "visit_token": VISIT_TOKEN,
        "status_url": format!("https://waitlist.example/visit#{VISIT_TOKEN}"),
    },
    PublicWaitlist => { "id": LIST, "name": "Main room", "open": true, "waiting": 5, "quote_minutes": 25, "time_zone": "America/Los_Angeles", "language": "en", "region": "US" },
    Visit => {
        "waitlist": { "id": LIST, "name": "Main room", "time_zone": "America/Los_Angeles", "language": "en" }, "state": "called", "position": 1, "ahead": 0,
        "party_size": 4, "quoted_at": "2026-11-21T03:25:00.000Z", "hold_until": "2026-11-21T03:30:00.000Z",
        "seq": 3,
    },
    Waitlist => {
        "id": LIST, "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "capacity": 200,
        "hold_minutes": 10, "remind_minutes": 3, "quote_minutes": 5, "language": "en", "day_starts": "04:00",
        "open": true, "active": 6, "created_at": "2026-11-01T17:05:00.000Z",
        "public_url": format!("https://waitlist.example/join#{LIST}"), "seq": 1,
    },
    Waitee => {
        "id": VISIT, "waitlist_id": LIST, "name": "Ben", "party_size": 4, "phone": "+14155552671",
        "email": null, "note": "window seat", "quoted_minutes": 25, "language": null, "state": "called",
        "position": 1, "duplicate_of": null, "day": "2026-11-20", "joined_at": "2026-11-21T03:00:00.000Z",
        "quoted_at": "2026-11-21T03:25:00.000Z", "called_at": "2026-11-21T03:20:00.000Z", "calls": 1,
        "hold_until": "2026-11-21T03:30:00.000Z", "confirmed_at": null, "finished_at": null,
        "joined_by": "host", "erased": false,
        "notifications": [{
            "id": "table-ready-2", "kind": "table-ready", "channel": "sms", "status": "started",
            "at": "2026-11-21T03:20:01.000Z", "reason": null,
        }],
        "seq": 3,
    },
    History => {
        "items": [event()],
        "next": null,
        "verified": { "ok": true, "seq": null, "why": null },
    },
    Audit => { "items": [event()], "next": null, "complete_until": "2026-11-21T03:24:50.000Z" },
    Verification => { "ok": true, "streams": 12, "commits": 87, "first_bad": null, "next": null },
    Health => { "status": "ok", "version": "0.1.0" },
    Jwks => {
        "keys": [{
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "alg": "EdDSA", "use": "sig",
        }],
    },
    StartRebuild => { "dry_run": false, "promote": "manual", "write_units_per_second": 500, "reason": "a new field in rows" },
    Projection => {
        "name": "waitees", "live": 0, "building": 7, "previous": null, "code_version": "0.1.0", "row_version": 3,
        "rows": null, "lag_seconds": null, "rebuild": rebuild(),
    },
    Rebuild => (rebuild()),
    Quote => {
        "commits": 1_000_000, "bytes": 262_000_000, "read_units": 412_000, "write_units": 915_000, "dollars": 0.623375,
        "priced_on": PRICED_ON, "seconds": 106, "sample_read_units": 1_310,
    },
    DeadLetter => {
        "id": DEAD_LETTER, "queue": "retries", "stream": format!("waitee-{VISIT}"), "generation": "waitees-g0",
        "cause": "the log ends before 4", "attempts": 5, "first_at": "2026-11-21T03:20:00.000Z",
        "last_at": "2026-11-21T03:35:00.000Z",
    },
    Document => { "openapi": "3.1.1" },
}

fn event() -> Value {
    json!({
        "stream": format!("waitee-{VISIT}"), "seq": 2, "type": "waitee.called", "v": 1,
        "at": "2026-11-21T03:20:00.000Z", "actor": format!("user:{ACCOUNT}"),
        "commit": "01920000-0000-7000-8000-000000000020",
        "correlation": "01920000-0000-7000-8000-0000000000fe", "causation": null,
        "data": { "hold_until": "2026-11-21T03:30:00.000Z" },
    })
}

fn rebuild() -> Value {
    json!({
        "id": REBUILD, "projection": "waitees", "generation": 7, "state": "scanning",
        "requested_by": format!("user:{ACCOUNT}"), "requested_at": "2026-11-21T03:20:00.000Z",
        "finished_at": null, "reason": "a new field in rows", "promote": "manual", "write_units_per_second": 500,
        "segments": { "done": 20, "of": 128 }, "commits": 31_250, "rows": 10_400, "commits_per_second": 1_250,
        "units": { "read": 4_200, "write": 41_600 }, "eta_seconds": 135, "report": null,
    })
}

impl Written {
    pub(super) fn example_of_rebuild() -> Value {
        json!({ "id": REBUILD, "seq": 7 })
    }

    pub(super) fn example_of_list() -> Value {
        json!({ "id": LIST, "seq": 1 })
    }
}

impl<T: Example> Example for Page<T> {
    fn example() -> Value {
        json!({ "items": [T::example()], "next": null })
    }
}

/// An OpenAPI document.
pub(super) struct Document;

impl JsonSchema for Document {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Document".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}
