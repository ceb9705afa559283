// The bodies of the public contract (schema/openapi.json) that the pages read and write. Types only: this file is not served.

declare namespace Api {
  type State = "waiting" | "called" | "confirmed" | "seated" | "left" | "removed" | "no-show";
  type MessageStatus = "due" | "started" | "sent" | "failed" | "unknown" | "skipped" | "bounced";

  interface Page<Item> {
    items: Item[];
    next: string | null;
  }

  interface Written {
    id: string;
    seq: number;
    state?: State;
  }

  interface Tokens {
    access_token: string;
    token_type: string;
    expires_in: number;
    refresh_token: string;
    refresh_expires_at: string;
  }

  interface User {
    id: string;
    email: string | null;
    name: string | null;
    email_confirmed: boolean;
    operator: boolean;
    registered_at: string;
    welcome: MessageStatus;
    seq: number;
  }

  interface Settings {
    name: string;
    time_zone: string;
    region: string;
    capacity: number;
    hold_minutes: number;
    remind_minutes: number | null;
    quote_minutes: number | null;
    language: string;
    day_starts: string;
  }

  interface Waitlist extends Settings {
    id: string;
    open: boolean;
    active: number | null;
    created_at: string;
    public_url: string;
    seq: number;
  }

  interface Notification {
    id: string;
    kind: "table-ready" | "reminder";
    channel: "sms" | "email" | null;
    status: MessageStatus;
    at: string;
    reason: string | null;
  }

  interface Party {
    name: string | null;
    party_size: number;
    phone: string | null;
    email: string | null;
    note: string | null;
    quoted_minutes: number | null;
    language: string | null;
  }

  interface Waitee extends Party {
    id: string;
    waitlist_id: string;
    state: State;
    position: number | null;
    duplicate_of: string | null;
    day: string;
    joined_at: string;
    quoted_at: string | null;
    called_at: string | null;
    calls: number;
    hold_until: string | null;
    confirmed_at: string | null;
    finished_at: string | null;
    joined_by: "host" | "guest";
    erased: boolean;
    notifications: Notification[];
    seq: number;
  }

  interface PublicWaitlist {
    id: string;
    name: string;
    open: boolean;
    waiting: number;
    quote_minutes: number | null;
    time_zone: string;
    language: string;
    region: string;
  }

  interface Joined extends Written {
    visit_token: string;
    status_url: string;
  }

  interface Visit {
    waitlist: { id: string; name: string; time_zone: string; language: string };
    state: State;
    position: number | null;
    ahead: number | null;
    party_size: number;
    quoted_at: string | null;
    hold_until: string | null;
    seq: number;
  }

  interface Event {
    stream: string;
    seq: number;
    type: string;
    v: number;
    at: string;
    actor: string;
    commit: string;
    correlation: string;
    causation: string | null;
    data: Record<string, any>;
  }

  interface History extends Page<Event> {
    verified: { ok: boolean; seq: number | null; why: string | null };
  }

  interface Audit extends Page<Event> {
    complete_until: string;
  }

  interface Verification {
    ok: boolean;
    streams: number;
    commits: number;
    first_bad: { stream: string; seq: number; why: string } | null;
    next: string | null;
  }

  type Stage = "requested" | "prepared" | "scanning" | "verifying" | "ready" | "promoted" | "rejected" | "cancelled" | "rolled-back";

  interface Projection {
    name: string;
    live: number;
    building: number | null;
    previous: number | null;
    code_version: string;
    row_version: number;
    rows: number | null;
    lag_seconds: number | null;
    rebuild: Rebuild | null;
  }

  interface Rebuild {
    id: string;
    projection: string;
    generation: number;
    state: Stage;
    requested_by: string;
    requested_at: string;
    finished_at: string | null;
    reason: string | null;
    promote: "auto" | "manual";
    write_units_per_second: number | null;
    segments: { done: number; of: number };
    commits: number;
    rows: number;
    commits_per_second: number | null;
    units: { read: number; write: number };
    eta_seconds: number | null;
    report: Report | null;
  }

  interface Report {
    streams: number;
    missing: number;
    extra: number;
    drift: number;
    wrong: number;
    expected: number;
    lagging: number;
    unreadable: number;
    examples: Example[];
  }

  interface Example {
    finding: "missing" | "extra" | "drift" | "wrong" | "expected" | "lagging" | "unreadable";
    stream: string;
    seq: number;
    field: string | null;
    live: unknown;
    candidate: unknown;
  }

  interface Quote {
    commits: number;
    bytes: number;
    read_units: number;
    write_units: number;
    dollars: number;
    priced_on: string;
    seconds: number;
    sample_read_units: number;
  }

  interface DeadLetter {
    id: string;
    queue: string;
    stream: string | null;
    generation: string | null;
    cause: string | null;
    attempts: number;
    first_at: string;
    last_at: string | null;
  }

  interface Fault {
    pointer?: string;
    parameter?: string;
    header?: string;
    detail: string;
  }
}
